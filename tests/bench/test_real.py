#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How the bench on real guests asks its rivals, and what it judges without any."""
import tempfile
import unittest
from dataclasses import asdict
from pathlib import Path

from rows import row

from real import bars, plot
from real.cells import CELLS, named, of_file
from real.run import means_of, rules_of

PLAIN = {"compression": None, "connections": 0}


def kept(names, **rows):
    """A result file of these cells; rows by preset and cell."""
    listed = [{"cell": c, "preset": p.replace("_", "-"), "repeat": 0, **r}
              for p, of in rows.items() for c, r in of.items()]
    return {"grid": [asdict(c) for c in named(names)], "rows": listed,
            "presets": {p.replace("_", "-"): PLAIN for p in rows}}


def verdict(file, start):
    return next(b for b in bars.bars(file) if b["bar"].startswith(start))


class Judging(unittest.TestCase):
    def test_refused_within_two_rounds(self):
        def hopeless(rounds):
            return kept(["infeasible"], intent={"infeasible": row(
                0, 10, outcome="gave up", infeasible={"seconds": 3, "rounds": rounds, "words": ""})})
        self.assertTrue(verdict(hopeless(2), "migrations of infeasible")["met"])
        self.assertFalse(verdict(hopeless(3), "migrations of infeasible")["met"])

    def test_forecast(self):
        b = verdict(kept(["medium"], intent={"medium": row(2.0, 100, forecast_s=2.5)}),
                    "forecast error of total time, median")
        self.assertAlmostEqual(b["value"], 25)
        self.assertFalse(b["met"])

    def test_bound(self):
        idle, capped = named(["idle", "capped"])
        self.assertAlmostEqual(bars.bound(idle), 160 * 2**20 / (1e9 / 8 * 1448 / 1514), 3)
        self.assertAlmostEqual(bars.bound(capped), 1.0, 3)

    def test_the_smallest_pause_is_no_rival(self):
        file = kept(["idle"], intent={"idle": row(2, 40)}, nova={"idle": row(2, 40)})
        file["rows"].append({"cell": "idle", "preset": bars.FLOOR, "repeat": 0, **row(1, 1)})
        self.assertEqual(list(bars.compare(file)[0]["rivals"]), ["nova"])
        self.assertEqual(verdict(file, "idle guest's pause")["value"], 40)

    def test_a_file_is_judged_by_its_own_cells(self):
        file = kept(["medium"], intent={"medium": row(2, 350)}, nova={"medium": row(2, 100)})
        self.assertFalse(bars.compare(file)[0]["ownKept"])
        file["grid"][0]["max_downtime_ms"] = 400
        self.assertTrue(bars.compare(file)[0]["ownKept"])
        del file["grid"][0]["length_s"]
        file["cutOffS"] = 1.5
        self.assertEqual(of_file(file)[0].length_s, 9.5)

    def test_means_of_an_older_file(self):
        file = {"presets": {"x": {"slow": True, "compress": True, "postCopy": False}}}
        self.assertEqual(bars.means(file)["x"]["compression"], "xbzrle")


class Asking(unittest.TestCase):
    def test_each_plays_by_its_defaults(self):
        throttle, post_copy = named(["throttle", "post-copy"])
        self.assertEqual(rules_of("nova", throttle, PLAIN), {"preset": "nova"})
        self.assertEqual(rules_of("kubevirt-vep291", throttle, PLAIN)["maxDowntimeMs"], 250)
        own = rules_of("intent", throttle, PLAIN)
        self.assertEqual(own["intent"]["maxSlowdown"], 60)
        self.assertNotIn("allowMonitorCommands", own)  # it is off by default
        self.assertTrue(rules_of("intent", post_copy, PLAIN)["intent"]["allowPostCopy"])

    def test_post_copy_where_the_intent_gets_it(self):
        cell = named(["post-copy"])[0]
        self.assertTrue(rules_of("kubevirt", cell, PLAIN)["allowPostCopy"])
        self.assertNotIn("allowPostCopy", rules_of("nova-parallel", cell, {"connections": 4}))

    def test_means_of_a_policy(self):
        policy = {"spec": {"preset": "x", "allowPostCopy": True, "compression": "zstd",
                           "parallel": True, "parallelConnections": 8}}
        self.assertEqual(means_of(policy), {"autoConverge": False, "postCopy": True,
                                            "compression": "zstd", "connections": 8})

    def test_cells(self):
        self.assertEqual(len({c.name for c in CELLS}), len(CELLS))
        self.assertGreater(max(c.length_s for c in CELLS), 150)  # Nova's first step
        with self.assertRaisesRegex(ValueError, "no cell nowhere"):
            named(["nowhere"])
        whenever = named(["patient"])[0]
        self.assertNotIn("maxDuration", whenever.intent())
        self.assertEqual(whenever.asked()["maxDurationS"], 0)


class Plots(unittest.TestCase):
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
