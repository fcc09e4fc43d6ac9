# SPDX-License-Identifier: Apache-2.0
"""ferry-agentd as a process on libvirt's test hypervisor, with a stand-in for ferryd."""
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from fake_ferryd import FakeFerryd  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
AGENT = os.environ.get("FERRY_AGENTD") or str(ROOT / "build/src/agent/ferry-agentd")


class Agentd(unittest.TestCase):
    def setUp(self):
        self.fake = FakeFerryd()
        self.addCleanup(self.fake.stop)
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        for name in ("agent.key", "agent.crt", "ca.crt"):
            pathlib.Path(self.dir.name, name).write_text("-----BEGIN NOTHING-----\n")

    def start(self, state_dir=None, level="warning", stderr=None, **env):
        agent = subprocess.Popen(
            [AGENT, "--server", f"http://127.0.0.1:{self.fake.port}", "--node", "h1",
             "--state-dir", state_dir or self.dir.name, "--libvirt-uri", "test:///default",
             "--log-level", level], env={**os.environ, **env}, stderr=stderr, text=True)

        def end():
            agent.kill()
            agent.wait()
        self.addCleanup(end)
        return agent

    def test_full_report_ready_and_clean_end(self):
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(notify.close)
        notify.bind(f"{self.dir.name}/notify")
        notify.settimeout(10)
        agent = self.start(NOTIFY_SOCKET=f"{self.dir.name}/notify")
        self.assertIn(b"READY=1", notify.recv(4096))
        first = next(r for r in self.fake.reports if r[2].get("full"))[2]
        self.assertEqual([d["name"] for d in first["domains"]], ["test"])
        self.assertEqual(first["node"]["runningVMs"], 1)
        proc = pathlib.Path(f"/proc/{agent.pid}")
        rss = next(int(line.split()[1]) for line in (proc / "status").read_text().splitlines()
                   if line.startswith("VmRSS"))
        # A sanitizer's shadow memory is not the agent's.
        if not any(s in (proc / "maps").read_text() for s in ("libasan", "libtsan")):
            self.assertLess(rss, 30 * 1024)
        agent.terminate()
        self.assertEqual(agent.wait(5), 0)

    def test_comes_back_with_everything_after_ferryd_was_away(self):
        self.start()
        self.fake.wait(lambda: self.fake.domains.get("h1"), 10)
        self.fake.down = True
        before = len(self.fake.reports)
        with self.fake.cond:
            self.fake.domains.clear()
        # It is away for one heartbeat at least.
        deadline = time.monotonic() + 5.5
        while time.monotonic() < deadline:
            with self.fake.cond:
                self.fake.cond.wait(deadline - time.monotonic())
        self.fake.down = False
        self.fake.wait(lambda: any(r[2].get("full") for r in self.fake.reports[before:]), 10,
                       "a full report")
        self.assertEqual(len(self.fake.domains["h1"]), 1)

    def test_second_agent_ends_the_first(self):
        first = self.start()
        self.fake.wait(lambda: self.fake.domains.get("h1"), 10)
        with tempfile.TemporaryDirectory() as other:
            for name in ("agent.key", "agent.crt", "ca.crt"):
                pathlib.Path(other, name).write_text("-----BEGIN NOTHING-----\n")
            second = self.start(other)
            self.fake.wait(lambda: self.fake.epochs.get("h1") == 2, 10)
            self.assertEqual(first.wait(15), 1)
            second.kill()
            second.wait()

    def test_second_agent_on_one_state_directory_is_refused(self):
        first = self.start()
        self.fake.wait(lambda: self.fake.domains.get("h1"), 10)
        second = self.start(stderr=subprocess.PIPE)
        self.assertEqual(second.wait(10), 1)
        said = second.stderr.read()
        second.stderr.close()
        self.assertIn(f"(pid {first.pid})", said)
        self.assertEqual(self.fake.epochs["h1"], 1)
        self.assertIsNone(first.poll())
        first.kill()
        first.wait()
        self.start()  # nothing is left that would have to be removed by hand
        self.fake.wait(lambda: self.fake.epochs.get("h1") == 2, 10)

    def test_deleted_node_says_so_and_does_not_hammer(self):
        said = "node h1 was deleted at some time; join again with a new token"
        self.fake.refuse = said
        agent = self.start(stderr=subprocess.PIPE)
        time.sleep(6)
        agent.kill()
        agent.wait()
        text = agent.stderr.read()
        agent.stderr.close()
        self.assertLessEqual(self.fake.refused, 4)
        self.assertGreaterEqual(self.fake.refused, 1)
        self.assertIn(said, text)
        self.assertNotIn("another agent", text)

    def test_bad_usage(self):
        for args in ([], ["--server", "https://x"], ["--server", "x", "--node", "n", "more"],
                     ["--nonsense"], ["--server", "https://x", "--node", "n", "--log-level", "loud"],
                     ["--server", "https://x", "--node", "n",
                      "--migration-progress-timeout", "-1"]):
            run = subprocess.run([AGENT, *args], capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, 2, args)
            self.assertIn("ferry-agentd: ", run.stderr)

    def test_trust_takes_its_wish_first(self):
        """systemd starts it again at once as long as the file is there, also where it cannot do anything."""
        wish = pathlib.Path(self.dir.name, "trust-wanted")
        wish.touch()
        run = subprocess.run([AGENT, "trust", "--no-such-option"], capture_output=True, text=True, check=False,
                             env={**os.environ, "STATE_DIRECTORY": self.dir.name}, timeout=30)
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertFalse(wish.exists())

    def test_join_needs_a_token_for_this_node(self):
        with tempfile.TemporaryDirectory() as state:
            base = [AGENT, "--server", "https://127.0.0.1:1", "--node", "h1", "--state-dir", state]
            for extra, word in (([], "token create --node h1"), (["--token", "rubbish"], "malformed"),
                                (["--token", f"ferry.{'0' * 64}.h2.abc"], '"h2"')):
                run = subprocess.run(base + extra, capture_output=True, text=True, check=False,
                                     timeout=10)
                self.assertEqual(run.returncode, 1)
                self.assertIn(word, run.stderr)


if __name__ == "__main__":
    unittest.main()
