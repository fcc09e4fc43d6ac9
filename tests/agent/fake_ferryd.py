# SPDX-License-Identifier: Apache-2.0
"""A stand-in for ferryd that speaks only what an agent needs, over plain HTTP.

It keeps the objects in memory, merges patches, streams watches, and remembers every request, so that
a test can say exactly what the agent wrote and when. It decides nothing: the test plays the controller.
"""
import http.server
import json
import threading
import time
import urllib.parse
import uuid

VMIM = "/apis/kubevirt.io/v1/virtualmachineinstancemigrations"


def merge(target, patch):
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    out = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge(out.get(key), value)
    return out


class FakeHandler(http.server.BaseHTTPRequestHandler):
    """One request; its server's `fake` says what comes of it."""
    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, code, body):
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def fail(self, code, reason, message):
        self.answer(code, {"kind": "Status", "code": code, "reason": reason,
                           "message": message, "status": "Failure"})

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fake = self.server.fake
        if fake.down:
            self.close_connection = True
            return
        if fake.refuse:
            fake.refused += 1
            self.fail(401, "Unauthorized", "Unauthorized: " + fake.refuse)
            return
        fake.serve(self, self.command, self.path, json.loads(body) if body else None)

    do_GET = do_POST = do_PATCH = handle_any


class FakeServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    disable_nagle_algorithm = True
    fake = None


class FakeFerryd:
    def __init__(self, address="127.0.0.1", port=0, sock=None):
        self.cond = threading.Condition()
        self.epochs = {}
        self.reports = []      # (time, node, body)
        self.domains = {}      # node -> uuid -> record
        self.nodes = {}        # node -> merged fields
        self.addresses = {}    # node -> addresses that ferryd believes to be its own, besides
        self.objects = {}      # (ns, name) -> object
        self.patches = []      # (time, name, body, telemetry)
        self.events = []
        self.version = 0
        self.down = False
        self.refuse = None     # a reason: everybody is unauthorized
        self.refused = 0       # how often
        self.server = self.listen(address, port, sock)
        self.server.fake = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def listen(address, port, sock):
        """A server there, or on a socket that is bound already."""
        if sock is None:
            return FakeServer((address, port), FakeHandler)
        server = FakeServer(("127.0.0.1", 0), FakeHandler, bind_and_activate=False)
        server.socket.close()
        server.socket = sock
        server.server_address = sock.getsockname()
        sock.listen(16)
        return server

    def serve(self, request, method, path, body):
        parts = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        words = parts.path.strip("/").split("/")
        if method == "POST" and words[-1] == "session":
            with self.cond:
                self.epochs[words[-2]] = epoch = self.epochs.get(words[-2], 0) + 1
                self.cond.notify_all()
            request.answer(201, {"epoch": epoch})
        elif method == "POST" and words[-1] == "report":
            node = words[-2]
            with self.cond:
                if body["epoch"] != self.epochs.get(node):
                    return request.fail(409, "Conflict", "stale agent epoch")
                self.reports.append((time.monotonic(), node, body))
                known = self.domains.setdefault(node, {})
                if body.get("full"):
                    known.clear()
                for record in body.get("domains", []):
                    known[record["uuid"]] = record
                for gone in body.get("removed", []):
                    known.pop(gone, None)
                self.nodes[node] = merge(self.nodes.get(node, {}), body.get("node", {}))
                self.cond.notify_all()
            request.answer(200, {})
        elif method == "POST" and words[-1] == "events":
            self.events.append(body)
            request.answer(201, body)
        elif method == "PATCH" and words[-1] == "status":
            ns, name = words[4], words[6]
            with self.cond:
                obj = self.objects.get((ns, name))
                if obj is None:
                    return request.fail(404, "NotFound", f'"{name}" not found')
                node = obj["status"]["migrationState"]["sourceNode"]
                if int(request.headers.get("Ferry-Agent-Epoch", 0)) != self.epochs.get(node):
                    return request.fail(409, "Conflict", "stale agent epoch")
                self.patches.append((time.monotonic(), name, body,
                                     request.headers.get("Ferry-Telemetry") == "1"))
                self.put(merge(obj, body))
            request.answer(200, self.objects[(ns, name)])
        elif method == "GET" and parts.path.startswith("/api/v1/nodes/"):
            with self.cond:
                known = json.loads(json.dumps(self.nodes.get(words[-1])))
            if known is None:
                return request.fail(404, "NotFound", f'nodes "{words[-1]}" not found')
            known["addresses"] = known.get("addresses", []) + [
                {"type": "InternalIP", "address": a} for a in self.addresses.get(words[-1], ())]
            request.answer(200, {"apiVersion": "v1", "kind": "Node",
                                 "metadata": {"name": words[-1]}, "status": known})
        elif method == "GET" and parts.path == VMIM and query.get("watch") == "1":
            self.watch(request, query["fieldSelector"].split("=", 1)[1])
        else:
            request.fail(404, "NotFound", f"{method} {path}")

    def put(self, obj):
        """Stores an object and tells the watchers."""
        with self.cond:
            self.version += 1
            obj["metadata"]["resourceVersion"] = str(self.version)
            self.objects[(obj["metadata"]["namespace"], obj["metadata"]["name"])] = obj
            self.cond.notify_all()

    def watch(self, request, node):
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        seen = {}
        while not self.down:
            lines = []
            with self.cond:
                for key, obj in self.objects.items():
                    if node not in obj["status"]["migrationState"]["agents"]:
                        continue
                    version = obj["metadata"]["resourceVersion"]
                    if seen.get(key) != version:
                        lines.append({"type": "MODIFIED" if key in seen else "ADDED", "object": obj})
                        seen[key] = version
                if not lines:
                    self.cond.wait(5)
            data = "".join(json.dumps(line) + "\n" for line in lines).encode() or b"\n"
            try:
                request.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                request.wfile.flush()
            except OSError:
                break
        request.close_connection = True

    def wait(self, condition, timeout=30, what="it"):
        """Waits until condition() is true (called with the lock held); returns its value."""
        deadline = time.monotonic() + timeout
        with self.cond:
            while True:
                value = condition()
                if value:
                    return value
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"{what} did not come about within {timeout} s")
                self.cond.wait(min(left, 1))

    def schedule(self, name, vmi, source, target, address, uri, config=None, phase="Scheduled",
                 **spec):
        agents = [source, target]
        self.addresses.setdefault(target, set()).add(address)
        here = [r for r in self.domains.get(source, {}).values() if r["name"] == vmi]
        domain = {"vmiUID": here[0]["uuid"], "domainName": vmi} if here else {}
        obj = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
               "metadata": {"name": name, "namespace": "default", "uid": str(uuid.uuid4())},
               "spec": {"vmiName": vmi, **spec},
               "status": {"phase": phase, "phaseTransitionTimestamps": [],
                          "migrationState": {"agents": agents, **domain,
                                             "sourceNode": source, "targetNode": target,
                                             "targetNodeAddress": address, "targetURI": uri,
                                             "migrationConfiguration": config or {}}}}
        self.put(obj)
        return obj

    def get(self, name, ns="default"):
        return self.objects[(ns, name)]

    def result(self, name, timeout=60):
        """Waits for the agent's result of a migration."""
        return self.wait(lambda: self.get(name)["status"]["migrationState"].get("agentResult"),
                         timeout, f"the result of {name}")

    def stop(self):
        self.down = True
        self.server.shutdown()
        self.server.server_close()
