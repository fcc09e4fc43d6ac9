#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Guests that write too fast for any pause that is allowed: slowed down by what the model says, and
by no more, through QEMU's monitor where that is allowed and by auto-converge where the writes were
measured before."""
import json
import unittest

from labtest import LabTest

POLICY = """
apiVersion: migrations.kubevirt.io/v1alpha1
kind: MigrationPolicy
metadata: {name: %s}
spec:
  selectors: {virtualMachineInstanceSelector: {speed: %s}}
  intent: {maxDowntimeMs: 250, maxSlowdown: 60}
  %s
"""
WRITER = {"memory": 256, "rate": 150, "working_set": 128, "pattern": "uniform"}


class Throttle(LabTest):
    HOSTS = 2

    def policy(self, name, field):
        self.ferry("apply", "-f", "-", text=POLICY % (name, name, field))

    def parameters(self, host, guest):
        answer = self.lab.virsh(host, "qemu-monitor-command", guest,
                                '{"execute":"query-migrate-parameters"}').stdout
        return json.loads(answer or "{}").get("return", {})

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

    def test_measured_before(self):
        # the path's rate is learnt from a migration there
        scout = self.guest("scout", memory=128, rate=0, working_set=64, pattern="idle")
        self.ferry("migrate", scout, "--to", "h2", "--no-tls")
        self.policy("measured", "dirtyRateSeconds: 4")
        guest = self.guest("b", label="speed=measured", **WRITER)
        self.ferry("migrate", guest, "--to", "h2", "--no-tls", "--detach")
        # the agent's step is 1 %; QEMU's own, until libvirt has set it, is 10 %
        during = self.wait(lambda: [p for p in [self.parameters("h1", guest)]
                                    if p.get("cpu-throttle-increment") == 1], 30,
                           "auto-converge is set up")[0]
        done = self.wait(lambda: self.newest(guest)["status"]["phase"] in ("Succeeded", "Failed") and
                         self.newest(guest), 60, "it ends")["status"]
        self.assertEqual(done["phase"], "Succeeded", done)
        self.assert_on(guest, "h2")
        forecast = done["forecast"]
        self.assertEqual(forecast["bandwidthFrom"], "migration", forecast)
        throttle = next(s for s in forecast["strategies"] if s["name"] == "throttle")
        self.assertTrue(throttle["permitted"])
        self.assertGreater(during["cpu-throttle-initial"], 1)
        self.assertLessEqual(during["cpu-throttle-initial"], 60)
        self.assertIn("forecastErrorPercent", done["summary"])
        self.assertFalse([t for t in self.taints("h1", guest) if "qemu-monitor" in t])

    def test_neither(self):
        """Nothing is slowed, and it is said what would be needed."""
        self.policy("neither", "retries: 0")
        guest = self.guest("n", label="speed=neither", **WRITER)
        self.ferry("migrate", guest, "--to", "h2", "--no-tls", "--detach")
        self.wait(lambda: [d for d in self.newest(guest)["status"].get("decisions", [])
                           if d["code"] == "Infeasible" and "slow-down of" in d["reason"]], 30,
                  "it is called infeasible")
        self.assertFalse(self.taints("h1", guest))
        self.ferry("cancel", guest)
        self.wait(lambda: self.newest(guest)["status"]["phase"] == "Failed", 10, "it is cancelled")
        self.assert_on(guest, "h1")


if __name__ == "__main__":
    unittest.main()
