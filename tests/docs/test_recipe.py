# SPDX-License-Identifier: Apache-2.0
"""README's recipe for one's own hosts, walked by a stranger: its commands as they stand there, typed on
one machine, h1, for the libvirts of two others, h2 and h3. Each of its two ways begins with an empty
state directory and ends in a moved VM. `ssh` and `scp` lead into the lab's hosts."""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "lab"))
from ferrylab.lab import Lab  # noqa: E402  pylint: disable=wrong-import-position

from printed import OWN_HOSTS, unlike  # noqa: E402  pylint: disable=wrong-import-position
from test_commands import console  # noqa: E402  pylint: disable=wrong-import-position

BUILD = Path(os.environ.get("FERRY_BUILD", ROOT / "build"))
STATE = "/var/lib/ferry"
SHELL = """set -o pipefail
on() { "$FERRY_LAB_TOOL" exec "$@"; }
ssh() { local host=${1#*@}; shift; on "$host" sh -c "$*"; }
scp() { local host=${2%%:*}; on "${host#*@}" install -m 755 /dev/stdin "${2#*:}${1##*/}" <"$1"; }
"""


class Recipe(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(f"r{os.getpid()}")
        self.addCleanup(self.lab.down)
        self.lab.up(with_ferry=False)
        self.env = {**os.environ, "FERRY_LAB": self.lab.name,
                    "FERRY_LAB_TOOL": str(ROOT / "lab" / "ferry-lab")}
        self.log = Path(self.enterContext(tempfile.TemporaryDirectory())) / "log"
        self.daemons = []
        self.addCleanup(self.stop)
        self.server = None
        # what README's commands write where they are typed
        self.addCleanup((BUILD.parent / "ann.kubeconfig").unlink, missing_ok=True)

    def shell(self, line):
        """A line typed on h1."""
        command = re.sub(r"(^|\| )build/(\w+)", r"\1on h1 /opt/ferry/\2", line)
        done = subprocess.run(["bash", "-c", SHELL + command], cwd=BUILD.parent, env=self.env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                              check=False)
        self.assertEqual(done.returncode, 0, f"$ {line}\n{done.stdout}{done.stderr}{self.told()}")
        return done.stdout, done.stderr

    def told(self):
        return self.log.read_text() if self.log.exists() else ""

    def daemon(self, host, *argv):
        """What stays in a terminal of its own."""
        with self.log.open("a") as log:
            self.daemons.append((host, argv[0].rpartition("/")[2], subprocess.Popen(
                self.lab.host(host).argv(*argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log)))

    def stop(self):
        for host, name, child in reversed(self.daemons):
            self.lab.exec(host, "pkill", "-TERM", "-x", name)
            child.wait(20)
        self.daemons = []

    def until(self, line, pattern, count, seconds=40):
        until = time.monotonic() + seconds
        while True:
            done = self.lab.exec("h1", "/opt/ferry/ferry", *line.split())
            if len(re.findall(pattern, done.stdout)) == count:
                return
            if time.monotonic() > until:
                self.fail(f"ferry {line}: {done.stdout}{done.stderr}\n{self.told()}")
            time.sleep(0.1)

    def until_managed(self):
        self.until("get nodes", r"(?m)^h[23]\s+Ready", 2)
        self.until("get vmi", r"(?m)^db\s", 1)

    def start_agent(self, line):
        """As README has it, and as `token create` said."""
        host, command = re.fullmatch(r"ssh root@(h\d) (ferry-agentd .*)", line).groups()
        command = command.replace("https://THIS_MACHINE:6443", self.server)
        self.daemon(host, *shlex.split(command))

    def walk(self, line):
        if line.startswith("build/ferryd --"):
            self.stop()
            self.lab.exec("h1", "rm", "-rf", STATE)
            self.daemon("h1", *shlex.split(line.replace("build/", "/opt/ferry/")))
            if "--host" in line:
                self.until_managed()
            else:
                self.until("get namespaces", r"(?m)^default\s", 1)
        elif "token create" in line:
            told = self.shell(line)[1]
            self.server = re.search(r"ferry-agentd --server (https://h1:6443) --node h\d "
                                    r"--token-file FILE", told)[1]
            self.assertIn(f"ferry-agentd --server {self.server} --node NAME --token-file FILE",
                          self.told())
        elif "ferry-agentd --" in line:
            self.start_agent(line)
        else:
            self.judge(line, self.shell(line)[0])

    def judge(self, line, printed):
        """What is printed is what README's reader waits for, and no command goes unjudged."""
        wrong = unlike(line, printed, OWN_HOSTS)
        if line.startswith("build/"):
            self.assertIsNotNone(wrong, f"{line}: nothing says what it prints")
        self.assertFalse(wrong, f"$ {line}\n{printed}")

    def runs_on(self, host):
        for name in ("h2", "h3"):
            self.assertEqual("db" in self.lab.virsh(name, "list", "--name").stdout.split(),
                             name == host, name)

    def test_own_hosts(self):
        text = (ROOT / "README.md").read_text()
        lines = list(console(re.search(r"(?ms)^## Your own hosts$.*?^## ", text)[0]))
        examples = self.lab.host("h1").path("/docs/examples")
        shutil.copytree(ROOT / "docs" / "examples", examples)
        subprocess.run([self.env["FERRY_LAB_TOOL"], "guest", "db", "--host", "h2", "--kernel", "bare",
                        "--memory", "64", "--rate", "5", "--working-set", "8"], env=self.env,
                       check=True, capture_output=True)
        on_host = [line for line in lines if "root@h2" in line]
        self.assertEqual(len(on_host), 3, lines)
        moves = 0
        for line in lines:
            self.walk(line)
            if line == on_host[-1]:
                for again in on_host:  # "The same for h3"
                    self.walk(again.replace("h2", "h3"))
                self.until_managed()
            move = re.fullmatch(r"build/ferry migrate db --to (h\d)", line)
            if move:
                self.runs_on(move[1])
                moves += 1
        self.assertEqual(moves, 2)
