# SPDX-License-Identifier: Apache-2.0
"""The fuzzers' own: what fuzz/run reads out of libFuzzer's words, that each target has what it needs,
and a slice of fuzz/live against the plain build, whose judge is tried first."""
import importlib.machinery
import importlib.util
import json
import os
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("FERRY_BUILD", ROOT / "build"))
sys.path.insert(0, str(ROOT / "fuzz"))
# pylint: disable=wrong-import-position
from live import fuzz, rights

SLICE_S = 12
SLICES = 6
LOG = """INFO: seed corpus: files: 4
#5	INITED cov: {start} ft: 9 corp: 4/31b exec/s: 0 rss: 30Mb
#64	NEW    cov: 11 ft: 12 corp: 5/40b lim: 4 exec/s: 0 rss: 31Mb
#{runs}	DONE   cov: {end} ft: 20 corp: 6/44b lim: 4 exec/s: 1 rss: 31Mb
"""


def runner():
    loader = importlib.machinery.SourceFileLoader("fuzz_run", str(ROOT / "fuzz" / "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("fuzz_run", loader))
    loader.exec_module(module)
    return module


class Runner(unittest.TestCase):
    def setUp(self):
        sys.dont_write_bytecode = True
        self.run_ = runner()

    def seen(self, start=4, end=40, runs=1000, status=0, more=""):
        return self.run_.Seen(LOG.format(start=start, end=end, runs=runs) + more, status)

    def test_reads(self):
        seen = self.seen()
        self.assertEqual((seen.inited, seen.cov, seen.ft, seen.runs, seen.corpus, seen.find),
                         (4, 40, 20, 1000, 6, None))

    def test_flat(self):
        empty = self.seen(start=3, end=3, runs=1)
        self.assertIsNone(self.run_.flat(empty, self.seen()))
        # what `make fuzz` once did: 4,194,304 runs, three edges
        self.assertIn("stays flat", self.run_.flat(empty, self.seen(3, 3, 4194304)))
        self.assertIn("stays flat", self.run_.flat(empty, self.seen(3, 5)))

    def test_finds(self):
        for words, told in (
                ("==1==ERROR: LeakSanitizer: detected memory leaks", "detected memory leaks"),
                ("../a.c:3:4: runtime error: index 4 out of bounds", "index 4 out of bounds"),
                ("SUMMARY: libFuzzer: timeout", "libFuzzer: timeout"), ("", "status 77")):
            self.assertIn(told, self.seen(status=77, more=words + "\n").find)

    def test_floor(self):
        row = {"target": "json", "cov": 10}
        self.assertIsNone(self.run_.below_floor(row, {"json": 10}))
        self.assertIn("below", self.run_.below_floor(row, {"json": 11}))
        self.assertIn("no floor", self.run_.below_floor(row, {}))

    def test_each_target_has_what_it_needs(self):
        names = {p.stem.removeprefix("fuzz-") for p in (ROOT / "fuzz").glob("*/fuzz-*.c")}
        self.assertEqual(set(json.loads((ROOT / "fuzz/floors.json").read_text())), names)
        document = (ROOT / "docs/fuzzing.md").read_text()
        for name in names:
            self.assertTrue(list((ROOT / "fuzz/corpus" / name).iterdir()), f"{name} has no seeds")
            self.assertIn(f"| {name} |", document)


class Judge(unittest.TestCase):
    def wrong(self, role, method, path, status, body=b"{}"):
        return fuzz.judge(role, method, path, status, {}, body)

    def test_finds_what_is_wrong(self):
        status = json.dumps({"kind": "Status", "code": 403}).encode()
        vmis = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances"
        self.assertIsNone(self.wrong("viewer", "GET", vmis, 200))
        self.assertIsNone(self.wrong("viewer", "POST", vmis, 403, status))
        for args in (("viewer", "POST", vmis, 201), ("anonymous", "GET", vmis, 200),
                     ("anonymous", "GET", "//version/../api", 200), ("admin", "GET", vmis, 500),
                     ("admin", "GET", vmis, 404, b"<html>"), ("admin", "GET", vmis, 409, status),
                     ("node:h1", "POST", "/apis/ferry.migration/v1/nodes/h2/report", 200),
                     ("node:h1", "POST", "/apis/ferry.migration/v1/nodes/h1%2fx/report", 200)):
            self.assertTrue(self.wrong(*args), args)

    def test_roles(self):
        self.assertTrue(rights.may("node:h1", "POST", "/apis/ferry.migration/v1/nodes/h1/report"))
        self.assertFalse(rights.may("node:h1", "DELETE", "/api/v1/nodes/h1"))
        self.assertFalse(rights.may("viewer", "GET", "/apis/ferry.migration/v1/users/eve"))


class Slice(unittest.TestCase):
    def test_slice(self):
        """Each of the roles got in, and was refused; on a machine that is busy that takes several slices."""
        wanted = {(role, first) for role in ("admin", "viewer@token", "node:h1") for first in ("2", "4")}
        answered = set()
        for turn in range(SLICES):
            finds, _ = fuzz.fuzz(BUILD, 20260101 + turn, SLICE_S, False)
            self.assertEqual(finds.list, [])
            answered |= {(role, str(status)[0]) for role, status in finds.counts}
            if wanted <= answered:
                return
        self.assertLessEqual(wanted, answered)


if __name__ == "__main__":
    unittest.main()
