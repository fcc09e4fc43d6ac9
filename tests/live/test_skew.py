# SPDX-License-Identifier: Apache-2.0
"""The command line and ferryd of two versions. older/VERSION/cli.json has what that version's ferry asked of that
version's ferryd, verb by verb, and what it was answered: an older ferry is its questions, put to this ferryd; an older
ferryd is its answers, given to this ferry, and 404 for what it was not asked then. A released version's file stays as
it is; one that is not released yet may be made anew (test_skew.py --write)."""
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "fuzz")]
from live.site import BUILD, Agent, Connection, Site  # noqa: E402  pylint: disable=wrong-import-position

OLDER = Path(__file__).resolve().parent / "older"
VERSIONS = sorted((p.parent for p in OLDER.glob("*/cli.json")), key=lambda p: [int(n) for n in p.name.split(".")])
PRESENT = re.search(r"(?m)^  version: '([^']+)'", (ROOT / "meson.build").read_text())[1]
PATIENCE_S = 60
POLICY = ("apiVersion: migrations.kubevirt.io/v1alpha1\nkind: MigrationPolicy\nmetadata: {name: calm}\n"
          "spec: {selectors: {virtualMachineInstanceSelector: {a: b}}, bandwidthPerMigration: 64Mi}\n")
# What people type, in this order; none waits for a host to do something.
VERBS = [("version", "-o", "json"), ("get", "vms"), ("get", "hosts", "-o", "wide"), ("get", "vm", "db-h1", "-o", "yaml"),
         ("describe", "vm", "db-h1"), ("describe", "host", "h1"), ("apply", "-f", "-"), ("get", "policies"),
         ("label", "vm", "db-h1", "a=b"), ("annotate", "vm", "db-h1", "site/a=b"), ("check", "db-h1", "--to", "h2"),
         ("migrate", "db-h1", "--no-wait"), ("get", "migrations", "-o", "json"), ("explain", "db-h1"),
         ("report", "db-h1", "-o", "json"), ("events",), ("host", "certificates", "-o", "wide"), ("freeze", "counting"), ("unfreeze",),
         ("delete", "policy", "calm")]


def ferry(url, folder, words):
    """The command line against a server that speaks plain HTTP."""
    config = Path(folder, "kubeconfig")
    config.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": url}}], "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}))
    return subprocess.run([str(BUILD / "ferry"), *words], text=True, capture_output=True, check=False,
                          timeout=PATIENCE_S, input=POLICY if "-f" in words else "",
                          env={"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8",
                               "FERRY_KUBECONFIG": str(config)})


