# SPDX-License-Identifier: Apache-2.0
"""The systemd units: they are right by systemd's own judge, their exposure is what docs/operate.md says, the
daemons speak systemd's protocols, and a shutdown drains."""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("FERRY_BUILD", ROOT / "build"))
UNITS = ["ferryd.service", "ferry-agentd.service", "ferry-drain.service", "ferry-trust.service", "ferryd.socket",
         "ferry-trust.path", "ferry-trust.timer"]
MOST = {"ferryd.service": 3.0, "ferry-agentd.service": 3.1, "ferry-drain.service": 3.0,
        "ferry-trust.service": 3.0}


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ferry-units-")  # pylint: disable=consider-using-with
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)


class Units(Folder):
    def setUp(self):
        super().setUp()
        for unit in UNITS:
            made = BUILD / "deploy" / "systemd" / unit
            text = (made if made.exists() else ROOT / "deploy" / "systemd" / unit).read_text()
            for program in set(re.findall(r"=-?(/\S+/(?:ferryd|ferry-agentd|drain-host))\b", text)):
                text = text.replace(program, "/bin/true")
            (self.dir / unit).write_text(text)

    def test_verify(self):
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", *(str(self.dir / u) for u in UNITS)],
                              text=True, capture_output=True, check=False)
        own = [line for line in done.stderr.splitlines() if "ferry" in line]
        self.assertEqual((done.returncode, own), (0, []), done.stderr)
        (self.dir / "ferryd.service").write_text("[Service]\nExecStart=/bin/true\nProtectHome=maybe\n")
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(self.dir / "ferryd.service")],
                              text=True, capture_output=True, check=False)
        self.assertIn("protect home value", done.stderr)

    def test_exposure(self):
        for unit, most in MOST.items():
            done = subprocess.run(["systemd-analyze", "security", "--offline=true", str(self.dir / unit)],
                                  text=True, capture_output=True, check=False)
            level = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)[1])
            self.assertLessEqual(level, most, unit)

    def test_documented_exposure(self):
        """Each point that is open in a unit that runs as root has its reason in docs/operate.md."""
        text = (ROOT / "docs" / "operate.md").read_text()
        for unit in ("ferry-agentd.service", "ferry-trust.service"):
            done = subprocess.run(["systemd-analyze", "security", "--offline=true", str(self.dir / unit)], text=True,
                                  capture_output=True, check=False)
            points = [line.split()[1].split("=")[0] for line in done.stdout.splitlines() if line.startswith("✗")]
            self.assertGreater(len(points), 5)
            self.assertEqual([p for p in points if f"`{p.split('/')[0]}" not in text], [], unit)


class Protocols(Folder):
    """Without systemd: this test is its side of the sockets."""

    def test_notify_watchdog_and_socket(self):
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(notify.close)
        notify.bind(str(self.dir / "notify"))
        notify.settimeout(20)
        listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listening.close)
        fd = listening.fileno()
        shell = (f'exec 3<&{fd}; export LISTEN_FDS=1 LISTEN_PID=$$; exec "{BUILD}/ferryd" '
                 f'--config /dev/null --state-dir {self.dir}/state --log-level warning')
        daemon = subprocess.Popen(["bash", "-c", shell], pass_fds=(fd,), env={
            **os.environ, "NOTIFY_SOCKET": str(self.dir / "notify"), "WATCHDOG_USEC": "400000"})
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.kill)
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        self.assertIn(f"STATUS=serving {url}", self.until(notify, "READY=1"))
        self.until(notify, "WATCHDOG=1")
        daemon.send_signal(signal.SIGHUP)
        self.until(notify, "RELOADING=1")
        self.until(notify, "READY=1")
        daemon.terminate()
        self.until(notify, "STOPPING=1")
        self.assertEqual(daemon.wait(20), 0)

    def until(self, notify, word):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            text = notify.recv(4096).decode()
            if word in text.split("\n"):
                return text
        return self.fail(f"no {word}")


class DrainHost(Folder):
    def run_script(self, what, state="stopping", ferry="exit 0", conf="node = h1\n", **env):
        for name, script in (("systemctl", f"echo {state}"), ("ferry", f'echo "$*" >>{self.dir}/asked\n{ferry}')):
            (self.dir / name).write_text(f"#!/bin/sh\n{script}\n")
            (self.dir / name).chmod(0o755)
        (self.dir / "agent.conf").write_text(conf)
        (self.dir / "asked").write_text("")
        done = subprocess.run([str(ROOT / "deploy" / "systemd" / "drain-host"), what], text=True,
                              capture_output=True, check=False, timeout=20,
                              env={"PATH": f"{self.dir}:/usr/bin:/bin", "FERRY_AGENT_CONFIG": str(self.dir / "agent.conf"),
                                   "FERRY_DRAIN_MARKER": str(self.dir / "marker"), **env})
        return done, (self.dir / "asked").read_text()

    def test_shutdown_and_boot(self):
        self.assertEqual(self.run_script("boot")[1], "")  # nothing was drained
        done, asked = self.run_script("shutdown", conf="# c\nnode = h1 \nserver = x\n", FERRY_DRAIN_TIMEOUT="3m")
        self.assertEqual((done.returncode, asked), (0, "drain h1 --timeout 3m\n"), done.stderr)
        self.assertEqual(self.run_script("boot", FERRY_UNDRAIN="no")[1], "")
        self.assertEqual(self.run_script("boot")[1], "undrain h1\n")
        self.assertEqual(self.run_script("boot")[1], "")

    def test_what_does_not_drain(self):
        self.assertEqual(self.run_script("shutdown", state="running")[1], "")
        self.assertEqual(self.run_script("shutdown", FERRY_DRAIN="no")[1], "")
        done, asked = self.run_script("shutdown", conf="server = x\n")
        self.assertEqual((done.returncode, asked), (1, ""))
        self.assertIn("node = NAME", done.stderr)
        done, _ = self.run_script("shutdown", ferry="echo db stays >&2; exit 1")
        self.assertEqual(done.returncode, 0)  # a shutdown goes on
        self.assertIn("h1 shuts down with the VMs above on it", done.stderr)


if __name__ == "__main__":
    assert shutil.which("systemd-analyze"), "systemd-analyze is missing: see make deps"
    unittest.main()
