# SPDX-License-Identifier: Apache-2.0
"""The packages on a machine that boots with systemd: from `apt install` to a host that is ready, over a reload, a
reboot, an upgrade and a removal. FERRY_DEBS=DIR names built packages (`make deb`, `make test-deb`)."""
import contextlib
import json
import os
import re
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from booted import ROOT, Booted

DEBS = os.environ.get("FERRY_DEBS")
DOMAIN = """<domain type='qemu'><name>idle</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='pc'>hvm</type></os></domain>"""
# What the unit may be exposed to, as systemd-analyze counts it.
EXPOSURE = {"ferryd": 3.0, "ferry-drain": 3.0, "ferry-agentd": 4.0, "ferry-trust": 3.0}


def indented(document):
    """The commands of a document, which it indents."""
    text = (ROOT / "docs" / document).read_text()
    return [line.strip() for line in text.splitlines() if re.match(r"    \S", line)]


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
        self.run_there("sh", "-c", "apt-get install -y /root/ferry-agentd_*.deb")
        self.assertFalse(self.is_active("ferry-agentd"))
        told = self.machine.run("ferry", "host", "add", "h9")
        self.assertRegex(told.stdout, r"^ferry\.[0-9a-f]{64}\.h9\.\S+\n$")
        self.assertIn("ferry-agentd join https://h1:6443", told.stderr)
        self.assertIn("h1 is ready", self.run_there("ferry", "host", "add", "h1", "--no-trust"))
        self.assertTrue(self.is_active("ferry-agentd"))
        self.wait_ready()

    def is_trusted(self):
        """The agent leaves a wish, a unit of systemd does it, and libvirtd is restarted once."""
        self.assertEqual(self.machine.run("test", "-e", "/etc/pki/CA/cacert.pem", check=False).returncode, 1)
        done = self.machine.run("ferry", "host", "trust", "h1", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr
                         + self.run_there("journalctl", "-u", "ferry-trust", "--no-pager"))
        self.assertEqual(done.stdout, "Other hosts reach h1 over tls.\n")
        before, shown = self.pid("libvirtd"), self.shown_certificate()
        self.run_there("ferry-agentd", "trust")  # it is good for long
        self.assertEqual(self.shown_certificate(), shown)
        refused = self.machine.run("ferry-agentd", "trust", "--now", check=False)  # new keys need a word
        self.assertEqual(refused.returncode, 1, refused.stdout)
        self.assertIn("ferry host trust h1", refused.stderr)
        self.assertEqual(self.shown_certificate(), shown)
        self.run_there("ferry", "host", "trust", "h1")  # which is no word for other keys
        self.assertEqual(self.machine.run("ferry-agentd", "trust", "--now", check=False).returncode, 1)
        self.run_there("ferry", "host", "trust", "--new-keys", "h1")
        self.run_there("ferry-agentd", "trust", "--now")
        self.assertNotEqual(self.shown_certificate(), shown)
        self.assertEqual(self.pid("libvirtd"), before, "libvirtd was restarted for a new certificate")
        self.qemu_has_its_own()
        self.wait_ready()

    def qemu_has_its_own(self):
        """QEMU's user reads its own keys, which no libvirtd takes for anything."""
        owner = self.run_there("stat", "-c", "%U", "/var/lib/libvirt/qemu")
        self.assertEqual(self.run_there("stat", "-c", "%U", "/etc/pki/qemu/server-key.pem"), owner)
        self.assertEqual(self.run_there("stat", "-c", "%U", "/etc/pki/libvirt/private/clientkey.pem"), "root\n")
        key = self.run_there("cat", "/etc/pki/qemu/client-key.pem")
        self.assertNotEqual(self.run_there("cat", "/etc/pki/libvirt/private/clientkey.pem"), key)
        taken = self.machine.run("openssl", "verify", "-CAfile", "/etc/pki/CA/cacert.pem",
                                 "/etc/pki/qemu/client-cert.pem", check=False)
        self.assertNotEqual(taken.returncode, 0, taken.stdout)

    def shown_certificate(self):
        """What libvirtd shows whoever connects to its TLS port."""
        told = subprocess.run(["nsenter", "-t", str(self.machine.pid), "-n", "openssl", "s_client", "-connect",
                               "127.0.0.1:16514"], stdin=subprocess.DEVNULL, text=True, capture_output=True,
                              check=False, timeout=60)
        return re.search(r"(?s)-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", told.stdout)[0]

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

    def does_what_operate_md_says(self):
        """Each command that docs/operate.md shows, as it stands there, in its order."""
        commands = indented("operate.md")
        self.assertGreater(len(commands), 12)
        self.machine.lets_in(self.machine)  # its lines with ssh lead to h1
        for command in commands:
            command = command.replace(" -b -1 ", " -b 0 ")  # to journald all boots of this kernel are one
            if command.startswith("ferry rollout start"):
                self.begins_a_rollout(command)
                continue
            done = self.machine.run("sh", "-c", f"cd /root; {command}", check=False)
            nowhere = command.startswith("ferry drain h1 --dry-run")  # there is no other host
            self.assertEqual(done.returncode, 3 if nowhere else 0, f"{command}\n{done.stdout}{done.stderr}")
        self.assertIn("ferry/ferry.db", self.run_there("tar", "-tf", "/root/ferry-backup.tar.gz"))
        self.wait_ready()

    def begins_a_rollout(self, command):
        """A host alone is never empty, so that the hook's turn does not come: tests/lab/test_rollout.py has that."""
        self.run_there("ferry", "label", "node", "h1", "rack=a")
        self.run_there("sh", "-c", f"cd /root; {command} --no-wait")
        rollout = json.loads(self.run_there("ferry", "get", "rollouts", "-o", "json"))["items"][0]
        self.assertEqual(rollout["spec"]["selector"], "rack=a")
        self.run_there("ferry", "rollout", "stop")
        self.run_there("ferry", "delete", "rollouts", rollout["metadata"]["name"])
        self.run_there("ferry", "undrain", "h1")

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
        for step in (self.installed, self.is_trusted, self.sees_a_vm, self.exposures, self.reloads, self.is_watched,
                     self.survives_a_reboot, self.drains_at_shutdown, self.does_what_operate_md_says,
                     self.is_upgraded_and_removed):
            print(step.__name__, flush=True)
            step()


