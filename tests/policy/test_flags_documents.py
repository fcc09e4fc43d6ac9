# SPDX-License-Identifier: Apache-2.0
"""docs/flags.md says of the migration flags what the table says. (ferry(1) and the completion are made by
the build: tests/cli/test_documents.py.)

usage: test_flags_documents.py FLAGS_DOC SOURCE_ROOT [--write]
"""
import subprocess
import sys
import unittest
from pathlib import Path

PROGRAM, ROOT = sys.argv[1], Path(sys.argv[2])
WRITE = "--write" in sys.argv[3:]


def made(what):
    return subprocess.run([PROGRAM, what], check=True, capture_output=True, text=True).stdout


class FlagsDocuments(unittest.TestCase):
    def same(self, name, wanted):
        path = ROOT / name
        if WRITE:
            path.write_text(wanted)
        self.assertTrue(path.exists(), f"{name} is missing")
        hint = f"{name} is not what the table gives: run this test with --write"
        self.assertEqual(path.read_text(), wanted, hint)

    def test_there_is_something_to_compare(self):
        text = made("markdown")
        self.assertIn("VIR_MIGRATE_POSTCOPY_RESUME", text)
        self.assertGreater(text.count("\n| "), 90)

    def test_markdown(self):
        self.same("docs/flags.md", made("markdown"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
