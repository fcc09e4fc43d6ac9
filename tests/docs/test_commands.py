# SPDX-License-Identifier: Apache-2.0
"""Every command in README.md, CONTRIBUTING.md and docs/policies.md is run, in their order, as they stand there."""
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "lab"))
from ferrylab.lab import Lab  # noqa: E402  pylint: disable=wrong-import-position

KUBECTL = os.environ.get("FERRY_KUBECTL_DIR", "/var/cache/ferry-lab/kubectl") + "/kubectl-1.32"
# What the suite itself is, or what `make deps` and `make` did before it: checked to be targets.
BY_MAKE = {"make test", "make deps", "make", "make test-unit", "make lint", "make test-asan",
           "make test-tsan", "make test-lab"}
# These end by a limit that is not an error of theirs.
MAY_FAIL = ("kubectl get vmim -w",)


def console(path):
    """Lines of ```console blocks that begin with "$ "."""
    for block in re.findall(r"```console\n(.*?)```", path.read_text(), re.S):
        yield from (line[2:] for line in block.splitlines() if line.startswith("$ "))


def indented(path):
    """Indented command lines, their trailing comments cut off."""
    for line in path.read_text().splitlines():
        if line.startswith("    ") and not line.startswith("     "):
            yield line.split("  #")[0].strip()


class Documents(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(f"d{os.getpid()}")
        self.addCleanup(self.lab.down)
        bin_ = ROOT / "build" / "test-bin"
        bin_.mkdir(parents=True, exist_ok=True)
        link = bin_ / "kubectl"
        link.unlink(missing_ok=True)
        link.symlink_to(KUBECTL)
        self.env = {**os.environ, "FERRY_LAB": self.lab.name, "PATH": f"{bin_}:{os.environ['PATH']}"}
        for key in ("KUBECONFIG", "FERRY_SERVER", "FERRY_LAB_DIR"):
            self.env.pop(key, None)
        self.seen = []

    def shell(self, command, timeout=180):
        """Runs one line; exported variables stay for the next one, as in a person's shell."""
        with tempfile.NamedTemporaryFile() as kept:  # not a pipe: the lab's daemons would hold it
            script = f"{command}\nstatus=$?\nenv -0 >{kept.name}\nexit $status"
            child = subprocess.Popen(["bash", "-c", script], cwd=ROOT, env=self.env, text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     stdin=subprocess.DEVNULL)
            try:
                out = child.communicate(timeout=timeout)[0]
            except subprocess.TimeoutExpired:
                child.kill()
                out = child.communicate()[0]
            pairs = kept.read().decode(errors="replace").split("\0")
        if child.returncode == 0:
            self.env = dict(p.split("=", 1) for p in pairs if "=" in p)
        return child.returncode, out

    def run_line(self, line):
        self.seen.append(line)
        command = re.sub(r"\bsudo ", "", line)
        if command in BY_MAKE:
            target = command.split()[1:] or ["all"]
            done = subprocess.run(["make", "-n", *target], cwd=ROOT, capture_output=True, text=True,
                                  check=False)
            self.assertEqual(done.returncode, 0, f"{line}: no such target\n{done.stderr}")
            return
        if command == "make demo":
            command = "lab/demo"  # make demo without deps and build, which were just done
        if command.startswith("build/ferryd --"):
            self.daemon(command)
            return
        if "token create" in command:
            command = command.replace("/var/lib/ferry", f"{self.env['FERRY_LAB_DIR']}/ferryd")
        if command.startswith("build/") and "--server" not in command:
            self.assertTrue((ROOT / command.split()[0]).exists(), command)
        code, out = self.shell(command)
        if not line.startswith(MAY_FAIL):
            self.assertEqual(code, 0, f"$ {line}\n{out}")

    def daemon(self, command):
        """ferryd with hosts of its own: as in README, but inside the lab's h1."""
        words = shlex.split(command.replace("build/ferryd", "/opt/ferry/ferryd"))
        lab = Lab(f"m{os.getpid()}")
        self.addCleanup(lab.down)
        lab.up(with_ferry=False)
        child = subprocess.Popen(lab.host("h1").argv(*words), stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 30
            text = ""
            while time.monotonic() < until and len(re.findall(r"h[23]\s+Ready", text)) < 2:
                text = lab.exec("h1", "/opt/ferry/ferry", "get", "nodes").stdout
                time.sleep(0.1)
            self.assertEqual(len(re.findall(r"h[23]\s+Ready", text)), 2, text)
        finally:
            lab.exec("h1", "pkill", "-TERM", "-x", "ferryd")
            child.wait(20)
            lab.down()

    def test_readme(self):
        lines = list(console(ROOT / "README.md"))
        down = [line for line in lines if line.endswith("demo-down")]
        for line in [*(x for x in lines if x not in down), *down]:
            self.run_line(line)
        self.assertGreater(len(self.seen), 12)

    def test_policies(self):
        self.lab.up()
        self.env.update(self.lab.env())
        self.run_line("lab/ferry-lab guest demo --memory 128 --rate 20 --working-set 32")
        for line in console(ROOT / "docs" / "policies.md"):
            self.run_line(line)
        self.assertGreater(len(self.seen), 12)

    def test_contributing(self):
        for line in indented(ROOT / "CONTRIBUTING.md"):
            self.run_line(line)
        self.assertGreater(len(self.seen), 12)
