# SPDX-License-Identifier: Apache-2.0
"""libvirt's own lock manager, virtlockd, which Debian 12's hosts have with libvirt: Ferry knows which
hosts run guests under it, one without it is no target, and with it a second copy can't run, whoever
tries. Guests move paused there, as QEMU 7.2 without KVM loses writes of one that runs."""
import re

from labtest import LabTest

CONF = "/etc/libvirt/qemu.conf"
SHARED_BY_QEMU = """<qemu:override><qemu:device alias='virtio-disk0'><qemu:frontend>
  <qemu:property name='share-rw' type='bool' value='true'/>
</qemu:frontend></qemu:device></qemu:override>"""


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

    def test_a_host_without_one_is_no_target(self):
        self.assertEqual({self.locks("h1"), self.locks("h2")}, {"none"})
        self.give_virtlockd("h1")
        self.guest("locked", kernel="linux", memory=160, rate=5, working_set=16, disk="shared")
        done = self.ferry("check", "locked", "--to", "h2", check=False)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn("the lock manager of h1 is virtlockd, that of h2 is none",
                      done.stdout + done.stderr)

    def refused(self, host, *words, **options):
        """virsh says no there, as another host holds the VM's disk."""
        done = self.lab.virsh(host, *words, **options)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        # not QEMU's own word, "Failed to get write lock"
        self.assertRegex(done.stderr, "resource busy: Lockspace resource .* is locked")

    def without_locks_of_qemu(self, name):
        """The same guest begun again, with a disk that QEMU itself would open twice; its XML."""
        xml = self.lab.virsh("h1", "dumpxml", "--security-info", name).stdout
        xml = re.sub(r"<domain type='(\w+)'[^>]*>",
                     r"<domain type='\1' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>",
                     xml).replace("</domain>", SHARED_BY_QEMU + "</domain>")
        self.lab.virsh("h1", "destroy", name)
        self.wait(lambda: name not in self.lab.virsh("h1", "list", "--all", "--name").stdout
                  .split(), 10, "it has ended")
        done = self.lab.virsh("h1", "create", "/dev/stdin", input=xml)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait(lambda: self.stat(name)["memory_intact"], 40, "it has looked at its memory")
        return xml

    def runs_alone(self, name, host, other, xml):
        """A second copy can be made, paused, and that is all."""
        self.refused(other, "create", "/dev/stdin", input=xml)
        done = self.lab.virsh(other, "create", "--paused", "/dev/stdin", input=xml)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.refused(other, "resume", name)
        self.assertIn("paused", self.lab.virsh(other, "domstate", name).stdout)
        self.lab.virsh(other, "destroy", name)
        self.wait(lambda: name not in self.lab.virsh(other, "list", "--all", "--name").stdout
                  .split(), 10, "the second copy is gone")
        self.assert_on(name, host)

    def test_with_it_no_second_copy_runs(self):
        for host in ("h1", "h2"):
            if self.locks(host) != "virtlockd":
                self.give_virtlockd(host)
        self.guest("alone", kernel="linux", memory=160, rate=5, working_set=16, disk="shared")
        xml = self.without_locks_of_qemu("alone")
        self.runs_alone("alone", "h1", "h2", xml)
        self.wait(lambda: self.ferry("check", "alone", "--to", "h2", "--unsafe",
                                     check=False).returncode == 0,
                  20, "h2 is a target")
        self.ferry("migrate", "alone", "--to", "h2", "--no-live", "--unsafe")
        # the lock has gone along
        self.runs_alone("alone", "h2", "h1", xml)
