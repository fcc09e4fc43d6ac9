# SPDX-License-Identifier: Apache-2.0
"""What a VM had before a migration it has after, though libvirt does not carry it."""
import re

from labtest import LabTest


class Kept(LabTest):
    HOSTS = 2

    def autostart(self, host, name):
        done = self.lab.virsh(host, "dominfo", name)
        found = re.search(r"^Autostart:\s+(\w+)", done.stdout, re.M)
        return found and found.group(1) == "enable"

    def starting_guest(self, name, **options):
        self.guest(name, persistent=True, **options)
        self.lab.virsh("h1", "autostart", name)
        self.assertTrue(self.autostart("h1", name))

    def test_autostart_moves_along(self):
        self.starting_guest("boots")
        self.ferry("migrate", "boots", "--to", "h2")
        self.assertTrue(self.autostart("h2", "boots"))
        self.ferry("migrate", "boots", "--to", "h1", "--no-undefinesource")
        self.assertTrue(self.autostart("h1", "boots"))
        # what stays behind must not start beside it
        self.assertFalse(self.autostart("h2", "boots"))

    def test_autostart_is_off_while_it_moves_and_given_back(self):
        self.starting_guest("moving", memory=128, rate=20, working_set=64)
        self.lab.link("h1", "migration", "rate", "30mbit")
        try:
            self.ferry("migrate", "moving", "--to", "h2", "--detach")
            self.wait(lambda: self.newest("moving")["status"]["phase"] == "Running", 20, "it runs")
            self.wait(lambda: not self.autostart("h1", "moving"), 5, "taken off the source")
            self.lab.kill("h1", "agent")
            self.lab.start("h1", "agent")
            self.ferry("cancel", "moving")
            self.wait(lambda: self.newest("moving")["status"]["phase"] == "Failed", 30, "its end")
        finally:
            self.lab.link("h1", "migration", "rate", "none")
        self.assertTrue(self.autostart("h1", "moving"))
        self.assert_on("moving", "h1")

    def test_an_agent_that_takes_over_gives_it(self):
        self.starting_guest("adopted", memory=128, rate=2, working_set=8)
        self.lab.link("h1", "migration", "rate", "80mbit")
        try:
            self.ferry("migrate", "adopted", "--to", "h2", "--detach")
            self.wait(lambda: self.newest("adopted")["status"]["phase"] == "Running", 20, "it runs")
            self.wait(lambda: not self.autostart("h1", "adopted"), 5, "taken off the source")
            self.lab.kill("h1", "agent")
            self.wait(lambda: self.stat("adopted")["host"] == "h2", 40, "it arrives")
            self.lab.start("h1", "agent")
            self.wait(lambda: self.newest("adopted")["status"]["phase"] == "Succeeded", 40,
                      lambda: f"its end: {self.newest('adopted')['status']}")
        finally:
            self.lab.link("h1", "migration", "rate", "none")
        self.wait(lambda: self.autostart("h2", "adopted"), 5, "it starts with h2")

    # -- a definition that is stored while the VM moves

    def title_of(self, host, name):
        text = self.lab.virsh(host, "dumpxml", "--inactive", name).stdout
        found = re.search(r"<title>(.*?)</title>", text)
        return found and found.group(1)

    def define_with_title(self, name, title):
        text = self.lab.virsh("h1", "dumpxml", "--inactive", "--security-info", name).stdout
        self.assertNotIn("<title>", text)
        text = text.replace("</uuid>", f"</uuid>\n  <title>{title}</title>", 1)
        done = self.lab.virsh("h1", "define", "/dev/stdin", input=text)
        self.assertEqual(done.returncode, 0, done.stderr)

    def events(self, name, reason):
        return [e["message"] for e in self.ferry_json("get", "events")["items"]
                if e["reason"] == reason and
                e["involvedObject"]["uid"] == self.newest(name)["metadata"]["uid"]]

    def moving_slowly(self, name, *options):
        self.guest(name, persistent=True, memory=128, rate=2, working_set=8)
        self.lab.link("h1", "migration", "rate", "80mbit")
        self.addCleanup(self.lab.link, "h1", "migration", "rate", "none")
        self.ferry("migrate", name, "--to", "h2", "--detach", *options)
        self.wait(lambda: self.newest(name)["status"].get("progress", {}).get("iteration", 0) > 0,
                  20, "memory flows")

    def ended(self, name):
        return self.newest(name)["status"]["phase"] in ("Succeeded", "Failed")

    def test_a_definition_that_is_stored_meanwhile_comes_along(self):
        for name, options in (("defined", ()), ("kept-too", ("--no-undefinesource",))):
            with self.subTest(name):
                self.moving_slowly(name, *options)
                self.define_with_title(name, "given while it moved")
                self.wait(lambda n=name: self.ended(n), 60, "its end")
                self.assertEqual(self.newest(name)["status"]["phase"], "Succeeded")
                self.assertEqual(self.title_of("h2", name), "given while it moved")
                self.wait(lambda n=name: self.events(n, "CarriedAlong"), 10, "it is told")
                self.assertEqual(self.events(name, "LostOnTheWay"), [])
                self.assertEqual(self.events(name, "ChangedOnTheWay"), [])
                self.assertNotIn("kept", self.newest(name)["status"]["migrationState"])
                self.lab.virsh("h1", "undefine", name)

    def test_an_agent_that_takes_over_carries_the_definition(self):
        self.moving_slowly("overtaken")
        self.assertIn("stored", self.newest("overtaken")["status"]["migrationState"]["kept"])
        self.lab.kill("h1", "agent")
        self.define_with_title("overtaken", "while nobody looked")
        self.lab.start("h1", "agent")
        self.wait(lambda: self.ended("overtaken"), 60, "its end")
        self.assertEqual(self.newest("overtaken")["status"]["phase"], "Succeeded")
        self.assertEqual(self.title_of("h2", "overtaken"), "while nobody looked")

    def test_a_definition_that_cannot_come_along_is_told(self):
        self.moving_slowly("renamed", "--dname", "renamed-there")
        self.addCleanup(self.lab.virsh, "h2", "destroy", "renamed-there")
        self.addCleanup(self.lab.virsh, "h2", "undefine", "renamed-there")
        self.define_with_title("renamed", "given while it moved")
        self.wait(lambda: self.ended("renamed"), 60, "its end")
        self.wait(lambda: self.events("renamed", "LostOnTheWay"), 10, "it is told")
        self.assertIn("destinationName", self.events("renamed", "LostOnTheWay")[0])

    def test_nothing_is_told_where_nothing_changed(self):
        self.guest("same", persistent=True)
        self.ferry("migrate", "same", "--to", "h2")
        self.ferry("migrate", "same", "--to", "h1")
        for reason in ("CarriedAlong", "LostOnTheWay", "ChangedOnTheWay"):
            self.assertEqual(self.events("same", reason), [])

    # -- NVRAM

    NVRAM = "/var/lib/libvirt/qemu/nvram/{}.fd"
    OFF = """<domain type='qemu'><name>{0}</name><memory>65536</memory><vcpu>1</vcpu>
      <os><type arch='x86_64' machine='pc'>hvm</type>
        <loader readonly='yes' type='pflash'>/usr/share/seabios/bios-256k.bin</loader>
        <nvram>/var/lib/libvirt/qemu/nvram/{0}.fd</nvram></os>
      <features><acpi/></features></domain>"""

    def test_nvram_of_a_definition_comes_along(self):
        """libvirt moves the definition of a VM that is off, and leaves its NVRAM where it was."""
        name, path = "firmware", self.NVRAM.format("firmware")
        done = self.lab.virsh("h1", "define", "/dev/stdin", input=self.OFF.format(name))
        self.assertEqual(done.returncode, 0, done.stderr)
        for host in ("h1", "h2"):
            self.addCleanup(self.lab.exec, host, "rm", "-f", path)
            self.addCleanup(self.lab.virsh, host, "undefine", name, "--nvram")
        self.lab.exec("h1", "sh", "-c", f"head -c 262144 /dev/urandom >{path}")
        self.wait(lambda: self.vmi(name), 10, "ferryd knows it")
        before = self.lab.exec("h1", "sha256sum", path).stdout.split()[0]
        self.ferry("migrate", name, "--to", "h2", "--offline")
        self.assertEqual(self.lab.exec("h2", "sha256sum", path).stdout.split()[0], before)
        self.wait(lambda: self.events(name, "CarriedAlong"), 10, "it is told")
        self.assertIn("NVRAM", self.events(name, "CarriedAlong")[0])
        self.assertEqual(self.events(name, "LostOnTheWay"), [])
        # one of another size is not overwritten
        self.wait(lambda: (self.vmi(name) or {}).get("status", {}).get("nodeName") == "h2", 10,
                  "it is known to be on h2")
        self.lab.exec("h1", "sh", "-c", f"head -c 1000 /dev/zero >{path}")
        self.ferry("migrate", name, "--to", "h1", "--offline")
        self.wait(lambda: self.events(name, "LostOnTheWay"), 10, "it is told")
        self.assertIn("NVRAM", self.events(name, "LostOnTheWay")[0])
        self.assertEqual(self.lab.exec("h1", "stat", "-c", "%s", path).stdout.strip(), "1000")
