# SPDX-License-Identifier: Apache-2.0
"""Flags that show only when something goes wrong: a disk that runs full while the VM moves, and
somebody else who changes the VM meanwhile."""
import concurrent.futures
import unittest.mock

from flagstest import FlagsTest
from ferrylab import guest, guest_domain
from ferrylab.paths import IN_LOCAL


class DiskFull(FlagsTest):
    """A guest whose disk grows on a file system that somebody fills while it moves: the next new
    cluster stops it, as QEMU's default for a full disk is."""
    SLOW = ("--bandwidth", "12Mi", "--copy-storage-inc")

    def setUp(self):
        self.lab.exec("h1", "mount", "-t", "tmpfs", "-o", "size=128m", "tmpfs", IN_LOCAL)
        self.addCleanup(self.lab.exec, "h1", "umount", "--lazy", IN_LOCAL)

    def disk_guest(self, name):
        asked = {"name": name, "kernel": "linux", "memory": 192, "vcpus": 1, "rate": 2.0,
                 "working_set": 32, "pattern": "uniform", "disk": "shared", "labels": {},
                 "namespace": "default", "persistent": False}
        plain = guest_domain._disk  # pylint: disable=protected-access

        def cached(of):  # not each kernel's tmpfs has O_DIRECT
            return plain(of).replace("cache='none'", "cache='writeback'")

        with unittest.mock.patch.object(guest_domain, "_disk", cached):
            self.guests = [*getattr(self, "guests", []), name]
            guest.create(self.lab, asked, "h1")
        self.wait(lambda: self.vmi(name) and self.vmi(name)["status"]["phase"] == "Running", 10,
                  f"ferryd shows {name} as Running")
        top = f"{IN_LOCAL}/{name}.qcow2"
        done = self.lab.virsh("h1", "snapshot-create-as", name, "--disk-only", "--no-metadata",
                              "--diskspec", f"vda,file={top}")
        self.assertEqual(done.returncode, 0, done.stderr)
        return top

    def fill(self):
        self.lab.exec("h1", "dd", "if=/dev/zero", f"of={IN_LOCAL}/filler", "bs=64k")

    def state(self, name, host="h1"):
        return self.lab.virsh(host, "domstate", name, "--reason").stdout.strip()

    def test_abort_on_error(self):
        """Given up; the VM is where it was, waits for room, and goes on once there is some."""
        path = self.disk_guest("full")
        with self.moving("full") as mover:
            self.assertIn("ABORT_ON_ERROR", self.calls()[0])
            self.fill()
            self.wait(lambda: "I/O error" in self.state("full"), 20, "the guest is stopped")
            self.assertEqual(mover.wait(20), 1)
        status = self.newest("full")["status"]
        self.assertRegex(status["message"], r"failed due to I/O error.*the VM is paused on h1")
        self.assertEqual(self.state("full"), "paused (I/O error)")
        self.assertNotIn("full", self.names("h2", "--all"))
        self.assertNotEqual(self.lab.exec("h2", "test", "-e", path).returncode, 0)
        self.lab.exec("h1", "rm", f"{IN_LOCAL}/filler")
        self.lab.virsh("h1", "resume", "full")
        self.assert_lives("full")
        self.assert_on("full", "h1")

    def test_no_abort_on_error(self):
        """Goes on; the guest's write is made on the target, where there is room."""
        path = self.disk_guest("goes-on")
        self.addCleanup(self.lab.exec, "h2", "rm", "-f", path)
        with self.moving("goes-on", "--no-abort-on-error", stays=False) as mover:
            self.assertNotIn("ABORT_ON_ERROR", self.calls()[0])
            self.fill()
            self.wait(lambda: "I/O error" in self.state("goes-on"), 20, "the guest is stopped")
            self.assertEqual(mover.wait(60), 0)
        self.assertEqual(self.state("goes-on", "h2"), "running (migrated)")
        self.assert_lives("goes-on")
        self.assert_on("goes-on", "h2")

    def assert_lives(self, name):
        before = self.stat(name)["disk_blocks_checked"]
        self.wait(lambda: self.stat(name)["disk_blocks_checked"] > before + 20, 15,
                  "the guest finds its blocks")
        self.assertEqual(self.stat(name)["check_errors"], 0)


class Changed(FlagsTest):
    SLOW = ("--bandwidth", "6Mi")  # so that they take 55 s
    """libvirt protects a VM that moves by itself: a source and a target that can't are refused
    where the flag is given. So a change by somebody else is refused with and without it, whoever
    conducts the migration: libvirtd (peer to peer) or the agent."""

    def change(self, name):
        """What libvirt says to a change of the definition; "" where it is made."""
        return self.lab.virsh("h1", "desc", name, "--live", "--title", "changed").stderr

    def title(self, name, host="h1"):
        return self.lab.virsh(host, "desc", name, "--live", "--title").stdout.strip()

    def test_change_protection(self):
        names = ("peers", "conducted")
        for name in names:
            self.guest(name, memory=352, rate=0, working_set=336)
        with self.moving("peers"), self.moving("conducted", "--no-p2p", "--change-protection"):
            self.assertIn("CHANGE_PROTECTION", self.calls()[0])
            with concurrent.futures.ThreadPoolExecutor(2) as pool:  # each waits half a minute
                for said in pool.map(self.change, names):
                    self.assertRegex(said, r"cannot acquire state change lock \(held by .*igrat")
            for name in names:
                self.assertEqual(self.newest(name)["status"]["phase"], "Running")
                self.assertNotEqual(self.title(name), "changed")
        for name in names:  # afterwards it may be
            self.assertEqual(self.change(name), "")
            self.assertEqual(self.title(name), "changed")
            self.move(name, "h2", "--change-protection")
            self.assertIn("CHANGE_PROTECTION", self.calls()[0])
            self.assertEqual(self.title(name, "h2"), "changed")
            self.assert_on(name, "h2")
