# SPDX-License-Identifier: Apache-2.0
"""ferry rollout from outside: against a scripted server, and against the API with controllers, hosts that do
what they are told, and a process that is killed in the middle.

usage: test_rollout.py FERRY API_TEST_SERVER
"""
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from scripted_server import failure
from test_program import FERRY, Program

SERVER = sys.argv[2]
ROLLOUTS = "/apis/ferry.migration/v1/rollouts"
PATIENCE = 60 * float(os.environ.get("FERRY_PATIENCE", 1))


def rollout(phase, *hosts, name="r", **spec):
    listed = [{"nodeName": n, "phase": p, "since": f"2026-01-01T00:00:{i:02}Z", **({"message": m} if m else {})}
              for i, (n, p, m) in enumerate(hosts)]
    return {"apiVersion": "ferry.migration/v1", "kind": "Rollout",
            "metadata": {"name": name, "uid": "u", "resourceVersion": "1"}, "spec": spec,
            "status": {"phase": phase, "hosts": listed, "total": len(hosts),
                       "done": sum(p == "Succeeded" for _, p, _ in hosts)}}


class Scripted(Program):
    def setUp(self):
        super().setUp()
        self.states = [rollout("Running", ("h1", "Emptying", "2 VMs run there"), ("h2", "Queued", None)),
                       rollout("Running", ("h1", "Empty", "no VM runs there"), ("h2", "Queued", None)),
                       rollout("Succeeded", ("h1", "Succeeded", "done"), ("h2", "Succeeded", "done"))]
        self.route(f"POST {ROLLOUTS}", (201, rollout("Pending")))
        self.route(f"GET {ROLLOUTS}/r", lambda *_: (200, self.states.pop(0) if len(self.states) > 1
                                                   else self.states[0]))
        self.route(f"GET {ROLLOUTS}", (200, {"items": [rollout("Succeeded", ("h1", "Succeeded", None), name="old"),
                                                      self.states[1]]}))

    def asked(self, method):
        return [(path.split("?")[0], body) for m, path, body in self.server.asked if m == method]

    def test_follows_to_the_end(self):
        done = self.run_ferry("rollout", "start", "-l", "rack=a", "--max-unavailable", "2")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.splitlines(), [
            "h1: Emptying: 2 VMs run there", "h1: Empty: no VM runs there", "h1: Succeeded: done",
            "h2: Succeeded: done", "r: all 2 hosts are done."])
        self.assertEqual(self.asked("POST")[0][1]["spec"], {"selector": "rack=a", "maxUnavailable": 2})

    def test_words(self):
        self.assertEqual(self.run_ferry("rollout", "begin").returncode, 2)
        self.assertEqual(self.run_ferry("rollout", "start", "h1").returncode, 2)
        self.assertEqual(self.run_ferry("rollout", "done").returncode, 2)
        for bad in ("0", "many", "10001"):
            self.assertEqual(self.run_ferry("rollout", "start", "--max-unavailable", bad).returncode, 2)
        self.assertEqual(self.server.asked, [])

    def test_refused(self):
        self.route(f"POST {ROLLOUTS}", failure(409, "Conflict", "node \"h1\" is in rollout \"q\" already"))
        done = self.run_ferry("rollout", "start")
        self.assertEqual(done.returncode, 3)
        self.assertIn("in rollout \"q\" already", done.stderr)

    def test_status_shows_the_one_under_way(self):
        done = self.run_ferry("rollout", "status")
        self.assertEqual(done.stdout.splitlines(), [
            "r: Running, 0 of 2 hosts are done", "  h1: Empty: no VM runs there", "  h2: Queued"])

    def test_done(self):
        self.route(f"PUT {ROLLOUTS}/r/done", (200, self.states[1]))
        done = self.run_ferry("rollout", "done", "h1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.asked("PUT"), [(f"{ROLLOUTS}/r/done", {"nodeName": "h1"})])
        self.assertIn("there is no rollout with host h9", self.run_ferry("rollout", "done", "h9").stderr)
        self.route(f"PUT {ROLLOUTS}/r/done", failure(409, "Conflict", "2 VMs run on h1 yet"))
        early = self.run_ferry("rollout", "done", "h1")
        self.assertEqual(early.returncode, 3)
        self.assertIn("2 VMs run on h1 yet", early.stderr)

    def test_stop_and_resume(self):
        self.route(f"PATCH {ROLLOUTS}/r", (200, rollout("Paused")))
        self.assertIn("r is stopped", self.run_ferry("rollout", "stop").stdout)
        self.assertEqual(self.run_ferry("rollout", "resume", "--no-wait").stdout, "r\n")
        self.assertEqual([body for _, body in self.asked("PATCH")],
                         [{"spec": {"paused": True}}, {"spec": {"paused": False}}])

    def test_hook_runs_once_for_an_empty_host(self):
        self.states[1:1] = [self.states[1]] * 3
        self.route(f"PUT {ROLLOUTS}/r/done", (200, self.states[1]))
        done = self.run_ferry("rollout", "start", "--command", "echo \"on $1 $FERRY_HOST\"")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("on h1 h1\n"), 1)
        self.assertEqual(self.asked("PUT"), [(f"{ROLLOUTS}/r/done", {"nodeName": "h1"})])

    def test_a_hook_that_fails_stops_it(self):
        self.states.insert(1, self.states[1])
        self.route(f"PATCH {ROLLOUTS}/r", (200, rollout("Paused")))
        done = self.run_ferry("rollout", "start", "--command", "exit 7")
        self.assertEqual(done.returncode, 1)
        self.assertIn("the hook failed for h1 (exit code 7); h1 stays empty and cordoned, and the rollout is "
                      "stopped", done.stderr)
        self.assertEqual(self.asked("PATCH"), [(f"{ROLLOUTS}/r", {"spec": {"paused": True}})])
        self.assertEqual(self.asked("PUT"), [])

    def test_a_host_that_is_not_empty_any_more(self):
        """The server says so; its hook is run again when it is empty again."""
        again = rollout("Running", ("h1", "Empty", None), ("h2", "Queued", None))
        again["status"]["hosts"][0]["since"] = "2026-01-01T00:05:00Z"
        self.states[1:2] = [self.states[1]] * 2 + [again] * 2
        answers = [failure(409, "Conflict", "1 VMs run on h1\x1b yet"), (200, again)]
        self.route(f"PUT {ROLLOUTS}/r/done", lambda *_: answers.pop(0))
        done = self.run_ferry("rollout", "start", "--command", "echo \"on $1\"")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, "1 VMs run on h1[^\x1b]* yet")
        self.assertNotIn("\x1b", done.stderr)  # a server's text must not drive the terminal
        self.assertEqual(done.stdout.count("on h1\n"), 2)


    def test_a_hook_runs_on_what_is_so_now(self):
        """Two are empty; while the first one's hook runs, the second one is left, stopped or entered again."""
        def both(phase="Empty", since=None, **spec):
            state = rollout("Running", ("h1", "Empty", None), ("h2", phase, None), **spec)
            if since:
                state["status"]["hosts"][1]["since"] = since
            return state
        self.route(f"PUT {ROLLOUTS}/r/done", (200, both()))
        for now in (both("Emptying"), both(paused=True), both(since="2026-01-01T01:00:00Z")):
            self.states = [both(), both(), both(), now, rollout("Succeeded", ("h1", "Succeeded", None))]
            done = self.run_ferry("rollout", "start", "--command", "echo \"on $1\"")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual((done.stdout.count("on h1\n"), done.stdout.count("on h2\n")), (1, 0))


