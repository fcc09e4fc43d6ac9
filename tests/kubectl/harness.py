# SPDX-License-Identifier: Apache-2.0
"""A server of the API for one test, and kubectl of one version against it.

FERRY_KUBECTL_DIR holds kubectl-1.20 and kubectl-1.32 (tools/fetch-kubectl makes them),
FERRY_BUILD the build directory."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("FERRY_BUILD", ROOT / "build"))
KUBECTL = Path(os.environ.get("FERRY_KUBECTL_DIR", "/var/cache/ferry-lab/kubectl"))
DEADLINE = 30


class Server:
    """For a TestCase: each test has a server of its own. A subclass names kubectl's version."""

    version = None
    server_options = ()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ferry-kubectl-")
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)
        self.server = subprocess.Popen(
            [str(BUILD / "tests/api/api-test-server"), str(self.dir / "state"),
             *self.server_options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop)
        self.assertTrue(self.server.stdout.readline().startswith("https://"))
        self.env = {**os.environ, "KUBECONFIG": str(self.dir / "state/admin.kubeconfig"),
                    "HOME": str(self.dir)}
        self.program = str(KUBECTL / f"kubectl-{self.version}")

    def stop(self):
        self.server.stdin.close()
        self.assertEqual(self.server.wait(DEADLINE), 0)
        self.server.stdout.close()

    def file(self, text):
        path = self.dir / "manifest.yaml"
        path.write_text(text)
        return str(path)

    def run_it(self, *args, stdin=None, env=None):
        return subprocess.run([self.program, *args], env={**self.env, **(env or {})}, cwd=self.dir, text=True,
                              input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=DEADLINE, check=False)

    def ok(self, *args, stdin=None):
        done = self.run_it(*args, stdin=stdin)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def bad(self, *args, stdin=None):
        done = self.run_it(*args, stdin=stdin)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stderr.strip()

    def get(self, *args):
        return json.loads(self.ok("get", *args, "-o", "json"))
