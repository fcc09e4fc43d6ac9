# SPDX-License-Identifier: Apache-2.0
"""Disks on storage that hosts share: a host that does not have it, or cannot write it, is no
target."""
from labtest import LabTest

from ferrylab.paths import IN_SHARED

CONF = "/etc/libvirt/qemu.conf"
REFRESH = 45  # an agent looks every 30 s


class SharedStorage(LabTest):
    HOSTS = 3

    def entry(self, host):
        """What the host says of the shared directory, or None."""
        list_ = self.ferry_json("get", "node", host)["status"]["sharedFileSystems"]
        return next((e for e in list_ if e["path"] == IN_SHARED), None)

    def inside(self, host, *argv):
        done = self.lab.exec(host, *argv)
        self.assertEqual(done.returncode, 0, done.stderr)

    def agent_again(self, host):
        """A new agent, which reads libvirt's qemu.conf anew."""
        self.lab.kill(host, "agent")
        self.lab.start(host, "agent")

    def forget(self, host):
        """The host's qemu.conf does not name the directory until the end of the test; the files
        are there all the same."""
        def again():
            self.inside(host, "mv", f"{CONF}.kept", CONF)
            self.agent_again(host)
            self.wait(lambda: self.entry(host), 20, f"{host} has the directory again")

        self.inside(host, "cp", CONF, f"{CONF}.kept")
        self.addCleanup(again)
        self.inside(host, "sed", "-i", "/^shared_filesystems/d", CONF)
        self.agent_again(host)
        self.wait(lambda: not self.entry(host), 20, f"{host} says no more that it has it")

    def disk_guest(self, name):
        self.guest(name, kernel="linux", memory=160, rate=5, working_set=16, disk="shared")
        disk = self.vmi(name)["spec"]["domain"]["devices"]["disks"][0]
        self.assertTrue(disk["shared"], disk)
        return disk["source"]

    def refused(self, name, host, words):
        done = self.ferry("check", name, "--to", host, check=False)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn(words, done.stdout + done.stderr)

    def test_not_there(self):
        for host in self.lab.hosts():
            self.assertEqual(self.entry(host)["readOnly"], False)
        path = self.disk_guest("there")
        self.ferry("check", "there", "--to", "h2")
        self.forget("h2")
        self.refused("there", "h2", f"({path}) is on a shared file system that h2 has not mounted")
        done = self.ferry("migrate", "there", "--to", "h2", check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("h2 has not mounted", done.stdout + done.stderr)
        self.ferry("migrate", "there")  # to the host that has it
        self.assert_on("there", "h3")
        self.ferry("migrate", "there", "--to", "h2", "--unsafe")
        self.assert_on("there", "h2")

    def test_read_only(self):
        path = self.disk_guest("look")

        def mount(how):
            self.inside("h2", "mount", "-o", f"remount,bind,{how}", IN_SHARED)
            self.wait(lambda: self.entry("h2")["readOnly"] == (how == "ro"), REFRESH,
                      f"h2 says that it is {how}")

        mount("ro")
        try:
            self.refused("look", "h2", f"({path}) is on a shared file system that h2 has mounted "
                         f"read-only ({IN_SHARED}")
        finally:
            mount("rw")
        self.ferry("migrate", "look", "--to", "h2")
        self.assert_on("look", "h2")
