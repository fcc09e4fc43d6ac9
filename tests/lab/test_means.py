#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Means that nobody asked for are chosen before the start. A guest writes more than the path carries:
its first migration comes to nothing, and teaches what it writes and what the path carries; the next one
compresses, as nothing else moves it, and teaches what that gains."""
import unittest

from labtest import LabTest

ASKED = ("--no-tls", "--max-downtime", 300, "--no-auto-converge", "--no-post-copy")


class Means(LabTest):
    HOSTS = 2

    def setUp(self):
        for host in ("h1", "h2"):
            self.lab.link(host, "migration", "rate", "400mbit")
            self.addCleanup(self.lab.link, host, "migration", "rate", "1gbit")

    def begin(self, to):
        self.ferry("migrate", self.name, "--to", to, *ASKED, "--no-wait")

    def ended(self, phase):
        self.wait(lambda: self.newest(self.name)["status"]["phase"] in ("Succeeded", "Failed"), 90, "its end")
        status = self.newest(self.name)["status"]
        self.assertEqual(status["phase"], phase, status)
        return status

    def lessons(self, n):
        self.wait(lambda: len(self.vmi(self.name)["status"].get("lessons", [])) == n, 10, f"lesson {n} is kept")
        return self.vmi(self.name)["status"]["lessons"]

    def test_taught(self):
        self.name = self.guest("taught", memory=160, rate=100, working_set=64, pattern="uniform")
        self.begin("h2")
        self.wait(lambda: self.newest(self.name)["status"].get("progress", {}).get("estimate") == "NotConverging",
                  60, "it does not get there")
        self.ferry("cancel", self.name)
        first = self.ended("Failed")
        self.assertNotIn("means", first["migrationState"])
        config = first["migrationState"]["migrationConfiguration"]
        self.assertIn("xbzrle", config["possibleMeans"])
        lesson = self.lessons(1)[0]
        print("    taught:", lesson)
        self.assertGreater(lesson["writeRateBytesPerSecond"], 60 * 2**20)
        self.assertLess(abs(lesson["workingSetBytes"] / 2**20 / 64 - 1), 0.3, lesson)

        self.begin("h2")
        second = self.ended("Succeeded")
        print("    moved:", second["summary"])
        self.assertEqual(second["migrationState"]["means"], ["xbzrle"])
        self.assertIn("is tried", self.why(second))
        self.assert_on(self.name, "h2")
        self.assertGreater(self.lessons(2)[1]["xbzrleGainPercent"], 150)

    def test_own_word(self):
        """Who says that nothing is to be compressed is believed."""
        self.name = self.guest("plain", memory=96, rate=0, working_set=32, pattern="idle")
        self.ferry("migrate", self.name, "--to", "h2", *ASKED, "--no-compressed")
        config = self.newest(self.name)["status"]["migrationState"]["migrationConfiguration"]
        self.assertNotIn("xbzrle", config.get("possibleMeans", []))
        self.assertNotIn("zstd", config.get("possibleMeans", []))

    def why(self, status):
        return next(d["reason"] for d in status["decisions"] if d["action"] == "ChooseMeans")


if __name__ == "__main__":
    unittest.main()
