# SPDX-License-Identifier: Apache-2.0
"""The packages on a machine that boots with systemd: from `apt install` to a host that is ready, over a reload, a
reboot, an upgrade and a removal. FERRY_DEBS=DIR names built packages (`make deb`, `make test-deb`)."""
import contextlib
import json
import os
import re
import tempfile
import time
import unittest
from pathlib import Path

from booted import Booted
from ferrylab import certs

DEBS = os.environ.get("FERRY_DEBS")
DOMAIN = """<domain type='qemu'><name>idle</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='pc'>hvm</type></os></domain>"""
# What the unit may be exposed to, as systemd-analyze counts it.
EXPOSURE = {"ferryd": 3.0, "ferry-drain": 3.0, "ferry-agentd": 4.0}


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        suite = re.search(r"(?m)^VERSION_CODENAME=(.*)$", Path("/etc/os-release").read_text())[1]
        folder = tempfile.TemporaryDirectory(prefix="ferry-booted-")  # pylint: disable=consider-using-with
        cls.addClassCleanup(folder.cleanup)
        cls.machine = Booted("h1", suite, folder.name)
        cls.addClassCleanup(cls.machine.__exit__)
        for deb in Path(DEBS).glob("*.deb"):
            if "dbgsym" not in deb.name:
                cls.machine.put(f"/root/{deb.name}", deb.read_bytes())

    def run_there(self, *argv, **kw):
        return self.machine.run(*argv, **kw).stdout

    def is_active(self, unit):
        return self.machine.run("systemctl", "is-active", unit, check=False).stdout.strip() == "active"

    def pid(self, unit):
        pid = self.run_there("systemctl", "show", "-P", "MainPID", unit).strip()
        self.assertNotEqual(pid, "0", f"{unit} does not run")
        return pid

    def host(self):
        hosts = json.loads(self.run_there("ferry", "get", "hosts", "-o", "json"))["items"]
        return next((h for h in hosts if h["metadata"]["name"] == "h1"), None)

    def is_ready(self):
        return any(c["type"] == "Ready" and c["status"] == "True"
                   for c in (self.host() or {"status": {}})["status"].get("conditions", []))

    def wait_ready(self):
        self.machine.wait(self.is_ready, lambda: self.run_there("ferry", "describe", "host", "h1", check=False)
                          + self.run_there("journalctl", "-u", "ferry-agentd", "-n", "20", "--no-pager"))

    def vms(self):
        return [v["metadata"]["name"] for v in
                json.loads(self.run_there("ferry", "get", "vms", "-o", "json"))["items"]]

    def installed(self):
        """docs/install.md, without its network."""
        self.run_there("sh", "-c", "apt-get install -y /root/ferryd_*.deb /root/ferry_*.deb")
        self.assertTrue(self.is_active("ferryd"))
        self.assertEqual(self.run_there("stat", "-c", "%U %a", "/var/lib/ferry").strip(), "ferry 700")
        self.assertEqual(self.run_there("ps", "-o", "user=", "-p", self.pid("ferryd")).strip(), "ferry")
        self.run_there("sh", "-c", "echo 'listen = 0.0.0.0:6443' >>/etc/ferry/ferryd.conf; systemctl restart ferryd")
        self.run_there("sh", "-c", "apt-get install -y /root/ferry-agentd_*.deb")
        self.assertFalse(self.is_active("ferry-agentd"))
        told = self.machine.run("ferry", "host", "add", "h1")
        token = re.fullmatch(r"(ferry\.[0-9a-f]{64}\.h1\.\S+)\n", told.stdout)[1]
        self.assertIn("ferry-agentd join https://h1:6443", told.stderr)
        self.run_there("ferry-agentd", "join", "https://h1:6443", text=token + "\n")
        self.assertTrue(self.is_active("ferry-agentd"))
        self.wait_ready()

    def sees_a_vm(self):
        self.run_there("virsh", "-c", "qemu:///system", "define", "/dev/stdin", text=DOMAIN)
        self.run_there("virsh", "-c", "qemu:///system", "start", "idle")
        self.machine.wait(lambda: "idle" in self.vms(), "the VM is seen")

    def reloads(self):
        before = self.pid("ferryd")
        self.run_there("sh", "-c", "echo 'log-level = debug' >>/etc/ferry/ferryd.conf")
        self.run_there("ferryd", "--check-config")
        self.run_there("systemctl", "reload", "ferryd")
        self.assertEqual(self.pid("ferryd"), before)
        self.run_there("sh", "-c", "echo 'no-such-setting = 1' >>/etc/ferry/ferryd.conf")
        bad = self.machine.run("ferryd", "--check-config", check=False)
        self.assertNotEqual(bad.returncode, 0)
        self.assertIn("no-such-setting", bad.stderr)
        self.run_there("sed", "-i", "/no-such-setting/d", "/etc/ferry/ferryd.conf")

    def is_watched(self):
        """Neither is restarted by its watchdog, and a process that dies is there again."""
        before = self.pid("ferryd")
        self.run_there("kill", "-9", before)
        self.machine.wait(lambda: self.is_active("ferryd") and self.pid("ferryd") != before,
                          "systemd starts it again")
        self.wait_ready()

    def exposures(self):
        for unit, most in EXPOSURE.items():
            text = self.run_there("systemd-analyze", "security", "--no-pager", unit)
            exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", text)[1])
            self.assertLess(exposure, most, text)

    def survives_a_reboot(self):
        uid = self.host()["metadata"]["uid"]
        self.run_there("virsh", "-c", "qemu:///system", "destroy", "idle")  # it would not shut down by itself
        self.machine.reboot()
        self.assertTrue(self.is_active("ferryd") and self.is_active("ferry-agentd"))
        self.wait_ready()
        self.assertEqual(self.host()["metadata"]["uid"], uid)
        self.run_there("virsh", "-c", "qemu:///system", "start", "idle")
        self.machine.wait(lambda: "idle" in self.vms(), "the VM is seen again")

    def drains_at_shutdown(self):
        """The unit says what it would do; there is no other host, so the shutdown is not held up for ever."""
        self.run_there("sh", "-c", "umask 077; ferry user create drain-h1 --role operate >/etc/ferry/drain.kubeconfig")
        self.run_there("sh", "-c", "echo FERRY_DRAIN_TIMEOUT=5s >>/etc/ferry/drain.conf")
        self.run_there("systemctl", "enable", "--now", "ferry-drain")
        self.assertTrue(self.is_active("ferry-drain"))
        self.run_there("systemctl", "stop", "ferry-drain")
        self.assertFalse((self.host()["spec"] or {}).get("unschedulable", False))

    def is_upgraded_and_removed(self):
        before = self.pid("ferryd")
        self.run_there("sh", "-c", "dpkg -i --force-confold /root/ferryd_*.deb /root/ferry-agentd_*.deb")
        self.assertNotEqual(self.pid("ferryd"), before)
        self.wait_ready()
        self.assertIn("log-level = debug", self.run_there("cat", "/etc/ferry/ferryd.conf"))
        self.run_there("dpkg", "-r", "ferry-agentd", "ferryd")
        self.assertFalse(self.is_active("ferryd") or self.is_active("ferry-agentd"))
        self.assertIn("idle", self.run_there("virsh", "-c", "qemu:///system", "list", "--name"))

    def test_life(self):
        for step in (self.installed, self.sees_a_vm, self.exposures, self.reloads, self.is_watched,
                     self.survives_a_reboot, self.drains_at_shutdown, self.is_upgraded_and_removed):
            print(step.__name__, flush=True)
            step()


