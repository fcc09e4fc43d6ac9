# SPDX-License-Identifier: Apache-2.0
"""The runner loses no failure: a test that fails, is skipped, hangs, crashes or leaves no result, and a
module without tests, each counts as failed."""
import contextlib
import importlib.machinery
import importlib.util
import io
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))


def load_runner():
    loader = importlib.machinery.SourceFileLoader("ferry_tests_run", str(ROOT / "tests" / "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class Runner(unittest.TestCase):
    def setUp(self):
        self.runner = load_runner()
        self.tally = self.runner.Tally()
        folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)

    def quietly(self, call, *args):
        with contextlib.redirect_stdout(io.StringIO()):
            call(*args)
        return self.tally.passed, len(self.tally.failed)


class Modules(Runner):
    def module(self, body):
        path = self.dir / "test_it.py"
        path.write_text("import os, time, unittest\nclass T(unittest.TestCase):\n" +
                        textwrap.indent(textwrap.dedent(body), "    "))
        return self.quietly(self.runner.python_module, self.tally, path, "it")

    def test_good(self):
        self.assertEqual(self.module("def test_a(self): pass\ndef test_b(self): pass\n"), (2, 0))

    def test_failure(self):
        self.assertEqual(self.module("def test_a(self): pass\ndef test_b(self): self.fail()\n"),
                         (1, 1))

    def test_error_of_the_class(self):
        self.assertEqual(self.module("@classmethod\ndef setUpClass(cls): raise OSError\n"
                                     "def test_a(self): pass\n"), (0, 1))

    def test_skipped(self):
        self.assertEqual(self.module("def test_a(self): self.skipTest('no time')\n"), (0, 1))

    def test_expected_failure(self):
        self.assertEqual(self.module("@unittest.expectedFailure\ndef test_a(self): self.fail()\n"),
                         (0, 1))

    def test_no_tests(self):
        self.assertEqual(self.module("pass\n"), (0, 1))

    def test_crash(self):
        self.assertEqual(self.module("def test_a(self): os.abort()\n"), (0, 1))

    def test_ends_before_its_end(self):
        self.assertEqual(self.module("def test_a(self): os._exit(0)\n"), (0, 1))

    def test_hangs(self):
        self.runner.MODULE_TIMEOUT, self.runner.GRACE = 1, 1
        self.assertEqual(self.module("def test_a(self): time.sleep(600)\n"), (0, 1))

    def test_folder_without_modules(self):
        self.assertEqual(self.quietly(self.runner.python_tests, self.tally, "runner/none", "it"),
                         (0, 1))


class Meson(Runner):
    """A project of its own, with one test that prints what it is given."""

    def project(self, text, code=0):
        (self.dir / "it").write_text(f"#!/bin/sh\nprintf '{text}'\nexit {code}\n")
        (self.dir / "it").chmod(0o755)
        (self.dir / "meson.build").write_text(
            "project('ferry')\ntest('it', find_program('./it'), suite: 'unit', protocol: 'tap')\n")
        subprocess.run(["meson", "setup", self.dir / "b", self.dir], check=True,
                       capture_output=True)
        self.runner.ROOT = self.dir
        return self.quietly(self.runner.meson_tests, self.tally, "b", "it")

    def test_good(self):
        self.assertEqual(self.project("1..2\\nok 1\\nok 2\\n"), (2, 0))

    def test_failure(self):
        self.assertEqual(self.project("1..2\\nok 1\\nnot ok 2\\n"), (0, 1))

    def test_skipped(self):
        self.assertEqual(self.project("1..2\\nok 1\\nok 2 # SKIP no time\\n"), (0, 1))

    def test_exit_code(self):
        self.assertEqual(self.project("1..1\\nok 1\\n", 3), (0, 1))

    def test_ends_before_its_end(self):
        self.assertEqual(self.project("1..2\\nok 1\\n"), (0, 1))

    def test_stale_results(self):
        self.project("1..1\\nok 1\\n")
        (self.dir / "it").unlink()
        self.tally = self.runner.Tally()
        passed, failed = self.quietly(self.runner.meson_tests, self.tally, "b", "it")
        self.assertEqual((passed, failed > 0), (0, True))

    def test_no_such_test(self):
        self.project("1..1\\nok 1\\n")
        self.tally = self.runner.Tally()
        self.assertEqual(self.quietly(self.runner.meson_tests, self.tally, "b", "it", ["it", "at"]),
                         (1, 1))

    def test_no_build_directory(self):
        self.runner.ROOT = self.dir
        self.assertEqual(self.quietly(self.runner.meson_tests, self.tally, "b", "it"), (0, 1))


class Behind(Runner):
    """A runner that runs behind this one; the script that stands for it prints and ends as told."""

    def behind(self, text, code=0):
        path = self.dir / "runner"
        path.write_text(f"import sys\nprint({text!r}, end='')\nsys.exit({code})\n")
        self.runner.__file__ = str(path)
        with contextlib.redirect_stdout(io.StringIO()) as said:
            self.runner.Behind(["lint"], None).wait(self.tally)
        self.said = said.getvalue()
        return self.tally.passed, len(self.tally.failed)

    def test_good(self):
        self.assertEqual(self.behind("a line\n7 passed, 0 failed\n"), (7, 0))
        self.assertIn("a line\n", self.said)
        self.assertNotIn("7 passed", self.said)  # there is one closing line

    def test_failures(self):
        self.assertEqual(self.behind("7 passed, 2 failed\n", 1), (7, 2))

    def test_failed_without_a_word(self):
        self.assertEqual(self.behind("7 passed, 0 failed\n", 3), (7, 1))

    def test_no_end(self):
        self.assertEqual(self.behind("half a li"), (0, 1))
        self.assertIn("half a li", self.said)
        self.assertEqual(self.behind(""), (0, 2))

    def test_hangs(self):
        self.runner.SUITE_TIMEOUT = 0.2
        path = self.dir / "runner"
        path.write_text("import time\ntime.sleep(600)\n")
        self.runner.__file__ = str(path)
        self.assertEqual(self.quietly(self.runner.Behind(["lint"], None).wait, self.tally), (0, 1))


if __name__ == "__main__":
    unittest.main()
