#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Networks as they are at this moment, and the way that data takes: links that die, addresses that
come late, a bridge, a macvlan, two subnets with a router; each proven by both hosts' counters."""
import json
import time
import unittest

from labtest import PATIENCE, LabTest
from ferrylab import net

WORDS = 40 << 20  # of a guest's memory at the least


class NetworkWays(LabTest):
    HOSTS = 2

    def ip(self, host, *lines):
        """Commands of ip(8) on a host, or in the switch."""
        pid = self.lab.switch_pid() if host == "switch" else self.lab.host(host).pid()
        net.run_in(pid, ["ip", "-force", "-batch", "-"], "\n".join(lines) + "\n")

    def later(self, host, *lines):
        self.addCleanup(self.ip, host, *lines)

    def network(self, name, subnets, fallback, **spec):
        self.ferry("apply", "-f", "-", text=json.dumps({
            "apiVersion": "ferry.migration/v1", "kind": "Network", "metadata": {"name": name},
            "spec": {"roles": [], "subnets": subnets, "fallback": fallback, **spec}}))
        self.addCleanup(self.ferry, "delete", "network", name, check=False)
        return name

    def places(self, name):
        status = self.ferry_json("get", "network", name).get("status", {})
        return {n["nodeName"]: n["address"] for n in status.get("nodes", [])}

    def node(self, name):
        return self.ferry_json("get", "node", name)["status"]

    def interface(self, host, name):
        return next((i for i in self.node(host)["interfaces"] if i["name"] == name), {})

    def lost(self, host):
        """The message of its condition NetworkUnavailable."""
        return next((c["message"] for c in self.node(host)["conditions"]
                     if c["type"] == "NetworkUnavailable"), "")

    def seen_within(self, seconds, probe, change):
        """How long after `change` the API shows it."""
        change()
        since = time.monotonic()
        self.wait(probe, seconds, "the API shows the change")
        took = time.monotonic() - since
        self.assertLess(took, seconds * PATIENCE)
        return took

    def bytes_of(self, host, interface, way):
        return int(self.lab.exec(
            host, "cat", f"/sys/class/net/{interface}/statistics/{way}_bytes").stdout)

    def carried(self, source, out, target, into, move):
        """What left the source and reached the target over these interfaces, and over management."""
        def count():
            return (self.bytes_of(source, out, "tx"), self.bytes_of(target, into, "rx"),
                    self.bytes_of(source, "management", "tx"))
        before = count()
        move()
        return [b - a for a, b in zip(before, count())]

    def moves_over(self, name, network, source, out, target, into):
        sent, got, past = self.carried(source, out, target, into, lambda: self.ferry(
            "migrate", name, "--to", target, "--network", network))
        self.assertGreater(sent, WORDS)
        self.assertGreater(got, WORDS)
        self.assertLess(past, 4 << 20)
        state = self.newest(name)["status"]["migrationState"]
        self.assertEqual(state["network"], network)
        self.assertEqual(state["ways"][0]["interface"], out, state["ways"])
        self.assert_on(name, target)
        return state["ways"][0]

    def small(self, name, host="h1"):
        return self.guest(name, host=host, memory=64, rate=0, pattern="idle", working_set=44)

    def refused(self, name, network, *words):
        """By the check, the dry run and the request alike."""
        wish = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
                "metadata": {"generateName": "dry-", "namespace": "default"},
                "spec": {"vmiName": name, "targetNode": "h2", "network": network}}
        for done in (self.ferry("check", name, "--to", "h2", "--network", network, check=False),
                     self.kubectl("1.32", "create", "--dry-run=server", "-f", "-", check=False,
                                  text=json.dumps(wish)),
                     self.ferry("migrate", name, "--to", "h2", "--network", network, check=False)):
            self.assertNotEqual(done.returncode, 0, done.args)
            for word in words:
                self.assertIn(word, done.stdout + done.stderr, done.args)

    # -- events

    def test_what_changes_is_in_the_api_within_a_second(self):
        times = {}
        self.later("h1", "addr del 10.66.0.1/24 dev migration")
        times["address"] = self.seen_within(
            1, lambda: "10.66.0.1/24" in self.interface("h1", "migration")["addresses"],
            lambda: self.ip("h1", "addr add 10.66.0.1/24 dev migration"))
        times["route"] = self.seen_within(
            1, lambda: any(r["destination"] == "10.67.0.0/16" for r in self.node("h1")["routes"]),
            lambda: self.ip("h1", "route add 10.67.0.0/16 via 10.66.0.9"))
        times["mtu"] = self.seen_within(
            1, lambda: self.interface("h1", "migration")["mtuBytes"] == 1400,
            lambda: self.ip("h1", "link set migration mtu 1400"))
        self.ip("h1", "link set migration mtu 1500")
        self.addCleanup(self.lab.link, "h1", "migration", "up")
        times["carrier"] = self.seen_within(
            1, lambda: not self.interface("h1", "migration")["up"],
            lambda: self.lab.link("h1", "migration", "down"))
        self.assertIn("its interface migration", self.lost("h1"))
        times["carrier back"] = self.seen_within(
            1, lambda: self.interface("h1", "migration")["up"],
            lambda: self.lab.link("h1", "migration", "up"))
        self.wait(lambda: not self.lost("h1"), 2, "the condition is gone")
        print(", ".join(f"{what} {1000 * took:.0f} ms" for what, took in times.items()))

    def test_a_dead_link(self):
        name = self.small("dead")
        address = self.lab.host("h2").addresses["migration"]
        for fallback in ("deny", "warn"):
            self.network("all-" + fallback,
                         [self.lab.host(h).addresses["migration"] + "/32" for h in ("h1", "h2")],
                         fallback)
        self.addCleanup(self.lab.link, "h2", "migration", "up")
        self.seen_within(1, lambda: not self.interface("h2", "migration")["up"],
                         lambda: self.lab.link("h2", "migration", "down"))
        self.refused(name, "all-deny", f"its interface migration ({address}) is down", "deny")
        _, _, past = self.carried("h1", "migration", "h2", "migration", lambda: self.ferry(
            "migrate", name, "--to", "h2", "--network", "all-warn"))
        self.assertGreater(past, WORDS)
        events = [e for e in self.ferry_json("get", "events")["items"]
                  if e["involvedObject"]["name"] == self.newest(name)["metadata"]["name"]]
        self.assertIn(f"its interface migration ({address}) is down", next(
            e["message"] for e in events if e["reason"] == "NetworkFallback"))
        self.assert_on(name, "h2")

    def test_an_address_that_comes_late(self):
        name = self.small("late")
        self.ip("h1", "addr add 10.73.0.1/24 dev migration")
        self.later("h1", "addr del 10.73.0.1/24 dev migration")
        self.network("late", ["10.73.0.0/24"], "deny")
        self.wait(lambda: self.places("late").get("h1") == "10.73.0.1", 3, "h1 is in it")
        self.refused(name, "late", "node h2 is not in Network \"late\"")
        self.later("h2", "addr del 10.73.0.2/24 dev migration")
        self.seen_within(1, lambda: "10.73.0.2/24" in self.interface("h2", "migration")["addresses"],
                         lambda: self.ip("h2", "addr add 10.73.0.2/24 dev migration"))
        self.moves_over(name, "late", "h1", "migration", "h2", "migration")

    # -- ways

    def test_two_subnets_and_a_router(self):
        name = self.small("far")
        gateway = self.lab.host("h2").addresses["management"]
        self.ip("h1", "addr add 10.71.1.1/24 dev migration",
                f"route add default via {gateway} dev management")
        self.later("h1", "addr del 10.71.1.1/24 dev migration",
                   f"route del default via {gateway} dev management")
        self.ip("h2", "addr add 10.71.2.2/24 dev migration")
        self.later("h2", "addr del 10.71.2.2/24 dev migration")
        self.network("far", ["10.71.1.0/24", "10.71.2.0/24"], "warn")
        self.wait(lambda: self.places("far") == {"h1": "10.71.1.1", "h2": "10.71.2.2"}, 3,
                  lambda: f"both are in it: {self.places('far')}")
        _, _, past = self.carried("h1", "migration", "h2", "migration", lambda: self.refused(
            name, "far", "h1 has no route to 10.71.2.2 of h2", "would leave by management",
            "migration (10.71.1.1)"))
        self.assertLess(past, 4 << 20)
        self.ip("switch", "addr add 10.71.1.254/24 dev migration",
                "addr add 10.71.2.254/24 dev migration")
        self.later("switch", "addr del 10.71.1.254/24 dev migration",
                   "addr del 10.71.2.254/24 dev migration")
        net.run_in(self.lab.switch_pid(), ["sysctl", "-qw", "net.ipv4.ip_forward=1"])
        self.ip("h1", "route add 10.71.2.0/24 via 10.71.1.254")
        self.ip("h2", "route add 10.71.1.0/24 via 10.71.2.254")
        self.wait(lambda: self.ferry("check", name, "--to", "h2", "--network", "far",
                                     check=False).returncode == 0, 2, "the check knows the route")
        way = self.moves_over(name, "far", "h1", "migration", "h2", "migration")
        self.assertEqual((way["source"], way["gateway"]), ("10.71.1.1", "10.71.1.254"))

    def test_a_bridge_and_a_macvlan(self):
        name = self.small("layers")
        self.ip("h1", "link add name b0 type bridge", "link set migration master b0",
                "link set b0 up", "addr add 10.72.0.1/24 dev b0")
        self.later("h1", "link set migration nomaster", "link del b0")
        # else either of two interfaces on one wire answers for the other's address
        self.lab.exec("h2", "sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1")
        self.addCleanup(self.lab.exec, "h2", "sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=0")
        self.ip("h2", "link add link migration name m0 type macvlan mode bridge",
                "link set m0 up", "addr add 10.72.0.2/24 dev m0")
        self.later("h2", "link del m0")
        self.network("layers", ["10.72.0.0/24"], "deny")
        self.wait(lambda: self.places("layers") == {"h1": "10.72.0.1", "h2": "10.72.0.2"}, 3,
                  lambda: f"both are in it: {self.places('layers')}")
        self.assertEqual(self.interface("h1", "b0")["kind"], "bridge")
        self.assertEqual(self.interface("h1", "migration")["master"], "b0")
        self.assertEqual((self.interface("h2", "m0")["kind"], self.interface("h2", "m0")["over"]),
                         ("macvlan", "migration"))
        self.moves_over(name, "layers", "h1", "b0", "h2", "m0")
        # the NIC below dies: the bridge has its carrier still, were a guest on it
        self.addCleanup(self.lab.link, "h1", "migration", "up")
        self.seen_within(1, lambda: not self.interface("h1", "b0")["up"],
                         lambda: self.lab.link("h1", "migration", "down"))

    def test_a_tunnel_says_which_way_it_goes(self):
        name = self.small("tunnel")
        self.ferry("migrate", name, "--to", "h2", "--tunnelled", "--no-tls", check=False)
        state = self.newest(name)["status"]["migrationState"]
        self.assertNotIn("network", state)
        if state.get("ways"):
            self.assertEqual(state["ways"][0]["interface"], "management", state["ways"])

    # -- who may have it

    def test_required(self):
        name = self.small("need")
        first = self.lab.host("h1").addresses["migration"] + "/32"
        self.network("need", [first], "allow", required=True)
        done = self.ferry("check", name, check=False)
        self.assertIn("which is required", done.stdout + done.stderr)
        self.wait(lambda: "Network \"need\"" in self.lost("h2"), 3, "h2 says so")
        self.ferry("migrate", name, "--to", "h2")  # somebody names it
        self.assert_on(name, "h2")


if __name__ == "__main__":
    unittest.main()
