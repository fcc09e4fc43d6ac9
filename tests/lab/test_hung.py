# SPDX-License-Identifier: Apache-2.0
"""What hangs is kept apart: a QEMU or a libvirtd that is stopped (SIGSTOP) holds up nobody else, is
named, and all goes on by itself when it answers again."""
import contextlib
import json
import signal
import time

from labtest import LabTest
from ferrylab.errors import LabError  # pylint: disable=wrong-import-order


class HungTest(LabTest):
    HOSTS = 2

    @contextlib.contextmanager
    def stopped(self, host, what):
        """libvirtd, or qemu:GUEST, of that host hangs."""
        self.signal(host, what, signal.SIGSTOP)
        try:
            yield time.monotonic()
        finally:
            with contextlib.suppress(LabError):  # libvirtd may have killed it by now
                self.signal(host, what, signal.SIGCONT)

    def signal(self, host, what, sig):
        if what == "libvirtd":
            self.lab.exec(host, "pkill", f"-{int(sig)}", "-x", "libvirtd")
        else:
            self.lab.kill(host, what, sig)

    def condition(self, kind, name, which):
        conditions = self.ferry_json("get", kind, name)["status"]["conditions"]
        return next((c for c in conditions if c["type"] == which), {})

    def is_silent(self, name):
        return self.condition("vmi", name, "Ready").get("reason") == "QEMUSilent"

    @contextlib.contextmanager
    def slow_link(self):
        self.lab.link("h1", "migration", "rate", "30mbit")
        try:
            yield
        finally:
            self.lab.link("h1", "migration", "rate", "none")

    def sends(self, name):
        self.wait(lambda: max((m.get("status", {}).get("progress", {})
                               .get("memoryProcessedBytes", 0) for m in self.migrations(name)),
                              default=0) > 1 << 20, 20, f"{name} sends")

    def stalling(self, name):
        conditions = self.newest(name)["status"].get("conditions", [])
        return next((c for c in conditions if c["type"] == "Stalling"), {})

    def agent_restarts(self, host, within):
        """SIGTERM ends it, whatever hangs."""
        begun = time.monotonic()
        self.lab.stop(host, "agent")
        self.assertLess(time.monotonic() - begun, within)
        self.lab.start(host, "agent")


