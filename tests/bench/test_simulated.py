#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The bench on simulated guests: what it takes from the simulator, and which cells it judges."""
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from rows import ASKED, ROOT, row

from simulated import bars, run

BUILD = Path(os.environ.get("FERRY_BUILD", ROOT / "build"))
PROGRAM = str(BUILD / "sim" / "ferry-sim-bench")


def raw(number=1, own=None, rival=None, hindsight=(), **more):
    """A cell as the simulator prints it."""
    return {"cell": number, "pattern": "uniform", "path": "steady", "memory": 2**30, "eps": 0.03,
            "bound": 1.5, "asked": ASKED, "hindsight": list(hindsight),
            "presets": {"intent": own or row(), "nova": rival or row()}, **more}


def value(raws, start):
    part = bars.judged(raws, "intent")
    return next(b["value"] for b in part["bars"] if b["bar"].startswith(start))


class Judging(unittest.TestCase):
    def test_feasible_is_what_others_kept(self):
        gone, lazy = row(outcome="gave up"), row(gap_ms=900)
        cells = [raw(1, own=gone, rival=lazy, hindsight=[row()]),  # possible: not kept
                 raw(2, own=row(), rival=lazy),  # the intent alone: no feasible cell
                 raw(3, own=row(), rival=row())]
        self.assertEqual(value(cells, "feasible cells within"), 50)
        cover = bars.judged(cells, "intent")["coverage"]
        self.assertEqual((cover["feasible"], cover["onlyOwn"]), (2, 1))

    def test_told_in_time(self):
        hopeless = {"rival": row(gap_ms=900)}
        told = raw(1, own=row(outcome="gave up", notedRounds=2), **hopeless)
        late = raw(2, own=row(outcome="gave up", iterations=9, notedRounds=5), **hopeless)
        self.assertEqual(value([told, late], "infeasible cells told"), 50)
        wrong = raw(3, own=row(notedRounds=2))
        self.assertEqual(value([wrong, raw(4)], "feasible cells told"), 50)

    def test_doubts(self):
        """A doubt tells in time, is no verdict in error, and is as probable as it says."""
        hopeless = {"rival": row(gap_ms=900)}
        said = {"doubtedRounds": 2, "doubtPercent": 60}
        told = raw(1, own=row(outcome="gave up", iterations=9, **said), **hopeless)
        kept = raw(2, own=row(**said))
        self.assertEqual(value([told], "infeasible cells told"), 100)
        self.assertEqual(value([kept, raw(3)], "feasible cells told"), 0)
        self.assertIsNone(value([told, kept, raw(3)], "doubts: the"))  # of so few it is chance
        self.assertEqual(value([told, kept, raw(3)] * 15, "doubts: the"), 10)

    def test_who_could_act(self):
        nova = {"nova": {"firstAct": {"secondsPerGiB": 75, "leastGiB": 2}}}
        cells = [raw(1), raw(2, asked={**ASKED, "maxDurationS": 0})]
        table = {r["preset"]: r for r in bars.table(cells, nova)}
        self.assertEqual(table["nova"]["could act %"], 50)
        self.assertEqual(table["intent"]["could act %"], 100)

    def test_the_look_at_a_part_is_no_bar(self):
        cells = [raw(1, own=row(2, 200), rival=row(2, 100))]
        part = bars.uncompressed(cells, "intent", {"nova": {"compression": "zstd"}})
        self.assertEqual(part["coverage"]["both"], 0)
        self.assertEqual(bars.judged(cells, "intent")["coverage"]["both"], 1)


class Program(unittest.TestCase):
    def bench(self, folder, *more):
        return subprocess.run([ROOT / "bench" / "convergence-sim", "--cells", "4", "--results", folder,
                               *more], text=True, capture_output=True, check=False)

    def test_the_same_cell_is_the_same(self):
        self.assertEqual(run.output(PROGRAM, 7, 2), run.output(PROGRAM, 7, 2))

    def test_presets(self):
        presets = run.presets(PROGRAM)
        self.assertEqual(presets["nova"]["firstAct"], {"secondsPerGiB": 75, "leastGiB": 2})
        self.assertEqual(presets["ovirt-legacy"]["firstAct"], {"seconds": 20})
        for p in presets.values():
            self.assertTrue("firstAct" not in p or p["project"] and p["version"], p)

    def test_half_of_the_cells_are_new_at_each_run(self):
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for _ in range(2):
                done = self.bench(folder)
                self.assertEqual(done.returncode, 0, done.stderr)
                files.append(json.loads((Path(folder) / "convergence-sim.json").read_text()))
                self.assertIn(f"from seed {files[-1]['drawn']['seed']}", done.stdout)
            self.assertNotEqual(files[0]["drawn"]["seed"], files[1]["drawn"]["seed"])
            self.assertEqual(files[0]["judged"]["intent"]["fixed"], files[1]["judged"]["intent"]["fixed"])
            again = self.bench(folder, "--seed", str(files[0]["drawn"]["seed"]))
            self.assertEqual(again.returncode, 0, again.stderr)
            same = json.loads((Path(folder) / "convergence-sim.json").read_text())
            self.assertEqual(same["judged"], files[0]["judged"])

    def test_a_fixed_cell_is_not_drawn(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.bench(folder, "--seed", "2")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is one of the 2 fixed cells", done.stderr)


if __name__ == "__main__":
    unittest.main()
