# SPDX-License-Identifier: Apache-2.0
"""ferry drain from outside, against a scripted server: what it prints, its deadline, and Ctrl-C; and ferry report.

usage: test_drain.py FERRY
"""
import json
import os
import pty
import sys
import threading
import unittest

from test_program import FERRY, STATE, VMIM, Program, migration

EVACUATIONS = "/apis/ferry.migration/v1/evacuations"


def evacuation(phase, version, *vms):
    listed = [{"namespace": "default", "name": n, "phase": p, **({"message": m} if m else {})}
              for n, p, m in vms]
    return {"apiVersion": "ferry.migration/v1", "kind": "Evacuation",
            "metadata": {"name": "drain-1", "uid": "u", "resourceVersion": str(version)},
            "spec": {"nodeName": "h1"},
            "status": {"phase": phase, "vms": listed, "total": len(vms),
                       "moved": sum(p == "Moved" for _, p, _ in vms)}}


BEGUN = evacuation("Running", 1, ("a", "Queued", None), ("b", "Queued", None))


class Drain(Program):
    def setUp(self):
        super().setUp()
        self.ended = threading.Event()
        self.addCleanup(self.ended.set)
        self.route(f"GET {EVACUATIONS}", (200, {"items": []}))
        self.route(f"POST {EVACUATIONS}", (201, BEGUN))

    def hold(self):
        def watch(handler, body):
            handler.begin_stream()
            handler.event(("MODIFIED", evacuation("Running", 2, ("a", "Moved", "it runs on h2"),
                                                  ("b", "Running", None))))
            self.ended.wait(20)
        self.route(f"WATCH {EVACUATIONS}", watch)

    def test_prints_how_each_ended(self):
        self.route(f"WATCH {EVACUATIONS}", [
            ("MODIFIED", evacuation("Running", 2, ("a", "Running", None), ("b", "Queued", None))),
            ("MODIFIED", evacuation("Running", 3, ("a", "Moved", "it runs on h2"), ("b", "Running", None))),
            ("MODIFIED", evacuation("Running", 4, ("a", "Moved", "it runs on h2"),
                                    ("b", "Retrying", "the target was full"))),
            ("MODIFIED", evacuation("Succeeded", 5, ("a", "Moved", "it runs on h2"),
                                    ("b", "Moved", "it runs on h3")))])
        done = self.run_ferry("drain", "h1")
        lines = [line.split("s  ", 1)[1] for line in done.stdout.splitlines()[:3]]
        self.assertEqual(lines, ["[1/2] a: Moved: it runs on h2", "[1/2] b: Retrying: the target was full",
                                 "[2/2] b: Moved: it runs on h3"])
        self.assertIn("h1 is empty: 2 VMs moved", done.stdout)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_deadline(self):
        self.hold()
        done = self.run_ferry("drain", "h1", "--timeout", "500ms")
        self.assertEqual(done.returncode, 1)
        self.assertIn("h1 is not empty after 500ms: 1 of 2 VMs have moved", done.stderr)
        self.assertIn("* b: Running", done.stderr)
        for bad in ("soon", "-1s", ""):
            self.assertEqual(self.run_ferry("drain", "h1", "--timeout", bad).returncode, 2)

    def test_dry_run(self):
        """Where each would go and why one stays, asked with dryRun and nothing else."""
        plan = evacuation("Pending", 0, ("a", "Queued", None), ("b", "Failed", "it has a host device; h3 is full"),
                          ("c", "Running", "a migration of it is under way already"))
        plan["status"]["failed"] = 1
        for vm in (plan["status"]["vms"][0], plan["status"]["vms"][2]):
            vm["target"] = "h2"
        self.route(f"POST {EVACUATIONS}", (201, plan))
        done = self.run_ferry("drain", "h1", "--dry-run")
        self.assertEqual((done.returncode, done.stderr), (3, ""))
        self.assertEqual(done.stdout.splitlines(), [
            "  a -> h2", "  b stays: it has a host device; h3 is full",
            "  c -> h2: a migration of it is under way already",
            "2 of 3 VMs can leave h1. Nothing was changed."])
        self.assertEqual([(m, p.split("?")[1]) for m, p, _ in self.server.asked if m != "GET"],
                         [("POST", "fieldValidation=Strict&dryRun=All")])

    def test_deadline_of_the_evacuation(self):
        """It is in what is asked for, or put into what is under way; a warning of the server's is shown."""
        plan = evacuation("Pending", 0, ("a", "Queued", None))
        plan["status"]["vms"][0].update(target="h2", bytes=1 << 30, forecastMs=9000)
        plan["status"]["plan"] = {"bytes": 1 << 30, "boundMs": 8000, "boundBy": "the link out of h1",
                                  "forecastMs": 9000}
        asked = []

        def made(_handler, body):
            asked.append(body["spec"].get("deadline"))
            return 201, plan
        self.route(f"POST {EVACUATIONS}", made)
        done = self.run_ferry("drain", "h1", "--dry-run", "--deadline", "2031-01-02T03:04:05Z")
        self.assertEqual(done.stdout.splitlines(), [
            "  a -> h2 (1.0 GiB, by 9.0 s)",
            "1.0 GiB to move, in about 9.0 s; no order takes less than 8.0 s (the link out of h1).",
            "1 of 1 VMs can leave h1. Nothing was changed."])
        self.run_ferry("drain", "h1", "--no-wait", "--deadline", "02:00")
        self.assertEqual(asked[0], "2031-01-02T03:04:05Z")
        self.assertRegex(asked[1], r"T\d\d:00:00Z$")
        self.route(f"GET {EVACUATIONS}", (200, {"items": [BEGUN]}))
        self.route(f"PATCH {EVACUATIONS}/drain-1", lambda _h, body: (asked.append(body), (200, BEGUN))[1])
        self.run_ferry("drain", "h1", "--no-wait", "--deadline", "2031-01-02T03:04:05Z")
        self.assertEqual(asked[2:], [{"spec": {"deadline": "2031-01-02T03:04:05Z"}}])
        self.assertEqual(self.run_ferry("drain", "h1", "--deadline", "soon").returncode, 2)
        for words in (("drain", "h1", "--deadline"), ("migrate", "db", "--at")):
            passed = self.run_ferry(*words, "2020-01-02T04:04:05+01:00")
            self.assertEqual(passed.returncode, 2)
            self.assertIn("is 2020-01-02T03:04:05Z, which has passed: it is 2", passed.stderr)

    def test_several_hosts(self):
        """All are asked for before any is looked at; each one's end is told, and the worst is the exit code."""
        def made(_handler, body):
            host = body["spec"]["nodeName"]
            self.route(f"GET {EVACUATIONS}/drain-{host}", (200, self.of_host(host, "Succeeded" if host == "h1" else
                                                                             "Failed")))
            return 201, self.of_host(host, "Running")
        self.route(f"POST {EVACUATIONS}", made)
        done = self.run_ferry("drain", "h1", "h2")
        self.assertEqual(done.returncode, 1)
        self.assertIn("h1 is empty: 1 VM moved", done.stdout)
        self.assertIn("h2 is not empty: 0 of 1 VMs have moved", done.stderr)
        self.assertIn("* of-h2: Failed: it has a host device", done.stderr)
        asked = [(m, p.split("?")[0]) for m, p, _ in self.server.asked if (m, p.split("?")[0]) != ("GET", EVACUATIONS)]
        self.assertEqual([m for m, _ in asked[:2]], ["POST", "POST"])
        names = self.run_ferry("drain", "h1", "h2", "--no-wait")
        self.assertEqual((names.returncode, names.stdout), (0, "drain-h1\ndrain-h2\n"))
        for options in (("--dry-run",), ("-o", "json")):
            self.assertEqual(self.run_ferry("drain", "h1", "h2", *options).returncode, 2)

    def test_several_hosts_have_a_deadline(self):
        self.route(f"POST {EVACUATIONS}", lambda _h, body: (201, self.of_host(body["spec"]["nodeName"], "Running")))
        for host in ("h1", "h2"):
            self.route(f"GET {EVACUATIONS}/drain-{host}", (200, self.of_host(host, "Running")))
        done = self.run_ferry("drain", "h1", "h2", "--timeout", "300ms")
        self.assertEqual(done.returncode, 1)
        for host in ("h1", "h2"):
            self.assertIn(f"{host} is not empty after 300ms", done.stderr)

    @staticmethod
    def of_host(host, phase):
        vm = {"Running": ("Running", None), "Succeeded": ("Moved", "it runs on h3"),
              "Failed": ("Failed", "it has a host device")}[phase]
        made = evacuation(phase, 1, (f"of-{host}", *vm))
        made["metadata"]["name"], made["spec"]["nodeName"] = f"drain-{host}", host
        return made

    def on_terminal_asked(self, answer):
        self.hold()
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(FERRY, [FERRY, "drain", "h1"], {**self.env, "TERM": "xterm"})
        self.addCleanup(os.close, fd)
        seen = self.read_until(fd, "h1: 1 of 2 moved, 1 moving, 0 waiting")
        os.write(fd, b"\x03")
        seen = self.read_until(fd, "go on watching (w)?", seen)
        os.write(fd, answer)
        return pid, fd

    def test_ctrl_c_leaves_it(self):
        pid, fd = self.on_terminal_asked(b"l\n")
        self.read_until(fd, "The evacuation drain-1 goes on")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 130)
        self.assertNotIn("DELETE", [a[0] for a in self.server.asked])

    def test_ctrl_c_ends_it(self):
        self.route("PATCH /api/v1/nodes/h1", (200, {}))
        self.route(f"DELETE {EVACUATIONS}/drain-1", (200, {}))
        self.route(f"GET {EVACUATIONS}", lambda *_: (200, {"items": [BEGUN] if ("POST", EVACUATIONS) in [
            (a[0], a[1].split("?")[0]) for a in self.server.asked] else []}))
        pid, fd = self.on_terminal_asked(b"e\n")
        self.read_until(fd, "h1 takes VMs again; its evacuation has ended")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 130)
        self.assertIn("DELETE", [a[0] for a in self.server.asked])


