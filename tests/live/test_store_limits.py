# SPDX-License-Identifier: Apache-2.0
"""ferryd --max-objects and --max-bytes: what is too much is refused and says so, what is there goes
on, and what is deleted makes room."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fuzz"))
# pylint: disable=wrong-import-position
from live.site import BUILD, Connection, Site

SPACES = "/api/v1/namespaces"
POLICIES = "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies"
MERGE = {"Content-Type": "application/merge-patch+json"}


class Limits(unittest.TestCase):
    def site(self, *options):
        folder = tempfile.TemporaryDirectory(prefix="ferry-limits-")
        self.addCleanup(folder.cleanup)
        site = Site(folder.name, options=(*options, "--log-level", "error"))
        site.start()
        self.addCleanup(site.stop)
        admin = Connection(site, site.admin)
        self.addCleanup(admin.close)
        return admin

    def fill(self, admin, path, make, most):
        """Creates until it is refused: how many there was room for, and the refusal."""
        for i in range(most):
            status, _, body = admin.call("POST", path, make(i))
            if status != 201:
                self.assertEqual(status, 429, body)
                return i, body.decode()
        self.fail(f"{most} were taken")

    def test_objects(self):
        admin = self.site("--max-objects", "100")
        made, said = self.fill(admin, SPACES, lambda i: {"metadata": {"name": f"n{i}"}}, 101)
        self.assertGreater(made, 80)
        self.assertIn("at most 100 are kept", said)
        self.assertEqual(admin.call("PATCH", f"{SPACES}/n0", {"metadata": {"labels": {"a": "b"}}},
                                    MERGE)[0], 200)
        self.assertEqual(admin.call("DELETE", f"{SPACES}/n0")[0], 200)
        self.assertEqual(admin.call("POST", SPACES, {"metadata": {"name": "again"}})[0], 201)

    def test_bytes(self):
        admin = self.site("--max-bytes", "1Mi")
        text = {"metadata": {"annotations": {"a": "x" * 200000}}}
        made, said = self.fill(admin, POLICIES, lambda i: {
            **text, "metadata": {**text["metadata"], "name": f"p{i}"}, "spec": {}}, 7)
        self.assertGreater(made, 2)
        self.assertIn("at most 1048576 are kept", said)
        self.assertEqual(admin.call("DELETE", f"{POLICIES}/p0")[0], 200)

    def test_what_is_no_limit(self):
        for option, value in (("--max-objects", "99"), ("--max-objects", "-1"),
                              ("--max-objects", "many"), ("--max-objects", "10000001"),
                              ("--max-bytes", "0"), ("--max-bytes", "1023Ki"),
                              ("--max-bytes", "-5Gi"), ("--max-bytes", "much")):
            done = subprocess.run([str(BUILD / "ferryd"), option, value, "--state-dir", "/nowhere/x"],
                                  text=True, capture_output=True, check=False, timeout=20)
            self.assertEqual(done.returncode, 2, (option, value, done.stderr))
            self.assertIn(value.lstrip("-")[:4], done.stderr)


if __name__ == "__main__":
    unittest.main()
