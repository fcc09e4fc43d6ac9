# SPDX-License-Identifier: Apache-2.0
"""Which VM is meant, where names and UUIDs stand for more than one domain."""
import unittest

from labtest import LabTest

UUID = "11111111-2222-3333-4444-999999999999"
OTHER_UUID = "11111111-2222-3333-4444-888888888888"
DOMAIN = """<domain type='qemu'>
  <name>{name}</name>{uuid}
  <memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <cpu mode='custom' match='exact' check='none'><model>qemu64</model></cpu>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/><memballoon model='none'/>
  </devices>
</domain>
"""


class Identity(LabTest):
    HOSTS = 2

    def virsh(self, host, *args):
        done = self.lab.virsh(host, *args)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def start(self, host, name, uuid=None):
        """A domain without a guest in it."""
        path = self.lab.host(host).path("/domain.xml")
        path.write_text(DOMAIN.format(name=name, uuid=f"<uuid>{uuid}</uuid>" if uuid else ""))
        self.virsh(host, "define", "/domain.xml")
        self.virsh(host, "start", name)

    def end(self, *names):
        for host in self.lab.hosts():
            for name in names:
                self.lab.virsh(host, "destroy", name)
                self.lab.virsh(host, "undefine", name)

    def active(self, host):
        return set(self.virsh(host, "list", "--name").split())

    def test_a_renamed_domain(self):
        """Its VMI keeps the name, which is another domain's by now: nothing moves by it, and each
        by its UUID."""
        self.addCleanup(self.end, "oldname", "newname")
        self.start("h1", "oldname")
        self.wait(lambda: self.ferry("get", "vmi", "oldname", check=False).returncode == 0, 10,
                  "the VM is seen")
        uuid = self.virsh("h1", "domuuid", "oldname").strip()
        self.virsh("h1", "destroy", "oldname")
        self.virsh("h1", "domrename", "oldname", "newname")
        self.virsh("h1", "start", "newname")
        self.start("h1", "oldname")
        other = self.virsh("h1", "domuuid", "oldname").strip()
        self.wait(lambda: {v["spec"]["domainName"] for v in self.ferry_json("get", "vmi")["items"]
                           if v["status"]["phase"] == "Running"} == {"oldname", "newname"},
                  10, lambda: self.ferry("get", "vmi", "-o", "wide").stdout)
        refused = self.ferry("migrate", "oldname", "--to", "h2", check=False)
        self.assertEqual(refused.returncode, 3, refused.stdout + refused.stderr)
        self.assertIn(uuid, refused.stderr)
        self.assertIn(other, refused.stderr)
        self.assertEqual(self.active("h1"), {"oldname", "newname"})
        self.ferry("migrate", other, "--to", "h2")
        self.assertEqual((self.active("h1"), self.active("h2")), ({"newname"}, {"oldname"}))

    def scheduled_without_agent(self, name):
        """Its migration to h2, as ferryd decided it from what h1's agent, which is dead, last said."""
        self.ferry("migrate", name, "--to", "h2", "--no-wait")
        self.wait(lambda: self.newest(name)["status"]["phase"] == "Scheduled", 10,
                  lambda: self.newest(name))
        return self.newest(name)["metadata"]["name"]

    def ended(self, migration):
        def status():
            now = self.ferry_json("get", "vmim", migration)["status"]
            return now["phase"] == "Failed" and now

        return self.wait(status, 30, lambda: self.ferry("get", "vmim", migration, "-o", "yaml").stdout)

    def test_a_job_of_another_name(self):
        """The domain was renamed while its agent was dead and ferryd decided: the agent, which comes
        back, refuses the job, says what differs, and nothing is done to the VM."""
        self.addCleanup(self.end, "oldname", "newname")
        self.start("h1", "oldname")
        self.wait(lambda: self.vmi("oldname"), 10, "the VM is seen")
        uuid = self.virsh("h1", "domuuid", "oldname").strip()
        self.lab.kill("h1", "agent")
        self.addCleanup(lambda: self.is_ready("h1") or self.lab.start("h1", "agent"))
        self.virsh("h1", "destroy", "oldname")
        self.virsh("h1", "domrename", "oldname", "newname")
        self.virsh("h1", "start", "newname")
        booted = self.virsh("h1", "domid", "newname")
        migration = self.scheduled_without_agent("oldname")
        self.lab.start("h1", "agent")
        status = self.ended(migration)
        self.assertEqual(status["reason"], "JobRefused", status)
        self.assertIn('domainName is "oldname"', status["message"])
        self.assertIn(f'the domain with UUID {uuid} is called "newname" on h1', status["message"])
        self.assertEqual((self.active("h1"), self.active("h2")), ({"newname"}, set()))
        self.assertEqual(self.virsh("h1", "domid", "newname"), booted)
        self.assertNotIn("oldname", self.virsh("h2", "list", "--all", "--name").split())
        self.wait(lambda: self.vmi("oldname")["spec"]["domainName"] == "newname", 10,
                  lambda: self.vmi("oldname"))
        self.ferry("migrate", uuid, "--to", "h2")  # by what it is, it moves
        self.assertEqual((self.active("h1"), self.active("h2")), (set(), {"newname"}))

    def test_a_job_of_another_machine(self):
        """The same where another VM has the name now."""
        self.addCleanup(self.end, "web1")
        self.start("h1", "web1", UUID)
        self.wait(lambda: self.vmi("web1"), 10, "the VM is seen")
        self.lab.kill("h1", "agent")
        self.addCleanup(lambda: self.is_ready("h1") or self.lab.start("h1", "agent"))
        self.virsh("h1", "destroy", "web1")
        self.virsh("h1", "undefine", "web1")
        self.start("h1", "web1", OTHER_UUID)
        booted = self.virsh("h1", "domid", "web1")
        migration = self.scheduled_without_agent("web1")
        self.lab.start("h1", "agent")
        status = self.ended(migration)
        self.assertEqual(status["reason"], "JobRefused", status)
        self.assertIn(f'vmiUID is {UUID}, on h1 the VM "web1" has no domain', status["message"])
        self.assertEqual(self.virsh("h1", "domid", "web1"), booted)
        self.assertEqual((self.active("h1"), self.active("h2")), ({"web1"}, set()))

    def test_one_uuid_on_two_hosts(self):
        """The VM is the first host's; the other one is not empty while its domain runs there."""
        self.addCleanup(self.end, "web1", "web2")
        self.addCleanup(self.ferry, "undrain", "h2")
        self.start("h1", "web1", UUID)
        self.wait(lambda: self.ferry("get", "vmi", "web1", check=False).returncode == 0, 10,
                  "the VM is seen")
        self.start("h2", "web2", UUID)
        self.wait(lambda: len(self.vmi("web1")["status"]["domains"]) == 2, 10,
                  lambda: self.vmi("web1"))
        drain = self.ferry("drain", "h2", check=False)
        self.assertEqual(drain.returncode, 1, drain.stdout)
        self.assertIn("h2 is not empty", drain.stderr)
        self.assertIn("domain web2 is active on h2 with the UUID of this VM, which is h1's",
                      drain.stderr)
        self.assertEqual((self.active("h1"), self.active("h2")), ({"web1"}, {"web2"}))
        self.virsh("h2", "destroy", "web2")
        self.ferry("drain", "h2")


if __name__ == "__main__":
    unittest.main()
