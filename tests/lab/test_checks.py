# SPDX-License-Identifier: Apache-2.0
"""What `ferry check` says is what libvirt does: of each case of lacks.py it is asked, and then the guest
is moved by virsh, whatever it said. FERRY_CHECKS=all takes all of them."""
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import lacks
from ferrylab import guest
from labtest import LabTest

AT_ONCE = 3
UNDEFINE = ("--nvram", "--snapshots-metadata", "--checkpoints-metadata")
FLAGS = ("--live", "--p2p", "--persistent", "--undefinesource")


class Checks(LabTest):
    HOSTS = 2

    def sh(self, host, case, command):
        done = self.lab.exec(host, "sh", "-c", case.fill(command))
        self.assertEqual(done.returncode, 0, f"{case.name} on {host}: {command}: {done.stderr}")

    def keep(self, case):
        for host, commands in (("h1", case.both + case.here), ("h2", case.both)):
            for command in commands:
                self.sh(host, case, command)
        guest.create(self.lab, case.guest(), "h1")
        for command in case.there:
            self.sh("h2", case, command)
        for words in case.after:
            done = self.lab.virsh("h1", *case.fill(words).split())
            self.assertEqual(done.returncode, 0, f"{words}: {done.stderr}")
        self.wait(lambda: (self.vmi(case.name) or {}).get("status", {}).get("nodeName") == "h1",
                  15, f"ferryd shows {case.name}")

    def free(self, case):
        for words in case.clean:
            self.lab.virsh("h1", *case.fill(words).split())
        for host in self.lab.hosts():
            self.lab.virsh(host, "destroy", case.name)
            self.lab.virsh(host, "undefine", case.name, *UNDEFINE)
        self.lab_run("guest-rm", case.name, check=False)

    def ask(self, case):
        done = self.ferry("check", case.name, "--to", "h2", *case.flags, check=False)
        self.assertIn(done.returncode, (0, 3), done.stderr)
        return done.returncode == 0, done.stdout + done.stderr

    def asked(self, case):
        """(allowed, text), once it is what is expected: agents report within seconds."""
        try:
            return self.wait(lambda: self.as_expected(case), 25, "the check agrees")
        except AssertionError:
            return self.ask(case)

    def as_expected(self, case):
        allowed, text = self.ask(case)
        good = not allowed and case.reason in text if case.reason is not None else allowed
        return (allowed, text) if good else None

    def force(self, case):
        """(moved, what libvirt says)"""
        uri = self.ferry_json("get", "node", "h2")["status"]["hypervisor"]["peerURI"]
        done = self.lab.virsh("h1", "migrate", *FLAGS, *case.virsh, case.name, uri)
        return done.returncode == 0, done.stderr.strip()

    def visit(self, case):
        result = {"name": case.name}
        try:
            self.keep(case)
            result["allowed"], text = self.asked(case)
            self.needs = (self.vmi(case.name) or {}).get("spec", {}).get("domain", {}).get("needs")
            result["moved"], result["libvirt"] = self.force(case)
            result["said"] = " ".join(text.split())[:300]
            result["named"] = case.reason is None or case.reason in text
            if not result["named"]:
                result["vmi"] = self.needs
        except Exception as error:  # pylint: disable=broad-except
            result["error"] = str(error)
        finally:
            self.free(case)
        print(json.dumps(result), file=sys.stderr, flush=True)
        return result

    def test_two_hosts_with_one_uuid(self):
        """Their libvirtds take each other for themselves."""
        conf = "/etc/libvirt/libvirtd.conf"
        name = self.guest("twins", "h1")
        before = self.lab.host("h2").uuid
        self.addCleanup(self.give_uuid, conf, before)
        self.give_uuid(conf, self.lab.host("h1").uuid)
        done = self.wait(lambda: self.refused(name, "SameHostUUID"), 40, "check refuses it")
        self.assertIn("host_uuid", done.stderr)
        uri = self.ferry_json("get", "node", "h2")["status"]["hypervisor"]["peerURI"]
        moved = self.lab.virsh("h1", "migrate", *FLAGS, name, uri)
        self.assertNotEqual(moved.returncode, 0)
        self.assertIn("same host", moved.stderr)

    def give_uuid(self, conf, uuid):
        self.lab.exec("h2", "sed", "-i", f's/^host_uuid *=.*/host_uuid = "{uuid}"/', conf)
        self.lab.kill("h2", "libvirtd")
        self.lab.start("h2", "libvirtd")
        self.wait(lambda: self.ferry_json("get", "node", "h2")["status"]["hypervisor"]["hostUUID"]
                  == uuid and self.is_ready("h2"), 40, f"h2's libvirt has the UUID {uuid}")

    def refused(self, name, word):
        done = self.ferry("check", name, "--to", "h2", check=False)
        return done if done.returncode == 3 and word in done.stderr else None

    def test_source_whose_agent_is_silent(self):
        name = self.guest("alone", "h1")
        self.agent_away("h1")
        done = self.refused(name, "SourceNotReady")
        self.assertIsNotNone(done, "a migration of it would wait, and check says it can move")

    def test_check_says_what_libvirt_does(self):
        cases = lacks.cases()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            results = list(pool.map(self.visit, cases))
        broken = [r for r in results if r.get("allowed") and not r.get("moved", True)]
        wrong = [r for r in results if r.get("moved") and not r.get("allowed", True)
                 and not next(c for c in cases if c.name == r["name"]).own]
        failed = [r for r in results if "error" in r]
        unnamed = [r for r in results if not r.get("named", True)]
        print(f"{len(results)} cases: libvirt refused what check allowed: {len(broken)}; check refused "
              f"what libvirt did: {len(wrong)}; not tried: {len(failed)}", file=sys.stderr, flush=True)
        for kind, found in (("allowed", broken), ("refused", wrong), ("failed", failed),
                            ("said otherwise", unnamed)):
            for result in found:
                print(f"{kind}: {result}", file=sys.stderr)
        self.assertEqual([r["name"] for r in broken + wrong + failed + unnamed], [])
