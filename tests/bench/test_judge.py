#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who is a rival, what is lost work, and which cells are counted: the rules of bench/judge.py."""
import unittest

from rows import ASKED, cell, row

import judge

TICK = 10


def bars(*cells):
    return {b["bar"]: b for b in judge.bars(judge.compare(list(cells), TICK))}


def bar(start, *cells):
    return next(b for name, b in bars(*cells).items() if name.startswith(start))


class Keeping(unittest.TestCase):
    def test_each_wish(self):
        self.assertTrue(judge.keeps(ASKED, row(gap_ms=310), TICK))
        for broken in (row(gap_ms=311), row(seconds=8.1), row(post_copy=True),
                       row(top_throttle=20, lost_s=1), row(outcome="gave up"),
                       row(memory_intact=False), row(memory_intact=None), row(gap_ms=0),
                       row(gap_ms=float("nan"))):
            self.assertFalse(judge.keeps(ASKED, broken, TICK), broken)
        self.assertTrue(judge.keeps({**ASKED, "maxDurationS": 0}, row(seconds=9000), TICK))
        self.assertTrue(judge.keeps({**ASKED, "maxSlowdown": 30}, row(top_throttle=30, lost_s=1),
                                    TICK))
        self.assertTrue(judge.keeps({**ASKED, "allowPostCopy": True}, row(post_copy=True), TICK))

    def test_a_throttle_that_takes_nothing_is_no_slow_down(self):
        unfelt = row(gap_ms=160, lost_s=0.16, top_throttle=20)
        self.assertTrue(judge.keeps(ASKED, unfelt, TICK))
        self.assertEqual(judge.means([unfelt], {"compression": "xbzrle"}),
                         "throttle 20 %, not felt, xbzrle")
        self.assertEqual(judge.means([row(top_throttle=20, lost_s=1)], {}), "throttle 20 %")

    def test_most_repeats(self):
        good, bad = row(), row(gap_ms=900)
        for rows, kept in (([good], True), ([good, bad], False), ([good, good, bad], True), ([], False)):
            self.assertEqual(judge.summary(ASKED, rows, TICK)["kept"], kept, rows)

    def test_one_that_is_refused(self):
        refused = {"outcome": "refused", "message": "no zstd here"}
        self.assertFalse(judge.keeps(ASKED, refused, TICK))
        self.assertEqual(judge.means([refused], {"compression": "zstd"}), "zstd")
        found = judge.compare([cell(intent=row(), vep=refused)], TICK)
        self.assertEqual(judge.coverage(found)["onlyOwn"], 1)

    def test_medians_are_of_those_that_kept_it(self):
        side = judge.summary(ASKED, [row(2), row(3), row(1, gap_ms=900)], TICK)
        self.assertEqual((side["seconds"], side["keptOf"]), (2.5, (2, 3)))


class Rivals(unittest.TestCase):
    def test_whoever_kept_it_whatever_means(self):
        found = judge.compare([cell(
            intent=row(4.25, 235, 0.63), nova=row(gap_ms=900), ovirt=row(3.05, 160, 0.16, top_throttle=20),
            **{"intent+monitor": row(1, 1)})], TICK)[0]
        self.assertEqual(list(found["rivals"]), ["ovirt"])
        self.assertEqual(judge.bars([found])[5]["value"], 100)  # beaten in both

    def test_only_the_intents_own_variants_are_no_rivals(self):
        found = judge.compare([cell(intent=row(), **{"intent+monitor": row(), "intentional": row()})],
                              TICK)[0]
        self.assertEqual(list(found["rivals"]), ["intentional"])

    def test_every_cell_is_accounted_for(self):
        cells = [cell("both", intent=row(), nova=row()), cell("mine", feasible=False, intent=row(),
                                                              nova=row(gap_ms=900)),
                 cell("theirs", intent=row(gap_ms=900), nova=row()),
                 cell("none", feasible=False, intent=row(outcome="gave up"), nova=row(gap_ms=900)),
                 cell("not run", nova=row())]
        found = judge.compare(cells, TICK)
        cover = judge.coverage(found)
        self.assertEqual([cover[k] for k in ("cells", "both", "onlyOwn", "onlyRivals", "nobody")],
                         [5, 1, 1, 2, 1])
        self.assertEqual((cover["lostCells"], cover["ownCells"]), (["theirs", "not run"], ["mine"]))
        # what only the intent kept is no feasible cell; what a rival kept is, whatever was thought
        self.assertEqual([f["feasible"] for f in found], [True, False, True, False, True])
        self.assertAlmostEqual(judge.bars(found)[0]["value"], 200 / 3)

    def test_nothing_to_judge_is_not_met(self):
        for b in judge.bars(judge.compare([cell(intent=row())], TICK)):
            self.assertIsNone(b["met"], b)


class Bars(unittest.TestCase):
    LOST, TIME, BOTH = "cells where it lost more", "cells where it took longer", "cells where a rival was"

    def test_lost_work_beside_the_least_of_those_nearly_as_fast(self):
        def value(mine, *theirs):
            sides = {f"r{i}": row(s, g) for i, (s, g) in enumerate(theirs)}
            return bar(self.LOST, cell(intent=row(2, mine), **sides))["value"]
        self.assertEqual(value(100, (2, 100)), 0)
        self.assertEqual(value(116, (2, 100)), 100)  # over 1.1 times and over 15 ms
        self.assertEqual(value(30, (2, 16)), 0)  # 15 ms: nobody can tell
        self.assertEqual(value(250, (2, 240), (2.6, 40)), 0)  # the other one takes 1.3 times as long
        self.assertEqual(value(250, (2, 240), (2.4, 40)), 100)

    def test_one_that_is_fast_alone_does_not_choose_its_rivals(self):
        # within 1.25 of the fastest rival, not of the intent
        self.assertEqual(bar(self.LOST, cell(intent=row(0.1, 290), nova=row(2, 40)))["value"], 100)

    def test_time_and_being_dominated(self):
        slow = cell(intent=row(2.6, 50), nova=row(2, 60))
        self.assertEqual(bar(self.TIME, slow)["value"], 100)
        self.assertEqual(bar(self.BOTH, slow)["value"], 0)
        self.assertEqual(bar(self.BOTH, cell(intent=row(2.6, 90), nova=row(2, 60)))["value"], 100)
        self.assertEqual(bar(self.BOTH, cell(intent=row(2.05, 90), nova=row(2, 60)))["value"], 0)

    def test_the_median_is_of_each_cells_ratio(self):
        cells = [cell(str(i), intent=row(2, mine), nova=row(2, 100)) for i, mine in
                 enumerate((50, 80, 300))]
        self.assertAlmostEqual(bar("lost work over", *cells)["value"], 0.8)
        self.assertTrue(bar("lost work over", *cells)["met"])

    def test_how_many_cells_stands_beside(self):
        b = bar(self.TIME, cell("a", intent=row(), nova=row()), cell("b", intent=row()))
        self.assertIn("1 of 2 cells", b["note"])


class FirstAct(unittest.TestCase):
    def test_when(self):
        nova = {"firstAct": {"secondsPerGiB": 75, "leastGiB": 2}}
        self.assertEqual(judge.first_act(nova, 0.25), 150)
        self.assertEqual(judge.first_act(nova, 4), 300)
        self.assertEqual(judge.first_act({"firstAct": {"seconds": 20}}, 4), 20)
        self.assertIsNone(judge.first_act({}, 4))


if __name__ == "__main__":
    unittest.main()
