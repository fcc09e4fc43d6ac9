#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""That the judges of the matrix can fail: a hypervisor and a Ferry of words, that say what a broken one
would; and that a cell which was not played, or not judged, is not a good one."""
import subprocess
import unittest
from unittest import mock

import play as player
from cells import named
from faults import Fault
from judge import judge
from scene import LabError, Unreached

RUNS_ON = {"source": "running (booted)", "target": "running (migrated)"}


class World:
    """A scene in which nothing happens: one cell's end, as hosts and Ferry tell it."""
    name = "vm"
    phase, reason, message = "Failed", "Cancelled", "cancelled; the VM is running on h1 as before"
    where, answers, left = "source", {}, ()
    vmi_phase, end_s = "Running", 0

    def __init__(self, **changes):
        for key, value in changes.items():
            setattr(self, key, value)
        self.heartbeats = 0
        self.lab = mock.Mock()
        self.lab.crashed.return_value = []

    def host(self, side):
        return {"source": "h1", "target": "h2", "third": "h3"}[side]

    def side(self, host):
        return {"h1": "source", "h2": "target"}.get(host)

    def status(self):
        return {"phase": self.phase, "reason": self.reason, "message": self.message}

    def migrations(self):
        return [{"status": self.status()}] if self.answers.get("delete", (1,))[0] or self.left else []

    def domains(self):
        found = {self.host(self.where): RUNS_ON[self.where]} if self.where else {}
        return {**found, **dict.fromkeys(self.left, "shut off (failed)")}

    def qemus(self):
        return [self.host(self.where)] if self.where else []

    def stat(self):
        self.heartbeats += 1
        return {"heartbeats": self.heartbeats, "memory_intact": True, "both_ms": 0}

    def vmi(self):
        return {"status": {"nodeName": self.host(self.where or "source"), "phase": self.vmi_phase}}

    def ready_hosts(self):
        return {"h1", "h2", "h3"}

    def all_ready(self):
        return True

    def boot_hosts(self):
        pass

    def answer(self, what, _seconds):
        return self.answers.get(what)

    def until(self, probe, _seconds, what):
        if not probe():
            raise Unreached(what)

    def ferry(self, *_args, **_kw):
        self.where = "target" if self.where == "source" else "third"
        return subprocess.CompletedProcess((), 0, "", "")


class Judges(unittest.TestCase):
    def judged(self, name, **changes):
        """What is wrong with a cell, but for what its next migration would be."""
        with mock.patch("judge.judge_next"):
            return judge(named([name])[0], World(**changes))[0]

    def assert_good(self, name, **changes):
        self.assertEqual(self.judged(name, **changes), [])

    def assert_wrong(self, words, name, **changes):
        found = self.judged(name, **changes)
        self.assertTrue(any(words in w for w in found), found)

    MOVED = {"phase": "Succeeded", "reason": "Completed", "where": "target"}
    DONE = {"cancel": (0, "cancelled")}
    LATE = {"cancel": (1, "too late")}

    def test_cancel_is_carried_out_in_time(self):
        self.assert_good("first-pass/cancel", answers=self.DONE)
        self.assert_wrong("not carried out", "first-pass/cancel", answers=self.LATE, **self.MOVED)

    def test_cancel_that_hangs(self):
        self.assert_wrong("not answered", "first-pass/cancel")
        self.assert_wrong("not answered", "switch-over/cancel", **self.MOVED)

    def test_answer_to_a_cancel_is_so(self):
        self.assert_good("switch-over/cancel", answers=self.LATE, **self.MOVED)
        self.assert_wrong("has moved", "switch-over/cancel", answers=self.DONE, **self.MOVED)
        self.assert_wrong("is cancelled", "switch-over/cancel", answers=self.LATE)
        self.assert_wrong("too late", "post-copy/cancel", answers=self.DONE, **self.MOVED)
        self.assert_good("post-copy/cancel", answers=self.LATE, **self.MOVED)

    def test_migration_that_is_deleted_goes(self):
        self.assert_good("first-pass/delete", answers={"delete": (0, "")})
        self.assert_wrong("is gone", "first-pass/delete", answers={"delete": (0, "")}, left=["h1"])
        self.assert_wrong("could not be deleted", "first-pass/delete", answers={"delete": (1, "no")})

    def test_what_was_refused_excuses_nothing(self):
        gone = {"where": None, "reason": "StoppedMeanwhile", "message": "destroyed"}
        self.assert_good("first-pass/destroy", answers={"destroy": (0, "")}, **gone)
        self.assert_wrong("nowhere", "first-pass/destroy", answers={"destroy": (1, "no")}, **gone)

    def test_dead_target_in_post_copy(self):
        half = {"where": None, "reason": "PostCopyFailed", "message": "h2 cannot be heard",
                "vmi_phase": "Paused"}
        clock = iter(range(0, 10 ** 9, 100))
        with mock.patch("judge.time.monotonic", lambda: next(clock)):
            self.assert_good("post-copy/target-host", **half)
            self.assert_wrong("shown as running", "post-copy/target-host",
                              **{**half, "vmi_phase": "Running"})
        self.assert_wrong("was waited for", "post-copy/target-host", **half)


class Played(unittest.TestCase):
    GOOD = ([], {"phase": "Failed"})

    def play(self, judged=(GOOD, GOOD), injected=None, entered=None):
        fault = Fault("fault", "something breaks", mock.Mock(side_effect=injected))
        cell = mock.Mock(faults=(fault,))
        cell.phase.enter.side_effect = entered
        with mock.patch.object(player, "judge", side_effect=judged):
            return player.play(mock.Mock(), cell)

    def test_phase_or_fault_that_could_not_be_had(self):
        self.assertEqual(self.play()["wrong"], [])
        for broken in ({"entered": Unreached("no")}, {"entered": LabError("no")},
                       {"injected": LabError("no QEMU of it")}):
            found = self.play(**broken)
            self.assertTrue(found["unreached"] and found["wrong"], found)

    def test_what_breaks_after_the_fault_is_told(self):
        found = self.play(judged=(LabError("first"), self.GOOD))
        self.assertEqual(found["wrong"], [])
        self.assertIn("first", found["before"])
        found = self.play(judged=(KeyError("first"), KeyError("second")))
        self.assertNotIn("unreached", found)
        self.assertIn("second", found["wrong"][0])


if __name__ == "__main__":
    unittest.main()
