# SPDX-License-Identifier: Apache-2.0
"""ferry freeze: nothing new starts, what runs ends, a drain waits, and each says who wants it so."""
import subprocess

from labtest import BUILD, LabTest


class Freeze(LabTest):
    HOSTS = 2

    def start(self, *words):
        process = subprocess.Popen(  # pylint: disable=consider-using-with
            [str(BUILD / "ferry"), *words], env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def queue(self, name):
        return self.newest(name)["status"].get("queue", {}) if self.migrations(name) else {}

    def test_freeze(self):
        for name in ("runs", "waits", "drained"):
            self.guest(name, rate=1, working_set=4)
        self.lab.link("h1", "migration", "rate", "30mbit")
        runs = self.start("migrate", "runs", "--to", "h2")
        self.wait(lambda: self.migrations("runs")
                  and self.newest("runs")["status"]["phase"] == "Running", 20, "it runs")
        self.ferry("freeze", "something is odd")
        self.addCleanup(self.ferry, "unfreeze")
        waits = self.start("migrate", "waits", "--to", "h2")
        self.wait(lambda: self.queue("waits").get("reason") == "Frozen", 5, "it waits")
        message = self.queue("waits")["message"]
        self.assertRegex(message, "frozen by admin since .*because something is odd")
        self.lab.link("h1", "migration", "rate", "none")
        self.assertEqual(runs.wait(30), 0)  # what runs ends
        drain = self.start("drain", "h1")
        self.wait(lambda: self.queue("drained").get("reason") == "Frozen", 10, "the drain waits")
        self.assertIn("Frozen", self.ferry("events", "--for", "vmim/" + self.newest(
            "waits")["metadata"]["name"]).stdout)
        for words in (("get", "vmim", "-o", "wide"), ("top",),
                      ("explain", self.newest("waits")["metadata"]["name"])):
            self.assertIn("something is odd", self.ferry(*words).stdout, words)
        self.assert_on("waits", "h1")
        self.assert_on("drained", "h1")
        self.ferry("unfreeze")
        self.assertEqual(waits.wait(60), 0)
        self.assertIn("something is odd", waits.stdout.read())
        self.assertEqual(drain.wait(60), 0)
        for name in ("runs", "waits", "drained"):
            self.assert_on(name, "h2")
        self.ferry("undrain", "h1")