class Report(Program):
    def test_report(self):
        """Everything in one document, without addresses; what cannot be had is said in its place."""
        item = migration("Failed", 7, migrationState=STATE, message="10.0.0.2 did not answer")
        self.route(f"GET {VMIM}", (200, {"metadata": {}, "items": [item]}))
        self.route("GET /api/v1/nodes/h1", (200, {"metadata": {"name": "h1"}, "status": {
            "addresses": [{"type": "InternalIP", "address": "10.0.0.2"}], "nodeInfo": {"machineID": "f00"}}}))
        self.route("GET /version", (200, {"ferryVersion": "v9"}))
        self.route("GET /api/v1/namespaces/default/events", (200, {"items": [{"message": "to 10.0.0.2"}]}))
        done = self.run_ferry("report", "db-abcde", "-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("10.0.0.2", done.stdout)
        self.assertNotIn("f00", done.stdout)
        report = json.loads(done.stdout)
        self.assertEqual(report["migration"]["status"]["message"], "ip-1 did not answer")
        self.assertEqual(report["source"]["status"]["addresses"][0]["address"], "ip-1")
        self.assertEqual(report["vmEvents"], [{"message": "to ip-1"}])
        self.assertIn("no route", report["target"])
        self.assertEqual(report["server"], {"ferryVersion": "v9"})


def load_tests(loader, _tests, _pattern):
    """Without those of the class that this one is made from."""
    return unittest.TestSuite(case(name) for case in (Drain, Report)
                              for name in loader.getTestCaseNames(case) if name in vars(case))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
