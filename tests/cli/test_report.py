# SPDX-License-Identifier: Apache-2.0
"""ferry report from outside, against a scripted server: a secret that is put into each source does not come out.

usage: test_report.py FERRY
"""
import json
import os
import stat
import tarfile
import unittest

from test_program import STATE, VMIM, Program, failure, migration

NODES = "/api/v1/nodes"
VMIS = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances"
EVENTS = "/api/v1/namespaces/default/events"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIsesame\n-----END PRIVATE KEY-----"
# One of each: what a source might hold that nobody else may see.
SECRETS = {
    "migration": {"message": "refused: passwd='sesame-1'", "destinationXML": "<domain>sesame-2</domain>"},
    "vm": {"graphics": {"password": "sesame-3"}, "note": "https://a:sesame-4@proxy/", "token": {"deep": "sesame-5"}},
    "node": {"message": PEM, "systemUUID": "sesame-6", "list": ["Bearer sesame-7sesame-7"]},
    "event": {"message": "join ferry.0123456789ab.h1.sesame-8"},
    "policy": {"apiKey": "sesame-9"},
    "network": {"annotations": {"last-applied-configuration": "sesame-10"}},
    "cluster": {"note": "token=sesame-11"},
    "server": {"credential": "sesame-12"},
    "config": "# c\nlisten = 0.0.0.0:6443\noidc-client-secret = sesame 13\n",
    "log": "-object secret,id=m,data=sesame14sesame14==\n-vnc 10.0.0.2:1,password=sesame-15\n" + PEM + "\nlast line\n",
    "journal": "t h1 ferryd[1]: Authorization: Bearer sesame-16\nt h1 ferryd[1]: db of team-a goes to h2 at 10.0.0.2, www.site.example\n",
}


