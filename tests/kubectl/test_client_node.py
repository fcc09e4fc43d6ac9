# SPDX-License-Identifier: Apache-2.0
"""@kubernetes/client-node against the API: each check of client_node.mjs is one subtest."""

import json
import subprocess
import unittest
from pathlib import Path

import harness

HERE = Path(__file__).resolve().parent
FOLDER = harness.KUBECTL.parent / "client-node"


def run_checks(env):
    """[{check, ok, detail}] of client_node.mjs with this environment."""
    subprocess.run([str(HERE.parents[1] / "tools/fetch-client-node"), str(FOLDER)], check=True)
    done = subprocess.run(["node", str(HERE / "client_node.mjs"), str(FOLDER)], env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    if not results:
        raise AssertionError(done.stderr)
    return results


class ClientNode(harness.Server, unittest.TestCase):
    version = "1.32"  # of kubectl, which is not used here

    def test_client_node(self):
        results = run_checks(self.env)
        self.assertGreaterEqual(len(results), 12)
        for result in results:
            with self.subTest(result["check"]):
                self.assertTrue(result["ok"], result["detail"])


if __name__ == "__main__":
    unittest.main()
