# SPDX-License-Identifier: Apache-2.0
"""The audit log of a real ferryd: what stands in it, what never does, what is left out and counted,
and what happens to its file."""
import contextlib
import hashlib
import json
import os
import re
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fuzz"))
# pylint: disable=wrong-import-position
from live.site import Agent, Connection, Credential, MIGRATIONS, NODES, Site, VMIS

CANARY = "canary5ecret"
DOCUMENT = ROOT / "docs" / "audit.md"
# Members that the requests of one test do not bring about.
RARE = {"leftOut", "of", "cut", "count", "object.names", "user.uid",
        "user.credential", "user.impersonator"}


def migration(name, vm, **spec):
    return {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
            "metadata": {"name": name}, "spec": {"vmiName": vm, **spec}}


class Audit(unittest.TestCase):
    options = ()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ferry-audit-")
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)
        self.path = self.dir / "audit.log"
        self.site = Site(self.dir, options=("--audit-log", self.path, *self.options))
        self.viewer_token = self.site.token("eve", ["ferry:viewers"])
        self.site.start()
        self.addCleanup(self.site.stop)
        self.admin = Connection(self.site, self.site.admin)
        self.addCleanup(self.admin.close)

    def agent(self):
        agent = Agent(self.site, "h1")
        self.addCleanup(agent.connection.close)
        agent.domain("db")
        agent.report()
        other = Agent(self.site, "h2")  # somewhere to go, so that a migration lasts
        self.addCleanup(other.connection.close)
        other.report()
        return agent

    def lines(self, paths=None):
        found = []
        for path in paths or [self.path]:
            found += [json.loads(line) for line in path.read_text().splitlines()]
        return found

    def until(self, what, seconds=10):
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError):
                value = what()
                if value:
                    return value
            if time.monotonic() > deadline:
                self.fail(f"not within {seconds} s; the log: {self.path.read_text()[-3000:]}")
            time.sleep(0.05)

    def line(self, **wanted):
        """The line whose members are these, once it is there."""
        def search():
            for line in self.lines():
                flat = {**line, **{f"object_{k}": v for k, v in line.get("object", {}).items()}}
                if all(flat.get(k) == v for k, v in wanted.items()):
                    return line
            return None
        return self.until(search)


