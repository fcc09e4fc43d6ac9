# SPDX-License-Identifier: Apache-2.0
"""Never two: the target's libvirtd hangs just when it is to let the VM go on. libvirt's source gives up
after half a minute and resumes its copy; the target's resumes the other one when it is back."""
import json
import os
import re
import subprocess
import unittest

from labtest import BUILD, FERRY_LAB, LabTest


class TwinTest(LabTest):
    HOSTS = 2

    def state(self, host, name):
        done = self.lab.virsh(host, "domstate", name, "--reason")
        return done.stdout.strip() if done.returncode == 0 else ""

    def hang_in_the_switch_over(self, name, agent_dies=False, *options):
        """Starts a migration to h2 and stops h2's libvirtd as soon as the guest is paused for it."""
        self.lab.link("h1", "migration", "rate", "60mbit")
        self.addCleanup(self.lab.link, "h1", "migration", "rate", "none")
        with subprocess.Popen([FERRY_LAB, "virsh", "h1", "event", name, "--event", "lifecycle",
                               "--timeout", "60"], env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True) as events:
            migration = subprocess.Popen(  # pylint: disable=consider-using-with
                [str(BUILD / "ferry"), "migrate", name, "--to", "h2", "--max-downtime", "20000",
                 *options],
                env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            self.addCleanup(migration.wait)
            self.addCleanup(migration.kill)
            self.assertIn("Suspended Migrated", events.stdout.readline())
            self.lab.exec("h2", "pkill", "-STOP", "-x", "libvirtd")
            self.addCleanup(self.go_on)
        if agent_dies:
            self.agent_dies("h1")

    def go_on(self):
        self.lab.exec("h2", "pkill", "-CONT", "-x", "libvirtd")

    def agent_dies(self, host):
        self.lab.kill(host, "agent")
        self.dead = getattr(self, "dead", set()) | {host}
        self.addCleanup(self.agent_back, host)

    def agent_back(self, host="h1"):
        if host in self.dead:
            self.dead.remove(host)
            self.lab.start(host, "agent")
        self.wait(lambda: self.is_ready(host), 20, f"{host} is Ready again")

    def watch_arrival(self):
        """The lifecycle events of h2 from now on, though its libvirtd hangs for a while."""
        events = subprocess.Popen(  # pylint: disable=consider-using-with
            [FERRY_LAB, "virsh", "h2", "-k", "0", "event", "--event", "lifecycle", "--loop",
             "--timestamp", "--timeout", "240"],
            env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(events.stdout.close)
        self.addCleanup(events.wait)
        self.addCleanup(events.kill)
        return events

    def ran_for(self, events, name):
        """For how many milliseconds the copy ran that was resumed there first, by libvirt's events."""
        seen = []
        for line in events.stdout:
            found = re.match(r"\S+ (\d+):(\d+):(\d+\.\d+)\S* event 'lifecycle' for domain "
                             rf"'{name}': (Resumed|Suspended) ", line)
            if found:
                hours, minutes, seconds, what = found.groups()
                seen.append((what, (int(hours) * 60 + int(minutes)) * 60 + float(seconds)))
            if [w for w, _ in seen][-2:] == ["Resumed", "Suspended"]:
                return (seen[-1][1] - seen[-2][1]) % 86400 * 1000
        self.fail(f"the copy on h2 was never suspended: {seen}")
        return None

    def doubt(self, name, side):
        state = self.newest(name)["status"].get("migrationState", {})
        return state.get("doubt", {}).get(side, {}).get("state")

    def wait_doubt(self, name, side, state, seconds):
        self.wait(lambda: self.doubt(name, side) == state, seconds,
                  lambda: f"the {side} says {state}: {self.newest(name)['status']}")

    def assert_one_has_it(self, name, host=None, guarded=True):
        """One copy runs, and the other one is gone; `host`: which runs, if that is known. `guarded`:
        an agent lived to see to it that both never ran for long, as the collector saw them."""
        def copies():
            return {h: self.state(h, name) for h in ("h1", "h2")}

        def is_one():
            found = copies()
            alive = [h for h, s in found.items() if s and "shut off" not in s]
            return len(alive) == 1 and "running" in found[alive[0]] and alive[0]
        where = self.wait(is_one, 40, lambda: f"one runs alone: {copies()}")
        if host:
            self.assertEqual(where, host)
        stat = self.stat(name)
        if guarded:
            self.assertTrue(stat["memory_intact"], stat)
        self.assertEqual(stat["host"], where)
        if guarded:
            self.assertLessEqual(stat["both_ms"], 200, stat)
        return where

    def end_of(self, name):
        return self.wait(lambda: self.newest(name)["status"]["phase"] in ("Succeeded", "Failed")
                         and self.newest(name)["status"], 60, "its end")


class Twin(TwinTest):
    def test_target_hangs_and_comes_back(self):
        self.guest("twin", memory=128, rate=20, working_set=32)
        self.hang_in_the_switch_over("twin")
        # libvirt has given up and resumed the source; what Ferry did about it is over at once
        self.wait(lambda: self.newest("twin")["status"].get("decisions", [])
                  and any(d.get("code") == "Ambiguous"
                          for d in self.newest("twin")["status"]["decisions"]),
                  60, lambda: f"the guard acts: {self.newest('twin')['status']}")
        self.assertIn("paused", self.state("h1", "twin"))
        status = self.wait(lambda: self.newest("twin")["status"].get("migrationState", {})
                           .get("agentResult"), 30, "people are told")
        self.assertIn("h2", status["error"])
        self.assertIn("suspended", status["error"])
        self.assertIn("paused", self.state("h1", "twin"))  # and stays so
        self.assertEqual(self.doubt("twin", "source"), "Suspended")
        self.go_on()
        where = self.assert_one_has_it("twin")
        status = self.end_of("twin")
        self.assertEqual(status["phase"] == "Succeeded", where == "h2", status)

    def test_the_next_agent_goes_on(self):
        self.guest("heir", memory=128, rate=20, working_set=32)
        self.hang_in_the_switch_over("heir")
        self.wait_doubt("heir", "source", "Suspended", 60)
        self.agent_dies("h1")
        self.agent_back()
        self.assertIn("paused", self.state("h1", "heir"))
        self.go_on()
        where = self.assert_one_has_it("heir")
        status = self.end_of("heir")
        self.assertEqual(status["phase"] == "Succeeded", where == "h2", status)
        self.wait_doubt("heir", "source", "GoesOn" if where == "h1" else "Destroyed", 10)

    def test_source_unheard_but_handing_over(self):
        """The source's agent dies, its libvirtd does not: the copy is held until that one is gone."""
        self.guest("orphan", memory=128, rate=20, working_set=32)
        events = self.watch_arrival()
        self.hang_in_the_switch_over("orphan", True)
        self.wait(lambda: not self.is_ready("h1"), 20, "h1's agent is missed")
        self.go_on()
        self.assertLess(self.ran_for(events, "orphan"), 200)
        self.wait_doubt("orphan", "target", "GoesOn", 20)
        self.assert_one_has_it("orphan", "h2")
        self.agent_back()
        self.assertEqual(self.end_of("orphan")["phase"], "Succeeded")


class Longer(TwinTest):
    """On demand, with FERRY_LONG set: each waits for libvirt's own half a minute."""

    def test_source_unheard_and_running(self):
        """It has no agent that would hold the copy which libvirt resumes, and that one has run on."""
        self.guest("double", memory=128, rate=20, working_set=32)
        events = self.watch_arrival()
        self.hang_in_the_switch_over("double", True)
        self.wait(lambda: "running" in self.state("h1", "double"), 60, "libvirt resumes the source")
        self.go_on()
        self.assertLess(self.ran_for(events, "double"), 200)
        self.wait_doubt("double", "target", "Destroyed", 30)
        self.assert_one_has_it("double", "h1")
        self.agent_back()
        self.assertEqual(self.end_of("double")["phase"], "Failed")

    def test_both_unguarded(self):
        """No agent lives to hold either copy: the source's is held as soon as its agent is back."""
        self.guest("twice", memory=128, rate=20, working_set=32)
        self.hang_in_the_switch_over("twice", True)
        self.agent_dies("h2")
        self.wait(lambda: "running" in self.state("h1", "twice"), 60, "libvirt resumes the source")
        self.go_on()
        self.wait(lambda: "running" in self.state("h2", "twice"), 60, "and the target")
        self.agent_back("h1")
        self.wait_doubt("twice", "source", "Suspended", 20)
        self.assertIn("paused", self.state("h1", "twice"))
        self.assertIn("running", self.state("h2", "twice"))
        self.agent_back("h2")
        self.wait(lambda: self.newest("twice")["status"].get("reason") == "RunsOnBothHosts", 40,
                  lambda: f"people are told: {self.newest('twice')['status']}")
        self.ferry("resolve", "twice", "--keep", "h2")
        self.assert_one_has_it("twice", "h2", guarded=False)

    def test_a_person_says_which(self):
        self.guest("judged", memory=128, rate=20, working_set=32)
        self.hang_in_the_switch_over("judged")
        self.wait_doubt("judged", "source", "Suspended", 60)
        refused = self.ferry("resolve", "judged", "--keep", "h9", check=False)
        self.assertEqual(refused.returncode, 3, refused.stderr)
        self.ferry("resolve", "judged", "--keep", "h1", "--no-wait")
        self.wait(lambda: "running" in self.state("h1", "judged"), 30, "it goes on where it was")
        self.go_on()
        self.wait_doubt("judged", "target", "Destroyed", 30)
        self.assert_one_has_it("judged", "h1")
        done = self.ferry("resolve", "judged", "--keep", "h1")
        self.assertIn("goes on on h1", done.stdout)

    def test_the_policy_says_which(self):
        self.guest("named", memory=128, rate=20, working_set=32)
        policy = {"apiVersion": "migrations.kubevirt.io/v1alpha1", "kind": "MigrationPolicy",
                  "metadata": {"name": "here"}, "spec": {"onAmbiguity": "source"}}
        self.run_(BUILD / "ferry", "apply", "-f", "-", text=json.dumps(policy))
        self.addCleanup(self.ferry, "delete", "migrationpolicy", "here")
        self.hang_in_the_switch_over("named", False, "--policy", "here")
        self.wait(lambda: "running" in self.state("h1", "named"), 60, "it goes on where it was")
        self.wait(lambda: self.newest("named")["status"].get("migrationState", {})
                  .get("agentResult"), 30, "people are told")
        self.go_on()
        self.wait_doubt("named", "target", "Destroyed", 30)
        self.assert_one_has_it("named", "h1")
        self.assertIsNone(self.doubt("named", "source"))
        self.assertEqual(self.end_of("named")["phase"], "Failed")


def load_tests(loader, _tests, _pattern):
    chosen = [Twin] + ([Longer] if os.environ.get("FERRY_LONG") else [])
    return unittest.TestSuite(loader.loadTestsFromTestCase(c) for c in chosen)
