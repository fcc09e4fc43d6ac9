# SPDX-License-Identifier: Apache-2.0
"""Each of the limits that end a migration which does not converge: it fails for that reason, and
the VM runs on where it was. The limits count from the migration's beginning, whoever runs it."""
import json
import time

from labtest import KUBECTLS, LabTest

# what the guest writes never fits into the rate
BUSY = {"memory": 192, "rate": 200, "working_set": 96, "pattern": "uniform"}
NEVER = {"bandwidthPerMigration": "16Mi", "maxDowntimeMs": 20, "retries": 0,
         "completionTimeoutPerGiB": 0, "progressTimeout": 0}


class Deadlines(LabTest):
    HOSTS = 2

    def start(self, name, **spec):
        self.guest(name, **BUSY)
        manifest = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
                    "metadata": {"name": f"deadline-{name}"},
                    "spec": {"vmiName": name, "targetNode": "h2", **NEVER, **spec}}
        self.kubectl(KUBECTLS[0], "create", "-f", "-", text=json.dumps(manifest))

    def ends(self, name, reason, after, within):
        """It fails for that reason, not before `after` seconds of moving."""
        self.wait(lambda: self.newest(name)["status"]["phase"] in ("Succeeded", "Failed"), within,
                  lambda: f"its end: {self.newest(name)['status'].get('progress')}")
        status = self.newest(name)["status"]
        self.assertEqual((status["phase"], status["reason"]), ("Failed", reason),
                         status.get("message"))
        self.assertGreaterEqual(status["summary"]["totalMs"], after * 1000)
        self.assert_on(name, "h1")
        return status

    def test_completion_timeout(self):
        self.start("slow", completionTimeoutPerGiB=3, preset="kubevirt")  # it counts as one GiB
        status = self.ends("slow", "CompletionTimeout", 3, 25)
        self.assertIn("completion timeout", status["message"])

    def test_progress_timeout(self):
        self.start("stuck", progressTimeout=3)
        self.assertIn("no progress for",
                      self.ends("stuck", "ProgressTimeout", 3, 60)["message"])

    def test_hard_limit_of_the_agent(self):
        """ferryd is killed while it runs: the agent ends it alone, at the time it was given."""
        self.start("hard", migrationProgressTimeout=3, preset="proxmox")
        self.wait(lambda: "Expected downtime" in self.job("hard") or "Memory remaining" in
                  self.job("hard"), 20, "libvirt moves it")
        self.lab.kill("ferryd")
        try:
            self.wait(lambda: "Memory remaining" not in self.job("hard"), 30,
                      lambda: "the end of its job without ferryd: " + self.job("hard"))
            # The target takes its half away by itself, a moment after the source's job has ended.
            self.wait(lambda: self.domains() == {"h1": ["hard"], "h2": []}, 10,
                      lambda: f"the VM on its source alone: {self.domains()}")
            self.assertTrue(self.stat("hard")["memory_intact"])
            self.assertNotEqual(self.ferry("get", "vmim", check=False).returncode, 0)
        finally:
            self.lab.start("ferryd")
        self.assertIn("no progress for", self.ends("hard", "ProgressTimeout", 3, 30)["message"])

    def domains(self):
        return {h: self.lab.virsh(h, "list", "--name").stdout.split() for h in ("h1", "h2")}

    def job(self, name):
        """What libvirt says of the domain's job."""
        return self.lab.virsh("h1", "domjobinfo", name).stdout

    def test_duration(self):
        self.start("late", intent={"maxDuration": "5s", "maxDowntime": "20ms"}, maxDowntimeMs=20)
        self.ends("late", "DeadlineExceeded", 5, 25)

    def test_the_clock_goes_on_without_its_agent(self):
        """The one that takes over counts from the beginning, and knows what was told of it."""
        self.start("adopted", stallingLimit=2, intent={"maxDuration": "24s", "maxDowntime": "20ms"},
                   maxDowntimeMs=20)
        self.wait(lambda: self.condition("adopted", "Stalling") == "True", 30, "it stalls")
        self.lab.kill("h1", "agent")
        begun = time.monotonic()
        self.lab.start("h1", "agent")
        status = self.ends("adopted", "DeadlineExceeded", 20, 40)
        self.assertLess(status["summary"]["totalMs"], 30000)
        self.assertLess(time.monotonic() - begun, 24)
        self.assertEqual(self.condition("adopted", "Stalling"), "False")

    def condition(self, name, kind):
        for item in self.newest(name)["status"].get("conditions", []):
            if item["type"] == kind:
                return item["status"]
        return None
