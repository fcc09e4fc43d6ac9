# SPDX-License-Identifier: Apache-2.0
"""Nothing is left behind: images on a target that was away or whose migration's agent died, and the
domain that libvirt keeps at the source when post-copy loses the other host."""
import contextlib
import re
import subprocess

from labtest import LabTest
from ferrylab.errors import LabError

# Nothing but the shell's own words, as it has milliseconds.
FREEZE = """
pid=$(pgrep -o -x libvirtd)
until [ -e '{path}' ]; do :; done
kill -STOP $pid
"""


class Leftovers(LabTest):
    HOSTS = 2

    def disk_guest(self, name):
        self.guest(name, kernel="linux", memory=160, rate=2, working_set=16, disk="local")
        xml = self.lab.virsh("h1", "dumpxml", name).stdout
        self.path = re.search(r"<source file='([^']+)'", xml)[1]
        self.addCleanup(self.lab.exec, "h2", "rm", "-f", self.path)
        return self.path

    def there(self):
        return self.lab.exec("h2", "test", "-e", self.path).returncode == 0

    def phase(self, name):
        return self.newest(name)["status"]["phase"]

    def told(self, name, reason):
        uid = self.newest(name)["metadata"]["uid"]
        return [e["message"] for e in self.ferry_json("get", "events")["items"]
                if e["reason"] == reason and e["involvedObject"]["uid"] == uid]

    def is_noted(self, name):
        uid = self.newest(name)["metadata"]["uid"]
        return self.lab.exec("h1", "sh", "-c", f"find / -xdev -path '*/leftovers/{uid}.json' "
                             "2>/dev/null").stdout != ""

    def kill_libvirtd(self):
        def again():
            with contextlib.suppress(LabError):  # it runs
                self.lab.start("h2", "libvirtd")

        self.lab.kill("h2", "libvirtd")
        self.addCleanup(again)

    def start(self, name, *options):
        self.ferry("migrate", name, "--to", "h2", "--detach", *options)

    def test_target_is_away_in_the_middle(self):
        self.disk_guest("away")
        self.start("away", "--copy-storage-all", "--bandwidth", "4Mi")
        self.wait(self.there, 20, "the target has the image")
        self.wait(lambda: self.phase("away") == "Running", 20, "it runs")
        self.kill_libvirtd()
        self.wait(lambda: self.phase("away") == "Failed", 60, "its end")
        self.assertIn(self.path, self.newest("away")["status"]["message"])
        self.assertTrue(self.there())
        self.assertTrue(self.is_noted("away"))
        self.lab.start("h2", "libvirtd")
        self.wait(lambda: not self.there(), 60, "the image is gone")
        self.wait(lambda: self.told("away", "LeftoversRemoved"), 10, "it is told")
        self.assertFalse(self.is_noted("away"))
        self.assert_on("away", "h1")

    def frozen_in_preparation(self, name):
        """Whether the target hung after the image was made and before the call; else all is as
        before."""
        with subprocess.Popen(self.lab.host("h2").argv("sh", "-c", FREEZE.format(path=self.path)),
                              stdin=subprocess.DEVNULL) as freezer:
            self.start(name, "--copy-storage-all", "--bandwidth", "4Mi")
            freezer.wait(30)
        if self.phase(name) == "PreparingTarget":
            return True
        self.lab.exec("h2", "pkill", "-CONT", "-x", "libvirtd")
        self.ferry("cancel", name)
        self.wait(lambda: self.phase(name) == "Failed" and not self.there(), 30, "it is undone")
        return False

    def test_agent_dies_between_image_and_call(self):
        self.disk_guest("dies")
        self.addCleanup(self.lab.exec, "h2", "pkill", "-CONT", "-x", "libvirtd")
        self.wait(lambda: self.frozen_in_preparation("dies"), 60, "the target hangs in time")
        self.lab.kill("h1", "agent")
        self.lab.exec("h2", "pkill", "-CONT", "-x", "libvirtd")
        self.ferry("cancel", "dies", check=False)
        self.wait(lambda: self.phase("dies") == "Failed", 60, "ferryd gives it up")
        self.assertTrue(self.there())
        self.lab.start("h1", "agent")
        self.wait(lambda: not self.there(), 40, "the image is gone")
        self.wait(lambda: not self.is_noted("dies"), 10, "nothing more is to be done")
        self.assert_on("dies", "h1")

    def test_the_next_migration_is_not_hindered(self):
        """It finds the image that the last one left, and has one of its own in the end."""
        self.disk_guest("again")
        self.start("again", "--copy-storage-all", "--bandwidth", "4Mi")
        self.wait(lambda: self.phase("again") == "Running" and self.there(), 20, "it runs")
        self.kill_libvirtd()
        self.wait(lambda: self.phase("again") == "Failed", 60, "its end")
        self.lab.start("h2", "libvirtd")
        self.wait(lambda: self.ferry("check", "again", "--to", "h2", "--copy-storage-all",
                                     check=False).returncode == 0, 30, "h2 is ready")
        self.ferry("migrate", "again", "--to", "h2", "--copy-storage-all")
        self.assert_on("again", "h2")
        self.wait(lambda: not self.is_noted("again"), 40, "nothing is left to do")
        self.assertTrue(self.there())
        self.assert_on("again", "h2")

    def test_zombie(self):
        """Post-copy that loses the management network arrives, and libvirt keeps a domain at the
        source that is neither running nor stored."""
        self.guest("undead", memory=128, rate=200, pattern="uniform", working_set=96)
        self.start("undead", "--post-copy", "--no-tls", "--bandwidth", "20Mi",
                   "--postcopy-bandwidth", "8Mi")
        self.wait(lambda: re.search(r"(?i)data processed: +[1-9]",
                                    self.lab.virsh("h1", "domjobinfo", "undead").stdout),
                  20, "the migration runs")
        self.lab.virsh("h1", "migrate-postcopy", "undead")
        self.wait(lambda: "post-copy" in self.lab.virsh("h1", "domstate", "undead", "--reason")
                  .stdout, 10, "post-copy has begun")
        self.lab.link("h1", "management", "down")
        self.addCleanup(self.lab.link, "h1", "management", "up")

        def left():
            text = self.lab.virsh("h1", "dominfo", "undead").stdout
            return re.search(r"State: +shut off", text) and re.search(r"Persistent: +no", text)

        self.wait(left, 90, lambda: "the zombie: " + self.lab.virsh("h1", "list", "--all").stdout)
        self.lab.link("h1", "management", "up")
        self.wait(lambda: "undead" not in self.lab.virsh("h1", "list", "--all", "--name")
                  .stdout.split(), 90, "the zombie is gone")
        self.wait(lambda: self.phase("undead") == "Succeeded", 60,
                  lambda: f"its end: {self.newest('undead')['status']}")
        self.assert_on("undead", "h2")
        self.assertFalse(self.is_noted("undead"))
