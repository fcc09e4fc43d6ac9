# SPDX-License-Identifier: Apache-2.0
"""Clients of Kubernetes of several generations against the API, and docs/clients.md, which says what
was tried with which. Their newest versions come and go with Debian's, so that the document is
compared without them; client-go, which takes minutes to build, is tried where it is there
(tests/clients/clients --document builds it)."""

import re
import unittest
from concurrent.futures import ThreadPoolExecutor

import client_table

AT_ONCE = 2


def without_versions(lines):
    return [re.sub(r"^(\| [^|]+ \|) [^|]+ \|", r"\1", line) for line in lines if "| works |" in line]


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        tried = client_table.clients(client_table.fetch())
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = pool.map(lambda row: row[2](), tried)
            cls.results = [(c, v, checks) for (c, v, _), checks in zip(tried, found)]

    def test_each_client(self):
        self.assertGreaterEqual(len(self.results), 9)
        for client, version, checks in self.results:
            self.assertGreaterEqual(len(checks), 6, f"{client} {version}: {checks}")
            for check, wrong in checks:
                with self.subTest(f"{client} {version}: {check}"):
                    self.assertEqual(wrong, "")

    def test_document(self):
        tried = {client for client, _, _ in self.results}
        written = without_versions(
            line for line in client_table.DOCUMENT.read_text().splitlines()
            if line.split("|")[1:2] and line.split("|")[1].strip() in tried)
        self.assertEqual(written, without_versions(client_table.rows(self.results)),
                         "docs/clients.md is not what came of it: run tests/clients/clients "
                         "--document")


class Manifests(unittest.TestCase):
    """Objects as KubeVirt's and Harvester's users write them, each with what is expected of it: a line
    `# expected: WORD` or `# refused: WORDS`, `# warning: WORDS`, and `# option: WORD` for
    kubectl."""

    def test_each(self):
        program = client_table.KUBECTLS / "kubectl-1.32"
        files = sorted((client_table.HERE / "manifests").glob("*.yaml"))
        self.assertGreaterEqual(len(files), 9)
        with client_table.Server() as server:
            for file in files:
                said = dict(re.findall(r"^# (expected|refused): (.*)$", file.read_text(), re.M))
                warnings = re.findall(r"^# warning: (.*)$", file.read_text(), re.M)
                options = re.findall(r"^# option: (\S+)$", file.read_text(), re.M)
                done = server.run([program, "create", "--dry-run=server", *options, "-f", file])
                with self.subTest(file.name):
                    self.assertEqual(done.returncode == 0, "expected" in said, done.stderr)
                    self.assertIn(said.get("refused") or said["expected"], done.stdout + done.stderr)
                    for warning in warnings:
                        self.assertIn(warning, done.stderr)


if __name__ == "__main__":
    unittest.main()
