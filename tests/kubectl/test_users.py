# SPDX-License-Identifier: Apache-2.0
"""Users as `ferry user` makes them, with real kubectl, ferry and openssl on the printed kubeconfig."""

import base64
import json
import subprocess
import unittest

import harness

# Both make a token and read a key of their own: cryptography holds to the width that RFC 5915 fixes.
from cryptography.hazmat.primitives.serialization import load_pem_private_key


class Users(harness.Server, unittest.TestCase):
    version = "1.32"

    def ferry(self, *args, config=None):
        env = {**self.env, "FERRY_KUBECONFIG": str(config or self.env["KUBECONFIG"])}
        return subprocess.run([str(harness.BUILD / "src/cli/ferry"), *args], env=env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              timeout=harness.DEADLINE)

    def make(self, name, *options):
        done = self.ferry("user", "create", name, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        path = self.dir / f"{name}.kubeconfig"
        path.write_text(done.stdout)
        return path

    def kubectl(self, config, *args):
        return self.run_it(*args, env={"KUBECONFIG": str(config)})

    def config(self, path):
        return json.loads(self.kubectl(path, "config", "view", "--raw", "-o", "json").stdout)

    def test_token(self):
        path = self.make("ann", "--group", "ferry:viewers")
        seen = self.kubectl(path, "get", "vmi", "-o", "name")
        self.assertEqual(seen.returncode, 0, seen.stderr)
        self.assertIn("/db", seen.stdout)
        self.assertIn("ann", self.kubectl(path, "auth", "whoami").stdout)
        own = self.ferry("get", "vmi", "-o", "name", config=path)
        self.assertEqual(own.returncode, 0, own.stderr)
        self.assertIn("Forbidden", self.kubectl(path, "delete", "node", "h3").stderr)
        listed = self.ferry("user", "list").stdout
        self.assertRegex(listed, r"ann +token +[0-9a-f]{16} ")
        number = next(line for line in listed.splitlines() if line.startswith("ann")).split()[2]
        done = self.ferry("user", "revoke", "ann", "--credential", number)
        self.assertEqual(done.returncode, 0, done.stderr)
        late = self.kubectl(path, "get", "vmi")
        self.assertNotEqual(late.returncode, 0)

    def test_certificate_and_its_key(self):
        path = self.make("cy", "--group", "ferry:viewers", "--certificate", "--expires", "2d")
        seen = self.kubectl(path, "get", "vmi", "-o", "name")
        self.assertEqual(seen.returncode, 0, seen.stderr)
        user = self.config(path)["users"][0]["user"]
        pem = base64.b64decode(user["client-certificate-data"])
        text = subprocess.run(["openssl", "x509", "-noout", "-subject", "-checkend", "172000"],
                              input=pem, stdout=subprocess.PIPE, check=False)
        self.assertIn(b"CN = cy", text.stdout)
        ends = subprocess.run(["openssl", "x509", "-noout", "-checkend", "173000"], input=pem,
                              stdout=subprocess.PIPE, check=False)
        self.assertEqual((text.returncode, ends.returncode), (0, 1))
        key = base64.b64decode(user["client-key-data"])
        subprocess.run(["openssl", "pkey", "-noout", "-check"], input=key, check=True,
                       stdout=subprocess.PIPE)
        self.assertEqual(load_pem_private_key(key, None).curve.name, "secp256r1")
        done = self.ferry("user", "revoke", "cy")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotEqual(self.kubectl(path, "get", "vmi").returncode, 0)

    def may(self, config, verb, resource, ns="default"):
        """What `kubectl auth can-i` says."""
        done = self.kubectl(config, "auth", "can-i", verb, resource, "-n", ns)
        self.assertIn(done.stdout.strip(), ("yes", "no"), done.stderr)
        return done.stdout.strip() == "yes"

    def label(self, config, kind, name):
        return self.kubectl(config, "label", kind, name, "seen=yes", "--overwrite").stderr

    def test_roles_everywhere(self):
        """Each role may what the one before may not, and no more; kubectl and ferry agree."""
        could = []
        for role in ("view", "operate", "edit"):
            path = self.make(f"r-{role}", "--role", role)
            seen = self.ferry("get", "vmi", "-o", "name", config=path)
            self.assertEqual((role, seen.returncode), (role, 0), seen.stderr)
            could.append([self.may(path, verb, kind) for verb, kind in (
                ("create", "vmim"), ("create", "migrationpolicies"),
                ("create", "clusterrolebindings"))])
            refused = self.label(path, "node", "h3")
            self.assertEqual("orbidden" in refused, role == "view", (role, refused))
            moved = self.ferry("migrate", "db", "--no-wait", config=path)
            self.assertEqual("orbidden" in moved.stderr, role == "view", (role, moved.stderr))
            self.assertIn("orbidden", self.ferry("user", "list", config=path).stderr)
        self.assertEqual(could, [[False, False, False], [True, False, False],
                                 [True, True, False]])

    def test_role_in_one_namespace(self):
        self.ok("create", "namespace", "team-a")
        path = self.make("tess", "--role", "operate", "-n", "team-a", "--certificate")
        self.assertEqual(self.config(path)["contexts"][0]["context"]["namespace"], "team-a")
        self.assertTrue(self.may(path, "create", "vmim", "team-a"))
        self.assertFalse(self.may(path, "create", "vmim", "default"))
        seen = self.kubectl(path, "get", "vmi")
        self.assertEqual(seen.returncode, 0, seen.stderr)
        for more in (["-n", "default"], ["-A"]):
            self.assertIn("Forbidden", self.kubectl(path, "get", "vmi", *more).stderr)
        self.assertIn("Forbidden", self.kubectl(path, "get", "nodes").stderr)

    def test_bindings_go_with_the_user(self):
        self.ok("create", "namespace", "team-a")
        self.make("una", "--role", "view")
        self.ok("create", "rolebinding", "una-too", "--clusterrole", "operate", "--user", "una",
                "-n", "team-a")
        self.ok("create", "clusterrolebinding", "pair", "--clusterrole", "view", "--user", "una",
                "--user", "ben")
        self.ok("create", "clusterrolebinding", "group", "--clusterrole", "view", "--group", "una")
        done = self.ferry("user", "revoke", "una")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 bindings", done.stdout)
        self.assertIn("clusterrolebindings/pair names una beside others", done.stdout)
        left = self.ok("get", "clusterrolebindings,rolebindings", "-A", "-o", "name")
        for name, there in (("/una-view", False), ("/una-too", False), ("/pair", True),
                            ("/group", True)):
            self.assertEqual(name in left, there, left)

    def test_rotate(self):
        old = self.make("rob", "--group", "ferry:viewers")
        done = self.ferry("user", "rotate", "rob", "--grace", "1h")
        self.assertEqual(done.returncode, 0, done.stderr)
        new = self.dir / "new.kubeconfig"
        new.write_text(done.stdout)
        self.assertEqual(self.kubectl(old, "get", "vmi").returncode, 0)
        self.assertEqual(self.kubectl(new, "get", "vmi").returncode, 0)
        third = self.dir / "third.kubeconfig"
        third.write_text(self.ferry("user", "rotate", "rob").stdout)
        self.assertEqual(self.kubectl(third, "get", "vmi").returncode, 0)
        for path in (old, new):
            self.assertNotEqual(self.kubectl(path, "get", "vmi").returncode, 0)

    def test_what_was_made_is_taken_back(self):
        """The name of a binding that cannot be: the User must not stay."""
        done = self.ferry("user", "create", "half", "--role", "No/Such Role")
        self.assertEqual(done.returncode, 1)
        self.assertIn("undone", done.stderr)
        self.assertNotIn("half", self.ferry("user", "list").stdout)
        self.assertEqual(done.stdout, "")

    def test_force(self):
        self.assertIn("virtual machine", self.bad("delete", "node", "h1"))
        self.assertIn("deleted", self.ok("delete", "node", "h1", "--force", "--grace-period=0"))
        refused = self.ferry("delete", "node", "h2")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("--force", refused.stderr)
        done = self.ferry("delete", "node", "h2", "--force")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("certificates are void", done.stdout)

    def test_usage(self):
        for args in (["user"], ["user", "create"], ["user", "create", "x"], ["user", "list", "x"],
                     ["user", "become", "x"],
                     ["user", "create", "x", "--role", "view", "--expires", "soon"]):
            self.assertEqual(self.ferry(*args).returncode, 2, args)


if __name__ == "__main__":
    unittest.main()