class Report(Program):
    def setUp(self):
        super().setUp()
        item = migration("Failed", 7, migrationState={**STATE, "migrationPolicyName": "calm"},
                         configurationOrigins={"timeout": "policy calm", "limit": "default"}, **SECRETS["migration"])
        item["metadata"]["creationTimestamp"] = "2026-01-02T03:04:05Z"
        self.route(f"GET {VMIM}", (200, {"metadata": {}, "items": [item]}))
        self.route(f"GET {VMIS}/db", (200, {"metadata": {"name": "db"}, "status": SECRETS["vm"]}))
        nodes = [{"metadata": {"name": n}, "status": {"addresses": [
            {"type": "InternalIP", "address": "10.0.0.2"}, {"type": "Hostname", "address": f"{n}.site.example"}],
            **SECRETS["node"]}} for n in ("h1", "h2")]
        for node in nodes:
            self.route(f"GET {NODES}/{node['metadata']['name']}", (200, node))
        self.route("GET /version", (200, {"ferryVersion": "v9", **SECRETS["server"]}))
        for path in (EVENTS, "/api/v1/events"):
            self.route(f"GET {path}", (200, {"items": [{"metadata": {"name": "e"}, **SECRETS["event"]}]}))
        for path, name, more in (
                ("/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies", "calm", SECRETS["policy"]),
                ("/apis/ferry.migration/v1/networks", "fast", SECRETS["network"]),
                ("/apis/kubevirt.io/v1/kubevirts", "kubevirt", SECRETS["cluster"]),
                ("/apis/kubevirt.io/v1/virtualmachineinstances", "token", {}),  # its name hides no secret
                ("/api/v1/namespaces", "team-a", {})):
            self.route(f"GET {path}", (200, {"metadata": {}, "items": [
                {"metadata": {"name": name}, "spec": more}, {"metadata": {"name": "other"}, "spec": {}},
                *([{"metadata": {"name": "default"}}] if path.endswith("/namespaces") else [])]}))
        self.route(f"GET {NODES}", (200, {"metadata": {}, "items": nodes}))
        self.config_file = self.write("ferryd.conf", SECRETS["config"])
        self.log = self.write("db.log", SECRETS["log"])
        self.write("journal", SECRETS["journal"])
        script = self.write("journalctl", "#!/bin/sh\necho \"$@\" >>\"$HOME/asked\"\n"
                            "case \"$*\" in *'--unit ferryd '*) cat \"$HOME/journal\";; esac\n")
        os.chmod(script, 0o700)
        self.env["PATH"] = f"{self.folder}:{self.env['PATH']}"

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def report(self, *options):
        done = self.run_ferry("report", "db-abcde", "--config", self.config_file, "--log", self.log, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def files_of(self, path):
        with tarfile.open(path) as tar:
            return {m.name: tar.extractfile(m).read().decode() for m in tar.getmembers()}

    def archive(self, *options):
        path = os.path.join(self.folder, "r.tar.gz")
        self.report("-o", path, *options)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        return self.files_of(path)

    def test_archive(self):
        """Everything is in it, and nothing of what may not be."""
        files = self.archive()
        self.assertEqual(sorted(files), sorted(f"r/{n}" for n in (
            "README", "about.yaml", "cluster.yaml", "db.log", "explain.txt", "ferryd.conf", "ferryd.log",
            "migration.yaml", "migrationEvents.yaml", "networks.yaml", "policies.yaml", "source.yaml",
            "sourceEvents.yaml", "target.yaml", "targetEvents.yaml", "vm.yaml", "vmEvents.yaml")))
        for name, text in files.items():
            for gone in ("sesame", "10.0.0.2"):
                self.assertNotIn(gone, text, name)
        self.assertIn("db of team-a goes to h2 at ip-1", files["r/ferryd.log"])
        self.assertIn("listen = ", files["r/ferryd.conf"])
        self.assertIn("last line", files["r/db.log"])
        self.assertIn("calm", files["r/policies.yaml"])
        self.assertNotIn("other", files["r/policies.yaml"])  # it had no part in it
        self.assertIn("v9", files["r/about.yaml"])
        with open(os.path.join(self.folder, "asked"), encoding="utf-8") as f:
            self.assertIn("--unit ferryd --since=@1767322985 ", f.read())  # a minute before it began

    def test_printed(self):
        for form in ("yaml", "json"):
            out = self.report("-o", form)
            self.assertNotIn("sesame", out)
            self.assertIn("db-abcde", out)
        self.assertEqual(json.loads(out)["policies"][0]["metadata"]["name"], "calm")

    def test_names(self):
        files = self.archive("--redact-names")
        for name, text in files.items():
            if name != "r/README":
                for gone in ("sesame", "h1", "h2", "db-abcde", "site.example", "team-a"):
                    self.assertNotIn(gone, text, name)
        self.assertIn("vm-1 of namespace-1 goes to host-2", files["r/ferryd.log"])
        self.assertIn("limit: default", files["r/migration.yaml"])  # a word that isn't the namespace

    def test_names_that_are_not_told(self):
        """What can't be hidden isn't written."""
        self.route(f"GET {NODES}", failure(403, "Forbidden", "you may not list nodes"))
        path = os.path.join(self.folder, "r.tar.gz")
        done = self.run_ferry("report", "db-abcde", "--redact-names", "-o", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("you may not list nodes", done.stderr)
        self.assertFalse(os.path.exists(path))

    def test_folder(self):
        path = os.path.join(self.folder, "out")
        self.report("-o", path, "--only-local")
        self.assertEqual(sorted(os.listdir(path)), ["README", "about.yaml", "db.log", "ferryd.conf", "ferryd.log"])

    def test_long(self):
        """Of a long log the end is kept, from the beginning of a line on."""
        with open(self.log, "a", encoding="utf-8") as f:
            for i in range(300000):
                f.write(f"{i}: nothing is said here\n")
        files = self.archive("--only-local")
        self.assertLess(len(files["r/db.log"]), 5 << 20)
        self.assertTrue(files["r/db.log"].endswith("299999: nothing is said here\n"))
        self.assertRegex(files["r/db.log"], r"\A\d+: nothing")

    def test_usage(self):
        done = self.run_ferry("report", "db-abcde", "-o", "jsn")
        self.assertEqual(done.returncode, 2)
        self.assertIn("FILE.tar.gz", done.stderr)


def load_tests(loader, _tests, _pattern):
    """Without those of the class that this one is made from."""
    return unittest.TestSuite(Report(name) for name in loader.getTestCaseNames(Report) if name in vars(Report))


if __name__ == "__main__":
    unittest.main(argv=["test_report.py"])