class TwoHosts(unittest.TestCase):
    """docs/install.md, without SSH, to a moved VM."""

    def test_from_nothing_to_a_moved_vm(self):
        suite = re.search(r"(?m)^VERSION_CODENAME=(.*)$", Path("/etc/os-release").read_text())[1]
        with contextlib.ExitStack() as stack:
            folders = [stack.enter_context(tempfile.TemporaryDirectory(prefix="ferry-booted-")) for _ in range(3)]
            h1, h2 = (stack.enter_context(Booted(name, suite, folder))
                      for name, folder in zip(("h1", "h2"), folders))
            h1.linked(h2, "10.9.0.1", "10.9.0.2")
            directory = Path(folders[2]) / "ca"
            certs.make_ca(directory, "booted")
            for machine in (h1, h2):
                machine.has_tls(directory, certs, suite)
                for deb in Path(DEBS).glob("*.deb"):
                    if "dbgsym" not in deb.name:
                        machine.put(f"/root/{deb.name}", deb.read_bytes())
            h1.run("virsh", "-c", "qemu:///system", "define", "/dev/stdin", text=DOMAIN)
            h1.run("virsh", "-c", "qemu:///system", "start", "idle")
            began = time.monotonic()
            # what a person types, each line one command
            h1.run("sh", "-c", "apt-get install -y /root/ferryd_*.deb /root/ferry_*.deb /root/ferry-agentd_*.deb")
            h1.run("sh", "-c", "echo 'listen = 0.0.0.0:6443' >>/etc/ferry/ferryd.conf; systemctl restart ferryd")
            h2.run("sh", "-c", "apt-get install -y /root/ferry-agentd_*.deb")
            for machine in (h1, h2):
                token = h1.run("ferry", "host", "add", machine.name).stdout
                machine.run("ferry-agentd", "join", "https://h1:6443", text=token)
            h1.wait(lambda: h1.run("ferry", "check", "idle", "--to", "h2", check=False).returncode == 0,
                    lambda: h1.run("ferry", "check", "idle", "--to", "h2", check=False).stdout
                    + h1.run("ferry", "get", "hosts", "-o", "wide").stdout)
            h1.run("ferry", "migrate", "idle", "h2")
            print(f"from packages to a moved VM: 8 commands, {time.monotonic() - began:.1f} s", flush=True)
            self.assertIn("idle", h2.run("virsh", "-c", "qemu:///system", "list", "--name").stdout)
            self.assertNotIn("idle", h1.run("virsh", "-c", "qemu:///system", "list", "--name").stdout)


if not DEBS:
    del Packages, TwoHosts  # on demand: make test-deb

    class NotOnDemand(unittest.TestCase):
        """What needs no packages: the machine itself."""

        def test_boots_and_keeps_its_disk(self):
            suite = re.search(r"(?m)^VERSION_CODENAME=(.*)$", Path("/etc/os-release").read_text())[1]
            with tempfile.TemporaryDirectory(prefix="ferry-booted-") as folder, \
                    Booted("h1", suite, folder) as machine:
                machine.put("/root/kept", b"kept\n")
                machine.reboot()
                self.assertEqual(machine.run("cat", "/root/kept").stdout, "kept\n")
                self.assertEqual(machine.run("hostname").stdout, "h1\n")

if __name__ == "__main__":
    unittest.main()
