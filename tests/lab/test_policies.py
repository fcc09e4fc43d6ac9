# SPDX-License-Identifier: Apache-2.0
"""Policies carried out on real hosts: by name, by a VM's annotation, in the migration itself."""
import json

from labtest import KUBECTLS, LabTest
from ferrylab.ferry import _listen_in as listen_in  # pylint: disable=wrong-import-order

MIGRATION_PORTS = (49152, 49216)

POLICY = {"apiVersion": "migrations.kubevirt.io/v1alpha1", "kind": "MigrationPolicy",
          "metadata": {"name": "quick-end"},
          "spec": {"schedule": {"init": [{"name": "setDowntime", "params": ["1"]}],
                                "stalling": [{"limit": 2, "action": {"name": "abort",
                                                                     "params": []}}]}}}


class Policies(LabTest):
    def migrate(self, vm, **spec):
        """Creates a migration and waits for its end."""
        name = f"policy-{vm}"
        manifest = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
                    "metadata": {"name": name}, "spec": {"vmiName": vm, **spec}}
        self.kubectl(KUBECTLS[0], "create", "-f", "-", text=json.dumps(manifest))
        self.wait(lambda: self.newest(vm)["status"]["phase"] in ("Succeeded", "Failed"), 60,
                  f"the end of {name}")
        return self.newest(vm)

    def test_presets_are_listed_and_stay(self):
        names = {p["metadata"]["name"]: p for p in self.ferry_json("get", "migrationpolicies")["items"]}
        self.assertLessEqual({"intent", "kubevirt", "kubevirt-classic", "kubevirt-vep248", "nova", "proxmox",
                              "ovirt-legacy", "ovirt-post-copy"}, set(names))
        before = names["nova"]
        self.ferry("delete", "migrationpolicy", "nova")  # it is made anew
        after = self.ferry_json("get", "migrationpolicy", "nova")
        self.assertNotEqual(after["metadata"]["uid"], before["metadata"]["uid"])
        self.assertEqual(after["spec"], before["spec"])

    def test_preset_named_by_the_vm(self):
        self.guest("annotated", rate=5, working_set=8)
        self.kubectl(KUBECTLS[0], "annotate", "vmi", "annotated", "ferry.migration/policy=nova")
        m = self.migrate("annotated", targetNode="h2")
        self.assertEqual(m["status"]["phase"], "Succeeded", m["status"].get("message"))
        status = m["status"]
        config = status["migrationState"]["migrationConfiguration"]
        self.assertEqual(config["preset"], "nova")
        self.assertEqual(status["configurationOrigins"]["preset"], "MigrationPolicy/nova")
        first = status["decisions"][0]
        self.assertEqual((first["action"], first["value"]), ("SetDowntime", 50))

    def test_schedule_of_one_vm(self):
        self.guest("own-way", rate=5, working_set=8)
        schedule = {"init": [{"name": "setDowntime", "params": ["123"]}],
                    "stalling": [{"limit": 40, "action": {"name": "abort"}}]}
        self.ferry("annotate", "vmi", "own-way",
                   f"ferry.migration/schedule={json.dumps(schedule)}")
        self.assertIn("VirtualMachineInstance", self.ferry("check", "own-way").stdout)
        status = self.migrate("own-way", targetNode="h2")["status"]
        self.assertEqual(status["phase"], "Succeeded", status.get("message"))
        self.assertEqual(status["decisions"][0]["value"], 123)
        self.assertEqual(status["configurationOrigins"]["schedule"], "VirtualMachineInstance")
        self.ferry("annotate", "vmi", "own-way", "ferry.migration/schedule={", "--overwrite")
        refused = self.ferry("check", "own-way", check=False)
        self.assertEqual(refused.returncode, 3, refused.stdout + refused.stderr)
        self.assertIn("schedule", refused.stderr)

    def test_schedule_gives_up_and_the_vm_stays(self):
        self.guest("writer", rate=300, working_set=40, pattern="uniform")
        self.kubectl(KUBECTLS[0], "apply", "-f", "-", text=json.dumps(POLICY))
        m = self.migrate("writer", policy="quick-end", targetNode="h2",
                         bandwidthPerMigration="16Mi")
        self.assertEqual(m["status"]["phase"], "Failed")
        self.assertIn("schedule", m["status"]["message"])
        self.assert_on("writer", "h1")

    STALLS = {"schedule": {"init": [{"name": "setDowntime", "params": ["200"]}],
                           "stalling": [{"limit": 100000, "action": {"name": "abort"}}]},
              "stallingLimit": 1, "completionTimeoutPerGiB": 0, "targetNode": "h2"}

    def test_ferryd_acts_when_it_stalls(self):
        self.guest("stuck", memory=384, rate=200, working_set=250, pattern="uniform")
        m = self.migrate("stuck", onStalling=["raiseDowntime", "abort"], maxDowntimeMs=20000,
                         **self.STALLS)
        self.assertEqual(m["status"]["phase"], "Succeeded", m["status"].get("message"))
        changes = m["status"]["changes"]
        limits = [c["fields"]["downtimeMs"] for c in changes]
        self.assertEqual(limits, [200 * 2 ** (i + 1) for i in range(len(limits))])
        for change in changes:
            self.assertEqual((change["by"], change["state"]), ("system:ferry", "Applied"))
            self.assertIn("no progress for", change["reason"])
        self.wait(lambda: "MigrationStallingHandled" in self.ferry("events").stdout, 5,
                  "an event tells of it")
        self.assert_on("stuck", "h2")

    def test_ferryd_gives_up_when_it_stalls(self):
        self.guest("hopeless", memory=384, rate=200, working_set=250, pattern="uniform")
        m = self.migrate("hopeless", onStalling=["abort"], **self.STALLS)
        status = m["status"]
        self.assertEqual((status["phase"], status["reason"]), ("Failed", "Stalled"), status)
        self.assertIn("no progress for", status["message"])
        self.assert_on("hopeless", "h1")

    def test_policy_and_preset_by_option(self):
        self.guest("chosen", rate=5, working_set=8)
        self.kubectl(KUBECTLS[0], "apply", "-f", "-", text=json.dumps(
            dict(POLICY, metadata={"name": "chosen"}, spec={"retries": 7, "preset": "nova"})))
        self.ferry("migrate", "chosen", "--to", "h2", "--policy", "chosen", "--preset",
                   "kubevirt-vep248")
        status = self.newest("chosen")["status"]
        config = status["migrationState"]["migrationConfiguration"]
        self.assertEqual((config["preset"], config["retries"]), ("kubevirt-vep248", 7))
        self.assertEqual(status["configurationOrigins"]["retries"], "MigrationPolicy/chosen")
        self.assertEqual(status["decisions"][0]["value"], 300)

    def test_another_host_after_the_first_failed(self):
        self.guest("wanderer", rate=5, working_set=8)
        for host in ("h2", "h3"):
            rule = ("INPUT", "-d", self.lab.host(host).addresses["migration"], "-j", "DROP")
            self.lab.exec(host, "iptables", "-I", *rule)
            self.addCleanup(self.lab.exec, host, "iptables", "-D", *rule)
        m = self.migrate("wanderer")
        self.assertEqual(m["status"]["phase"], "Failed")
        tried = {a["nodeName"] for a in m["status"]["attempts"]}
        self.assertEqual(tried | {m["status"]["migrationState"]["targetNode"]}, {"h2", "h3"})
        self.assert_on("wanderer", "h1")

    def test_another_host_takes_it(self):
        """The first target's libvirtd refuses, as no port is free there; the next one takes the VM."""
        self.guest("welcome", rate=5, working_set=8)
        for port in range(*MIGRATION_PORTS):
            self.addCleanup(listen_in(self.lab.host("h2").pid(), "0.0.0.0", port).close)
        self.kubectl(KUBECTLS[0], "taint", "node", "h3", "later=yes:PreferNoSchedule")  # h2 is first
        self.addCleanup(self.kubectl, KUBECTLS[0], "taint", "node", "h3", "later-")
        self.ferry("migrate", "welcome")
        m = self.newest("welcome")
        attempts = [(a["nodeName"], a["reason"]) for a in m["status"]["attempts"]]
        self.assertEqual(attempts, [("h2", "MigrationFailed")])
        self.assertIn("unused port", m["status"]["attempts"][0]["message"])
        self.assertEqual((m["status"]["phase"], m["status"]["migrationState"]["targetNode"]),
                         ("Succeeded", "h3"))
        told = [e["reason"] for e in self.ferry_json("get", "events")["items"]
                if e["involvedObject"]["name"] == m["metadata"]["name"] and e.get("count", 1) == 1]
        self.assertEqual(sorted(told), ["MigrationRetried", "MigrationScheduled",
                                        "MigrationScheduled", "MigrationSucceeded"])
        self.assert_on("welcome", "h3")

    def test_forecast(self):
        self.guest("weather", rate=20, working_set=16)
        forecast = self.ferry_json("forecast", "weather", "--to", "h2")
        names = {s["name"]: s for s in forecast["strategies"]}
        self.assertTrue(names["pre-copy"]["permitted"])
        self.assertGreater(forecast["dirtyRateBytesPerSecond"], 0)
        self.assertEqual(self.migrations("weather"), [])
        self.assert_on("weather", "h1")
        shown = self.ferry("forecast", "weather").stdout
        self.assertIn("pre-copy", shown)

    def test_policy_is_judged_as_a_whole(self):
        bad = dict(POLICY, metadata={"name": "bad"},
                   spec={"preset": "nosuch", "schedule": {"stalling": []}})
        answer = self.kubectl(KUBECTLS[0], "create", "--dry-run=server", "-f", "-",
                              text=json.dumps(bad), check=False)
        self.assertNotEqual(answer.returncode, 0)
        said = answer.stdout + answer.stderr
        self.assertIn("must end in abort", said)
        self.assertIn("spec.preset", said)


if __name__ == "__main__":
    import unittest
    unittest.main()