class TwoHosts(unittest.TestCase):
    """docs/install.md on two fresh machines, from packages to a moved VM: what a person types there, and how long
    it takes. FERRY_INSTALL_REPORT=FILE gets that as a line of JSON for each way."""

    def setUp(self):
        self.typed = 0
        suite = re.search(r"(?m)^VERSION_CODENAME=(.*)$", Path("/etc/os-release").read_text())[1]
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        folders = [stack.enter_context(tempfile.TemporaryDirectory(prefix="ferry-booted-")) for _ in range(2)]
        self.h1, self.h2 = (stack.enter_context(Booted(name, suite, folder))
                            for name, folder in zip(("h1", "h2"), folders))
        self.h1.linked(self.h2, "10.9.0.1", "10.9.0.2")
        for machine in (self.h1, self.h2):
            for deb in Path(DEBS).glob("*.deb"):
                if "dbgsym" not in deb.name:
                    machine.put(f"/root/{deb.name}", deb.read_bytes())
        self.h1.run("virsh", "-c", "qemu:///system", "define", "/dev/stdin", text=DOMAIN)
        self.h1.run("virsh", "-c", "qemu:///system", "start", "idle")

    def types(self, machine, line, text=None):
        """One command, which docs/install.md has."""
        self.typed += 1
        self.assertIn(line.replace("idle", "db"), indented("install.md"))
        done = machine.run("sh", "-c", f"cd /root; {line}", check=False, text=text)
        self.assertEqual(done.returncode, 0, f"{line}\n{done.stdout}{done.stderr}"
                         + machine.run("journalctl", "-n", "40", "--no-pager", check=False).stdout)
        return done

    def has_moved(self, way, began):
        seconds = time.monotonic() - began
        self.assertIn("idle", self.h2.run("virsh", "-c", "qemu:///system", "list", "--name").stdout)
        self.assertNotIn("idle", self.h1.run("virsh", "-c", "qemu:///system", "list", "--name").stdout)
        self.assertLessEqual(self.typed, 5)
        print(f"from packages to a moved VM, {way}: {self.typed} commands, {seconds:.1f} s", flush=True)
        if os.environ.get("FERRY_INSTALL_REPORT"):
            with open(os.environ["FERRY_INSTALL_REPORT"], "a", encoding="utf-8") as report:
                print(json.dumps({"way": way, "commands": self.typed, "seconds": round(seconds, 1)}), file=report)

    def test_without_ssh(self):
        began = time.monotonic()
        self.types(self.h1, "apt install ./ferryd_*.deb ./ferry_*.deb ./ferry-agentd_*.deb")
        added = self.types(self.h1, "ferry host add h1 h2")
        self.assertIn("h1 is ready.", added.stdout)
        line = re.search(r"(?m)^  (ferry-agentd join \S+)$", added.stderr)[1]
        token = re.search(r"(?m)^ferry\.\S+\.h2\.\S+$", added.stdout)[0]
        self.types(self.h2, "apt install ./ferry-agentd_*.deb")
        self.types(self.h2, line, text=token + "\n")
        self.types(self.h1, "ferry migrate idle h2")
        self.has_moved("without SSH", began)

    def test_with_ssh(self):
        self.h2.lets_in(self.h1)
        began = time.monotonic()
        self.types(self.h1, "apt install ./ferryd_*.deb ./ferry_*.deb ./ferry-agentd_*.deb")
        self.types(self.h1, "ferry host add h1")
        self.types(self.h1, "ferry host add h2 --ssh root@h2 --package ferry-agentd_*.deb")
        self.types(self.h1, "ferry migrate idle h2")
        self.has_moved("with SSH", began)


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
