# SPDX-License-Identifier: Apache-2.0
"""What kubectl and @kubernetes/client-node can do here: runs conformance_table.py and compares
docs/kubectl.md with what came of it.

FERRY_WRITE_DOCS=1 writes the document in place of comparing it."""

import os
import re
import shlex
import subprocess
import threading
import unittest
from pathlib import Path

import harness
import test_client_node
from conformance_table import MANIFESTS, SECTIONS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/kubectl.md"
VERSIONS = ("1.20", "1.32")
HEAD = """<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by tests/kubectl/test_conformance.py: change conformance_table.py there. -->

# kubectl and client libraries

Ferry's API is Kubernetes' own wire format, without a Kubernetes. Every command below is run by the
tests with unmodified kubectl 1.20 and 1.32 and must give what the last column says. "yes": it
does; "-": this version of kubectl has no such command or option.

`ferry kubeconfig` prints the kubeconfig to use: `kubectl --kubeconfig FILE get vmi`."""
RESULTS = {True: "yes", False: "NO", None: "-"}


class Runner(harness.Server, unittest.TestCase):
    """One section with one version; used for its server, it has no tests."""

    def __init__(self, version, options):
        super().__init__("setUp")
        self.version = version
        self.server_options = options

    def step(self, step):
        """None where this version has no such thing, else '' or what was wrong."""
        if step.versions and self.version not in step.versions:
            return None
        argv = shlex.split(step.command)
        if step.meanwhile:
            return self.watching(argv[1:], step)
        done = self.run_it(*argv[1:], stdin=MANIFESTS.get(step.stdin), env=step.env)
        text = done.stdout + done.stderr
        if (done.returncode == 0) != (step.code == 0):
            return f"exit code {done.returncode}: {text}"
        for pattern in step.want:
            if not re.search(pattern, text, re.M):
                return f"no {pattern!r} in: {text}"
        for pattern in step.unwanted:
            if re.search(pattern, text, re.M):
                return f"{pattern!r} in: {text}"
        return ""

    def watching(self, args, step):
        """As step(), of a command that goes on: the other one runs once its first line is there."""
        text = ""
        watch = subprocess.Popen([self.program, *args], env=self.env, cwd=self.dir, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        # a command that says nothing more ends here, and its pipe with it
        killer = threading.Timer(harness.DEADLINE, watch.kill)
        killer.start()
        try:
            for line in watch.stdout:
                if not text:
                    self.ok(*shlex.split(step.meanwhile)[1:])
                text += line
                if all(re.search(pattern, text, re.M) for pattern in step.want):
                    return ""
        finally:
            killer.cancel()
            watch.kill()
            watch.communicate()
        return f"not all of {step.want!r} in: {text}"


def run_section(section, version, problems):
    """The results of a section's steps, None or a boolean each."""
    runner = Runner(version, section.options)
    results = []
    try:
        runner.setUp()
        for name, text in MANIFESTS.items():
            (runner.dir / name).write_text(text)
        for step in section.steps:
            problem = runner.step(step)
            results.append(None if problem is None else problem == "")
            if problem:
                problems.append(f"{version}: {step.command}: {problem}")
    finally:
        runner.doCleanups()
    return results


def cell(text):
    return text.replace("|", "\\|")


class Conformance(unittest.TestCase):
    maxDiff = None

    def test_document(self):
        problems, out = [], [HEAD]
        for section in SECTIONS:
            results = [run_section(section, version, problems) for version in VERSIONS]
            out.append(f"\n## {section.title}\n")
            if section.text:
                out.append(section.text + "\n")
            out.append("| command | " + " | ".join(VERSIONS) + " | expected |")
            out.append("|---|" + "---|" * len(VERSIONS) + "---|")
            for i, step in enumerate(section.steps):
                if step.says:
                    marks = " | ".join(RESULTS[column[i]] for column in results)
                    out.append(f"| `{cell(step.shown())}` | {marks} | {cell(step.says)} |")
        out.append("\n## @kubernetes/client-node 1.4.0\n")
        out.append("| what | result |\n|---|---|")
        for check, ok, detail in self.client_node():
            out.append(f"| {check} | {RESULTS[ok]} |")
            if not ok:
                problems.append(f"client-node: {check}: {detail}")
        out.append("\n## The files")
        used = {word for section in SECTIONS for step in section.steps
                for word in step.command.split()}
        for name, manifest in MANIFESTS.items():
            self.assertIn(name, used, "a file that no step uses")
            out.append(f"\n`{name}`:\n\n```yaml\n{manifest}```")
        text = "\n".join(out) + "\n"
        self.assertEqual(problems, [], "\n".join(problems))
        if os.environ.get("FERRY_WRITE_DOCS"):
            DOCUMENT.write_text(text)
        self.assertEqual(DOCUMENT.read_text() if DOCUMENT.exists() else "", text,
                         "docs/kubectl.md is not what the tests found: "
                         "run this with FERRY_WRITE_DOCS=1")

    def client_node(self):
        results = []
        for options, which in (((), ()), (test_client_node.SHORT_HISTORY, ("short-history",))):
            runner = Runner("1.32", options)
            try:
                runner.setUp()
                results += [(r["check"], r["ok"], r["detail"])
                            for r in test_client_node.run_checks(runner.env, *which)]
            finally:
                runner.doCleanups()
        return results


if __name__ == "__main__":
    unittest.main()
