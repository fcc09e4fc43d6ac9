# SPDX-License-Identifier: Apache-2.0
"""Roles and what they give, made and asked for with real kubectl, old and new."""

import unittest

import harness


class Rights(harness.Server):
    """The tests; a subclass names the version."""

    def can(self, *args):
        """What `kubectl auth can-i` prints, and that its exit status says the same."""
        done = self.run_it("auth", "can-i", *args)
        said = done.stdout.split()[0] if done.stdout else done.stderr
        self.assertEqual(done.returncode, 0 if said == "yes" else 1, done.stderr)
        return said

    def test_a_role_and_its_binding(self):
        self.ok("create", "role", "mover", "--verb", "get,list,create", "--resource",
                "virtualmachineinstancemigrations.kubevirt.io")
        self.ok("create", "rolebinding", "movers", "--role", "mover", "--user", "nina", "--group",
                "night-shift")
        for who in (["--as", "nina"], ["--as", "joe", "--as-group", "night-shift"]):
            self.assertEqual(self.can("create", "vmim", *who), "yes")
            self.assertEqual(self.can("delete", "vmim", *who), "no")
            self.assertEqual(self.can("create", "vmim", "-n", "kubevirt", *who), "no")
            self.assertEqual(self.can("list", "vmi", *who), "no")
            self.assertEqual(self.ok("get", "vmim", "-o", "name", *who), "")
            self.assertIn("Forbidden", self.bad("get", "vmi", *who))
        self.assertEqual(self.can("create", "vmim", "--as", "joe"), "no")
        self.ok("delete", "rolebinding", "movers")
        self.assertEqual(self.can("create", "vmim", "--as", "nina"), "no")

    def test_a_cluster_role_and_its_bindings(self):
        self.ok("create", "clusterrole", "one-host", "--verb", "get", "--resource", "nodes",
                "--resource-name", "h1")
        self.ok("create", "clusterrole", "figures", "--verb", "get", "--non-resource-url",
                "/metrics")
        for role in ("one-host", "figures"):
            self.ok("create", "clusterrolebinding", role, "--clusterrole", role, "--user", "ann")
        self.assertEqual(self.can("get", "node/h1", "--as", "ann"), "yes")
        self.assertEqual(self.can("get", "node/h2", "--as", "ann"), "no")
        self.assertEqual(self.can("get", "/metrics", "--as", "ann"), "yes")
        self.assertIn("h1", self.ok("get", "node", "h1", "-o", "name", "--as", "ann"))
        self.assertIn("Forbidden", self.bad("get", "nodes", "--as", "ann"))
        self.assertIn("one-host", self.ok("get", "clusterroles"))
        self.assertIn("ann", self.ok("describe", "clusterrolebinding", "one-host"))

    def test_what_the_shipped_roles_list(self):
        self.ok("create", "clusterrolebinding", "v", "--clusterrole", "view", "--user", "vic")
        self.ok("create", "rolebinding", "o", "--clusterrole", "operate", "--user", "olga")
        table = {"vic": self.listed("vic"), "olga": self.listed("olga")}
        for who, kind, verb, wanted in (
                ("vic", "virtualmachineinstances.kubevirt.io", "list", True),
                ("vic", "virtualmachineinstancemigrations.kubevirt.io", "create", False),
                ("vic", "users.ferry.migration", "get", False),
                ("olga", "virtualmachineinstancemigrations.kubevirt.io", "create", True),
                ("olga", "virtualmachineinstancemigrations.kubevirt.io/cancel", "update", True),
                ("olga", "virtualmachineinstancemigrations.kubevirt.io/unsafe", "create", False),
                ("olga", "migrationpolicies.migrations.kubevirt.io", "patch", False)):
            with self.subTest(who=who, kind=kind, verb=verb):
                self.assertEqual(verb in table[who].get(kind, set()), wanted)
        for verb, said in (("cancel", "yes"), ("unsafe", "no")):
            self.assertEqual(self.can("update" if said == "yes" else "create", "vmim",
                                      "--subresource", verb, "--as", "olga"), said)

    def listed(self, who):
        """kind -> verbs, of `auth can-i --list`."""
        out = {}
        for line in self.ok("auth", "can-i", "--list", "--as", who).splitlines()[1:]:
            name = line.split(" ", 1)[0]
            verbs = line[line.rindex("[") + 1:line.rindex("]")].split()
            if name:
                out.setdefault(name, set()).update(verbs)
        return out

    def test_who_may_act_as_another(self):
        self.ok("create", "clusterrolebinding", "a", "--clusterrole", "admin", "--user", "ada")
        self.assertEqual(self.can("impersonate", "users", "--as", "ada"), "no")
        self.assertEqual(self.can("impersonate", "users"), "yes")
        said = self.bad("create", "clusterrolebinding", "b", "--clusterrole", "cluster-admin",
                        "--user", "ada", "--as", "ada")
        self.assertIn("not currently held", said)
        self.ok("create", "clusterrolebinding", "b", "--clusterrole", "edit", "--user", "ed",
                "--as", "ada")
        self.assertEqual(self.can("create", "migrationpolicies", "--as", "ed"), "yes")


class Old(Rights, unittest.TestCase):
    version = "1.20"


class New(Rights, unittest.TestCase):
    version = "1.32"


if __name__ == "__main__":
    unittest.main()
