# SPDX-License-Identifier: Apache-2.0
"""A post-copy migration whose connection breaks leaves the VM in two halves, and POSTCOPY_RESUME
makes it whole again, which Ferry does by itself. h1 and h2 have libvirt 11.3, whose libvirtd dies as
the target of that, whoever asks; h3 has libvirt 9.0, which does it."""
import re
import signal
import subprocess

from flagstest import FlagsTest
from labtest import BUILD

AGAIN = ("--post-copy", "--postcopy-resume", "--no-tls")
FAILED = "post-copy failed"


class PostCopyResume(FlagsTest):
    HOSTS = 3
    OPTIONS = {"suites": ["trixie", "trixie", "bookworm"]}

    def reason(self, host, name):
        return self.lab.virsh(host, "domstate", name, "--reason").stdout

    def close(self, host, other):
        """The migration's connection breaks, as that host's kernel tells its QEMU."""
        self.lab.exec(host, "ss", "-K", "dst", self.lab.host(other).addresses["migration"])

    def told(self, name, reason="PostCopyBroken"):
        return " ".join(e["message"] for e in self.ferry_json("get", "events")["items"]
                        if e["reason"] == reason
                        and e["involvedObject"]["name"].startswith(name))

    def recovery(self, name):
        return self.newest(name)["status"].get("migrationState", {}).get("recovery", {})

    def in_post_copy(self, name, source, target, *options):
        """`ferry migrate` in the middle of a slow post-copy, and the guest's signs of life so far."""
        self.guest(name, host=source, memory=128, rate=200, pattern="uniform", working_set=96,
                   machine="pc" if target == "h2" else "pc-i440fx-7.2")
        before = self.stat(name)["heartbeats"]
        mover = subprocess.Popen(
            [BUILD / "ferry", "migrate", name, "--to", target, "--post-copy", *options,
             "--bandwidth", "20Mi", "--postcopy-bandwidth", "4Mi"], env=self.env, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(mover.communicate)
        self.addCleanup(mover.kill)

        def runs():
            if mover.poll() is not None:
                self.fail("it has ended: " + "".join(mover.communicate()))
            return re.search(r"(?i)data processed: +[1-9]",
                             self.lab.virsh(source, "domjobinfo", name).stdout)

        self.wait(runs, 20, "the migration runs")
        self.lab.virsh(source, "migrate-postcopy", name)
        self.wait(lambda: "post-copy" in self.reason(source, name), 10, "post-copy has begun")
        return mover, before

    def arrived(self, name, source, target, heartbeats):
        self.assertIn("POSTCOPY_RESUME", self.calls(source)[0])
        self.assertEqual(self.newest(name)["status"]["migrationState"]["mode"], "PostCopy")
        self.assert_on(name, target)
        after = self.stat(name, "--verify")
        self.assertTrue(after["memory_intact"], after)
        self.assertEqual((after["check_errors"], after["reboots"]), (0, 0))
        self.assertGreater(after["heartbeats"], heartbeats)

    def test_ferry_resumes_it(self):
        """Both QEMUs see that it broke: it is resumed at once, by the same migration, encrypted as
        it was. There is no word of two copies."""
        mover, before = self.in_post_copy("halves", "h1", "h3")
        self.close("h3", "h1")
        said, failed = mover.communicate(timeout=90)
        self.assertEqual(mover.returncode, 0, said + failed)
        self.assertEqual(self.recovery("halves")["state"], "Recovered")
        self.assertGreaterEqual(self.recovery("halves")["tries"], 1)
        self.assertIn("whole again", self.told("halves", "PostCopyRecovered"))
        self.assertEqual(len(self.migrations("halves")), 1)
        self.assertNotIn("doubt", self.newest("halves")["status"]["migrationState"])
        self.arrived("halves", "h1", "h3", before)

    def test_ferry_resumes_it_once_the_link_is_back(self):
        """Nobody notices a cut link by himself: it is waited for, then the source gives up what is
        dead, the target's agent closes its end, and libvirt is called again."""
        mover, before = self.in_post_copy("cut", "h1", "h3", "--no-tls")
        self.lab.link("h1", "migration", "down")
        self.addCleanup(self.lab.link, "h1", "migration", "up")
        self.wait(lambda: self.recovery("cut").get("state") == "NothingMoves", 30, "it is told")
        status = self.newest("cut")["status"]
        self.wait(lambda: self.newest("cut")["status"].get("reason") == "PostCopyBroken", 5,
                  "the migration says it")
        self.assertIn("link comes back", status["migrationState"]["recovery"]["message"])
        self.assertEqual(status["phase"], "Running")
        # what was given up while the path is closed is resumed when it is open, and not before
        self.lab.virsh("h1", "domjobabort", "cut", "--postcopy")
        self.wait(lambda: self.recovery("cut").get("state") == "PathDown", 30,
                  lambda: f"it waits for the path: {self.recovery('cut')}")
        self.assertEqual(self.recovery("cut")["tries"], 0)
        self.assertGreaterEqual(self.recovery("cut")["closeRequests"], 1)
        self.assertIn(FAILED, self.reason("h3", "cut"))
        vmi = self.vmi("cut")["status"]
        self.assertEqual(vmi["migrationState"]["recovery"]["state"], "PathDown")
        self.lab.link("h1", "migration", "up")
        said, failed = mover.communicate(timeout=90)
        self.assertEqual(mover.returncode, 0, said + failed)
        self.arrived("cut", "h1", "h3", before)

    def test_cancel_ends_the_tries_and_a_person_resumes_it(self):
        mover, before = self.in_post_copy("mine", "h1", "h3", "--no-tls")
        self.lab.link("h1", "migration", "down")
        self.addCleanup(self.lab.link, "h1", "migration", "up")
        self.lab.virsh("h1", "domjobabort", "mine", "--postcopy")
        self.wait(lambda: self.recovery("mine").get("state") == "PathDown", 40,
                  lambda: f"it waits for the path: {self.recovery('mine')}")
        self.ferry("cancel", "mine", check=False)
        mover.communicate(timeout=60)
        self.assertEqual(mover.returncode, 1)
        status = self.newest("mine")["status"]
        self.assertEqual(status["reason"], "PostCopyFailed")
        self.assertIn("--postcopy-resume", status["message"])
        self.assertEqual(self.recovery("mine")["state"], "GivenUp")
        for host in ("h1", "h3"):
            self.assertIn(FAILED, self.reason(host, "mine"))
        self.lab.link("h1", "migration", "up")
        self.forget_calls("h1")
        # h1 may take a moment to find h3 again
        self.wait(lambda: self.ferry("migrate", "mine", "--to", "h3", *AGAIN,
                                     check=False).returncode == 0, 40,
                  lambda: f"a person resumes it: {self.newest('mine')['status']}")
        self.arrived("mine", "h1", "h3", before)

    def test_resume_to_a_libvirtd_that_dies_of_it(self):
        """Ferry does not, and refuses to, with what to do. When it is asked all the same the flag
        reaches libvirt, and the migration ends with both halves kept."""
        mover, _ = self.in_post_copy("kept", "h1", "h2", "--no-tls")
        self.close("h2", "h1")
        mover.communicate(timeout=90)
        self.assertEqual(mover.returncode, 1)
        status = self.newest("kept")["status"]
        self.assertEqual(status["reason"], "PostCopyFailed")
        self.assertIn("--postcopy-resume", status["message"])
        self.assertIn("Not as it is: h2 has libvirt 11.3", status["message"])
        self.assertEqual(self.recovery("kept").get("tries", 0), 0)
        self.assertIn("node h2 has libvirt 11.3", self.refused("kept", *AGAIN))
        self.forget_calls()
        with self.migrating("kept", *AGAIN, "--unsafe") as forced:
            self.wait(lambda: self.recovery("kept").get("state") == "TargetSilent", 40,
                      "its libvirtd has died of it, and is waited for")
            self.assertIn("POSTCOPY_RESUME", self.calls()[0])
            self.assertIn(FAILED, self.reason("h1", "kept"))
            self.lab.start("h2", "libvirtd")
            self.assertEqual(forced.wait(60), 1)
        self.assertEqual(self.newest("kept")["status"]["reason"], "PostCopyFailed")
        self.assertIn("running", self.lab.virsh("h2", "domstate", "kept").stdout)

    def test_nothing_to_resume(self):
        self.guest("whole", rate=5, working_set=16)
        self.assertIn("requires post-copy to be enabled",
                      self.refused("whole", "--postcopy-resume"))
        self.assertIn("is not being migrated",
                      self.refused("whole", "--post-copy", "--postcopy-resume"))

    def test_a_probe_touches_no_port_where_a_qemu_may_wait(self):
        """A QEMU takes whatever connects for its migration, and dies of a probe."""
        host = self.lab.host("h2")
        host.start_service("waiting", ["socat", "-d", "-d", "-u", "TCP-LISTEN:49152,bind="
                                       + host.addresses["migration"], "OPEN:/dev/null"])
        log = host.log_dir / "waiting.log"
        self.wait(lambda: log.exists() and "listening" in log.read_text(), 5, "it waits")
        self.guest("passer", rate=5, working_set=16)
        self.move("passer", "h2")
        self.assert_on("passer", "h2")
        self.assertNotIn("accepting connection", log.read_text())
        host.signal_service("waiting", signal.SIGKILL)