class Front:
    """A plain HTTP server; `answer(method, path, headers, body)` gives status, content type and text."""

    def __init__(self, answer):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def handle_one(self):
                length = int(self.headers.get("Content-Length") or 0)
                status, kind, text = answer(self.command, self.path, self.headers, self.rfile.read(length))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

        self.httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.httpd.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.httpd.server_port}"
        self.thread = threading.Thread(target=self.httpd.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.httpd.shutdown()
        self.thread.join()
        self.httpd.server_close()


class Host(Agent):
    """One that others can reach."""

    def node_fields(self):
        fields = super().node_fields()
        fields["hypervisor"]["peer"] = {"scheme": "tls", "host": self.name}
        return fields


def prepared(folder):
    """A ferryd with two hosts that have a VM each."""
    site = Site(folder, options=("--log-level", "warning"))
    site.start()
    hosts = [Host(site, "h1"), Host(site, "h2")]
    for host in hosts:
        host.domain(f"db-{host.name}")
        host.report()
        host.connection.close()
    return site


def write():
    """What this build's programs say to each other."""
    with tempfile.TemporaryDirectory(prefix="ferry-skew-") as folder:
        site = prepared(folder)
        admin, told = Connection(site, site.admin), []

        def relay(method, path, headers, body):
            passed = {n: headers[n] for n in ("Content-Type", "Accept") if headers[n]}
            status, had, text = admin.call(method, path, body or None, passed)
            told.append({"method": method, "path": path, "headers": passed, "body": body.decode(), "status": status,
                         "type": had["Content-Type"], "answer": text.decode()})
            return status, had["Content-Type"] or "application/json", text

        verbs = []
        try:
            with Front(relay) as front:
                for words in VERBS:
                    told.clear()
                    done = ferry(front.url, folder, words)
                    assert done.returncode == 0, (words, done.stdout, done.stderr)
                    assert words[0] != "host" or "ferryd's CA" in done.stdout, done.stdout
                    verbs.append({"words": words, "exchanges": list(told)})
        finally:
            admin.close()
            site.stop()
    (OLDER / PRESENT / "cli.json").write_text(json.dumps(verbs, indent=1) + "\n")


def shape(text):
    """What of an answer a command line goes by and that no moment changes: kinds, columns, and of one object who it is
    and what was asked of it."""
    value = json.loads(text)
    found = {(key, value.get(key)) for key in ("kind", "apiVersion") if key in value}
    found |= {("column", c["name"]) for c in value.get("columnDefinitions", [])}
    if "items" not in value and isinstance(value.get("spec"), dict):
        found |= {("spec", m) for m in value["spec"]}
        found |= {("metadata", m) for m in ("name", "uid", "resourceVersion", "creationTimestamp") if m in value["metadata"]}
    return found


class OlderFerry(unittest.TestCase):
    def test_its_questions_are_answered(self):
        self.assertIn(PRESENT, [v.name for v in VERSIONS], "test_skew.py --write makes it")
        for version in VERSIONS:
            with self.subTest(version.name), tempfile.TemporaryDirectory(prefix="ferry-skew-") as folder:
                site = prepared(folder)
                self.addCleanup(site.stop)
                admin, names = Connection(site, site.admin), {}
                self.addCleanup(admin.close)
                for verb in json.loads((version / "cli.json").read_text()):
                    for asked in verb["exchanges"]:
                        self.check(admin, asked, names, verb["words"])

    def check(self, admin, asked, names, words):
        path, body = asked["path"], asked["body"]
        for old, new in names.items():  # what the server has named itself
            path, body = path.replace(old, new), body.replace(old, new)
        status, _, text = admin.call(asked["method"], path, body.encode() or None, asked["headers"])
        self.assertEqual(status, asked["status"], (words, path, text))
        self.assertEqual(shape(asked["answer"]) - shape(text), set(), (words, path))
        if "generateName" in body:
            old, new = (json.loads(t)["metadata"]["name"] for t in (asked["answer"], text))
            names[old] = new


class OlderFerryd(unittest.TestCase):
    def older(self, exchanges):
        """The answers of an older ferryd: each once in the order that they came, the last one again and again."""
        left = {}
        for e in exchanges:
            left.setdefault((e["method"], e["path"].partition("?")[0]), []).append(e)

        def answer(method, path, _headers, _body):
            known = left.get((method, path.partition("?")[0]))
            if not known:
                return 404, "application/json", json.dumps({
                    "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404, "reason": "NotFound",
                    "message": f"the server could not find the requested resource: there is no {path} here"}).encode()
            e = known.pop(0) if len(known) > 1 else known[0]
            return e["status"], e["type"], e["answer"].encode()
        return Front(answer)

    def test_its_answers_are_understood(self):
        for version in VERSIONS:
            for verb in json.loads((version / "cli.json").read_text()):
                with self.subTest(version.name, words=verb["words"]), tempfile.TemporaryDirectory() as folder, \
                        self.older(verb["exchanges"]) as front:
                    done = ferry(front.url, folder, verb["words"])
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertNotIn("error", done.stderr)

    def version_of(self, version):
        return {"method": "GET", "path": "/version", "status": 200, "type": "application/json",
                "answer": json.dumps({"ferryVersion": version})}

    def test_what_it_does_not_know_is_said(self):
        """A plain word where a verb needs a newer ferryd, none where that one only lacks an object."""
        cases = ((["freeze", "x"], "v0.0.9", "this needs a newer ferryd: it is v0.0.9"),
                 (["freeze", "x"], "v9.0.0", "this ferry is older than ferryd"),
                 (["freeze", "x"], f"v{PRESENT}", None))
        for words, version, said in cases:
            with self.subTest(version), tempfile.TemporaryDirectory() as folder, \
                    self.older([self.version_of(version)]) as front:
                done = ferry(front.url, folder, words)
                self.assertEqual(done.returncode, 1, done.stdout)
                if said:
                    self.assertIn(f"note: {said}", done.stderr)
                else:
                    self.assertNotIn("note:", done.stderr)
        missing = {"method": "PATCH", "path": "/api/v1/nodes/h9", "status": 404, "type": "application/json",
                   "answer": json.dumps({"kind": "Status", "message": 'nodes "h9" not found', "reason": "NotFound",
                                         "status": "Failure", "code": 404, "details": {"kind": "nodes", "name": "h9"}})}
        none = {"method": "GET", "path": "/api/v1/nodes", "status": 200, "type": "application/json",
                "answer": json.dumps({"kind": "NodeList", "apiVersion": "v1", "metadata": {}, "items": []})}
        with tempfile.TemporaryDirectory() as folder, self.older(
                [self.version_of("v0.0.9"), missing, missing | {"method": "GET"}, none]) as front:
            done = ferry(front.url, folder, ["label", "host", "h9", "a=b"])
            self.assertEqual(done.returncode, 1)
            self.assertNotIn("note:", done.stderr)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        unittest.main()