class Content(Audit):
    def test_write_and_refusal(self):
        self.agent()
        status, headers, _ = self.admin.call(
            "POST", MIGRATIONS, migration("m1", "db", maxDowntimeMs=300),
            {"traceparent": "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"})
        self.assertEqual(status, 201)
        line = self.line(id=headers["Audit-ID"])
        self.assertEqual((line["event"], line["verb"], line["code"]), ("write", "create", 201))
        self.assertIn("system:masters", line["user"]["groups"])
        self.assertEqual(line["object"], {"group": "kubevirt.io", "namespace": "default",
                                          "resource": "virtualmachineinstancemigrations",
                                          "name": "m1"})
        self.assertIn({"field": "spec.maxDowntimeMs", "new": 300}, line["changed"])
        self.assertEqual(line["trace"], "0123456789abcdef0123456789abcdef")
        self.assertRegex(line["from"], r"^127\.0\.0\.1:\d+$")
        # a change: old and new; a cancel; a delete
        self.admin.json("PUT", f"{MIGRATIONS}/m1/cancel")
        line = self.line(object_subresource="cancel", code=200)
        self.assertIn({"field": "status.migrationState.abortRequested", "new": True},
                      line["changed"])
        self.admin.json("DELETE", f"{MIGRATIONS}/m1")
        self.line(verb="delete", object_name="m1", code=200)
        # refusals: forbidden by role, unknown, invalid, of a stranger
        eve = Connection(self.site, Credential("eve", self.site.ca, token=self.viewer_token))
        self.assertEqual(eve.call("DELETE", f"{MIGRATIONS}/m9")[0], 403)
        line = self.line(code=403)
        self.assertEqual((line["event"], line["user"]["name"], line["reason"]),
                         ("refusal", "eve", "Forbidden"))
        self.assertEqual(self.admin.call("POST", MIGRATIONS, migration("m2", "nobody"))[0], 422)
        self.assertIn("spec.vmiName", self.line(code=422)["fields"])
        nobody = Connection(self.site, self.site.anonymous)
        self.assertEqual(nobody.call("GET", VMIS)[0], 401)
        self.assertEqual(self.line(code=401)["user"]["name"], "system:anonymous")
        # reading is no matter for it
        self.admin.json("GET", VMIS)
        self.admin.json("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
                        {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
                         "spec": {"namespace": "default"}})
        self.admin.json("PATCH", f"{VMIS}/db?dryRun=All", {"metadata": {"labels": {"x": "y"}}},
                        {"Content-Type": "application/merge-patch+json"})
        self.assertTrue(self.line(verb="patch", object_name="db")["dryRun"])
        for line in self.lines():
            self.assertFalse(line["event"] == "write" and line["verb"] in ("get", "list", "watch"))
            self.assertNotIn("selfsubjectrulesreviews", json.dumps(line))
        for connection in (eve, nobody):
            connection.close()
        self.check_document()

    def check_document(self):
        """docs/audit.md's table and what lines hold are the same."""
        members = set()
        for line in self.lines():
            members |= set(line) | {f"{k}.{m}" for k in ("user", "object") for m in line.get(k, {})}
        told = set(re.findall(r"^\| `([A-Za-z.]+)` \|", DOCUMENT.read_text(), re.M))
        self.assertEqual(members - told, set(), "docs/audit.md lacks these")
        self.assertEqual(told - members - RARE, set(), "docs/audit.md has these, no line does")

    def test_agents_at_transitions_only(self):
        agent = self.agent()
        self.line(event="write", object_path=f"{NODES}/h1/session")
        self.assertEqual(self.line(object_resource="nodes", object_name="h1", code=201)["verb"],
                         "create")
        before = len(self.lines())
        for _ in range(20):
            agent.report()
        self.admin.json("PATCH", f"{VMIS}/db", {"metadata": {"labels": {"last": "one"}}},
                        {"Content-Type": "application/merge-patch+json"})
        self.line(verb="patch", object_name="db")
        self.assertEqual(len(self.lines()), before + 1)

    def test_what_was_done_before_a_refusal(self):
        """The first ones of a collection went, the next may not: that is a write, whose line is
        never left out, however many refusals there were before."""
        for name in ("aa", "ab", "zz"):
            self.admin.json("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        for _ in range(30):
            self.assertEqual(self.admin.call("DELETE", "/api/v1/namespaces/default")[0], 403)
        status, headers, _ = self.admin.call("DELETE", "/api/v1/namespaces")
        self.assertEqual(status, 403)
        line = self.line(id=headers["Audit-ID"])
        self.assertEqual((line["event"], line["code"], line["count"]), ("write", 403, 2))
        self.assertEqual(line["object"]["names"], ["aa", "ab"])

    def test_agent_beyond_its_own(self):
        """What a binding lets an agent do besides is nobody's routine."""
        agent = self.agent()
        rbac = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
        self.admin.json("POST", rbac, {
            "metadata": {"name": "odd"}, "roleRef": {"kind": "ClusterRole", "name": "edit"},
            "subjects": [{"kind": "Group", "name": "system:nodes"}]})
        space = "/api/v1/namespaces"
        for method, path, body, verb in (("POST", space, {"metadata": {"name": "x"}}, "create"),
                                         ("DELETE", f"{space}/x", None, "delete")):
            self.assertIn(agent.connection.call(method, path, body)[0], (200, 201))
            line = self.line(verb=verb, object_resource="namespaces", object_name="x")
            self.assertEqual(line["user"]["name"], "system:node:h1")
        # nor does it reach another host
        for path, body in (("h2/status", {"status": {}}), ("h2", {"metadata": {"labels": {"a": "b"}}}),
                           ("h2", {"spec": {"peer": {"scheme": "tls", "host": "x"}}})):
            self.assertEqual(agent.connection.call(
                "PATCH", f"/api/v1/nodes/{path}", body,
                {"Content-Type": "application/merge-patch+json"})[0], 403)

    def test_join_names_the_node(self):
        nobody = Connection(self.site, self.site.anonymous)
        self.addCleanup(nobody.close)
        self.assertEqual(nobody.call("POST", "/apis/ferry.migration/v1/join", {
            "token": "ferry.x.h7.y", "nodeName": "h7", "csr": "x"})[0], 401)
        self.line(event="refusal", object_resource="nodes", object_name="h7", code=401)


class Secrets(Audit):
    def test_none_gets_in(self):
        """A canary wherever a secret can be: nowhere in the audit log, nowhere in ferryd's own."""
        self.agent()
        patch = {"Content-Type": "application/merge-patch+json"}
        token = CANARY + "0" * 40
        tries = [
            ("GET", VMIS, None, {"Authorization": f"Bearer {token}"}),
            ("GET", VMIS, None, {"Authorization": f"Basic {CANARY}"}),
            ("DELETE", f"{VMIS}/db?access_token={CANARY}", None, {"Cookie": f"session={CANARY}"}),
            ("POST", "/apis/ferry.migration/v1/join",
             {"token": f"ferry.{'0' * 64}.h1.{CANARY}", "nodeName": "h1", "csr": CANARY}, {}),
            ("POST", f"{NODES}/h1/session", {"version": CANARY, "mode": CANARY}, {}),
            ("PUT", f"{MIGRATIONS}/m1", CANARY.encode(), {"X-Password": CANARY}),
            ("POST", "/plugins/kimchi/vms/db/migrate",
             {"remote_host": "h2", "user": "root", "password": CANARY}, {}),
            ("POST", MIGRATIONS, migration("m1", "db", password=CANARY, token=[CANARY]), {}),
            ("POST", MIGRATIONS, migration("m2", "db", destinationXML=f"<domain>{CANARY}</domain>",
                                           persistentXML=f"<x>{CANARY}</x>"), {}),
            ("POST", MIGRATIONS, migration("m3", "db", migrateURI=f"tcp://u:{CANARY}@h2/"), {}),
            ("PATCH", f"{VMIS}/db", {"metadata": {"annotations": {"kubeconfig": CANARY}}}, patch),
            ("PATCH", f"{VMIS}/db", {"metadata": {"annotations": {"kubeconfig": CANARY * 2}}}, patch),
            ("PATCH", f"{VMIS}/db", {"metadata": {"annotations": {"kubeconfig": None}}}, patch),
            ("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {
                "name": "n1", "annotations": {"ca.key": f"-----BEGIN PRIVATE KEY-----{CANARY}"}}}, {}),
        ]
        users = "/apis/ferry.migration/v1/users"
        self.admin.json("POST", users, {"apiVersion": "ferry.migration/v1", "kind": "User",
                                        "metadata": {"name": "ines"},
                                        "spec": {"groups": [], "description": "a person"}})
        answers = [self.admin.json("POST", f"{users}/ines/token", {"expirationSeconds": 3600})]
        key, request = self.site.key_and_request("ines", [])
        answers.append(self.admin.json("POST", f"{users}/ines/certificate",
                                       {"csr": request.read_text()}))
        secret = answers[0]["token"].rsplit(".", 1)[1]
        made = [secret, hashlib.sha256(secret.encode()).hexdigest(),
                *(text.splitlines()[2] for text in (answers[1]["certificate"], request.read_text(),
                                                    key.read_text()))]
        self.line(object_subresource="token", code=201)
        self.line(object_subresource="certificate", code=201)
        statuses = []
        for method, path, body, headers in tries:
            for credential in (self.site.admin, self.site.anonymous):
                connection = Connection(self.site, credential)
                statuses.append(connection.call(method, path, body, headers)[0])
                connection.close()
        self.assertIn(200, statuses)
        self.assertIn(401, statuses)
        self.admin.call("DELETE", "/api/v1/namespaces/n1")
        self.line(verb="delete", object_name="n1")
        self.assertEqual(self.site.stop(), 0)
        for path in (self.path, self.site.log):
            text = path.read_text()
            self.assertGreater(len(text), 500, path)
            self.assertNotIn(CANARY, text, path)
            self.assertNotIn(self.viewer_token, text)
            for piece in made:
                self.assertNotIn(piece, text)
        self.assertIn("metadata.annotations.kubeconfig", self.path.read_text())


