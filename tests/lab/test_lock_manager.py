# SPDX-License-Identifier: Apache-2.0
"""libvirt's own lock manager, virtlockd: two hosts that share a disk can't run it twice, whoever
tries; a migration hands the lock over, and Ferry knows which hosts have one. Debian 12's hosts have
virtlockd with libvirt; their guests move paused, as QEMU 7.2 without KVM loses writes of one that
runs."""
import re

from labtest import LabTest

CONF = "/etc/libvirt/qemu.conf"


class LockManager(LabTest):
    HOSTS = 2
    OPTIONS = {"suites": ["bookworm"]}

    def locks(self, host):
        """The host's lock manager, as Ferry shows it."""
        return self.ferry_json("get", "node", host)["status"]["hypervisor"].get("lockManager")

    def give_virtlockd(self, host):
        done = self.lab.exec(host, "sed", "-i", '$alock_manager = "lockd"', CONF)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.lab.host(host).start_service("virtlockd", ["virtlockd"])
        self.wait(lambda: self.lab.exec(host, "test", "-S", "/run/libvirt/virtlockd-sock")
                  .returncode == 0, 10, f"virtlockd of {host} listens")
        self.lab.kill(host, "libvirtd")
        self.lab.start(host, "libvirtd")
        self.wait(lambda: self.locks(host) == "virtlockd", 40, f"{host} is seen with virtlockd")

    def second_copy(self, host, xml):
        """The same VM, started on another host by hand; paused, so that it would write nothing."""
        return self.lab.virsh(host, "create", "--paused", "/dev/stdin", input=xml)

    def test_no_second_copy(self):
        self.assertEqual({self.locks("h1"), self.locks("h2")}, {"none"})
        self.give_virtlockd("h1")
        self.guest("locked", kernel="linux", memory=160, rate=5, working_set=16, disk="shared")
        xml = self.lab.virsh("h1", "dumpxml", "--security-info", "locked").stdout
        # a host without one is no target, and would run the disk a second time
        done = self.ferry("check", "locked", "--to", "h2", check=False)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn("the lock manager of h1 is virtlockd, that of h2 is none",
                      done.stdout + done.stderr)
        done = self.second_copy("h2", xml)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.lab.virsh("h2", "destroy", "locked")
        self.wait(lambda: not self.lab.virsh("h2", "list", "--all", "--name").stdout.split(), 10,
                  "the second copy is gone")
        # with it nobody starts a second one
        self.give_virtlockd("h2")
        self.is_locked("h2", xml)
        self.wait(lambda: self.ferry("check", "locked", "--to", "h2", check=False).returncode == 0,
                  20, "h2 is a target now")
        self.ferry("migrate", "locked", "--to", "h2", "--no-live")
        self.assert_on("locked", "h2")
        # the lock has gone along
        self.is_locked("h1", xml)
        self.assert_on("locked", "h2")

    def is_locked(self, host, xml):
        done = self.second_copy(host, xml)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertTrue(re.search(r"(?i)lock", done.stderr), done.stderr)
        self.assertNotIn("locked", self.lab.virsh(host, "list", "--name").stdout.split())
