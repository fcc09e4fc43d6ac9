# SPDX-License-Identifier: Apache-2.0
"""A server that speaks plain HTTP and answers what a test says."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def failure(code, reason, message, causes=()):
    return code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message,
                  "reason": reason, "code": code,
                  "details": {"causes": [{"reason": "FieldValueInvalid", "field": f, "message": m}
                                         for f, m in causes]}}


class Server:
    """routes: "METHOD path" (without query) -> (code, object), a list of events (a watch), or a
    function of (handler, body)."""

    def __init__(self):
        self.routes, self.asked, self.connections = {}, [], set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *args):
                pass

            def handle_one(self):
                n = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(n)) if n else None
                path, _, query = self.path.partition("?")
                outer.asked.append((self.command, self.path, body))
                outer.connections.add(self.client_address)
                watch = "watch=1" in query
                key = f"{'WATCH' if watch else self.command} {path}"
                answer = outer.routes.get(key, failure(404, "NotFound", f"no route {key}"))
                if callable(answer):
                    answer = answer(self, body)
                if answer is None:
                    return
                if watch and isinstance(answer, list):
                    self.begin_stream()
                    for event in answer:
                        self.event(event)
                    self.end_stream()
                    return
                code, value = answer
                data = json.dumps(value).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

            def begin_stream(self):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()

            def event(self, event):
                line = json.dumps({"type": event[0], "object": event[1]}).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                self.wfile.flush()

            def end_stream(self):
                self.wfile.write(b"0\r\n\r\n")

        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.httpd.daemon_threads = True
        self.httpd.handle_error = lambda *args: None  # a client that went away
        self.url = f"http://127.0.0.1:{self.httpd.server_port}"
        threading.Thread(target=self.httpd.serve_forever, args=(0.02,),
                         daemon=True).start()

    def stop(self):
        self.httpd.shutdown()
        self.httpd.server_close()
