# SPDX-License-Identifier: Apache-2.0
"""A real ferryd and a real browser for the tests of the page. The browser is one for a whole module;
each test has a profile of its own."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fuzz"))
TOOLS = Path(os.environ.get("FERRY_WEB_TOOLS", "/var/cache/ferry-lab/web-tools"))


class BrowserError(AssertionError):
    pass


class Browser:
    """Steps of steps.mjs as methods: browser.see(text="...")."""

    def __init__(self):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["node", str(Path(__file__).with_name("driver.mjs"))], text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env={**os.environ, "FERRY_WEB_TOOLS": str(TOOLS)})

    def __getattr__(self, step):
        def run(**args):
            self.process.stdin.write(json.dumps({"step": step, "args": args}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
            if not line:
                raise BrowserError("the browser's driver has ended")
            answer = json.loads(line)
            if "error" in answer:
                raise BrowserError(f"{step} {args}: {answer['error']}")
            return answer["value"]
        return run

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class WebTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="ferry-web-")
        cls.addClassCleanup(folder.cleanup)
        cls.dir = Path(folder.name)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.browser.fresh()

    def tearDown(self):
        self.assertEqual(self.browser.problems(), [], "what the page or its policy complained about")
