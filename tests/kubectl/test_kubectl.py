# SPDX-License-Identifier: Apache-2.0
"""Real kubectl, old and new, against the API with seeded objects and no agents.

FERRY_KUBECTL_DIR holds kubectl-1.20 and kubectl-1.32 (tools/fetch-kubectl makes them),
FERRY_BUILD the build directory."""

import subprocess
import threading
import time
import unittest

import harness
from harness import DEADLINE

MIGRATION = """apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceMigration
metadata:
  name: migration-job
spec:
  vmiName: db
"""
POLICY = """apiVersion: migrations.kubevirt.io/v1alpha1
kind: MigrationPolicy
metadata:
  name: slow
spec:
  bandwidthPerMigration: 217Ki
  selectors:
    namespaceSelector:
      hpc-workloads: "true"
"""
CONFIGURATION = """apiVersion: kubevirt.io/v1
kind: KubeVirt
metadata:
  name: kubevirt
  namespace: kubevirt
spec:
  configuration:
    migrations:
      parallelMigrationsPerCluster: 5
      bandwidthPerMigration: 64Mi
"""


class Kubectl(harness.Server):
    """The tests; a subclass names the version."""

    def test_discovery(self):
        out = self.ok("api-resources")
        for word in ("vmi,vmis", "vmim,vmims", "migrationpolicies", "evacuations", "networks",
                     "kubevirts", "nodes", "events", "namespaces"):
            self.assertIn(word, out)
        self.assertIn("kubevirt.io/v1", self.ok("api-versions"))
        self.assertIn("Server Version", self.ok("version"))

    def test_get_in_every_form(self):
        lines = self.ok("get", "vmi").splitlines()
        self.assertEqual(lines[0].split()[:4], ["NAME", "PHASE", "NODE", "MEMORY"])
        self.assertEqual(len(lines), 4)
        self.assertIn("DOMAIN", self.ok("get", "vmi", "-o", "wide"))
        self.assertEqual(self.ok("get", "vmi", "db", "-o", "name").strip(),
                         "virtualmachineinstance.kubevirt.io/db")
        self.assertIn("domainName: db", self.ok("get", "vmi", "db", "-o", "yaml"))
        self.assertEqual(self.get("vmi")["kind"], "List")
        self.assertTrue(self.ok("get", "vmi", "-A").startswith("NAMESPACE"))
        self.assertEqual(len(self.get("vmi", "-l", "tier=db")["items"]), 3)
        self.assertEqual(len(self.get("vmi", "-l", "tier notin (db)")["items"]), 0)
        self.assertEqual(len(self.get("vmi", "--field-selector", "status.nodeName=h1")["items"]), 2)
        self.assertIn("TIER", self.ok("get", "vmi", "-L", "tier"))
        self.assertIn("db", self.ok("get", "vmi", "--sort-by", ".metadata.name"))
        self.assertIn("Ready", self.ok("get", "nodes"))
        self.assertIn("virtualmachineinstance.kubevirt.io/db", self.ok("get", "all"))
        self.assertEqual(self.get("vmi", "web_1")["metadata"]["name"], "web")

    def test_describe(self):
        text = self.ok("describe", "vmi", "db")
        self.assertIn("Domain Name:", text)
        self.assertIn("Ready", self.ok("describe", "node", "h1"))

    def test_explain(self):
        self.assertIn("vmiName", self.ok("explain", "vmim.spec"))

    def test_create_watch_wait_delete(self):
        path = self.file(MIGRATION)
        self.assertIn("dry run", self.ok("create", "-f", path, "--dry-run=server"))
        self.bad("get", "vmim", "migration-job")
        watch = subprocess.Popen([self.program, "get", "vmim", "-w"], env=self.env, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        seen = []
        reader = threading.Thread(target=lambda: seen.extend(iter(watch.stdout.readline, "")))
        reader.start()
        self.ok("create", "-f", path)
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline and not any("Pending" in line for line in list(seen)):
            time.sleep(0.02)
        watch.terminate()
        watch.wait()
        reader.join()
        watch.stdout.close()
        self.assertTrue(any("migration-job" in line for line in seen), seen)
        self.assertIn("AlreadyExists", self.bad("create", "-f", path))
        waiter = subprocess.Popen([self.program, "delete", "vmim", "migration-job", "--wait"],
                                  env=self.env, text=True, stdout=subprocess.PIPE)
        while not self.get("vmim", "migration-job")["metadata"].get("deletionTimestamp"):
            self.assertLess(time.monotonic(), deadline)
        self.assertIsNone(waiter.poll())
        self.ok("patch", "vmim", "migration-job", "--type=json",
                "-p", '[{"op":"remove","path":"/metadata/finalizers"}]')
        self.assertEqual(waiter.wait(DEADLINE), 0)
        waiter.stdout.close()
        self.assertIn("NotFound", self.bad("get", "vmim", "migration-job"))

    def test_generate_name(self):
        text = MIGRATION.replace("name: migration-job", "generateName: m-")
        self.assertRegex(self.ok("create", "-f", self.file(text), "-o", "name"), r"/m-.{5}\n")

    def test_apply(self):
        path = self.file(POLICY)
        self.assertIn("created", self.ok("apply", "-f", path))
        self.assertIn("unchanged", self.ok("apply", "-f", path))
        path = self.file(POLICY.replace("217Ki", "300Ki"))
        self.assertIn("configured", self.ok("apply", "-f", path))
        self.assertEqual(self.get("migrationpolicy", "slow")["spec"]["bandwidthPerMigration"],
                         "300Ki")
        self.ok("delete", "-f", path)

    def test_apply_by_the_domains_name(self):
        path = self.file(MIGRATION.replace("vmiName: db", "vmiName: web_1"))
        for args in (("apply",), ("apply",), ("replace",), ("apply", "--server-side")):
            self.ok(*args, "-f", path)
        self.assertEqual(self.get("vmim", "migration-job")["spec"], {"vmiName": "web"})
        error = self.bad("replace", "-f", self.file(MIGRATION))
        self.assertEqual(error.count("Forbidden"), 1, error)

    def test_apply_server_side(self):
        path = self.file(CONFIGURATION)
        self.ok("apply", "--server-side", "-f", path)
        other = self.file(CONFIGURATION.replace(": 5", ": 6"))
        error = self.bad("apply", "--server-side", "--field-manager=other", "-f", other)
        self.assertIn('conflict with "kubectl"', error)
        self.ok("apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", other)
        spec = self.get("kv", "kubevirt", "-n", "kubevirt")["spec"]
        self.assertEqual(spec["configuration"]["migrations"]["parallelMigrationsPerCluster"], 6)

    def test_label_annotate_patch(self):
        self.ok("label", "vmi", "db", "a=b")
        self.ok("annotate", "vmi", "db", "note=x y")
        self.ok("patch", "vmi", "db", "-p", '{"metadata":{"labels":{"c":"d"}}}')
        self.ok("patch", "vmi", "db", "--type=merge", "-p", '{"metadata":{"labels":{"e":"f"}}}')
        self.ok("patch", "vmi", "db", "--type=json",
                "-p", '[{"op":"remove","path":"/metadata/labels/a"}]')
        meta = self.get("vmi", "db")["metadata"]
        self.assertEqual(meta["labels"], {"tier": "db", "c": "d", "e": "f"})
        self.assertEqual(meta["annotations"], {"note": "x y"})

    def test_wait(self):
        self.ok("wait", "--for=condition=LiveMigratable", "vmi/db", "--timeout=5s")
        self.assertIn("timed out", self.bad("wait", "--for=condition=Paused", "vmi/db",
                                            "--timeout=1s"))

    def test_nodes(self):
        self.ok("cordon", "h1")
        self.assertIn("SchedulingDisabled", self.ok("get", "node", "h1"))
        self.ok("uncordon", "h1")
        self.ok("taint", "node", "h1", "k=v:NoSchedule")
        self.assertEqual(self.get("node", "h1")["spec"]["taints"][0]["key"], "k")
        self.ok("taint", "node", "h1", "k-")

    def test_namespaces_and_events(self):
        self.ok("create", "namespace", "team")
        self.ok("delete", "namespace", "team")
        self.assertIn("may not be deleted", self.bad("delete", "namespace", "default"))
        self.assertEqual(self.get("events")["items"], [])

    def test_rights(self):
        self.assertEqual(self.ok("auth", "can-i", "create", "vmim").strip(), "yes")
        self.assertIn('User "bob" cannot list', self.bad("get", "vmi", "--as", "bob"))

    def test_error_texts(self):
        cases = (
            (("get", "vmi", "nope"), None, 'Error from server (NotFound): '
             'virtualmachineinstances.kubevirt.io "nope" not found'),
            (("create", "-f", "-"), MIGRATION.replace("vmiName: db", "vmiName: of"),
             'The VirtualMachineInstanceMigration "migration-job" is invalid: spec.vmiName: Invalid '
             'value: "of": there is no VM of that name, domain name or UUID in namespace "default"; '
             'did you mean "off"?'),
            (("create", "-n", "zz", "-f", "-"), MIGRATION,
             'Error from server (NotFound): error when creating "STDIN": namespaces "zz" not found'),
            (("patch", "vmi", "db", "--type=merge", "-p", '{"spec":{"domainName":"x"}}'), None,
             'The VirtualMachineInstance "db" is invalid: spec: Forbidden: it describes'),
        )
        for args, stdin, want in cases:
            self.assertTrue(self.bad(*args, stdin=stdin).startswith(want), (args, want))
        two = MIGRATION.replace("vmiName: db", 'vmiName: "off"\n  targetNode: h1')
        error = self.bad("create", "-f", "-", stdin=two)
        self.assertEqual([line[:2] for line in error.splitlines()[1:]], ["* ", "* "])
        # a type, a range, a word, a rule between fields and one on the VM: none hides another
        mixed = MIGRATION.replace("vmiName: db", """vmiName: db
  live: maybe
  autoConvergeInitial: "20"
  parallelConnections: 999
  compressionMethods: [zip]
  zeroCopy: true
  targetNode: h1""")
        error = self.bad("create", "--validate=false", "-f", "-", stdin=mixed)  # 1.20: by itself
        self.assertTrue(all(line.startswith("* ") for line in error.splitlines()[1:]), error)
        for field in ("live", "autoConvergeInitial", "parallelConnections", "compressionMethods",
                      "zeroCopy", "targetNode"):
            self.assertRegex(error, rf"(?m)^\* spec\.{field}")
        unknown = self.bad("create", "-f", "-", stdin=MIGRATION + "  colour: red\n")
        self.assertIn("colour", unknown)
        self.assertEqual(self.get("vmim")["items"], [])


class Old(Kubectl, unittest.TestCase):
    version = "1.20"


class New(Kubectl, unittest.TestCase):
    version = "1.32"

    def test_whoami(self):
        self.assertIn("admin", self.ok("auth", "whoami"))


if __name__ == "__main__":
    unittest.main()
