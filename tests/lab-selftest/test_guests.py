# SPDX-License-Identifier: Apache-2.0
"""The lab's guests: do they run, move with their memory intact, and would the
measurements notice if something were wrong? Needs root and a built tree."""

import os
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lab"))

from ferrylab import collector, guest, lab as labmod  # noqa: E402
from ferrylab.errors import LabError  # noqa: E402

NAME = f"gtest{os.getpid() % 100000}"


def wanted(name, **changes):
    """A guest as the command line would ask for it."""
    values = {"name": name, "kernel": "bare", "memory": 64, "vcpus": 1, "rate": 20.0,
              "working_set": 32, "pattern": "uniform", "disk": "none", "labels": {},
              "namespace": "default", "persistent": False}
    values.update(changes)
    return values


class Guests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = labmod.Lab(NAME)
        cls.addClassCleanup(cls.lab.down)
        cls.lab.up(hosts=2, with_ferry=False)

    def start(self, name, host=None, **changes):
        where = guest.create(self.lab, wanted(name, **changes), host)
        self.addCleanup(self._remove, name)
        return where

    def _remove(self, name):
        try:
            guest.remove(self.lab, name)
        except LabError as error:
            if "there is no guest" not in str(error):
                raise

    def stat(self, name, **options):
        return guest.stat(self.lab, name, **options)

    def migrate(self, name, source, target, *flags):
        result = self.lab.virsh(source, "migrate", "--live", "--p2p", *flags, name,
                                f"qemu+tls://{target}/system", timeout=120)
        self.assertEqual(result.returncode, 0, result.stderr)

    def window(self, name, seconds):
        """A stat over a window of about that length, of the guest's own making."""
        self.stat(name, reset=True)
        deadline = time.monotonic() + seconds + 30
        first = collector.request(self.lab, name, {"cmd": "stat"})["uptime_us"]
        while time.monotonic() < deadline:
            answer = self.stat(name)
            if answer["uptime_us"] - first >= seconds * 1e6:
                return answer
            time.sleep(0.02)
        self.fail(f"{name} did not run for {seconds} s")

    def assert_intact(self, name):
        answer = self.stat(name, verify=True)
        self.assertIs(answer["memory_intact"], True, answer)
        self.assertEqual(answer["check_errors"], 0)
        return answer

    def test_every_pattern_moves_intact(self):
        for pattern in guest.PATTERNS:
            with self.subTest(pattern=pattern):
                name = f"move-{pattern}"
                rate = 0.0 if pattern == "idle" else 20.0
                self.start(name, "h1", pattern=pattern, rate=rate)
                self.assertEqual(self.stat(name)["host"], "h1")
                self.stat(name, reset=True)
                self.migrate(name, "h1", "h2")
                answer = self.assert_intact(name)
                self.assertEqual((answer["host"], answer["hosts"], answer["state"]),
                                 ("h2", ["h2"], "running"))
                self.assertEqual(answer["moves"], 1)
                self.assertTrue(any(gap["moved"] for gap in answer["gaps"]), answer["gaps"])
                guest.remove(self.lab, name)

    def test_linux_with_two_vcpus_and_a_shared_disk_moves_intact(self):
        self.start("lin", "h1", kernel="linux", memory=192, vcpus=2, disk="shared")
        before = self.assert_intact("lin")
        self.assertEqual(before["host"], "h1")
        self.migrate("lin", "h1", "h2")
        after = self.window("lin", 1)
        self.assertEqual(after["host"], "h2")
        self.assertGreater(after["disk_blocks_written"], 0)
        self.assertGreater(after["disk_blocks_checked"], 0)
        self.assert_intact("lin")

    def test_a_damaged_disk_block_is_caught(self):
        self.start("disk", "h1", kernel="linux", memory=192, disk="shared", rate=1.0)
        image = self.lab.dir / "shared/disk-disk.raw"
        with open(image, "r+b") as file:  # all but the first block: soon one is read
            for block in range(1, 16384):
                file.seek(block * 4096 + 2048)
                file.write(b"\0\0\0\0")
            os.fsync(file.fileno())
        deadline = time.monotonic() + 20
        while self.stat("disk")["check_errors"] == 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        answer = self.stat("disk")
        self.assertIs(answer["memory_intact"], False)
        self.assertIn("disk block", answer["last_error"])

    def test_one_flipped_bit_is_caught(self):
        for command, page in (("flip", 0), ("flip", 8191), ("flip-table", 4096)):
            with self.subTest(command=command, page=page):
                name = f"flip-{page}"
                self.start(name)
                self.assert_intact(name)
                collector.request(self.lab, name, {"cmd": command, "page": page})
                answer = self.stat(name, verify=True)
                self.assertIs(answer["memory_intact"], False)
                if command == "flip":  # the table has later errors: its sums
                    self.assertIn(f"page {page},", answer["last_error"])
                guest.remove(self.lab, name)

    def test_a_flipped_bit_in_linux_is_caught_on_any_vcpu(self):
        self.start("linflip", kernel="linux", memory=192, vcpus=2)
        collector.request(self.lab, "linflip", {"cmd": "flip", "page": 8000})
        answer = self.stat("linflip", verify=True)
        self.assertIs(answer["memory_intact"], False)
        self.assertIn("page 8000,", answer["last_error"])

    def test_the_longest_gap_is_the_pause(self):
        host = self.start("gap", pattern="idle", rate=0.0)
        for pause in (0.2, 0.6):
            self.stat("gap", reset=True)
            # The calls take time: the true pause lies between these two.
            before = time.monotonic()
            self.assertEqual(self.lab.virsh(host, "suspend", "gap").returncode, 0)
            suspended = time.monotonic()
            time.sleep(pause)  # the length of the pause itself, not a wait for a state
            resuming = time.monotonic()
            self.assertEqual(self.lab.virsh(host, "resume", "gap").returncode, 0)
            after = time.monotonic()
            answer = self.stat("gap")
            gap = answer["longest_gap_ms"]
            self.assertGreaterEqual(gap, (resuming - suspended) * 1000 - 15)
            self.assertLessEqual(gap, (after - before) * 1000 + 15)
            self.assertAlmostEqual(answer["lost_seconds"], gap / 1000, delta=0.05)

    def test_the_rate_is_kept(self):
        for rate in (20, 60):
            with self.subTest(rate=rate):
                name = f"rate-{rate}"
                self.start(name, rate=float(rate))
                answer = self.window(name, 3)
                self.assertAlmostEqual(answer["work_rate_mib_s"], rate, delta=rate * 0.15)
                self.assertLess(answer["lost_seconds"], 0.5)
                guest.remove(self.lab, name)

    def test_what_a_pause_made_it_miss_is_not_caught_up(self):
        host = self.start("debt", rate=40.0)
        self.stat("debt", reset=True)
        self.lab.virsh(host, "suspend", "debt")
        time.sleep(0.5)
        self.lab.virsh(host, "resume", "debt")
        answer = self.window_after_resume("debt", 1.0)
        self.assertGreater(answer["lost_seconds"], 0.45)
        self.assertLess(answer["work_rate_mib_s"], 40 * 0.85)

    def window_after_resume(self, name, seconds):
        first = self.stat(name)["uptime_us"]
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            answer = self.stat(name)
            if answer["uptime_us"] - first >= seconds * 1e6:
                return answer
            time.sleep(0.02)
        self.fail(f"{name} does not go on")

    def test_smallest_and_large_memory(self):
        self.start("small", memory=16, working_set=8)
        self.start("large", memory=1024, working_set=1000)
        self.assert_intact("small")
        self.assert_intact("large")

    def test_metadata_and_persistence(self):
        host = self.start("meta", labels={"app": "a<b"}, namespace="blue", persistent=True)
        xml = self.lab.virsh(host, "dumpxml", "meta").stdout
        self.assertIn("<ferry:namespace>blue</ferry:namespace>", xml)
        self.assertIn('<ferry:label key="app">a&lt;b</ferry:label>', xml)
        self.assertIn("yes", self.lab.virsh(host, "dominfo", "meta").stdout.split("Persistent:")[1]
                      .splitlines()[0])
        guest.remove(self.lab, "meta")
        self.assertNotIn("meta", self.lab.virsh(host, "list", "--all", "--name").stdout.split())

    def test_a_name_is_taken_once(self):
        self.start("twice")
        with self.assertRaisesRegex(LabError, "there is a guest twice already"):
            guest.create(self.lab, wanted("twice"))
        self.assert_intact("twice")  # the refusal did not harm it

    def test_remove_leaves_nothing(self):
        self.start("gone")
        guest.remove(self.lab, "gone")
        left = [path.name for path in self.lab.dir.rglob("*gone*")
                if "/hosts/" not in str(path) and "/log/" not in str(path)]
        self.assertEqual(left, [])
        with self.assertRaisesRegex(LabError, "no guest gone"):
            guest.remove(self.lab, "gone")
        with self.assertRaisesRegex(LabError, "lab guest of that name"):
            self.stat("gone")

    def test_a_guest_that_cannot_start_says_why(self):
        with self.assertRaisesRegex(LabError, "ferry.ws is more than the memory has"):
            guest.create(self.lab, wanted("greedy", memory=16, working_set=16))
        with self.assertRaisesRegex(LabError, "no guest greedy"):
            guest.remove(self.lab, "greedy")


if __name__ == "__main__":
    unittest.main()
