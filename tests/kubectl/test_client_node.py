# SPDX-License-Identifier: Apache-2.0
"""@kubernetes/client-node against the API: each check of client_node.mjs is one subtest."""

import json
import subprocess
import unittest
from pathlib import Path

import harness

HERE = Path(__file__).resolve().parent
FOLDER = harness.KUBECTL.parent / "client-node"


SHORT_HISTORY = ("--log-entries=4",)  # of the server, for the checks that want one


def run_checks(env, *which):
    """[{check, ok, detail}] of client_node.mjs with this environment."""
    subprocess.run([str(HERE.parents[1] / "tools/fetch-client-node"), str(FOLDER)], check=True)
    done = subprocess.run(["node", str(HERE / "client_node.mjs"), str(FOLDER), *which], env=env,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                          check=False)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    if not results:
        raise AssertionError(done.stderr)
    return results


class ClientNode(harness.Server, unittest.TestCase):
    version = "1.32"  # of kubectl, which is not used here
    which, at_least = (), 12

    def test_client_node(self):
        results = run_checks(self.env, *self.which)
        self.assertGreaterEqual(len(results), self.at_least)
        for result in results:
            with self.subTest(result["check"]):
                self.assertTrue(result["ok"], result["detail"])


class ShortHistory(ClientNode):
    server_options = SHORT_HISTORY
    which, at_least = ("short-history",), 2


if __name__ == "__main__":
    unittest.main()
