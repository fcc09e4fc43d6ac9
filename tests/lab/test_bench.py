#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The benches on real guests run, measure and judge: one cell, two presets, once."""
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Bench(unittest.TestCase):
    def run_(self, *argv):
        done = subprocess.run([str(a) for a in argv], text=True, capture_output=True, check=False,
                              env={k: v for k, v in os.environ.items() if k != "FERRY_LAB"},
                              timeout=180)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_convergence_and_calibration(self):
        with tempfile.TemporaryDirectory() as folder:
            out = self.run_(ROOT / "bench" / "convergence", "--cells", "idle,medium", "--presets",
                            "intent,kubevirt", "--repeats", "1", "--results", folder)
            self.assertIn("total time over the physical bound", out)
            kept = json.loads((Path(folder) / "convergence.json").read_text())
            moved = {(r["cell"], r["preset"]) for r in kept["rows"] if r["outcome"] == "moved"}
            self.assertLessEqual({("idle", "intent"), ("idle", "limit 1 ms"),
                                  ("medium", "intent"), ("medium", "kubevirt")}, moved, out)
            for row in kept["rows"]:
                self.assertTrue(row["memory_intact"], row)
                self.assertGreaterEqual(row["gap_ms"], row["downtime_ms"] * 0.5, row)
            self.assertTrue((Path(folder) / "convergence-seconds.svg").exists())
            out = self.run_(ROOT / "bench" / "calibration", "--from",
                            Path(folder) / "convergence.json", "--results", folder)
            self.assertIn("both moved or both did not: 2 of 2", out)


if __name__ == "__main__":
    unittest.main()
