# SPDX-License-Identifier: Apache-2.0
"""`ferry host add`, with ssh and without, and `ferry-agentd join`: from a ferryd to a host that is ready."""
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fuzz"))
from live.site import BUILD, Site  # noqa: E402  pylint: disable=wrong-import-position

# In the place of ssh: what is typed on the other machine runs here, and systemd's part is done by hand.
SSH = """#!/bin/sh
echo "$1 $2" >>{dir}/asked
cd {dir} && PATH={dir}/host:/usr/bin:/bin sh -c "$3"
"""
AGENT = """#!/bin/sh
{build}/ferry-agentd "$@" --state-dir {dir}/agent || exit
{build}/ferry-agentd --config /dev/null --state-dir {dir}/agent --libvirt-uri test:///default >{dir}/log 2>&1 &
echo $! >{dir}/pid
"""


class HostAdd(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ferry-add-")  # pylint: disable=consider-using-with
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)
        (self.dir / "host").mkdir()
        self.site = Site(self.dir, options=("--log-level", "warning"))
        self.site.start()
        self.addCleanup(self.site.stop)
        self.write("ssh", SSH)
        self.write("host/ferry-agentd", AGENT)
        self.env = {**os.environ, "PATH": f"{self.dir}:/usr/bin:/bin",
                    "FERRY_KUBECONFIG": str(self.site.state / "admin.kubeconfig")}
        self.url = re.search(r"server: (\S+)", Path(self.env["FERRY_KUBECONFIG"]).read_text())[1].strip('"')
        self.addCleanup(self.end_agent)

    def write(self, name, text):
        (self.dir / name).write_text(text.format(dir=self.dir, build=BUILD))
        (self.dir / name).chmod(0o755)

    def end_agent(self):
        """And waits for it: it writes into the folder that is removed next."""
        if not (self.dir / "pid").exists():
            return
        pid, until = (self.dir / "pid").read_text().strip(), time.monotonic() + 20
        subprocess.run(["kill", pid], check=False)
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            while time.monotonic() < until and ") Z " not in Path(f"/proc/{pid}/stat").read_text():
                time.sleep(0.02)

    def ferry(self, *args):
        return subprocess.run([str(BUILD / "ferry"), *args], env=self.env, text=True, capture_output=True,
                              check=False, timeout=90)

    def test_by_ssh(self):
        done = self.ferry("host", "add", "h9", "--ssh", "root@h9", "--at", self.url, "--no-trust")
        told = done.stdout + done.stderr + ((self.dir / "log").read_text() if (self.dir / "log").exists() else "")
        self.assertEqual(done.returncode, 0, told)
        self.assertEqual((self.dir / "asked").read_text(), "-- root@h9\n")
        self.assertIn(f"This host has joined {self.url} as h9.", done.stdout)
        self.assertIn("h9 is ready.", done.stdout)
        self.assertRegex(self.ferry("get", "hosts").stdout, r"(?m)^h9\s+Ready")

    def test_ssh_without_the_program(self):
        (self.dir / "host" / "ferry-agentd").unlink()
        done = self.ferry("host", "add", "h9", "--ssh", "root@h9", "--at", self.url, "--no-trust")
        self.assertEqual(done.returncode, 1)
        self.assertIn("ferry-agentd is not installed on root@h9", done.stderr)
        self.assertIn("--package", done.stderr)

    def test_by_hand(self):
        done = self.ferry("host", "add", "h9", "--at", self.url)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"  ferry-agentd join {self.url}\n", done.stderr)
        self.assertRegex(done.stdout, r"^ferry\.[0-9a-f]{64}\.h9\.\S+\n$")
        state = self.dir / "agent"
        join = [str(BUILD / "ferry-agentd"), "join", self.url, "--state-dir", str(state), "--no-start"]
        for token, said in (("rubbish\n", "not a join token"), (done.stdout, "has joined"),
                            ("ferry." + "0" * 64 + ".h8.x\n", "")):
            joined = subprocess.run(join, input=token, text=True, capture_output=True, check=False, timeout=30)
            self.assertIn(said, joined.stdout + joined.stderr)
        self.assertEqual((state / "joined.conf").stat().st_mode & 0o777, 0o600)
        self.assertIn(f"server = {self.url}\nnode = h", (state / "joined.conf").read_text())

    def test_usage(self):
        self.assertEqual(self.ferry("host", "remove", "h9").returncode, 2)
        self.assertEqual(self.ferry("host", "add", "h9", "--package", "x").returncode, 2)
        local = self.ferry("host", "add", "h9")
        if local.returncode:  # this machine's name leads nowhere, or not to this ferryd
            self.assertIn("listen = 0.0.0.0:6443", local.stderr)


if __name__ == "__main__":
    unittest.main()
