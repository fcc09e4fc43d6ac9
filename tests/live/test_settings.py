# SPDX-License-Identifier: Apache-2.0
"""The configuration files of the daemons: --check-config, the files that are installed, the command line
above the file, and SIGHUP."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("FERRY_BUILD", ROOT / "build"))
FERRYD, AGENT = str(BUILD / "ferryd"), str(BUILD / "ferry-agentd")


class Checked(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ferry-conf-")  # pylint: disable=consider-using-with
        self.addCleanup(folder.cleanup)
        self.conf = Path(folder.name) / "f.conf"

    def check(self, program, text, *options):
        self.conf.write_text(text)
        done = subprocess.run([program, "--config", str(self.conf), "--check-config", *options], text=True,
                              capture_output=True, check=False, timeout=20)
        return done.returncode, done.stdout + done.stderr

    def test_installed_files(self):
        agent = (BUILD / "man" / "agent.conf").read_text()
        self.assertEqual(self.check(FERRYD, (BUILD / "man" / "ferryd.conf").read_text()),
                         (0, f"{self.conf}: all right\n"))
        self.assertEqual(self.check(AGENT, agent)[0], 2)  # nobody has said yet where ferryd is
        agent = re.sub("(?m)^#server = .*", "server = https://f:6443", agent)
        self.assertEqual(self.check(AGENT, re.sub("(?m)^#node = .*", "node = h1", agent)),
                         (0, f"{self.conf}: all right\n"))

    def test_what_is_wrong(self):
        for program, text, said in (
                (FERRYD, "\nlog_level = info", ':2: unknown key "log_level"; did you mean "log-level"?'),
                (FERRYD, "host = h1", "--host h1: expected NAME=LIBVIRT_URI"),
                (FERRYD, "oidc-issuer = https://x", "--oidc-audience"),
                (FERRYD, "max-objects = 99", ":1: max-objects 99: expected 100 to 10000000"),
                (AGENT, "standalone = yes\nserver = https://x\nnode = n", "--standalone is without ferryd"),
                (AGENT, "server = https://x\nnode = n\npeer-uri = http://x", "--peer-uri "),
                (AGENT, "server = https://x\nnode = n\ntoken = t", 'unknown key "token"')):
            code, out = self.check(program, text)
            self.assertEqual(code, 2, out)
            self.assertIn(said, out)
        done = subprocess.run([FERRYD, "--config", "/nonexistent"], text=True, capture_output=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("/nonexistent", done.stderr)


class Reloaded(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ferry-conf-")  # pylint: disable=consider-using-with
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)
        self.conf, self.log = self.dir / "ferryd.conf", self.dir / "log"
        stub = self.dir / "agent"
        stub.write_text(f'#!/bin/sh\necho "$PWD $*" >>{self.dir}/started\nexec sleep 600\n')
        stub.chmod(0o755)
        self.fixed = f"state-dir = {self.dir}/state\nlisten = 127.0.0.1:0\nagent = {stub}\n"

    def wait(self, word, seen=0, path=None):
        """Until the log has `word` once more than `seen` times."""
        path, until = path or self.log, time.monotonic() + 20
        while not path.exists() or path.read_text().count(word) <= seen:
            self.assertLess(time.monotonic(), until,
                            f"{word}: {path.read_text() if path.exists() else ''}")
            time.sleep(0.02)

    def reload(self, text, word):
        seen = self.log.read_text().count(word)
        self.conf.write_text(self.fixed + text)
        self.daemon.send_signal(signal.SIGHUP)
        self.wait(word, seen)

    def test_ferryd(self):
        self.conf.write_text(self.fixed + "log-level = warning\n")
        with open(self.log, "w", encoding="utf-8") as log:
            self.daemon = subprocess.Popen([FERRYD, "--config", str(self.conf), "--log-level", "info"],
                                           stderr=log)
        self.addCleanup(self.daemon.wait)
        self.addCleanup(self.daemon.terminate)
        self.wait("ferryd serves")
        self.reload("host = h1=qemu+ssh://h1/system\n", "changed=host")
        started = self.dir / "started"
        self.wait("--libvirt-uri qemu+ssh://h1/system", path=started)
        self.assertIn("--config /dev/null", started.read_text())
        self.reload("host = h1=qemu+ssh://h1/system\nmax-bytes = 1GiB\n", "settings=max-bytes")
        self.reload("host = h1=qemu+ssh://h1/system\nmax-bites = 1GiB\n", "unknown key \"max-bites\"")
        self.reload("", "a host is no longer managed from here node=h1")
        self.assertEqual(started.read_text().count("\n"), 1)
        self.assertIsNone(self.daemon.poll())


if __name__ == "__main__":
    unittest.main()
