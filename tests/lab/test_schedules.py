# SPDX-License-Identifier: Apache-2.0
"""Schedules that people state, on guests that write too fast to converge: what a schedule does is
enabled by the schedule alone, and it ends as its last step says."""
import json
import re

from flagstest import FlagsTest

# Ten times what the connection carries, over memory that takes seconds to send.
WRITER = {"memory": 96, "rate": 160, "working_set": 48, "pattern": "uniform"}
ENDS = ("Succeeded", "Failed")


def step(name, *params):
    return {"name": name, "params": list(params)}


class Schedules(FlagsTest):
    SLOW = ("--bandwidth", "16Mi")

    def policy(self, name, *stalling, init=()):
        """A policy that states a schedule and nothing else."""
        schedule = {"init": [step("setDowntime", "1"), *init],
                    "stalling": [{"limit": limit, "action": action} for limit, action in stalling]}
        self.ferry("apply", "-f", "-", text=json.dumps({
            "apiVersion": "migrations.kubevirt.io/v1alpha1", "kind": "MigrationPolicy",
            "metadata": {"name": name}, "spec": {"schedule": schedule}}))
        self.addCleanup(self.ferry, "delete", "migrationpolicy", name)
        return "--policy", name

    def status(self, name):
        return self.newest(name)["status"]

    def config(self, status, field):
        return (status["migrationState"]["migrationConfiguration"].get(field),
                status["configurationOrigins"][field])

    def acts(self, status, action):
        return [d for d in status["decisions"] if d["action"] == action]

    def to_its_end(self, name, policy, last):
        """Moved under that policy, whose last step was what ended it: its status."""
        self.move(name, "h2", *self.SLOW, *policy, "--no-tls")
        status = self.status(name)
        self.assertEqual(status["phase"], "Succeeded", status)
        done = self.acts(status, last)
        self.assertEqual(len(done), 1, status["decisions"])
        self.assertEqual(done[0]["code"], "Schedule")
        self.assertFalse(self.acts(status, "Abort"), status["decisions"])
        self.assert_on(name, "h2")
        return status

    def test_auto_converge_from_init(self):
        policy = self.policy("slows", (99, step("abort")), init=[step("autoConverge", "true")])
        guest = self.guest("slowed", **WRITER)
        with self.moving(guest, *policy, "--no-tls"):
            self.assertIn("auto-converge", self.capabilities(guest))
            self.assertIn("AUTO_CONVERGE", self.calls()[0])
            self.assertEqual(self.config(self.status(guest), "allowAutoConverge"),
                             (True, "MigrationPolicy/slows"))
            self.wait(lambda: re.search(r"Auto converge throttle: +[1-9]",
                                        self.lab.virsh("h1", "domjobinfo", guest).stdout), 40,
                      "the guest is slowed down")

    def test_auto_converge_only_where_asked_for(self):
        policy = self.policy("slows-not", (4, step("abort")), init=[step("autoConverge", "false")])
        guest = self.guest("unslowed", **WRITER)
        with self.moving(guest, *policy, "--no-tls"):
            self.assertNotIn("auto-converge", self.capabilities(guest))

    def test_ends_by_post_copy(self):
        policy = self.policy("switches", (2, step("postCopy")))
        guest = self.guest("switched", **WRITER)
        status = self.to_its_end(guest, policy, "StartPostCopy")
        self.assertIn("POSTCOPY", self.calls()[0])
        self.assertEqual(status["migrationState"]["mode"], "PostCopy", status)
        self.assertEqual(self.config(status, "allowPostCopy"), (True, "MigrationPolicy/switches"))

    def test_ends_by_suspend(self):
        policy = self.policy("pauses", (2, step("suspend")))
        guest = self.guest("paused", **WRITER)
        self.stat(guest, "--reset")
        self.to_its_end(guest, policy, "Suspend")
        self.assertNotIn("POSTCOPY", self.calls()[0])
        # not a pause of 1 ms, which is all that the schedule had allowed before
        self.assertGreater(self.stat(guest)["longest_gap_ms"], 500)

    def test_post_copy_that_is_forbidden_is_refused_beforehand(self):
        policy = self.policy("forbidden", (2, step("postCopy")))
        guest = self.guest("refused", rate=5, working_set=8)
        said = self.refused(guest, *policy, "--no-post-copy")
        self.assertIn("allowPostCopy", said)
        self.assertIn("switches to post-copy", said)
        self.assert_on(guest, "h1")


if __name__ == "__main__":
    import unittest
    unittest.main()
