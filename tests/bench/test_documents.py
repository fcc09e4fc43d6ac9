#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""docs/performance.md and docs/convergence.md are what bench/results say, and figures of another
revision of the code than today's say so."""
import json
import os
import subprocess
import tempfile
import unittest
import xml.dom.minidom

from rows import ROOT, row

import judge
import provenance
from pages import pictures, real, simulated


class Documents(unittest.TestCase):
    def test_they_are_what_the_data_say(self):
        done = subprocess.run([ROOT / "bench" / "performance-document", "--check"], text=True,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_every_result_file_is_said_to_be_of_a_revision_or_older(self):
        text = (ROOT / "docs" / "performance.md").read_text()
        for name in provenance.JUDGES:
            kept = json.loads((ROOT / "bench" / "results" / name).read_text())
            self.assertIn(provenance.sentence(name, kept), text)
            if provenance.changed(name, kept) != []:
                self.assertIn("**These figures are o", provenance.sentence(name, kept))


class Provenance(unittest.TestCase):
    NAME = "convergence-sim.json"

    def test_of_this_code(self):
        made = provenance.made(self.NAME, "bench/x", ())
        self.assertLessEqual({"command", "revision", "machine", "versions", "code"}, set(made))
        self.assertEqual(provenance.changed(self.NAME, made), [])
        self.assertNotIn("older", provenance.sentence(self.NAME, made))

    def test_of_other_code(self):
        made = provenance.made(self.NAME, "bench/x", ())
        made["code"]["src/convergence"] = "0"
        self.assertEqual(provenance.changed(self.NAME, made), ["src/convergence"])
        self.assertIn("of an older revision", provenance.sentence(self.NAME, made))
        del made["code"]["bench/judge.py"]  # a file that it did not know of is another, too
        self.assertIn("bench/judge.py", provenance.changed(self.NAME, made))
        self.assertIn("older than the code", provenance.sentence(self.NAME, {"command": "x"}))

    def test_a_program_that_is_older_than_its_source_makes_no_figures(self):
        with tempfile.NamedTemporaryFile() as program:
            self.assertIsNone(provenance.stale(self.NAME, program.name))
            os.utime(program.name, (1, 1))
            self.assertRegex(provenance.stale(self.NAME, program.name), r"\.[ch]$")

    def test_what_a_digest_is_of(self):
        whole = provenance.digest("src/convergence")
        self.assertNotEqual(whole, provenance.digest("src/host/sim"))
        self.assertEqual(whole, provenance.digest("src/convergence"))
        for paths in provenance.JUDGES.values():
            for path in paths:
                self.assertTrue((ROOT / path).exists(), path)


class Sections(unittest.TestCase):
    def setUp(self):
        self.sim = json.loads((ROOT / "bench" / "results" / "convergence-sim.json").read_text())
        self.real = json.loads((ROOT / "bench" / "results" / "convergence.json").read_text())

    def test_coverage_and_seed_are_said(self):
        for part, text in ((judge.coverage(real.bars.compare(self.real)),
                            real.section(self.real, self.sim["presets"])),
                           (self.sim["judged"]["intent"]["all"]["coverage"],
                            simulated.section(self.sim))):
            self.assertIn(f"{part['both']} of {part['cells']} cells", "\n".join(text))
        self.assertIn(f"seed {self.sim['drawn']['seed']}", "\n".join(simulated.section(self.sim)))

    def test_what_a_rule_could_not_do_is_said(self):
        cell = real.of_file(self.real)[0]
        self.assertIn("nova", real.idle_here(cell, self.sim["presets"]))

    def test_pictures(self):
        self.assertEqual(pictures.frontier([(2, 5), (1, 9), (3, 5), (4, 1), (2, 6)]),
                         [(1, 9), (2, 5), (4, 1)])
        page = pictures.page(self.real, self.sim)
        for name, text in page.items():
            if name.endswith(".svg"):
                xml.dom.minidom.parseString(text)
        self.assertEqual(page["docs/convergence-real.svg"].count("r=\"6\""), 10)  # intent, 10 moved it

    def test_who_is_beaten_is_told(self):
        found = judge.compare([{"name": "c", "asked": {"maxDowntimeMs": 300, "maxDurationS": 0,
                                                       "maxSlowdown": 0, "allowPostCopy": False},
                                "feasible": True, "rows": {"intent": [row(4, 200)],
                                                           "nova": [row(2, 50)]}}], 5)[0]
        words = pictures._verdict(found, lambda _: "")  # pylint: disable=protected-access
        self.assertIn("beaten in both by nova", words)


if __name__ == "__main__":
    unittest.main()
