#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How the benches on real guests judge, and that docs/performance.md is what their data say."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
from real import bars, plot  # noqa: E402  pylint: disable=wrong-import-position
from real.cells import CELLS, named  # noqa: E402  pylint: disable=wrong-import-position
from real.run import rules_of, within  # noqa: E402  pylint: disable=wrong-import-position


PLAIN = {"slow": False, "compress": False, "postCopy": False}


def row(cell, preset, seconds, gap_ms, lost_s=0.1, outcome="moved", **more):
    return {"cell": cell, "preset": preset, "outcome": outcome, "seconds": seconds,
            "gap_ms": gap_ms, "lost_s": lost_s, "top_throttle": 0, "post_copy": False,
            "within": outcome == "moved", "bytes": 1, **more}


def verdict(rows, start, cells="medium"):
    presets = {r["preset"]: PLAIN for r in rows}
    for b in bars.judge(named(cells.split(",")), presets, rows, floor="limit 1 ms"):
        if b["bar"].startswith(start):
            return b
    raise AssertionError(f"no bar {start}")


class Judging(unittest.TestCase):
    def test_within(self):
        cell = named(["throttle"])[0]
        good = row("throttle", "intent", 5, cell.max_downtime_ms)
        self.assertTrue(within(cell, good))
        for change in ({"gap_ms": cell.max_downtime_ms + 50}, {"seconds": 100},
                       {"top_throttle": cell.max_slowdown + 1}, {"post_copy": True},
                       {"outcome": "gave up"}):
            self.assertFalse(within(cell, {**good, **change}), change)

    def test_slower_than_the_best_rival(self):
        rows = [row("medium", "intent", 2.2, 100), row("medium", "nova", 2.0, 100),
                row("medium", "proxmox", 3.0, 100)]
        b = verdict(rows, "cells where the intent is more than 5 % slower")
        self.assertEqual((b["value"], b["met"]), (100, False))
        self.assertIn("nova", b["note"])
        rows[0]["seconds"] = 2.05
        self.assertTrue(verdict(rows, "cells where the intent is more than 5 % slower")["met"])

    def test_who_is_a_rival(self):
        medium, throttle, post_copy = named(["medium", "throttle", "post-copy"])
        slow, compressed, moving = ({**PLAIN, means: True} for means in PLAIN)
        self.assertTrue(bars.same_means(medium, PLAIN))
        self.assertFalse(bars.same_means(medium, slow))
        self.assertTrue(bars.same_means(throttle, slow))
        self.assertFalse(bars.same_means(throttle, compressed))
        self.assertFalse(bars.same_means(throttle, moving))
        self.assertTrue(bars.same_means(post_copy, moving))
        policy = {"spec": {"preset": "x", "allowPostCopy": True, "compression": "xbzrle"}}
        self.assertEqual(bars.means_of(policy), {**compressed, "postCopy": True})
        # a rival that broke the intent is none
        rows = [row("medium", "intent", 2.2, 100), row("medium", "nova", 1.0, 100, within=False)]
        self.assertIsNone(verdict(rows, "cells where the intent is more than 5 % slower")["value"])

    def test_refused_within_two_rounds(self):
        def hopeless(rounds):
            return row("infeasible", "intent", 0, 10, outcome="gave up",
                       infeasible={"seconds": 3, "rounds": rounds, "words": ""})
        self.assertTrue(verdict([hopeless(2)], "migrations of infeasible", "infeasible")["met"])
        self.assertFalse(verdict([hopeless(3)], "migrations of infeasible", "infeasible")["met"])

    def test_forecast(self):
        rows = [row("medium", "intent", 2.0, 100, forecast_s=2.5)]
        b = verdict(rows, "forecast error of total time, median")
        self.assertAlmostEqual(b["value"], 25)
        self.assertFalse(b["met"])

    def test_bound(self):
        idle, capped = named(["idle", "capped"])
        self.assertAlmostEqual(bars.bound(idle), 160 * 2**20 / (1e9 / 8 * 1448 / 1514), 3)
        self.assertAlmostEqual(bars.bound(capped), 1.0, 3)

    def test_rules(self):
        cell = named(["throttle"])[0]
        self.assertEqual(rules_of("nova", cell), {"preset": "nova"})
        self.assertEqual(rules_of("intent", cell)["intent"]["maxSlowdown"], 60)

    def test_cells_have_names_of_their_own(self):
        self.assertEqual(len({c.name for c in CELLS}), len(CELLS))
        with self.assertRaisesRegex(ValueError, "no cell nowhere"):
            named(["nowhere"])


class Documents(unittest.TestCase):
    def test_performance_is_what_the_data_say(self):
        done = subprocess.run([ROOT / "bench" / "performance-document", "--check"], text=True,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_plot(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "plot.svg"
            plot.panels(path, "Time <s>", ["a", "b"], ["intent", "nova"],
                        lambda c, p: None if (c, p) == ("b", "nova") else 2.0,
                        lambda c, p: p == "intent", "s")
            text = path.read_text()
        self.assertIn("Time &lt;s&gt;", text)
        self.assertEqual(text.count("not moved"), 1)
        self.assertEqual(text.count("<rect"), 1 + 3)


if __name__ == "__main__":
    unittest.main()
