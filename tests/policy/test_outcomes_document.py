# SPDX-License-Identifier: Apache-2.0
"""docs/outcomes.md says what the table of outcomes says.

usage: test_outcomes_document.py OUTCOMES_DOC SOURCE_ROOT [--write]
"""
import subprocess
import sys
import unittest
from pathlib import Path

PROGRAM, ROOT = sys.argv[1], Path(sys.argv[2])


class OutcomesDocument(unittest.TestCase):
    def test_document(self):
        wanted = subprocess.run([PROGRAM], check=True, capture_output=True, text=True).stdout
        self.assertGreater(wanted.count("\n| "), 40)
        path = ROOT / "docs/outcomes.md"
        if "--write" in sys.argv[3:]:
            path.write_text(wanted)
        self.assertEqual(path.read_text(), wanted,
                         "docs/outcomes.md is not what the table gives: run this test with --write")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
