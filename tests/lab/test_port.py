#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The hypervisor port's contract (tests/host/port/test-port.c), which the simulated driver keeps in the
unit tests, kept by the libvirt driver between two real hosts."""
import unittest

from labtest import LabTest

from ferrylab import paths

PROGRAM = f"{paths.IN_BUILD}/tests/host/test-port"


class Port(LabTest):
    HOSTS = 2
    OPTIONS = {"with_ferry": False}

    def test_contract(self):
        uuids = []
        for name in ("one", "two"):
            self.lab_run("guest", name, "--host", "h1", "--kernel", "bare", "--memory", "128",
                         "--rate", "1", "--working-set", "4", "--pattern", "cyclic")
            self.addCleanup(self.lab_run, "guest-rm", name)
            uuids.append(self.lab.virsh("h1", "domuuid", name).stdout.strip())
        done = self.lab.exec(
            "h1", "env", "FERRY_PORT_URI=qemu:///system", f"FERRY_PORT_UUIDS={','.join(uuids)}",
            "FERRY_PORT_TARGET_URI=qemu+tls://h2/system",
            f"FERRY_PORT_TARGET_ADDRESS={self.lab.host('h2').addresses['migration']}", PROGRAM,
            "--tap", timeout=150)
        passed = [line for line in done.stdout.splitlines() if line.startswith("ok ")]
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(passed), 6, done.stdout)


if __name__ == "__main__":
    unittest.main()