class Killed(unittest.TestCase):
    """Two hosts and five VMs; the server is killed (KILL) while a host is looked at, and while one is emptied."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ferry-rollout-")
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)
        self.env = {**os.environ, "FERRY_KUBECONFIG": str(self.dir / "state/admin.kubeconfig"), "HOME": folder.name}
        self.server = self.client = None
        self.addCleanup(self.end)
        url = self.begin("127.0.0.1:0")
        self.address = url.removeprefix("https://").strip("/")

    def begin(self, address):
        self.server = subprocess.Popen(
            [SERVER, str(self.dir / "state"), "--agents", "--vms=3", f"--store={self.dir}/store.db",
             f"--listen={address}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self.server.stdout.readline().strip()

    def end(self):
        for process in (self.client, self.server):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        for process in (self.client, self.server):
            for stream in (process.stdin, process.stdout, process.stderr) if process else ():
                if stream:
                    with contextlib.suppress(OSError):
                        stream.close()

    def kill_and_begin_again(self):
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        self.server.stdin.close()
        self.server.stdout.close()
        self.assertIn(self.address, self.begin(self.address))

    def ferry_json(self, *args):
        done = subprocess.run([FERRY, *args, "-o", "json"], env=self.env, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def await_phase(self, host, *phases):
        """Until the host is in one of these; which it may have left again soon."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            state = self.ferry_json("rollout", "status")
            for entry in state.get("status", {}).get("hosts", []):
                if entry["nodeName"] == host and entry["phase"] in phases:
                    return
            time.sleep(0.05)
        self.fail(f"{host} is never {phases}: {state}")

    def test_goes_on_after_a_kill(self):
        hook = f'"{FERRY}" get vmi -A -o json >"{self.dir}/at-$1.json" && echo "$1" >>"{self.dir}/hooks"'
        self.client = subprocess.Popen(
            [FERRY, "rollout", "start", "-l", "kubernetes.io/hostname in (h1,h2)", "--command", hook],
            env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.await_phase("h2", "Verifying")
        self.kill_and_begin_again()
        self.await_phase("h1", "Emptying", "Empty", "Verifying", "Succeeded")
        self.kill_and_begin_again()
        out, err = self.client.communicate(timeout=3 * PATIENCE)
        self.assertEqual(self.client.returncode, 0, out + err)
        self.assertIn("all 2 hosts are done", out)
        self.assertEqual(Path(self.dir, "hooks").read_text().split(), ["h2", "h1"])
        for host in ("h1", "h2"):
            seen = json.loads(Path(self.dir, f"at-{host}.json").read_text())["items"]
            there = [vm["metadata"]["name"] for vm in seen if vm["status"]["phase"] == "Running"
                     and vm["status"].get("nodeName") == host]
            self.assertEqual(there, [], f"{host} was not empty when its hook was run")
        nodes = self.ferry_json("get", "nodes")["items"]
        self.assertEqual([n["spec"] for n in nodes if n["spec"].get("unschedulable") or n["spec"].get("taints")], [])
        self.assertEqual(self.ferry_json("get", "evacuations")["items"], [])
        running = [vm for vm in self.ferry_json("get", "vmi", "-A")["items"] if vm["status"]["phase"] == "Running"]
        self.assertEqual(len(running), 5)


def load_tests(loader, _tests, _pattern):
    """Without those of the class that this one is made from."""
    return unittest.TestSuite(case(name) for case in (Scripted, Killed)
                              for name in loader.getTestCaseNames(case) if name in vars(case))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
