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
