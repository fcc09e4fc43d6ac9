# SPDX-License-Identifier: Apache-2.0
"""A QEMU of which no libvirtd knows holds the VM's disk, as the target's had it when its libvirtd died and
forgot it: QEMU itself lets the copy at the source not go on. That is said, and the VM goes on as soon as
the disk is free."""
import fcntl
import os
import struct
import unittest

from test_twin import TwinTest

# QEMU's own locks of an image: a byte for each right that it uses, and one for each that it lets nobody
# else use (block/file-posix.c of QEMU).
WRITES, ALONE_WRITES = 101, 201
FLOCK = "hhqqi4x"


class Orphan(TwinTest):
    def hold(self, name):
        """Takes from all others the right to write to the disk, as a QEMU that has it open does."""
        path = self.lab.dir / "shared" / f"disk-{name}.raw"
        disk = os.open(path, os.O_RDWR)  # closing it anywhere in this process gives the lock up
        fcntl.lockf(disk, fcntl.LOCK_SH, 1, ALONE_WRITES)
        self.addCleanup(self.let_go, disk)
        return disk

    def let_go(self, disk):
        if self.held:
            self.held = False
            os.close(disk)

    def has_writer(self, disk):
        asked = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, WRITES, 1, 0)
        return struct.unpack(FLOCK, fcntl.fcntl(disk, fcntl.F_GETLK, asked))[0] != fcntl.F_UNLCK

    def sends(self, host):
        return self.lab.exec(host, "ss", "-Htn", "state", "established", "dport", ">=", ":49152").stdout

    def told(self, reason):
        return [e for e in self.ferry_json("get", "events", "-A")["items"] if e["reason"] == reason]

    def test_disk_is_held_by_nobody_known(self):
        self.guest("held", kernel="linux", memory=160, rate=5, working_set=16, disk="shared")
        self.held = True
        disk = self.hold("held")
        self.assertTrue(self.has_writer(disk))
        self.hang_in_the_switch_over("held", False, "--unsafe")
        # all is sent: the source's QEMU has given the disk up, and the target's has not taken it yet
        self.wait(lambda: not self.has_writer(disk) and not self.sends("h1"), 60,
                  "the disk is handed over")
        self.lab.kill("h2", "libvirtd")
        self.lab.start("h2", "libvirtd")
        self.wait(lambda: self.told("DisksLocked"), 60,
                  lambda: f"the reason is said: {self.newest('held')['status']}, "
                          f"{self.state('h1', 'held')}")
        self.assertIn("paused", self.state("h1", "held"))
        self.let_go(disk)
        self.assert_one_has_it("held", "h1")
        status = self.end_of("held")
        self.assertEqual(status["phase"], "Failed", status)


if __name__ == "__main__":
    unittest.main()