class Limits(Audit):
    def test_refusals_are_counted(self):
        nobody = Connection(self.site, self.site.anonymous)
        for _ in range(200):
            self.assertEqual(nobody.call("GET", VMIS)[0], 401)
        nobody.close()
        eve = Connection(self.site, Credential("eve", self.site.ca, token=self.viewer_token))
        self.assertEqual(eve.call("DELETE", f"{MIGRATIONS}/m9")[0], 403)  # another's flood hides nothing
        eve.close()
        self.line(code=403)
        self.assertEqual(self.site.stop(), 0)
        lines = self.lines()
        strangers = [line for line in lines if line.get("code") == 401]
        left_out = sum(line.get("leftOut", 0) for line in lines)
        self.assertLess(len(strangers), 40)
        self.assertEqual(len(strangers) + left_out, 200)


class Rotation(Audit):
    options = ("--audit-log-max-size", "64Ki", "--audit-log-keep", "2", "--log-level", "warning")

    def fill(self, count):
        for i in range(count):
            self.admin.json("POST", "/api/v1/namespaces", {
                "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"n{self.made}"}})
            self.made += 1

    made = 0

    def test_rotates_and_keeps(self):
        os.umask(0)
        self.addCleanup(os.umask, 0o022)
        self.fill(560)
        self.line(object_name=f"n{self.made - 1}")
        self.assertEqual(sorted(p.name for p in self.dir.glob("audit.log*")),
                         ["audit.log", "audit.log.1", "audit.log.2"])
        names = []
        for path in (self.dir / "audit.log.2", self.dir / "audit.log.1", self.path):
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            self.assertLessEqual(path.stat().st_size, 65536)
            names += [line["object"]["name"] for line in self.lines([path])]
        self.assertEqual(names, [f"n{i}" for i in range(self.made - len(names), self.made)])

    def test_moved_by_another(self):
        self.fill(1)
        self.line(object_name="n0")
        self.path.rename(self.dir / "moved")
        self.fill(1)
        self.line(object_name="n1")
        self.assertEqual(self.lines([self.dir / "moved"])[-1]["object"]["name"], "n0")

    def test_cannot_be_written(self):
        """Requests go on, it is said once, and the file is written again once that is possible. (A
        disk that is really full, and a line cut in two, are in tests/base/test-rotating_file.c.)"""
        self.fill(1)
        self.line(object_name="n0")
        self.path.unlink()
        self.path.mkdir()
        self.fill(5)
        self.until(lambda: "cannot open" in self.site.log.read_text())
        self.path.rmdir()
        self.fill(1)
        self.line(object_name=f"n{self.made - 1}")
        log = self.site.log.read_text()
        self.assertEqual(log.count("cannot open"), 1)
        self.until(lambda: "can be written again" in self.site.log.read_text())
        metrics = self.admin.call("GET", "/metrics")[2].decode()
        lost = int(re.search(r"^ferry_audit_lost_total (\d+)$", metrics, re.M).group(1))
        self.assertTrue(1 <= lost <= 5, lost)


if __name__ == "__main__":
    unittest.main()
