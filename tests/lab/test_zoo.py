# SPDX-License-Identifier: Apache-2.0
"""Definitions of many kinds: each is checked, moved where the check allows it, and is then what it
was. FERRY_ZOO=all takes all of them (see zoo.py)."""
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import zoo
from ferrylab import guest
from labtest import LabTest

AT_ONCE = 4
UNDEFINE = ("--nvram", "--snapshots-metadata", "--checkpoints-metadata")
# What a host sets for itself.
OWN = [r"\s*<backingStore/>", r" portid='[^']*'",
       r"\s*<alias name='(?!ua-)[^']*'/>", r"/dev/pts/\d+", r" state='(dis)?connected'",
       r"/domain-\d+-", r"/channel/\d+-", r"\s*<seclabel [^>]*/>", r"\s*<target dev='vnet\d+'/>",
       r" (port|websocket)='\d+'(?= autoport='yes')", r"<currentMemory[^\n]*"]


def parts(text):
    """What a definition says, one text a device and one for each of the rest: libvirt changes the
    order of devices, and the space in metadata."""
    domain = ElementTree.fromstring(text)
    for source in domain.iter("source"):
        source.attrib.pop("index", None)
    every = [e for e in domain if e.tag != "devices"] + list(domain.find("devices"))
    return sorted(ElementTree.canonicalize(ElementTree.tostring(e, encoding="unicode"),
                                           strip_text=True) for e in every)


class Zoo(LabTest):
    HOSTS = 2
    maxDiff = None

    def virsh(self, host, *args):
        done = self.lab.virsh(host, *args)
        self.assertEqual(done.returncode, 0, f"virsh {args} on {host}: {done.stderr}")
        return done.stdout

    def definitions(self, host, animal):
        """(running, stored) by their parts."""
        live = self.virsh(host, "dumpxml", animal.name)
        for pattern in OWN:
            live = re.sub(pattern, "", live)
        stored = animal.persistent and self.virsh(host, "dumpxml", "--inactive", "--security-info",
                                                  animal.name)
        return parts(live), stored and parts(stored)

    def told(self, animal):
        """{reason: message} of Events about the VM's migration."""
        events = self.ferry_json("get", "events")["items"]
        uid = self.newest(animal.name)["metadata"]["uid"]
        return {e["reason"]: e["message"] for e in events if e["involvedObject"]["uid"] == uid}

    def keep(self, animal):
        for command in animal.make:
            done = self.lab.exec("h1", "sh", "-c", command)
            self.assertEqual(done.returncode, 0, done.stderr)
        guest.create(self.lab, animal.guest(), "h1")
        for words in animal.after:
            self.virsh("h1", *words)
        self.wait(lambda: (self.vmi(animal.name) or {}).get("status", {}).get("phase") == "Running",
                  15, f"ferryd shows {animal.name}")

    def free(self, animal):
        for host in self.lab.hosts():
            self.lab.virsh(host, "destroy", animal.name)
            self.lab.virsh(host, "undefine", animal.name, *UNDEFINE)
        self.lab_run("guest-rm", animal.name, check=False)

    def refused(self, animal):
        def check():
            done = self.ferry("check", animal.name, "--to", "h2", check=False)
            return done if done.returncode == 3 else None

        done = self.wait(check, 40, f"{animal.name} is refused")
        self.assertIn(animal.refused, done.stdout + done.stderr)

    def moves(self, animal):
        checked = self.ferry("check", animal.name, "--to", "h2")
        self.assertIn(animal.warns or "", checked.stdout + checked.stderr)
        before = self.definitions("h1", animal)
        self.ferry("migrate", animal.name, "--to", "h2")
        after = self.definitions("h2", animal)
        if not animal.changes:
            self.assertEqual(before[0], after[0])
        self.assertEqual(before[1], after[1])
        names = self.virsh("h2", "checkpoint-list", animal.name, "--name").split()
        self.assertEqual(names, animal.checkpoints)
        self.assert_on(animal.name, "h2")
        if animal.changes:
            self.wait(lambda: animal.changes in self.told(animal).get("ChangedOnTheWay", ""), 10,
                      lambda: f"what has changed is told: {self.told(animal)}")
        told = self.told(animal)
        for reason in ("LostOnTheWay", *(() if animal.changes else ("ChangedOnTheWay",))):
            self.assertNotIn(reason, told)

    def visit(self, animal):
        """Its name where something went wrong."""
        try:
            self.keep(animal)
            if animal.refused:
                self.refused(animal)
            else:
                self.moves(animal)
        except Exception as error:  # pylint: disable=broad-except
            print(f"{animal.name}: {error}", file=sys.stderr, flush=True)
            return animal.name
        finally:
            self.free(animal)
        print(f"{animal.name}: ok", file=sys.stderr, flush=True)
        return None

    def test_each_is_what_it_was(self):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            bad = [b for b in pool.map(self.visit, zoo.animals()) if b]
        self.assertEqual(bad, [])
