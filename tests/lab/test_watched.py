# SPDX-License-Identifier: Apache-2.0
"""The page while real guests move: one watched from its start to its end and changed on the way, one
cancelled from the page though ferryd was killed meanwhile. The picture in README is made here, where
FERRY_SCREENSHOT names a file."""
import os
import sys

from labtest import LabTest, ROOT

sys.path.insert(0, str(ROOT / "tests" / "web"))
from webtest import Browser  # noqa: E402  pylint: disable=wrong-import-position

ALLOWED_MS = "50"  # less than the guest needs, so that it goes on until it is told otherwise
PATIENCE = 60000


class Page(LabTest):
    HOSTS = 2

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def busy_guest(self, name):
        self.guest(name, memory=384, rate=200, working_set=250, pattern="uniform")

    def log_in(self):
        self.browser.fresh()
        self.browser.visit(url=self.ferry("web", "--print-url").stdout.strip())
        self.browser.live(state="live", timeout=PATIENCE)

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.browser.problems(), [])

    def test_watched_from_start_to_end(self):
        self.busy_guest("seen")
        self.log_in()
        self.browser.hash(to="/vm/default/seen", heading="VM seen")
        self.browser.pick(label="h2")
        self.browser.fill(label="Pause at most (ms)", text=ALLOWED_MS)
        self.browser.see(text=f"ferry migrate seen --to h2 --max-downtime {ALLOWED_MS}")
        self.browser.press(name="Move it")
        self.browser.figure(label="Phase", wanted="Running", timeout=PATIENCE)
        self.assertEqual(self.browser.figure(label="Pause allowed"), f"{ALLOWED_MS} ms")
        for label in ("Remaining", "Rate", "Dirty rate", "Limit in force"):
            self.assertRegex(self.browser.figure(label=label, timeout=PATIENCE), r"^[0-9.]+ ", label)
        decisions = self.browser.rows(caption="What was decided, and why", timeout=PATIENCE)
        self.assertTrue(any("SetDowntime" in row[1] and row[2] for row in decisions), decisions)
        self.wait(lambda: len(self.browser.rows(caption="The course in numbers")) > 8, 40, "its course is seen")
        self.assertEqual(self.browser.audit(), [])
        self.assertEqual(self.browser.overflows(width=360), 0)
        if os.environ.get("FERRY_SCREENSHOT"):
            self.browser.screenshot(path=os.environ["FERRY_SCREENSHOT"], width=1000, height=900)
        self.browser.fill(label="Pause at most (ms)", text="20000")
        self.browser.fill(label="Why", text="it may take long")
        self.browser.press(name="Change")
        self.browser.figure(label="Phase", wanted="Succeeded", timeout=PATIENCE)
        self.assertRegex(self.browser.figure(label="Pause"), r"^[0-9.]+ m?s$")
        changes = self.browser.rows(caption="What people changed")
        self.assertIn("Applied", changes[0][3], changes)
        self.assertFalse(self.browser.offered(name="Cancel the migration"))
        # the record tells the same once more, and from the address alone
        before = len(self.browser.rows(caption="What was decided, and why"))
        self.browser.visit(url="about:blank")
        self.browser.back()
        self.browser.figure(label="Phase", wanted="Succeeded", timeout=PATIENCE)
        self.assertEqual(len(self.browser.rows(caption="What was decided, and why")), before)
        self.browser.press(name="Play")
        self.wait(lambda: len(self.browser.rows(caption="The course in numbers")) > 0 and
                  self.browser.offered(name="Play"), 30, "the replay comes to its end")
        self.assert_on("seen", "h2")

    def test_cancelled_from_the_page_after_ferryd_was_killed(self):
        self.busy_guest("stays")
        self.log_in()
        self.ferry("migrate", "stays", "--to", "h2", "--no-wait", "--max-downtime", ALLOWED_MS)
        name = self.newest("stays")["metadata"]["name"]
        self.browser.rows(caption="Migrations that are under way", timeout=PATIENCE)
        self.browser.hash(to=f"/migration/default/{name}", heading=f"Migration {name}")
        self.browser.figure(label="Phase", wanted="Running", timeout=PATIENCE)
        self.lab.kill("ferryd")
        self.browser.live(state="stale")
        self.browser.see(text="Not live since")
        self.lab.start("ferryd")
        self.browser.live(state="live", timeout=PATIENCE)
        self.browser.figure(label="Remaining", timeout=PATIENCE)
        self.browser.press(name="Cancel the migration")
        self.browser.figure(label="Phase", wanted="Failed", timeout=PATIENCE)
        self.assertTrue(self.newest("stays")["status"]["migrationState"]["abortRequested"])
        self.assert_on("stays", "h1")
