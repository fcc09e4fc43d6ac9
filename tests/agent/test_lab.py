# SPDX-License-Identifier: Apache-2.0
"""The agent against two real libvirt hosts of a lab, with a stand-in for ferryd.

Needs root and a lab's hosts: uses the lab of $FERRY_LAB when it is up (brought up with --no-ferry), else
brings one up and takes it down. FERRY_BUILD names the build directory.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(pathlib.Path(__file__).parent), str(ROOT / "lab")]
os.environ.setdefault("FERRY_LAB", "agenttest")

from fake_ferryd import FakeFerryd  # noqa: E402
from ferrylab import ferry as lab_ferry  # noqa: E402
from ferrylab.lab import Lab  # noqa: E402

PORT = 7443
BUILD = pathlib.Path(os.environ.get("FERRY_BUILD") or ROOT / "build")
AGENT = pathlib.Path(os.environ.get("FERRY_AGENTD") or BUILD / "src/agent/ferry-agentd")


class Hosts:
    """A lab, its fake ferryd, and an agent on each of two hosts."""

    def __init__(self):
        self.lab = Lab(os.environ["FERRY_LAB"])
        self.own = not self.lab.is_up()
        if self.own:
            self.lab.up(2, with_ferry=False)
        self.management, self.migration = self.addresses("management"), self.addresses("migration")
        self.server = self.management["h1"].rsplit(".", 1)[0] + ".254"
        self.agents = {}
        self.run = pathlib.Path(self.lab.dir) / "run"
        self.fake = None

    def addresses(self, interface):
        out = {}
        for host in ("h1", "h2"):
            text = self.lab.exec(host, "ip", "-4", "-o", "addr", "show", interface).stdout
            out[host] = re.search(r"inet ([0-9.]+)/", text)[1]
        return out

    def start_fake(self):
        # pylint: disable=protected-access
        sock = lab_ferry._listen_in(self.lab.switch_pid(), self.server, PORT)
        self.fake = FakeFerryd(sock=sock)

    def start_agent(self, host):
        program = self.run / f"ferry-agentd-{host}"
        if not program.exists():
            shutil.copy(AGENT, program)
        state = self.run / f"agent-{host}"
        state.mkdir(exist_ok=True)
        for name in ("agent.key", "agent.crt", "ca.crt"):
            (state / name).write_text("-----BEGIN NOTHING-----\n")
        log = open(state / "log", "a", encoding="utf-8")
        self.agents[host] = subprocess.Popen(
            [str(ROOT / "lab/ferry-lab"), "exec", host, f"/run/ferry-lab/ferry-agentd-{host}",
             "--server", f"http://{self.server}:{PORT}", "--node", host,
             "--state-dir", f"/run/ferry-lab/agent-{host}",
             "--peer-uri", f"qemu+tls://{host}/system", "--log-level", "debug"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()

    def end_agent(self, host, signal="TERM"):
        self.lab.exec(host, "sh", "-c",
                      'for p in /proc/[0-9]*; do '
                      f'[ "$(readlink $p/exe)" = /run/ferry-lab/ferry-agentd-{host} ] && '
                      f'kill -{signal} ${{p#/proc/}}; done; true')
        self.agents.pop(host).wait(20)

    def close(self):
        for host in list(self.agents):
            self.end_agent(host)
            (self.run / f"ferry-agentd-{host}").unlink(missing_ok=True)
        if self.fake:
            self.fake.stop()
        if self.own:
            self.lab.down()


class AgentInLab(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hosts = Hosts()
        cls.lab = cls.hosts.lab
        cls.count = 0
        cls.guests = []
        try:
            cls.hosts.start_fake()
            cls.fake = cls.hosts.fake
            for host in ("h1", "h2"):
                cls.hosts.start_agent(host)
            cls.fake.wait(lambda: all("hypervisor" in cls.fake.nodes.get(h, {})
                                      for h in ("h1", "h2")), 20, "both agents' reports")
        except BaseException:
            cls.hosts.close()
            raise

    @classmethod
    def tearDownClass(cls):
        for name in cls.guests:
            cls.cli("guest-rm", name)
        cls.hosts.close()

    @staticmethod
    def cli(*args):
        return subprocess.run([str(ROOT / "lab/ferry-lab"), *args], check=True, text=True,
                              capture_output=True).stdout

    def guest(self, name, *args):
        self.cli("guest", name, "--host", "h1", "--memory", "256", *args)
        self.guests.append(name)
        self.addCleanup(self.remove, name)
        self.fake.wait(lambda: self.domain("h1", name), 5, f"{name} in the inventory")

    def remove(self, name):
        self.cli("guest-rm", name)
        self.guests.remove(name)

    def domain(self, host, name):
        for record in self.fake.domains.get(host, {}).values():
            if record["name"] == name:
                return record
        return None

    def migrate(self, vmi, **config):
        type(self).count += 1
        name = f"m{self.count}"
        self.fake.schedule(name, vmi, "h1", "h2", self.hosts.migration["h2"],
                           "qemu+tls://h2/system", config)
        return name

    def running(self, name, timeout=20):
        self.fake.wait(lambda: self.fake.get(name)["status"].get("progress", {})
                       .get("percent", 0) > 0, timeout, f"progress of {name}")

    def assert_state(self, host, name, state):
        self.fake.wait(lambda: (self.domain(host, name) or {}).get("state") == state, 30,
                       f"{name} {state} on {host}")

    def cancel(self, name):
        obj = self.fake.get(name)
        obj["status"]["migrationState"]["abortRequested"] = True
        self.fake.put(obj)

    def stays(self, name):
        """The VM runs on h1, is not on h2, and nothing is left there."""
        self.assert_state("h1", name, "running")
        self.fake.wait(lambda: not self.domain("h2", name), 5, f"{name} gone from h2")
        self.assertNotIn(name, self.lab.virsh("h2", "list", "--all", "--name").stdout.split())

    def test_moves_with_progress_and_pause_within_the_limit(self):
        self.guest("busy", "--rate", "40", "--working-set", "64", "--pattern", "uniform",
                   "--label", "app=web")
        self.assertEqual(self.domain("h1", "busy")["labels"], {"app": "web"})
        name = self.migrate("busy", maxDowntimeMs=900)
        result = self.fake.result(name)
        self.assertEqual((result["returned"], result["errorCode"], result["sourceState"]),
                         (True, 0, "nostate"))
        self.assert_state("h2", "busy", "running")
        status = self.fake.get(name)["status"]
        self.assertEqual([t["phase"] for t in status["phaseTransitionTimestamps"]],
                         ["PreparingTarget", "TargetReady", "Running"])
        self.assertGreater(status["summary"]["dataTransferredBytes"], 0)
        self.assertLess(status["summary"]["downtimeMs"], 900)
        told = [p[2]["status"]["progress"]["percent"] for p in self.fake.patches
                if p[1] == name and "progress" in p[2]["status"]]
        self.assertEqual(told, sorted(told))
        stat = json.loads(self.cli("stat", "busy"))
        self.assertTrue(stat["memory_intact"])
        self.assertEqual(stat["host"], "h2")

    def test_too_busy_for_its_limit_says_so_and_cancels_within_a_second(self):
        self.guest("hot", "--rate", "300", "--working-set", "128", "--pattern", "cyclic")
        name = self.migrate("hot", maxDowntimeMs=100)
        self.fake.wait(lambda: any(d["action"] == "Note" for d in
                                   self.fake.get(name)["status"].get("decisions", [])), 30,
                       "the note that it does not converge")
        limits = [d["value"] for d in self.fake.get(name)["status"]["decisions"]
                  if d["action"] == "SetDowntime"]
        self.assertLessEqual(max(limits), 100)
        began = time.monotonic()
        self.cancel(name)
        result = self.fake.result(name)
        self.assertLess(time.monotonic() - began, 1)
        self.assertEqual((result["reason"], result["sourceState"]), ("Cancelled", "running"))
        self.assertEqual(self.fake.get(name)["status"]["migrationState"]["abortStatus"],
                         "Succeeded")
        self.stays("hot")

    def test_too_busy_goes_post_copy_where_allowed(self):
        self.guest("warm", "--rate", "300", "--working-set", "96", "--pattern", "cyclic")
        name = self.migrate("warm", maxDowntimeMs=100, allowPostCopy=True)
        result = self.fake.result(name, 60)
        self.assertEqual((result["errorCode"], result["sourceState"]), (0, "nostate"), result)
        self.assertEqual(self.fake.get(name)["status"]["migrationState"]["mode"], "PostCopy")
        self.assert_state("h2", "warm", "running")

    def test_dead_address_is_refused_before_anything_is_touched(self):
        self.guest("idle1", "--rate", "0", "--pattern", "idle")
        self.lab.link("h2", "migration", "down")
        try:
            name = self.migrate("idle1")
            result = self.fake.result(name, 10)
        finally:
            self.lab.link("h2", "migration", "up")
        self.assertEqual((result["returned"], result["reason"]), (False, "TargetUnreachable"))
        self.assertIn(self.hosts.migration["h2"], result["error"])
        self.stays("idle1")

    def test_link_that_dies_in_mid_flight_is_given_up(self):
        self.guest("cut", "--rate", "300", "--working-set", "128", "--pattern", "cyclic")
        name = self.migrate("cut", maxDowntimeMs=50)
        self.running(name)
        self.lab.link("h2", "migration", "down")
        try:
            result = self.fake.result(name, 40)
        finally:
            self.lab.link("h2", "migration", "up")
        self.assertEqual(result["reason"], "LinkStalled")
        self.stays("cut")

    def test_killed_agent_comes_back_and_adopts(self):
        self.guest("adopt", "--rate", "300", "--working-set", "128", "--pattern", "cyclic")
        name = self.migrate("adopt", maxDowntimeMs=50)
        self.running(name)
        self.hosts.end_agent("h1", "KILL")
        patches = len(self.fake.patches)
        self.hosts.start_agent("h1")
        self.fake.wait(lambda: len(self.fake.patches) > patches + 2, 20, "progress after adoption")
        self.cancel(name)
        result = self.fake.result(name, 10)
        self.assertEqual((result["reason"], result["sourceState"]), ("Cancelled", "running"))
        self.stays("adopt")

    def test_killed_libvirtd_leaves_the_vm_and_says_so(self):
        self.guest("orphan", "--rate", "300", "--working-set", "128", "--pattern", "cyclic")
        name = self.migrate("orphan", maxDowntimeMs=50)
        self.running(name)
        self.lab.kill("h1", "libvirtd")
        self.fake.wait(lambda: self.fake.nodes["h1"]["connected"] is False, 10, "h1 not connected")
        self.lab.start("h1", "libvirtd")
        result = self.fake.result(name, 20)
        self.assertEqual((result["reason"], result["sourceState"]), ("HypervisorLost", "running"))
        self.fake.wait(lambda: self.fake.nodes["h1"]["connected"], 10, "h1 connected again")
        self.stays("orphan")

    def test_result_arrives_when_ferryd_was_away(self):
        self.guest("alone", "--rate", "40", "--working-set", "64", "--pattern", "uniform")
        name = self.migrate("alone")
        self.running(name)
        self.fake.down = True
        with self.fake.cond:
            self.fake.cond.notify_all()
        deadline = time.monotonic() + 20
        while self.lab.virsh("h2", "domstate", "alone").stdout.strip() != "running":
            self.assertLess(time.monotonic(), deadline, "the migration did not go on by itself")
            time.sleep(0.1)
        stored = self.hosts.run / "agent-h1" / "results"
        while not list(stored.glob("*.json")):
            self.assertLess(time.monotonic(), deadline, "the result was not stored")
            time.sleep(0.1)
        self.hosts.end_agent("h1", "KILL")
        self.fake.down = False
        self.hosts.start_agent("h1")
        self.assertEqual(self.fake.result(name, 20)["sourceState"], "nostate")
        deadline = time.monotonic() + 10
        while list(stored.glob("*.json")):
            self.assertLess(time.monotonic(), deadline, "the stored result was not removed")
            time.sleep(0.05)

    def test_changes_show_at_once(self):
        self.guest("seen", "--rate", "0", "--pattern", "idle")
        began = time.monotonic()
        self.lab.virsh("h1", "suspend", "seen")
        self.assert_state("h1", "seen", "paused")
        self.lab.virsh("h1", "resume", "seen")
        self.assert_state("h1", "seen", "running")
        self.assertLess(time.monotonic() - began, 1)


if __name__ == "__main__":
    unittest.main()
