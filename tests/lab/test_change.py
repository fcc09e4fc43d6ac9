# SPDX-License-Identifier: Apache-2.0
"""A migration is changed while it runs: in libvirt at once, written down, told, refused in time."""
import json
from datetime import datetime

from labtest import LabTest


def when(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class Change(LabTest):
    HOSTS = 2

    def begin(self, name, *options, **guest):
        """A guest that does not get away by itself, on its way to h2."""
        self.guest(name, memory=384, rate=200, working_set=250, pattern="uniform", **guest)
        self.ferry("migrate", name, "--to", "h2", "--no-wait", "--max-downtime", "50", *options)
        self.wait(lambda: self.newest(name)["status"]["phase"] == "Running" and
                  self.newest(name)["status"].get("progress", {}).get("percent", 0) > 3,
                  30, f"{name} moves")

    def virsh_number(self, *words):
        return int(self.lab.virsh("h1", *words).stdout.split()[0])

    def last_change(self, name):
        return self.newest(name)["status"]["changes"][-1]

    def test_limits_by_hand(self):
        self.begin("tuned")
        self.ferry("change", "tuned", "--stalling-limit", "1", "--downtime", "11")
        self.assertEqual(self.virsh_number("migrate-getmaxdowntime", "tuned"), 11)
        stalling = self.wait(
            lambda: next((c for c in self.newest("tuned")["status"].get("conditions", [])
                          if c["type"] == "Stalling" and c["status"] == "True"), None),
            40, "it stalls")
        self.assertRegex(stalling["message"], r"no progress for \d+ s: at best [\d.]+ MiB")
        done = self.ferry("change", "tuned", "--downtime", "77", "--bandwidth", "90", "--reason",
                          "the night shift waits")
        self.assertIn("77 ms", done.stdout)
        self.assertEqual(self.virsh_number("migrate-getmaxdowntime", "tuned"), 77)
        self.assertEqual(self.virsh_number("migrate-getspeed", "tuned"), 90)
        change = self.last_change("tuned")
        self.assertEqual(change["state"], "Applied")
        self.assertTrue(change["by"])
        took = when(change["appliedTime"]) - when(change["time"])
        self.assertLess(took.total_seconds(), 0.2)
        for word in ("the night shift waits", "MigrationStalling"):
            self.wait(lambda w=word: w in self.ferry("events").stdout, 5, f"an event says: {word}")

        name = self.newest("tuned")["metadata"]["name"]
        self.kubectl("1.32", "patch", "vmim", name, "--type=merge", "-p",
                     json.dumps({"spec": {"maxDowntimeMs": 88}}))
        self.wait(lambda: self.last_change("tuned")["fields"].get("downtimeMs") == 88 and
                  self.last_change("tuned")["state"] == "Applied", 5, "the patch counts")
        self.assertEqual(self.virsh_number("migrate-getmaxdowntime", "tuned"), 88)

        refused = self.ferry("change", "tuned", "--technique", "post-copy", check=False)
        self.assertEqual(refused.returncode, 3, refused.stdout + refused.stderr)
        self.assertIn("allowPostCopy", refused.stderr)

        self.ferry("change", "tuned", "--downtime", "20000", "--bandwidth", "1000")
        self.wait(lambda: self.newest("tuned")["status"]["phase"] == "Succeeded", 40, "it moved")
        self.assert_on("tuned", "h2")
        late = self.ferry("change", "tuned", "--downtime", "5", check=False)
        self.assertEqual(late.returncode, 3)
        self.assertIn("nothing is in progress", late.stderr)

    def condition(self, name):
        return next((c for c in self.newest(name)["status"].get("conditions", [])
                     if c["type"] == "Stalling"), {})

    def test_stalling_comes_and_goes(self):
        self.begin("moody", "--bandwidth", "32Mi")
        self.ferry("change", "moody", "--stalling-limit", "1")
        self.wait(lambda: self.condition("moody").get("status") == "True", 40, "it stalls")
        events = ("events", "--for", "vmim/" + self.newest("moody")["metadata"]["name"])
        self.assertNotIn("it moves again", self.ferry(*events).stdout)
        self.ferry("change", "moody", "--bandwidth", "1000")
        self.wait(lambda: "it moves again" in self.ferry(*events).stdout, 20, "it moves again")
        self.ferry("cancel", "moody")
        self.assertEqual(self.condition("moody")["status"], "False")
        self.assert_on("moody", "h1")

    def test_post_copy_by_hand(self):
        self.begin("switched", "--post-copy")
        self.ferry("change", "switched", "--technique", "pre-copy")
        self.assertEqual(self.newest("switched")["status"]["migrationState"]["mode"], "PreCopy")
        self.ferry("change", "switched", "--technique", "post-copy", "--reason", "now")
        self.wait(lambda: self.newest("switched")["status"]["phase"] == "Succeeded", 40, "it moved")
        state = self.newest("switched")["status"]["migrationState"]
        self.assertEqual(state["mode"], "PostCopy")
        self.assert_on("switched", "h2")

    def test_explained(self):
        self.guest("told", memory=128, rate=20, working_set=32, pattern="uniform")
        self.ferry("migrate", "told", "--to", "h2", "--max-downtime", "400")
        text = self.ferry("explain", "told").stdout
        for word in ("told, h1", "ITERATION", "DECISION", "SetDowntime", "Remaining over time",
                     "maxDowntimeMs"):
            self.assertIn(word, text)
        told = self.ferry_json("explain", "told")
        self.assertGreaterEqual(len(told["course"]), 2)
        self.assertLessEqual(len(told["course"]), 200)
        elapsed = [row["elapsedMs"] for row in told["course"]]
        self.assertEqual(elapsed, sorted(set(elapsed)))
        self.assertIn("remainingBytes", told["decisions"][0])
        self.assertIn("limitMs", told["decisions"][-1])
        origin = {f["field"]: f["origin"] for f in told["policy"]}
        self.assertIn("migration", origin["maxDowntimeMs"].lower())
