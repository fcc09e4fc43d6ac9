# SPDX-License-Identifier: Apache-2.0
"""libvirt's own lock manager, virtlockd, which Debian 12's hosts have with libvirt: Ferry knows which
hosts run guests under it, and one without it is no target."""
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

    def test_a_host_without_one_is_no_target(self):
        self.assertEqual({self.locks("h1"), self.locks("h2")}, {"none"})
        self.give_virtlockd("h1")
        self.guest("locked", kernel="linux", memory=160, rate=5, working_set=16, disk="shared")
        done = self.ferry("check", "locked", "--to", "h2", check=False)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn("the lock manager of h1 is virtlockd, that of h2 is none",
                      done.stdout + done.stderr)