class HungQemu(HungTest):
    def test_one_that_is_idle(self):
        self.guest("hung")
        self.guest("well", rate=1, working_set=4)
        with self.stopped("h1", "qemu:hung") as begun:
            self.wait(lambda: self.is_silent("hung"), 15, "it is named")
            took = time.monotonic() - begun
            ready = self.condition("vmi", "hung", "Ready")
            self.assertEqual(ready["status"], "False")
            self.assertIn("h1", ready["message"])
            self.assertIn("Running,Silent", self.ferry("get", "vmi", "hung").stdout)
            self.assertTrue(self.is_ready("h1"))
            # the host's reports go on, and those of the others
            for verb, phase in (("suspend", "Paused"), ("resume", "Running")):
                self.lab.virsh("h1", verb, "well")
                self.wait(lambda p=phase: self.vmi("well")["status"]["phase"] == p, 3.0, phase)
            done = self.ferry("migrate", "hung", "--to", "h2", check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("does not answer", done.stdout + done.stderr)
            self.ferry("migrate", "well", "--to", "h2")
            self.assert_on("well", "h2")
            self.assertTrue(self.is_ready("h1"))
            self.assertTrue(self.is_silent("hung"))
            self.agent_restarts("h1", 6)
            self.wait(lambda: self.is_ready("h1"), 20, "h1 is Ready with a QEMU that hangs")
            self.wait(lambda: self.is_silent("hung"), 15, "it is named again")
        self.assertLess(took, 12)
        self.wait(lambda: self.condition("vmi", "hung", "Ready")["status"] == "True", 10,
                  "it answers again")
        self.ferry("migrate", "hung", "--to", "h2")
        self.assert_on("hung", "h2")

    def test_the_one_that_moves(self):
        self.guest("moved", memory=128, rate=20, working_set=64)
        self.guest("other", rate=1, working_set=4)
        with self.slow_link(), self.migrating("moved"):
            self.sends("moved")
            with self.stopped("h1", "qemu:moved") as begun:
                self.wait(lambda: self.stalling("moved").get("reason") == "QEMUSilent", 15,
                          lambda: f"it is said: {self.newest('moved')['status']}")
                self.assertLess(time.monotonic() - begun, 10)
                self.assertIn("h1", self.stalling("moved")["message"])
                self.ferry("migrate", "other", "--to", "h2")
                self.assert_on("other", "h2")
                self.ferry("cancel", "moved", "--no-wait")
                self.wait(lambda: self.newest("moved")["status"]["migrationState"]
                          .get("abortStatus") == "Aborting", 5, "the cancel is answered")
                self.assertTrue(self.is_ready("h1"))
                self.agent_restarts("h1", 6)
                self.wait(lambda: self.is_ready("h1"), 20, "h1 is Ready")
                self.assertEqual(self.newest("moved")["status"]["phase"], "Running")
            self.wait(lambda: self.newest("moved")["status"]["phase"] == "Failed", 20,
                      lambda: f"the cancel is carried out: {self.newest('moved')['status']}")
        self.assertEqual(self.newest("moved")["status"]["reason"], "Cancelled")
        self.assert_on("moved", "h1")

    def test_the_targets(self):
        self.guest("stuck", memory=128, rate=20, working_set=64)
        with self.slow_link(), self.migrating("stuck"):
            self.sends("stuck")
            with self.stopped("h2", "qemu:stuck"):
                self.guest("near", host="h2")  # what h2 reports goes on
                self.assertTrue(self.is_ready("h2"))
                self.ferry("cancel", "stuck")
                self.assertEqual(self.newest("stuck")["status"]["reason"], "Cancelled")
                self.assertTrue(self.is_ready("h2"))
        self.assert_on("stuck", "h1")


class HungLibvirtd(HungTest):
    def not_ready(self, host):
        ready = self.condition("node", host, "Ready")
        return ready.get("reason") == "LibvirtUnreachable" and ready

    def test_the_sources(self):
        self.guest("kept")
        with self.stopped("h1", "libvirtd") as begun:
            ready = self.wait(lambda: self.not_ready("h1"), 15, "h1 is not Ready")
            self.assertLess(time.monotonic() - begun, 11)
            self.assertIn("has not answered", ready["message"])
            with self.migrating("kept") as migration:
                self.wait(lambda: self.newest("kept")["status"].get("queue", {})
                          .get("reason") == "SourceNotReady", 5, "it says why it waits")
                self.ferry("cancel", "kept")
                migration.wait(10)
            self.agent_restarts("h1", 6)
            self.wait(lambda: self.not_ready("h1"), 20, "a new agent says it, too")
        self.wait(lambda: self.is_ready("h1"), 15, "h1 is Ready again by itself")
        self.ferry("migrate", "kept", "--to", "h2")
        self.assert_on("kept", "h2")

    def test_the_sources_while_it_moves(self):
        self.guest("going", memory=128, rate=20, working_set=64)
        with self.slow_link(), self.migrating("going"):
            self.sends("going")
            with self.stopped("h1", "libvirtd"):
                self.wait(lambda: self.not_ready("h1"), 15, "h1 is not Ready")
                time.sleep(35)  # beyond libvirt's own keepalive, which ends all connections
                self.ferry("cancel", "going", "--no-wait")
                self.wait(lambda: self.newest("going")["status"]["migrationState"]
                          .get("abortStatus") == "Aborting", 5,
                          lambda: f"the cancel is answered: {self.newest('going')['status']}")
                self.assertEqual(self.newest("going")["status"]["phase"], "Running")
            self.wait(lambda: self.newest("going")["status"]["phase"] in ("Failed", "Succeeded"),
                      40, lambda: f"it ends: {json.dumps(self.newest('going')['status'])}")
        status = self.newest("going")["status"]
        self.assertEqual((status["phase"], status["reason"]), ("Failed", "Cancelled"), status)
        self.assert_on("going", "h1")

    def test_the_targets(self):
        """Before anybody knows that it hangs, and after."""
        self.guest("asked")
        with self.stopped("h2", "libvirtd"):
            begun = time.monotonic()
            done = self.ferry("migrate", "asked", "--to", "h2", check=False, timeout=40)
            took = time.monotonic() - begun
            self.assertNotEqual(done.returncode, 0, done.stdout)
            status = self.newest("asked")["status"]
            self.assertEqual(status["reason"], "TargetLibvirtUnreachable", status)
            self.assertLess(took, 20)
            self.wait(lambda: self.not_ready("h2"), 15, "h2 is not Ready")
            refused = self.ferry("migrate", "asked", "--to", "h2", check=False)
            self.assertEqual(refused.returncode, 3, refused.stdout)
            self.assertRegex(refused.stderr, r"h2.*libvirtd has not answered for")
        self.wait(lambda: self.is_ready("h2"), 15, "h2 is Ready again by itself")
        self.ferry("migrate", "asked", "--to", "h2")
        self.assert_on("asked", "h2")
