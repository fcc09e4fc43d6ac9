# SPDX-License-Identifier: Apache-2.0
"""Every command in README.md, CONTRIBUTING.md, docs and deploy/README.md is run, in their order, as they
stand there, and README's print what they should; what is only named in the text is there. (README on one's own hosts: test_recipe.py.
docs/kubectl.md is made by tests/kubectl, which runs what it lists; docs/performance.md by benches that
take hours.)"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "lab"))
from printed import PRINTS, lacking, masked, unlike  # noqa: E402  pylint: disable=wrong-import-position
from ferrylab.lab import Lab  # noqa: E402  pylint: disable=wrong-import-position

KUBECTL = os.environ.get("FERRY_KUBECTL_DIR", "/var/cache/ferry-lab/kubectl") + "/kubectl-1.32"
# What the suite itself is, or what `make deps` and `make` did before it: checked to be targets.
BY_MAKE = {"make test", "make deps", "make", "make test-unit", "make lint", "make test-asan",
           "make test-tsan", "make test-lab", "make test-mutants", "make test-world",
           "make test-zoo", "make test-twin", "make test-faults", "make test-checks"}
# These end by a limit that is not an error of theirs.
MAY_FAIL = ("kubectl get vmim -w",)


def console(text):
    """Lines of ```console blocks that begin with "$ "."""
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        yield from (line[2:] for line in block.splitlines() if line.startswith("$ "))


def indented(path):
    """Indented command lines, their trailing comments cut off."""
    for line in path.read_text().splitlines():
        if line.startswith("    ") and not line.startswith("     "):
            yield line.split("  #")[0].strip()


def joined(path):
    """Indented commands among other indented text, those over several lines as one."""
    text = path.read_text().replace("\\\n        ", "")
    return [line.strip() for line in text.splitlines()
            if re.match(r"    (curl|journalctl|promtool|kubectl|ferry) ", line)]


class Named(unittest.TestCase):
    """What the documents name between backquotes: targets of make, and files."""
    DOCUMENTS = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md",
                 ROOT / "deploy" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

    def test_targets_and_files(self):
        targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
        seen = 0
        for path in self.DOCUMENTS:
            text = path.read_text()
            for target in re.findall(r"`(?:sudo )?make ([a-z-]+)", text):
                self.assertIn(target, targets, path.name)
                seen += 1
            for name in re.findall(r"`((?:src|bench|tests|lab|tools|deploy|fuzz|sim)/[^` ]*)", text):
                if "<" not in name:
                    self.assertTrue(list(ROOT.glob(name.rstrip("/"))), f"{path.name}: {name}")
                    seen += 1
        self.assertGreater(seen, 30)


