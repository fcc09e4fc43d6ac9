# SPDX-License-Identifier: Apache-2.0
"""A post-copy migration whose connection breaks leaves the VM in two halves, and POSTCOPY_RESUME
makes it whole again. h1 and h2 have libvirt 11.3, whose libvirtd dies as the target of that,
whoever asks; h3 has libvirt 9.0, which does it."""
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

    def close_half_open(self, source, target):
        """A QEMU whose peer has gone without a word waits for ever: close its connection."""
        self.lab.exec(target, "ss", "-K", "dst", self.lab.host(source).addresses["migration"])

    def told(self, name):
        return " ".join(e["message"] for e in self.ferry_json("get", "events")["items"]
                        if e["reason"] == "PostCopyBroken"
                        and e["involvedObject"]["name"].startswith(name))

    def broken(self, name, source, target, cut=False):
        """A migration in post-copy whose connection breaks half-way. cut: by the link's loss."""
        self.guest(name, host=source, memory=128, rate=200, pattern="uniform", working_set=96,
                   machine="pc" if target == "h2" else "pc-i440fx-7.2")
        mover = subprocess.Popen(
            [BUILD / "ferry", "migrate", name, "--to", target, "--post-copy", "--no-tls",
             "--bandwidth", "20Mi", "--postcopy-bandwidth", "4Mi"], env=self.env, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
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
        if cut:  # nobody notices by itself, but it is told that nothing moves
            self.lab.link(source, "migration", "down")
            self.addCleanup(self.lab.link, source, "migration", "up")
            self.wait(lambda: "nothing has moved" in self.told(name), 30, "it is told")
            self.assertIn(f"--postcopy' on {source}", self.told(name))
        self.lab.virsh(source, "domjobabort", name, "--postcopy")
        self.wait(lambda: FAILED in self.reason(source, name), 20, "the source has noticed")
        if cut:
            self.wait(lambda: f"{target} has not noticed" in self.told(name), 10, "it is told")
            self.assertNotIn(FAILED, self.reason(target, name))
            self.lab.link(source, "migration", "up")
        self.close_half_open(source, target)
        self.wait(lambda: FAILED in self.reason(target, name), 20, "the target has noticed")
        mover.communicate(timeout=90)
        self.assertEqual(mover.returncode, 1)
        status = self.newest(name)["status"]
        self.assertEqual(status["reason"], "PostCopyFailed")
        self.assertIn("--postcopy-resume", status["message"])

    def resumes(self, name, source, target):
        before = self.stat(name)["heartbeats"]
        self.forget_calls(source)
        said = []
        for _ in range(3):  # a connection that breaks anew is resumed anew
            done = self.ferry("migrate", name, "--to", target, *AGAIN, check=False)
            said.append(done.stdout + done.stderr)
            if done.returncode != 1:
                break
        self.assertEqual(done.returncode, 0, said)
        self.assertIn("POSTCOPY_RESUME", self.calls(source)[0])
        self.assertEqual(self.newest(name)["status"]["migrationState"]["mode"], "PostCopy")
        self.assert_on(name, target)
        after = self.stat(name, "--verify")
        self.assertTrue(after["memory_intact"], after)
        self.assertEqual((after["check_errors"], after["reboots"]), (0, 0))
        self.assertGreater(after["heartbeats"], before)

    def test_resume(self):
        self.broken("halves", "h1", "h3")
        self.resumes("halves", "h1", "h3")

    def test_resume_after_the_link_was_cut(self):
        self.broken("cut", "h1", "h3", cut=True)
        self.resumes("cut", "h1", "h3")

    def test_resume_to_a_libvirtd_that_dies_of_it(self):
        """Refused, with what to do. When it is asked all the same the flag reaches libvirt, and the
        migration ends with both halves kept."""
        self.broken("kept", "h1", "h2")
        self.assertIn("node h2 has libvirt 11.3", self.refused("kept", *AGAIN))
        self.forget_calls()
        done = self.ferry("migrate", "kept", "--to", "h2", *AGAIN, "--unsafe", check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("POSTCOPY_RESUME", self.calls()[0])
        self.assertIn(FAILED, self.reason("h1", "kept"))
        self.lab.start("h2", "libvirtd")
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
