# SPDX-License-Identifier: Apache-2.0
"""tools/site makes one site of all documents, and refuses a link that leads nowhere."""
import importlib.machinery
import importlib.util
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOADER = importlib.machinery.SourceFileLoader("site_tool", str(ROOT / "tools" / "site"))
SITE = importlib.util.module_from_spec(importlib.util.spec_from_loader("site_tool", LOADER))


class Site(unittest.TestCase):
    def test_all_documents(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([str(ROOT / "tools" / "site"), f"{folder}/site"], text=True, capture_output=True,
                                  check=False, env=os.environ, timeout=600)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            made = {str(p.relative_to(f"{folder}/site")) for p in Path(folder, "site").rglob("*.html")}
            documents = {f"docs/{p.stem}.html" for p in (ROOT / "docs").glob("*.md")}
            self.assertEqual(documents - made, set())
            self.assertLessEqual({"index.html", "NEWS.html", "man/ferry.html", "man/ferryd.html"}, made)
            self.assertRegex(Path(folder, "site", "man", "ferry-agentd.html").read_text(),
                             r"TRUST BETWEEN HOSTS\s+A virtual machine")

    def test_broken_links(self):
        LOADER.exec_module(SITE)
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "a.html").write_text('<p id="here"></p><a href="b.html#there">x</a><a href="#here">x</a>'
                                              '<a href="b.html#nowhere">x</a><img src="no.png">'
                                              '<a href="https://ferry.invalid/x">x</a>')
            Path(folder, "b.html").write_text('<p id="there"></p>')
            self.assertEqual(list(SITE.broken(Path(folder))), ["a.html: b.html#nowhere", "a.html: no.png"])


if __name__ == "__main__":
    unittest.main()