class Printed(unittest.TestCase):
    """The judge of what is printed can refuse."""

    def test_lines(self):
        shown = "demo moved: h1 → h2\n  total time  1.89 s\n"
        self.assertEqual(lacking(shown, "x\ndemo moved: h1 → h2\n  total time  911 ms\n"), [])
        for printed in ("", "demo moved: h1 → h2\n", "  total time  1 s\ndemo moved: h1 → h2\n",
                        "demo moved: h1 → h3x\n  total time  1 s\n", "demo moved: h1 → h2\n  time  1 s\n"):
            self.assertNotEqual(lacking(shown, printed), [], printed)
        self.assertEqual(masked("data 155 MiB in 5 iterations"), "data 0 U in 0 iterations")

    def test_patterns(self):
        self.assertEqual(unlike("build/ferry check demo --to h3", "demo can move.\n"), [])
        self.assertEqual(len(unlike("build/ferry check demo --to h3", "db can move.\n")), 1)
        self.assertIsNone(unlike("sudo make demo-down", ""))


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
            return ""
        if command == "make demo":
            command = "lab/demo"  # make demo without deps and build, which were just done
        if command.startswith("build/") and "--server" not in command:
            self.assertTrue((ROOT / command.split()[0]).exists(), command)
        code, out = self.shell(command)
        if not line.startswith(MAY_FAIL):
            self.assertEqual(code, 0, f"$ {line}\n{out}")
        return out

    def until_moved(self):
        until = time.monotonic() + 60
        while {m["status"].get("phase") for m in
               json.loads(self.shell("build/ferry get vmim -o json")[1])["items"]} \
                - {"Succeeded", "Failed"}:
            self.assertLess(time.monotonic(), until, "the migration comes to no end")
            time.sleep(0.1)

    def test_readme(self):
        text = (ROOT / "README.md").read_text()
        own = re.search(r"(?ms)^## Your own hosts$.*?^## ", text)[0]  # see test_recipe.py
        lines = list(console(text.replace(own, "")))
        down = [line for line in lines if line.endswith("demo-down")]
        shown = re.search(r"```text\n(.*?)```", text, re.S)[1]
        judged = 0
        for line in [*(x for x in lines if x not in down), *down]:
            out = self.run_line(line)
            wrong = lacking(shown, out) if line.endswith("make demo") else unlike(line, out)
            self.assertFalse(wrong, f"$ {line}\n{out}")
            self.assertTrue(wrong is not None or not re.match(r"(build/ferry|kubectl) ", line),
                            f"{line}: printed.py says nothing of it")
            judged += wrong is not None
            if line.startswith(MAY_FAIL):  # as long as a person watches
                self.until_moved()
        self.assertEqual(judged, len(PRINTS) + 1)

    def test_policies(self):
        self.lab.up()
        self.env.update(self.lab.env())
        self.run_line("lab/ferry-lab guest demo --memory 128 --rate 20 --working-set 32")
        for line in console((ROOT / "docs" / "policies.md").read_text()):
            self.run_line(line)
        self.assertGreater(len(self.seen), 12)

    def keys(self, command, url):
        """A command with the lab's certificates and server instead of the document's."""
        state = f"{self.env['FERRY_LAB_DIR']}/ferryd"
        command = re.sub(r"\b(ca-bundle|ca|admin)\.(crt|key)\b", rf"{state}/\1.\2", command)
        return command.replace(url, self.env["FERRY_SERVER"]).replace("curl ", "curl -sS --noproxy '*' ")

    def test_kimchi(self):
        self.lab.up(hosts=2)
        self.env.update(self.lab.env())
        self.run_line("lab/ferry-lab guest db --memory 128 --rate 20 --working-set 32")
        commands = joined(ROOT / "docs" / "kimchi.md")
        for command in commands:
            code, out = self.shell(self.keys(command, "https://ferry:6443"))
            self.assertEqual(code, 0, f"{command}\n{out}")
            task = json.loads(out)
            self.assertEqual((task["status"], task["target_uri"]), ("running", "/vms/db"), out)
        self.assertEqual(len(commands), 1)

    def test_deploy(self):
        """The stream, and how a trace is found (the journal itself: tests/lab/test_journal.py)."""
        self.lab.up(hosts=2)
        self.env.update(self.lab.env())
        self.run_line("lab/ferry-lab guest db --memory 128 --rate 20 --working-set 32")
        text = (ROOT / "deploy" / "README.md").read_text()
        commands = joined(ROOT / "deploy" / "README.md")
        stream, *journal = commands
        with tempfile.NamedTemporaryFile("w+") as kept:
            listener = subprocess.Popen(
                ["bash", "-c", "exec " + self.keys(stream, "https://127.0.0.1:6443")], stdout=kept,
                stdin=subprocess.DEVNULL)
            try:
                self.run_line("build/ferry migrate db --to h2")
                until = time.monotonic() + 20
                while "event: transition" not in Path(kept.name).read_text() \
                        and time.monotonic() < until:
                    time.sleep(0.1)
            finally:
                listener.kill()
                listener.wait()
            self.assertIn("event: transition", Path(kept.name).read_text(), stream)
        name = self.shell("build/ferry get vmim -o name")[1].strip().rpartition("/")[2]
        found = []
        for command in journal:
            command = command.replace("db-x7k2p", name).replace("ferry get", "build/ferry get")
            code, out = self.shell("journalctl() { echo \"$@\"; }; " + command)
            self.assertEqual(code, 0, f"{command}\n{out}")
            found.append(out.strip())
        self.assertEqual(found[0], "FERRY_VM=default/db")
        self.assertRegex(found[1], "^FERRY_TRACE=[0-9a-f]{32}$")
        self.assertEqual(len(commands), 3)
        for command in re.findall(r"`(promtool [^`]*)`", text):
            code, out = self.shell("cd deploy && " + command)
            self.assertEqual(code, 0, f"{command}\n{out}")

    def test_contributing(self):
        for line in indented(ROOT / "CONTRIBUTING.md"):
            self.run_line(line)
        self.assertGreater(len(self.seen), 12)
