# SPDX-License-Identifier: Apache-2.0
"""Never two: the target's libvirtd hangs just when it is to let the VM go on. libvirt's source gives up
after half a minute and resumes its copy; the target's resumes the other one when it is back."""
import subprocess

from labtest import BUILD, FERRY_LAB, LabTest


class Twin(LabTest):
    HOSTS = 2

    def state(self, host, name):
        done = self.lab.virsh(host, "domstate", name, "--reason")
        return done.stdout.strip() if done.returncode == 0 else ""

    def hang_in_the_switch_over(self, name):
        """Starts a migration to h2 and stops h2's libvirtd as soon as the guest is paused for it."""
        with subprocess.Popen([FERRY_LAB, "virsh", "h1", "event", name, "--event", "lifecycle",
                               "--timeout", "60"], env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True) as events:
            migration = subprocess.Popen(  # pylint: disable=consider-using-with
                [str(BUILD / "ferry"), "migrate", name, "--to", "h2", "--max-downtime", "20000"],
                env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            self.addCleanup(migration.wait)
            self.addCleanup(migration.kill)
            self.assertIn("Suspended Migrated", events.stdout.readline())
            self.lab.exec("h2", "pkill", "-STOP", "-x", "libvirtd")
            self.addCleanup(self.lab.exec, "h2", "pkill", "-CONT", "-x", "libvirtd")

    def test_target_hangs_and_comes_back(self):
        self.guest("twin", memory=128, rate=20, working_set=32)
        self.lab.link("h1", "migration", "rate", "60mbit")
        self.addCleanup(self.lab.link, "h1", "migration", "rate", "none")
        self.hang_in_the_switch_over("twin")
        # libvirt has given up and resumed the source; what Ferry did about it is over at once
        self.wait(lambda: self.newest("twin")["status"].get("decisions", [])
                  and any(d.get("code") == "Ambiguous"
                          for d in self.newest("twin")["status"]["decisions"]),
                  60, lambda: f"the guard acts: {self.newest('twin')['status']}")
        self.assertIn("paused", self.state("h1", "twin"))
        status = self.wait(lambda: self.newest("twin")["status"].get("migrationState", {})
                           .get("agentResult"), 30, "people are told")
        self.assertIn("h2", status["error"])
        self.assertIn("suspended", status["error"])
        self.assertIn("paused", self.state("h1", "twin"))  # and stays so
        self.lab.exec("h2", "pkill", "-CONT", "-x", "libvirtd")
        # whichever has it in the end, one has, and the other's copy is gone or suspended
        self.wait(lambda: ["running" in self.state(h, "twin") for h in ("h1", "h2")].count(True)
                  == 1, 30, "one runs")
        self.wait(lambda: sorted(bool(self.state(h, "twin")) and "shut off" not in
                                 self.state(h, "twin") for h in ("h1", "h2")) == [False, True],
                  30, lambda: f"one has it: {self.state('h1', 'twin')}, {self.state('h2', 'twin')}")
        stat = self.stat("twin")
        self.assertTrue(stat["memory_intact"], stat)
        status = self.wait(lambda: self.newest("twin")["status"]["phase"] in
                           ("Succeeded", "Failed") and self.newest("twin")["status"], 60, "its end")
        self.assertEqual(status["phase"] == "Succeeded", stat["host"] == "h2", status)
