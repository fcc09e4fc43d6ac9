# SPDX-License-Identifier: Apache-2.0
"""Nothing is left behind: images on a target that was away or whose migration's agent died; a copy
that waits there with its ports, and a definition that never arrived; and at the source the domain
that libvirt keeps when post-copy loses the other host, and a definition that was to go."""
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

# What libvirt calls when a domain's QEMU is gone, before it removes the domain's definition.
DIE_ON_RELEASE = """#!/bin/sh
cat >/dev/null
[ "$1 $2" = '{name} release' ] && [ ! -e /run/died ] && touch /run/died &&
  kill -9 $(pgrep -o -x libvirtd)
exit 0
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
        # h2's libvirtd was lost in a call: what it may do yet is waited for
        self.assertTrue(self.is_noted("away"))
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

    # -- definitions

    def domains(self, host):
        return self.lab.virsh(host, "list", "--all", "--name").stdout.split()

    def define_at_the_target(self, name, title=None):
        """A definition comes to h2 while the VM moves there, and the migration is given up. What
        PERSIST_DEST does in libvirt's last step, which fails too seldom to wait for it."""
        self.guest(name, persistent=True, memory=128, rate=2, working_set=8)
        self.lab.link("h1", "migration", "rate", "40mbit")
        self.addCleanup(self.lab.link, "h1", "migration", "rate", "none")
        self.start(name)
        self.wait(lambda: self.newest(name)["status"].get("progress", {}).get("iteration", 0) > 0,
                  20, "memory flows")
        xml = self.lab.virsh("h1", "dumpxml", "--inactive", "--security-info", name).stdout
        if title:
            xml = xml.replace("</uuid>", f"</uuid>\n  <title>{title}</title>", 1)
        done = self.lab.virsh("h2", "define", "/dev/stdin", input=xml)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.ferry("cancel", name)
        self.wait(lambda: self.phase(name) == "Failed", 30, "its end")

    def test_definition_that_never_arrived(self):
        self.define_at_the_target("promised")
        self.wait(lambda: "promised" not in self.domains("h2"), 40, "h2 knows it no more")
        self.wait(lambda: self.told("promised", "LeftoversRemoved"), 10, "it is told")
        self.assertIn("h2", self.told("promised", "LeftoversRemoved")[0])
        self.assertFalse(self.is_noted("promised"))
        self.assert_on("promised", "h1")

    def test_definition_that_is_not_the_vms_stays_and_is_named(self):
        self.addCleanup(self.lab.virsh, "h2", "undefine", "foreign")
        self.define_at_the_target("foreign", "somebody else's")
        said = self.wait(lambda: self.told("foreign", "LeftBehind"), 40, "it is named")
        self.assertIn("title", said[0])
        self.assertIn("foreign", self.domains("h2"))
        self.assertFalse(self.is_noted("foreign"))

    def test_definition_that_was_there_before_stays(self):
        self.guest("known", persistent=True, memory=128, rate=2, working_set=8)
        xml = self.lab.virsh("h1", "dumpxml", "--inactive", "--security-info", "known").stdout
        self.assertEqual(self.lab.virsh("h2", "define", "/dev/stdin", input=xml).returncode, 0)
        self.addCleanup(self.lab.virsh, "h2", "undefine", "known")
        self.lab.link("h1", "migration", "rate", "40mbit")
        self.addCleanup(self.lab.link, "h1", "migration", "rate", "none")
        self.start("known")
        self.wait(lambda: self.phase("known") == "Running", 20, "it runs")
        self.ferry("cancel", "known")
        self.wait(lambda: self.phase("known") == "Failed", 30, "its end")
        self.wait(lambda: not self.is_noted("known"), 40, "it was looked at")
        self.assertIn("known", self.domains("h2"))

    def test_definition_that_was_to_go(self):
        """libvirtd of the source dies when the VM has arrived, before it undefines it."""
        def again():
            with contextlib.suppress(LabError):  # it runs
                self.lab.start("h1", "libvirtd")

        self.hook("h1", DIE_ON_RELEASE.format(name="halfway"))
        self.guest("halfway", persistent=True)
        self.addCleanup(again)
        self.start("halfway")
        self.wait(lambda: self.lab.exec("h1", "test", "-e", "/run/died").returncode == 0, 40,
                  "libvirtd of h1 dies")
        self.wait(lambda: self.lab.exec("h1", "pgrep", "-x", "libvirtd").returncode != 0, 10,
                  "it is gone")
        stored = self.lab.exec("h1", "test", "-e", "/etc/libvirt/qemu/halfway.xml")
        self.assertEqual(stored.returncode, 0)
        again()
        self.wait(lambda: self.phase("halfway") == "Succeeded", 90,
                  lambda: f"its end: {self.newest('halfway')['status']}")
        self.wait(lambda: "halfway" not in self.domains("h1"), 60, "h1 knows it no more")
        self.wait(lambda: self.told("halfway", "LeftoversRemoved"), 10, "it is told")
        self.assert_on("halfway", "h2")
        self.assertFalse(self.is_noted("halfway"))

    # -- a copy with its ports

    def held_ports(self):
        """The ports of libvirt's range that some program has on h2."""
        lines = self.lab.exec("h2", "ss", "-Htan").stdout
        return {int(p) for p in re.findall(r"^(?:LISTEN|ESTAB)\s.*:(49\d{3})\s+\S+\s*$", lines,
                                           re.M) if 49152 <= int(p) <= 49215}

    def test_copy_that_waits_with_its_ports(self):
        """h2 is cut off for so long that h1 gives up, and h2's libvirtd, told not to look, goes on
        waiting: for the memory, and for the disk."""
        self.lab.exec("h2", "sh", "-c",
                      "echo 'keepalive_interval = -1' >>/etc/libvirt/libvirtd.conf")
        self.lab.kill("h2", "libvirtd")
        self.lab.start("h2", "libvirtd")
        self.disk_guest("waits")
        self.wait(lambda: self.ferry("check", "waits", "--to", "h2", "--copy-storage-all",
                                     check=False).returncode == 0, 40, "h2 is ready")
        self.start("waits", "--copy-storage-all", "--bandwidth", "4Mi")
        self.wait(lambda: self.phase("waits") == "Running" and self.held_ports(), 30, "it flows")
        h1 = self.lab.host("h1").addresses
        rules = [("-s", h1[network], "-j", "DROP") for network in ("management", "migration")]
        for rule in rules:
            self.lab.exec("h2", "iptables", "-I", "INPUT", *rule)
            self.addCleanup(self.lab.exec, "h2", "iptables", "-D", "INPUT", *rule)
        self.wait(lambda: self.phase("waits") == "Failed", 90, "its end")
        for network in ("management", "migration"):  # what h1 would still say of the old connections
            self.lab.exec("h1", "ss", "-K", "dst", self.lab.host("h2").addresses[network])
        self.assertIn("paused", self.lab.virsh("h2", "domstate", "waits", "--reason").stdout)
        self.assertTrue(self.held_ports())
        self.assertTrue(self.there())
        for rule in rules:
            self.lab.exec("h2", "iptables", "-D", "INPUT", *rule)
        self.wait(lambda: "waits" not in self.domains("h2"), 90, "the copy has ended")
        self.wait(lambda: not self.held_ports(), 10, lambda: f"ports: {self.held_ports()}")
        self.wait(lambda: not self.there(), 60, "the image is gone")
        self.assertTrue(any("ports" in text for text in self.told("waits", "LeftoversRemoved")))
        self.assert_on("waits", "h1")
        self.ferry("migrate", "waits", "--to", "h2", "--copy-storage-all")
        self.assert_on("waits", "h2")
