#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Guests that write too fast for any pause that is allowed: slowed down by what the model says, and
by no more, through QEMU's monitor where that is allowed and by auto-converge where the writes were
measured before."""
import json
import re
import unittest

from labtest import LabTest

POLICY = """
apiVersion: migrations.kubevirt.io/v1alpha1
kind: MigrationPolicy
metadata: {name: %s}
spec:
  selectors: {virtualMachineInstanceSelector: {speed: %s}}
  intent: {maxDowntimeMs: 250, maxSlowdown: %d}
  %s
"""
WRITER = {"memory": 256, "rate": 150, "working_set": 128, "pattern": "uniform"}


class Throttle(LabTest):
    HOSTS = 2

    def policy(self, name, field, slowdown=60):
        self.ferry("apply", "-f", "-", text=POLICY % (name, name, slowdown, field))

    def parameters(self, host, guest):
        answer = self.lab.virsh(host, "qemu-monitor-command", guest,
                                '{"execute":"query-migrate-parameters"}').stdout
        return json.loads(answer.strip() or "{}").get("return", {})

    def job_throttle(self, host, guest):
        info = self.lab.virsh(host, "domjobinfo", guest).stdout
        found = re.search(r"Auto converge throttle:\s+(\d+)", info)
        return int(found.group(1)) if found else 0

    def taints(self, host, guest):
        log = self.lab.exec(host, "cat", f"/var/log/libvirt/qemu/{guest}.log").stdout
        return [line for line in log.splitlines() if "custom-monitor" in line]

    def test_monitor(self):
        self.policy("by-monitor", "allowMonitorCommands: true")
        guest = self.guest("m", label="speed=by-monitor", **WRITER)
        self.ferry("migrate", guest, "--to", "h2", "--no-tls")
        self.assert_on(guest, "h2")
        status = self.newest(guest)["status"]
        throttles = [d["value"] for d in status["decisions"] if d["action"] == "SetThrottle"]
        self.assertTrue(throttles, status["decisions"])
        self.assertLessEqual(max(throttles), 60)
        self.assertTrue(self.taints("h1", guest), "the monitor was to be used")
        stat = self.stat(guest)
        self.assertLess(stat["longest_gap_ms"], 250 * 1.3)
        self.assertGreater(stat["lost_seconds"], stat["longest_gap_ms"] / 1000)

    def scout(self):
        """The path's rate is learnt from a migration there."""
        scout = self.guest("scout", memory=128, rate=0, working_set=64, pattern="idle")
        self.ferry("migrate", scout, "--to", "h2", "--no-tls")

    def test_measured_before(self):
        """Auto-converge begins at what the model says. (The guest makes up for stalls below 10 ms,
        so what a small throttle does to it depends on the machine: it is not waited for.)"""
        # a throttle is needed and allowed on any machine, whatever is measured: QEMU looks at one
        # page in 512 only, of so small a guest at a few dozen
        self.lab.link("h1", "migration", "rate", "170mbit")
        self.addCleanup(self.lab.link, "h1", "migration", "rate", "none")
        self.scout()
        self.policy("measured", "dirtyRateSeconds: 4", slowdown=95)
        guest = self.guest("b", label="speed=measured", memory=128, rate=60, working_set=64,
                           pattern="uniform")
        self.ferry("migrate", guest, "--to", "h2", "--no-tls", "--detach")
        # the agent's step is 1 %; QEMU's own, until libvirt has set it, is 10 %
        during = self.wait(lambda: [p for p in [self.parameters("h1", guest)]
                                    if p.get("cpu-throttle-increment") == 1], 30,
                           "auto-converge is set up")[0]
        initial = during["cpu-throttle-initial"]
        self.assertGreater(initial, 1)
        self.assertLessEqual(initial, 95)
        ends = ("Succeeded", "Failed")
        self.wait(lambda: self.job_throttle("h1", guest) >= initial or
                  self.newest(guest)["status"]["phase"] in ends, 30, "the throttle is in force")
        self.ferry("cancel", guest, check=False)
        status = self.wait(lambda: self.newest(guest)["status"]["phase"] in ends and
                           self.newest(guest)["status"], 15, "its end")
        self.assertGreaterEqual(status["summary"]["topThrottlePercent"], initial, status)
        self.assert_on(guest, "h2" if status["phase"] == "Succeeded" else "h1")
        forecast = status["forecast"]
        self.assertEqual(forecast["bandwidthFrom"], "migration", forecast)
        throttle = next(s for s in forecast["strategies"] if s["name"] == "throttle")
        self.assertTrue(throttle["permitted"])
        self.assertFalse([t for t in self.taints("h1", guest) if "qemu-monitor" in t])

    def test_forecast_made_before(self):
        self.scout()
        self.policy("foretold", "dirtyRateSeconds: 2")
        guest = self.guest("f", label="speed=foretold", memory=256, rate=20, working_set=96,
                           pattern="uniform")
        self.ferry("migrate", guest, "--to", "h2", "--no-tls")
        self.assert_on(guest, "h2")
        status = self.newest(guest)["status"]
        forecast = status["forecast"]
        self.assertEqual(len(forecast["strategies"]), 5, forecast)
        self.assertGreater(forecast["writeRateBytesPerSecond"], 5 * 2**20, forecast)
        self.assertLess(status["summary"]["forecastErrorPercent"], 100, status)

    def test_more_than_is_allowed(self):
        """Auto-converge that somebody switched on goes on by itself, up to what is allowed."""
        self.policy("bounded", "retries: 0")
        guest = self.guest("x", label="speed=bounded", memory=256, rate=300, working_set=128,
                           pattern="uniform")
        self.ferry("migrate", guest, "--to", "h2", "--no-tls", "--auto-converge",
                   "--auto-converge-initial", "50", "--auto-converge-increment", "20", check=False)
        status = self.newest(guest)["status"]
        self.assertEqual((status["phase"], status["reason"]), ("Failed", "SlowdownExceeded"), status)
        self.assertIn("60 % are allowed", status["message"])
        self.assertEqual(status["summary"]["topThrottlePercent"], 70, status["summary"])
        self.assert_on(guest, "h1")

    def test_qemu_takes_a_throttle_back(self):
        """What holding it relies on: a lower maximum takes effect at one of QEMU's next looks."""
        guest = self.guest("q", memory=256, rate=300, working_set=128, pattern="uniform")
        self.ferry("migrate", guest, "--to", "h2", "--no-tls", "--detach", "--max-downtime", "60",
                   "--auto-converge", "--auto-converge-initial", "30",
                   "--auto-converge-increment", "20")
        self.wait(lambda: self.job_throttle("h1", guest) >= 30, 30, "it is slowed down")
        self.lab.virsh("h1", "qemu-monitor-command", guest, json.dumps({
            "execute": "migrate-set-parameters", "arguments": {
                "cpu-throttle-initial": 1, "cpu-throttle-increment": 1, "max-cpu-throttle": 1,
                "throttle-trigger-threshold": 1}}))
        self.wait(lambda: self.job_throttle("h1", guest) == 1, 15, "it is taken back")
        self.ferry("cancel", guest)
        self.wait(lambda: self.newest(guest)["status"]["phase"] == "Failed", 10, "it is cancelled")
        self.assert_on(guest, "h1")

    def test_neither(self):
        """Nothing is slowed, and it is said what would be needed."""
        self.policy("neither", "retries: 0")
        guest = self.guest("n", label="speed=neither", **WRITER)
        self.ferry("migrate", guest, "--to", "h2", "--no-tls", "--detach")
        self.wait(lambda: [d for d in self.newest(guest)["status"].get("decisions", [])
                           if d["code"] == "Infeasible" and "allowMonitorCommands" in d["reason"]],
                  30, "it is called infeasible, and the way to slow the guest down is named")
        self.assertFalse(self.taints("h1", guest))
        self.ferry("cancel", guest)
        self.wait(lambda: self.newest(guest)["status"]["phase"] == "Failed", 10, "it is cancelled")
        self.assert_on(guest, "h1")


if __name__ == "__main__":
    unittest.main()
