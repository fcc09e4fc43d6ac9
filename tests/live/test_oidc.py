# SPDX-License-Identifier: Apache-2.0
"""Tokens of an OpenID Connect provider with real kubectl, against a real ferryd: as much as the
groups in it may, and no longer than the token says."""
import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fuzz"))
# pylint: disable=wrong-import-position
from live.site import Connection, Credential, Site, VMIS
from provider import Provider

KUBECTL = Path(os.environ.get("FERRY_KUBECTL_DIR", "/var/cache/ferry-lab/kubectl")) / "kubectl-1.32"
DEADLINE = 30


class Tokens(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ferry-oidc-")
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)
        self.provider = Provider(self.dir / "jwks.json")
        self.site = Site(self.dir, options=(*self.provider.options(), "--log-level", "warning"))
        self.site.start()
        self.addCleanup(self.site.stop)

    def connection(self, token):
        connection = Connection(self.site, Credential("somebody", self.site.ca, token=token))
        self.addCleanup(connection.close)
        return connection

    def kubectl(self, token, *args):
        return subprocess.run(
            [KUBECTL, "--server", f"https://127.0.0.1:{self.site.port}", "--certificate-authority",
             self.site.ca, "--token", token, *args], text=True, check=False, timeout=DEADLINE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "HOME": str(self.dir), "KUBECONFIG": "/dev/null"})

    def test_kubectl(self):
        token = self.provider.token("ida", ["ferry:viewers", "system:masters"])
        seen = self.kubectl(token, "get", "nodes")
        self.assertEqual(seen.returncode, 0, seen.stderr)
        who = self.kubectl(token, "auth", "whoami")
        self.assertIn("ida", who.stdout)
        self.assertNotIn("system:masters", who.stdout)
        self.assertIn("Forbidden", self.kubectl(token, "create", "namespace", "x").stderr)
        self.assertEqual(self.kubectl(token, "auth", "can-i", "create", "vmim").stdout.strip(), "no")
        admin = ("--kubeconfig", self.site.state / "admin.kubeconfig")
        subprocess.run([KUBECTL, *admin, "create", "clusterrolebinding", "ida", "--clusterrole", "edit",
                        "--user", "ida"], check=True, timeout=DEADLINE, stdout=subprocess.PIPE,
                       env={**os.environ, "HOME": str(self.dir)})
        made = self.kubectl(token, "create", "namespace", "x")
        self.assertEqual(made.returncode, 0, made.stderr)
        # another's signature, another's audience, a name of the server's own
        for bad in (token[:-8] + "AAAAAAAA", self.provider.token("ida", [], aud="other"),
                    self.provider.token("system:node:h1", ["system:nodes"])):
            self.assertNotEqual(self.kubectl(bad, "get", "nodes").returncode, 0)

    def test_a_watch_ends_with_its_token(self):
        """The token's time is over while a watch is open: that ends, within a second."""
        lasts = 3
        begun = time.time()
        connection = self.connection(self.provider.token("ida", ["ferry:viewers"], lasts_s=lasts))
        status, _, _ = connection.call("GET", f"{VMIS}?watch=true&timeoutSeconds=60")
        took = time.time() - begun
        self.assertEqual(status, 200)
        self.assertTrue(lasts - 1.5 < took < lasts + 2.5, took)
        self.assertEqual(connection.call("GET", VMIS)[0], 401)


if __name__ == "__main__":
    unittest.main()
