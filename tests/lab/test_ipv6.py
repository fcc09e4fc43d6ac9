#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Memory and disks over a migration network that is IPv6 only: found, probed, moved, encrypted or
not."""
import unittest

from labtest import LabTest

PREFIX = "fd00:5eed::"
NETWORK = f"""
apiVersion: ferry.migration/v1
kind: Network
metadata: {{name: migration}}
spec: {{roles: [migration], subnets: ["{PREFIX}/64"], fallback: deny}}
"""


class IPv6(LabTest):
    HOSTS = 2

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for n in (1, 2):
            cls.lab.exec(f"h{n}", "ip", "addr", "add", f"{PREFIX}{n}/64", "dev", "migration", "nodad")

    def setUp(self):
        self.ferry("apply", "-f", "-", text=NETWORK)
        self.wait(lambda: self.addresses() == {f"h{n}": f"{PREFIX}{n}" for n in (1, 2)}, 10,
                  lambda: f"both hosts have an address in the network: {self.addresses()}")

    def addresses(self):
        status = self.ferry_json("get", "networks", "migration").get("status", {})
        return {n["nodeName"]: n["address"] for n in status.get("nodes", [])}

    def received(self):
        """Bytes of IPv6 that the target's migration interface took."""
        text = self.lab.exec("h2", "cat", "/proc/net/dev_snmp6/migration").stdout
        return int(dict(line.split() for line in text.splitlines())["Ip6InOctets"])

    def moved(self, name, *options):
        before = self.received()
        self.ferry("migrate", name, "--to", "h2", *options)
        self.assert_on(name, "h2")
        status = self.newest(name)["status"]
        self.assertEqual(status["migrationState"]["targetNodeAddress"], f"{PREFIX}2", status)
        self.assertGreater(self.received() - before,
                           0.9 * status["summary"]["dataTransferredBytes"])

    def test_encrypted(self):
        self.moved(self.guest("e", memory=128, rate=5, working_set=64))

    def test_in_the_clear_over_several_connections(self):
        self.moved(self.guest("p", memory=128, rate=5, working_set=64), "--no-tls", "--parallel",
                   "--parallel-connections", "2")

    def test_disks(self):
        self.moved(self.guest("d", kernel="linux", memory=160, rate=2, working_set=16, disk="local"),
                   "--copy-storage-all")

    def test_post_copy(self):
        name = self.guest("c", memory=128, rate=100, working_set=96, pattern="uniform")
        self.ferry("migrate", name, "--to", "h2", "--post-copy", "--bandwidth", "40Mi", "--detach")
        self.wait(lambda: self.newest(name)["status"].get("progress", {}).get("percent", 0) > 5, 20,
                  "it runs")
        self.ferry("change", name, "--technique", "post-copy")
        self.wait(lambda: self.newest(name)["status"]["phase"] == "Succeeded", 30, "it has moved")
        self.assert_on(name, "h2")


if __name__ == "__main__":
    unittest.main()
