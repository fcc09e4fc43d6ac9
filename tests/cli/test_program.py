# SPDX-License-Identifier: Apache-2.0
"""The program from outside: arguments, output and exit codes, against a scripted server.

usage: test_program.py FERRY
The server speaks plain HTTP and answers from what the test says; nothing is measured here but what
ferry asks and prints.
"""
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from urllib.parse import unquote

from scripted_server import Server, failure

FERRY = sys.argv[1]
DEADLINE = 20
VMIM = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations"


def migration(phase, version, **status):
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstanceMigration",
        "metadata": {"name": "db-abcde", "namespace": "default", "uid": "u1",
                     "resourceVersion": str(version)},
        "spec": {"vmiName": "db"},
        "status": {"phase": phase, **status},
    }


STATE = {"sourceNode": "h1", "targetNode": "h2", "network": "fast",
         "targetNodeAddress": "10.0.0.2"}


class Program(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.stop)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.config = os.path.join(self.folder, "kubeconfig")
        with open(self.config, "w", encoding="utf-8") as f:
            json.dump({
                "apiVersion": "v1", "kind": "Config", "current-context": "c",
                "clusters": [{"name": "c", "cluster": {"server": self.server.url}}],
                "users": [{"name": "u", "user": {}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}, f)
        self.env = {"PATH": os.environ["PATH"], "HOME": self.folder, "LC_ALL": "C.UTF-8",
                    "FERRY_KUBECONFIG": self.config}

    def run_ferry(self, *args, **kwargs):
        return subprocess.run([FERRY, *args], capture_output=True, text=True, env=self.env,
                              timeout=DEADLINE, **kwargs)

    def route(self, key, answer):
        self.server.routes[key] = answer

    # -- usage

    def test_usage(self):
        for args, word in [
            ([], "Usage:"), (["migrat"], 'did you mean "migrate"?'), (["migrate"], "needs VM"),
            (["resolve", "a", "b"], "one word too many"),
            (["migrate", "a", "-l", "b=c"], "leave names out"), (["migrate", "a", "b", "c", "-o", "json"], "of one VM"), (["get", "--bogus"], "--bogus"),
            (["get", "vmi", "-o", "xml"], "not one of"), (["get", "vmx"], "there is no kind"),
            (["host", "remove", "h9"], "is neither add nor trust"), (["host", "add"], "host add needs NAME"), (["host", "trust", "h1", "-o", "json"], "-o goes with"), (["host", "add", "h9", "--new-keys"], "goes with trust"), (["host", "add", "h9", "--ssh=-oProxyCommand=true"], "not an option of ssh"), (["get", "vm", "db", "--field-selector", "a=b"], "leave names"),
            (["migrate", "db", "--max-downtime", "0"], "from 1 to 2000000"),
            (["migrate", "db", "--max-downtime", "1 s"], "milliseconds"),
            (["migrate", "db", "--bandwidth", "fast"], "a rate such as 64Mi"),
            (["label", "vmi", "db"], "nothing to change"), (["apply"], "needs -f"),
            (["delete", "vmi"], "names or -l"), (["get", "vmi,nodes", "-w"], "--watch"),
        ]:
            with self.subTest(args=args):
                done = self.run_ferry(*args)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(word, done.stderr)
                self.assertEqual(done.stdout, "")
        self.assertEqual(self.server.asked, [])

    def test_trust_is_said_anew(self):
        """With a time of its own, and what the agent says does not drive the terminal."""
        said, opened = [], []
        self.route("PATCH /api/v1/nodes/h1", lambda handler, body: said.append(body) or (200, {}))
        self.route("POST /apis/ferry.migration/v1/nodes/h1/newkeys", lambda handler, body: opened.append(body) or (200, {}))
        self.route("GET /api/v1/nodes/h1", (200, {"status": {"hypervisor": {"peer": {"scheme": "tls\x1b[2J"}}}}))
        for more in ([], ["--new-keys"]):
            done = self.run_ferry("host", "trust", "h1", *more)
            self.assertEqual((done.returncode, "\x1b" in done.stdout), (0, False), done.stderr)
        self.assertTrue(all(body["spec"]["trust"] is True for body in said))
        self.assertEqual((len(opened), len({body["spec"]["trustSaid"] for body in said})), (1, 2))

    def test_all_bad_options_at_once(self):
        done = self.run_ferry("migrate", "vm", "--parallel-connections", "999",
                              "--auto-converge-initial", "x", "--tls", "--no-tls")
        self.assertEqual(done.returncode, 2, done.stderr)
        said = [line for line in done.stderr.splitlines() if line.startswith("  * --")]
        self.assertEqual(len(said), 3, done.stderr)
        for option in ("parallel-connections", "auto-converge-initial", "tls and --no-tls"):
            self.assertIn(f"  * --{option}", done.stderr)

    def test_help_and_version(self):
        for args in (["--help"], ["help", "migrate"], ["migrate", "-h"], ["--version"]):
            self.assertEqual(self.run_ferry(*args).returncode, 0, args)

    def test_versions(self):
        self.server.routes["GET /version"] = (200, {"gitVersion": "v1.33.0+ferry",
                                                    "ferryVersion": "v9.8.7"})
        done = self.run_ferry("version")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(os.path.dirname(__file__), "../../meson.build"),
                  encoding="utf-8") as f:
            said = re.search(r"^  version: '([^']+)'", f.read(), re.M).group(1)
        self.assertIn(f"ferry   v{said}\n", done.stdout)
        self.assertIn(f"ferryd  v9.8.7 at {self.server.url}, speaks Kubernetes v1.33.0+ferry\n",
                      done.stdout)

    def test_no_server(self):
        self.server.stop()
        done = self.run_ferry("get", "vmi")
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr.startswith("error: "), done.stderr)

    # -- migrate

    def run_migrate(self, events, *args):
        self.route(f"POST {VMIM}", (201, migration("Pending", 10)))
        self.route(f"WATCH {VMIM}", events)
        return self.run_ferry("migrate", "db", *args)

    def good_events(self):
        return [
            ("MODIFIED", migration("Scheduled", 11, migrationState=STATE)),
            ("MODIFIED", migration("Running", 12, migrationState=STATE,
                                   progress={"percent": 43, "iteration": 2})),
            ("MODIFIED", migration("Succeeded", 13, migrationState=STATE,
                                   summary={"totalMs": 700, "downtimeMs": 9})),
        ]

    def test_migrate(self):
        done = self.run_migrate(self.good_events(), "--to", "h2", "--max-downtime", "50",
                                "--bandwidth", "64Mi", "--post-copy", "--auto-converge",
                                "--network=fast", "--policy=night", "--preset=nova", "--at=2031-01-02T03:04:05Z")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("db moved: h1 → h2", done.stdout)
        self.assertIn("9 ms, as libvirt measured it", done.stdout)
        self.assertIn("Scheduled: h1 → h2 over fast (10.0.0.2)", done.stdout)
        self.assertNotIn("\033", done.stdout)
        self.assertEqual(self.server.asked[0][2], {
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
            "metadata": {"generateName": "db-"},
            "spec": {"vmiName": "db", "targetNode": "h2", "network": "fast", "policy": "night",
                     "preset": "nova", "maxDowntimeMs": 50, "notBefore": "2031-01-02T03:04:05Z",
                     "bandwidthPerMigration": "64Mi", "allowPostCopy": True,
                     "allowAutoConverge": True}})
        # One POST, one watch from where the POST was, on one connection: nothing else costs time.
        self.assertEqual([a[0] for a in self.server.asked], ["POST", "GET"])
        self.assertIn("resourceVersion=10", self.server.asked[1][1])
        self.assertEqual(len(self.server.connections), 1)

    def test_migrate_to_a_host_by_word(self):
        done = self.run_migrate(self.good_events(), "h2", "--bandwidth", "1000")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.server.asked[0][2]["spec"],
                         {"vmiName": "db", "targetNode": "h2", "bandwidthPerMigration": "1000Mi"})
        self.assertIn("note: --bandwidth 1000 is 1000 MiB/s", done.stderr)
        # with --to both words are VMs; one that is none keeps all of them where they are
        self.server.asked.clear()
        self.route("GET /apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances/db", (200, {}))
        twice = self.run_ferry("migrate", "db", "h2", "--to", "h3")
        self.assertEqual(twice.returncode, 1)
        self.assertIn("With several words each is a VM; --to names the host", twice.stderr)
        self.assertNotIn("POST", [a[0] for a in self.server.asked])

    def test_migrate_object_only(self):
        done = self.run_migrate(self.good_events(), "-o", "json")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(json.loads(done.stdout)["status"]["phase"], "Succeeded")

    def test_migrate_no_wait(self):
        for flag in ("--no-wait", "--detach"):
            done = self.run_migrate([], flag)
            self.assertEqual((done.returncode, done.stdout), (0, "db-abcde\n"))

    def test_migrate_fails(self):
        done = self.run_migrate([("MODIFIED", migration(
            "Failed", 11, reason="TargetUnreachable", message="h2 does not answer",
            migrationState={**STATE, "sourceDomainState": "running"}))])
        self.assertEqual(done.returncode, 1)
        self.assertIn("error: db did not move (TargetUnreachable)", done.stderr)
        self.assertIn("It runs on h1 as before.", done.stderr)

    def test_refusals(self):
        message = 'VirtualMachineInstanceMigration.kubevirt.io "db-x" is invalid: [a: b, c: d]'
        causes = [("spec.vmiName", "the VM is off"), ("spec.targetNode", "h2 is not ready")]
        for code, reason, expected in ((422, "Invalid", 3), (409, "Conflict", 3),
                                       (403, "Forbidden", 1), (500, "InternalError", 1)):
            for verb in ("migrate", "check"):
                self.route(f"POST {VMIM}", failure(code, reason, message, causes))
                done = self.run_ferry(verb, "db")
                self.assertEqual(done.returncode, expected, (code, verb, done.stderr))
                self.assertIn("  * spec.vmiName: the VM is off\n", done.stderr)
                self.assertIn("  * spec.targetNode: h2 is not ready\n", done.stderr)

    def test_not_found_says_where(self):
        self.route(f"POST {VMIM}", failure(404, "NotFound", "no such VM"))
        self.route("GET /apis/kubevirt.io/v1/virtualmachineinstances", (200, {"items": [
            {"metadata": {"name": "db", "namespace": "prod", "uid": "1"}, "spec": {}}]}))
        done = self.run_ferry("migrate", "db")
        self.assertEqual(done.returncode, 1)
        self.assertIn("add -n prod", done.stderr)

    def test_check(self):
        self.route(f"POST {VMIM}", (201, migration("Pending", 0)))
        done = self.run_ferry("check", "db", "--to", "h2")
        self.assertEqual((done.returncode, done.stdout), (0, "db can move to h2.\n"))
        self.assertIn("dryRun=All", self.server.asked[0][1])

    def test_check_shows_the_hosts(self):
        made = migration("Pending", 0)
        made.setdefault("status", {})["candidates"] = [
            {"nodeName": "h3", "inbound": 1}, {"nodeName": "h2", "chosen": True, "why": "it is the only one"}]
        self.route(f"POST {VMIM}", (201, made))
        lines = self.run_ferry("check", "db").stdout.splitlines()
        self.assertEqual(lines[0], "db can move.")
        self.assertRegex(lines[2], r"^h2 .*taken: it is the only one")

    def test_check_several(self):
        self.route(f"POST {VMIM}", failure(422, "Invalid", "refused", [
            ("nodes[h2]", "no bridge (BridgeMissing)")]))
        self.route("GET /apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances", (200, {
            "items": [{"metadata": {"name": n, "namespace": "default", "uid": n}, "spec": {}}
                      for n in ("db", "web")]}))
        for words in (("db", "web"), ("--all",), ("-l", "a=b")):
            done = self.run_ferry("check", *words)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("web cannot move:\n  * no bridge (BridgeMissing)\n", done.stdout)
            self.assertIn("0 of 2 can move.\n", done.stdout)
        for words in ((), ("db", "--all"), ("db", "web", "-o", "json")):
            self.assertEqual(self.run_ferry("check", *words).returncode, 2)

    def test_survives_lost_stream_and_expiry(self):
        steps = iter([
            [("MODIFIED", migration("Running", 11, migrationState=STATE))],
            [("ERROR", failure(410, "Expired", "too old resource version")[1])],
            [("MODIFIED", migration("Succeeded", 21, migrationState=STATE))],
        ])

        def watch(handler, body):
            return next(steps)

        self.route(f"GET {VMIM}/db-abcde", (200, migration("Running", 20, migrationState=STATE)))
        done = self.run_migrate(watch)
        self.assertEqual(done.returncode, 0, done.stderr)
        watches = [a[1] for a in self.server.asked if "watch=1" in a[1]]
        self.assertEqual([w.rsplit("=", 1)[1] for w in watches], ["10", "11", "20"])

    def test_survives_restart(self):
        tries = []

        def watch(handler, body):
            tries.append(1)
            if len(tries) == 1:
                handler.begin_stream()
                handler.event(("MODIFIED", migration("Running", 11, migrationState=STATE)))
                handler.connection.close()
                handler.close_connection = True
                return None
            return self.good_events()[2:]

        self.route(f"GET {VMIM}/db-abcde", (200, migration("Running", 12, migrationState=STATE)))
        done = self.run_migrate(watch)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("lost the server", done.stderr)
        self.assertIn("the server is back", done.stderr)

    def hold(self):
        """A watch that sends Running and then waits; sets `watching`."""
        watching, release = threading.Event(), threading.Event()
        self.addCleanup(release.set)

        def watch(handler, body):
            handler.begin_stream()
            handler.event(("MODIFIED", migration("Running", 11, migrationState=STATE)))
            watching.set()
            release.wait(DEADLINE)
            return None

        self.route(f"POST {VMIM}", (201, migration("Pending", 10)))
        self.route(f"WATCH {VMIM}", watch)
        return watching

    def test_interrupt_without_terminal(self):
        watching = self.hold()
        with subprocess.Popen([FERRY, "migrate", "db"], env=self.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self.assertTrue(watching.wait(DEADLINE))
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 130)
        self.assertIn("ferry cancel db-abcde", err)
        self.assertNotIn("PUT", [a[0] for a in self.server.asked])

    def read_until(self, fd, text, seen=""):
        end = time.monotonic() + DEADLINE
        while text not in seen:
            self.assertGreater(end, time.monotonic(), f"no {text!r} in {seen!r}")
            if select.select([fd], [], [], 0.2)[0]:
                try:
                    seen += os.read(fd, 4096).decode(errors="replace")
                except OSError:
                    self.fail(f"ended without {text!r}: {seen!r}")
        return seen

    def on_terminal(self):
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(FERRY, [FERRY, "migrate", "db"], {**self.env, "TERM": "xterm"})
        self.addCleanup(os.close, fd)
        return pid, fd

    def test_interrupt_on_terminal_leaves(self):
        self.hold()
        pid, fd = self.on_terminal()
        self.read_until(fd, "Running")
        os.write(fd, b"\x03")
        self.read_until(fd, "go on watching (w)?")
        os.write(fd, b"l\n")
        self.read_until(fd, "goes on")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)

    def test_interrupt_on_terminal_cancels(self):
        self.hold()

        def cancel(handler, body):
            state = {**STATE, "abortRequested": True, "sourceDomainState": "running"}
            self.route(f"WATCH {VMIM}", [("MODIFIED", migration(
                "Failed", 20, reason="Cancelled", migrationState=state))])
            return 200, migration("Running", 19, migrationState=state)

        self.route(f"PUT {VMIM}/db-abcde/cancel", cancel)
        pid, fd = self.on_terminal()
        self.read_until(fd, "Running")
        os.write(fd, b"\x03")
        self.read_until(fd, "go on watching (w)?")
        os.write(fd, b"c\n")
        self.read_until(fd, "the migration of db was cancelled")
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 1)

    # -- cancel

    def test_cancel(self):
        for phase, put, code, text in (
            ("Failed", None, 0, "cancelled; db stays on h1"),
            ("Succeeded", None, 1, "too late"),
            ("Running", failure(409, "Conflict", "in post-copy"), 3, "in post-copy"),
        ):
            with self.subTest(phase=phase):
                self.route(f"GET {VMIM}", (200, {"items": [migration("Running", 5)]}))
                self.route(f"PUT {VMIM}/db-abcde/cancel", put or (200, migration("Running", 6)))
                self.route(f"WATCH {VMIM}", [("MODIFIED", migration(
                    phase, 7, reason="Cancelled", migrationState=STATE))])
                done = self.run_ferry("cancel", "db")
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(text, done.stdout + done.stderr)

    def test_cancel_ended(self):
        self.route(f"GET {VMIM}", (200, {"items": [migration("Succeeded", 5)]}))
        done = self.run_ferry("cancel", "db-abcde")
        self.assertEqual(done.returncode, 3)
        self.assertIn("has ended already", done.stderr)

    # -- objects

    def vmi(self, name="db", **spec):
        return {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
                "metadata": {"name": name, "namespace": "default", "uid": "77-ab",
                             "labels": {"a": "b"}}, "spec": spec}

    def test_get_by_domain_and_uuid(self):
        base = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances"
        self.route("GET /apis/kubevirt.io/v1/virtualmachineinstances",
                   (200, {"items": [self.vmi(domainName="My DB")]}))
        self.route(f"GET {base}/db", (200, self.vmi(domainName="My DB")))
        for word in ("db", "My DB", "77-AB"):
            done = self.run_ferry("get", "vmi", word, "-o", "name")
            self.assertEqual((done.returncode, done.stdout),
                             (0, "virtualmachineinstance.kubevirt.io/db\n"), done.stderr)
        done = self.run_ferry("get", "vmi", "dc")
        self.assertEqual(done.returncode, 1)
        self.assertIn('did you mean "db"?', done.stderr)

    def test_get_pages(self):
        def answer(handler, body):
            first = "continue=" not in handler.path
            return 200, {"metadata": {"continue": "next" if first else ""},
                         "items": [self.vmi("a" if first else "b")]}

        self.route("GET /apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances", answer)
        done = self.run_ferry("get", "vmi", "-o", "json")
        items = json.loads(done.stdout)["items"]
        self.assertEqual([i["metadata"]["name"] for i in items], ["a", "b"])

    def test_label(self):
        path = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances/db"
        self.route(f"GET {path}", (200, self.vmi()))
        self.route(f"PATCH {path}", (200, self.vmi()))
        done = self.run_ferry("label", "vmi", "db", "x=y", "old-")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.server.asked[-1][2],
                         {"metadata": {"labels": {"x": "y", "old": None}}})
        done = self.run_ferry("label", "vmi", "db", "a=c")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--overwrite", done.stderr)
        self.assertEqual(self.run_ferry("label", "vmi", "db", "a=c", "--overwrite").returncode, 0)

    def event(self, name, time, message):
        return {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "default"},
                "type": "Normal", "reason": "Moved", "message": message, "lastTimestamp": time,
                "firstTimestamp": time, "count": 1,
                "involvedObject": {"kind": "VirtualMachineInstance", "name": "db",
                                   "namespace": "default"}}

    def with_events(self):
        self.route("GET /apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances/db",
                   (200, self.vmi()))
        self.route("GET /api/v1/namespaces/default/events",
                   (200, {"items": [self.event("late", "2026-01-01T00:00:09Z", "second words"),
                                    self.event("early", "2026-01-01T00:00:01Z", "first words")]}))

    def asked_for_events(self):
        return [unquote(path) for _, path, _ in self.server.asked if "/events" in path]

    ABOUT = "involvedObject.kind=VirtualMachineInstance,involvedObject.name=db"

    def test_describe(self):
        """The object, then its events in the order of their times; several one below the other."""
        self.with_events()
        done = self.run_ferry("describe", "vmi", "db")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?s)^Name: +db\n.*Kind: +VirtualMachineInstance \(kubevirt"
                                      r".*Events:.*first words.*second words")
        self.assertIn(self.ABOUT, self.asked_for_events()[0])
        done = self.run_ferry("describe", "vmi/db", "vmi/db")
        self.assertEqual(len(re.findall(r"(?m)^Name: +db$", done.stdout)), 2)
        done = self.run_ferry("describe", "vmi/db", "vmi/gone")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"^Name: +db\n")  # what is there is shown all the same
        self.assertEqual(self.run_ferry("describe", "vmx", "db").returncode, 2)

    def test_events(self):
        self.with_events()
        done = self.run_ferry("events", "--for", "vmi/db", "-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([e["message"] for e in json.loads(done.stdout)["items"]],
                         ["first words", "second words"])
        self.assertIn(self.ABOUT, self.asked_for_events()[0])
        self.assertEqual(self.run_ferry("events", "--for", "vmi").returncode, 2)
        self.route("GET /api/v1/namespaces/default/events", (200, {"items": []}))
        done = self.run_ferry("events", "--for", "vmi/db")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn("No events about vmi/db", done.stderr)

    def test_freeze(self):
        """The KubeVirt object gets spec.freeze, and is made where there is none."""
        all_ = "/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts"
        self.route(f"PATCH {all_}/kubevirt", failure(404, "NotFound", "there is none"))
        self.route(f"POST {all_}", lambda handler, body: (201, body))
        done = self.run_ferry("freeze", "two copies seen")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("nothing new starts", done.stdout)
        self.assertEqual(self.server.asked[-1][2]["spec"], {"freeze": {"reason": "two copies seen"}})
        done = self.run_ferry("unfreeze")  # nothing is frozen where there is no object
        self.assertEqual((done.returncode, self.server.asked[-1][0]), (0, "PATCH"), done.stderr)
        self.route(f"PATCH {all_}/kubevirt", lambda handler, body: (200, body))
        for words, freeze in ((("freeze",), {}), (("unfreeze",), None)):
            done = self.run_ferry(*words)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.server.asked[-1][::2], ("PATCH", {"spec": {"freeze": freeze}}))
        self.route(f"PATCH {all_}/kubevirt", failure(403, "Forbidden", "you may not"))
        for verb in ("freeze", "unfreeze"):
            done = self.run_ferry(verb)
            self.assertEqual(done.returncode, 1, verb)
            self.assertIn("you may not", done.stderr)

    def test_apply_creates_then_leaves_alone(self):
        kind = "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies"
        text = ("apiVersion: migrations.kubevirt.io/v1alpha1\nkind: MigrationPolicy\n"
                "metadata:\n  name: p\nspec:\n  allowPostCopy: true\n")
        kept = {}

        def create(handler, body):
            kept.update(body)
            return 201, body

        self.route(f"POST {kind}", create)
        done = self.run_ferry("apply", "-f", "-", input=text)
        self.assertEqual(done.stdout, "migrationpolicy.migrations.kubevirt.io/p created\n",
                         done.stderr)
        self.route(f"GET {kind}/p", (200, kept))
        done = self.run_ferry("apply", "-f", "-", input=text)
        self.assertEqual(done.stdout, "migrationpolicy.migrations.kubevirt.io/p unchanged\n")
        self.route(f"PATCH {kind}/p", (200, kept))
        done = self.run_ferry("apply", "-f", "-", input=text.replace("true", "false"))
        self.assertEqual(done.stdout, "migrationpolicy.migrations.kubevirt.io/p configured\n")
        self.assertIs(self.server.asked[-1][2]["spec"]["allowPostCopy"], False)

    def test_delete_waits(self):
        path = f"{VMIM}/db-abcde"
        going = migration("Running", 9)
        going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        gets = iter([(200, going), (200, going), failure(404, "NotFound", "gone")])
        self.route(f"DELETE {path}", (200, going))
        self.route(f"GET {path}", lambda handler, body: next(gets))
        done = self.run_ferry("delete", "vmim", "db-abcde")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.server.asked), 4)

    def kept(self):
        """A migration that its finalizer keeps for ever."""
        path = f"{VMIM}/db-abcde"
        going = migration("Running", 9)
        going["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z",
                              "finalizers": ["x.y/one", "x.y/two"]}
        self.route(f"DELETE {path}", (200, going))
        self.route(f"GET {path}", (200, going))

    def test_delete_says_what_it_waits_for(self):
        self.kept()
        done = self.run_ferry("delete", "vmim", "db-abcde", "--timeout", "1500ms")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("waits for finalizers x.y/one, x.y/two\n", done.stderr)
        self.assertIn("still there: it waits for finalizers x.y/one, x.y/two", done.stderr)
        self.assertEqual(self.run_ferry("delete", "vmim", "x", "--timeout", "soon").returncode, 2)

    def test_delete_is_interrupted(self):
        self.kept()
        with subprocess.Popen([FERRY, "delete", "vmim", "db-abcde"], env=self.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            self.assertIn("waits for", process.stderr.readline())
            process.send_signal(signal.SIGINT)
            self.assertIn("still there", process.communicate(timeout=DEADLINE)[1])
            self.assertEqual(process.returncode, 130)

    def test_revoke_claims_nothing(self):
        """A server that only marks the user: that is no revocation."""
        self.route("DELETE /apis/ferry.migration/v1/users/eve",
                   (200, {"kind": "User", "metadata": {"name": "eve", "finalizers": ["x.y/z"],
                                                       "deletionTimestamp": "2026-01-01T00:00:00Z"}}))
        done = self.run_ferry("user", "revoke", "eve")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "")
        self.assertIn("not revoked: ", done.stderr)
        self.assertIn("finalizers x.y/z", done.stderr)

    def test_bad_files(self):
        for text, word in (("a: [", "line"), ("", "no object"), ("kind: X\n", "apiVersion"),
                           ("apiVersion: v1\nkind: Secret\nmetadata: {}\n", "no kind")):
            done = self.run_ferry("create", "-f", "-", input=text)
            self.assertEqual(done.returncode, 1, text)
            self.assertIn(word, done.stderr)

    # -- top

    ALL = "/apis/kubevirt.io/v1/virtualmachineinstancemigrations"

    def test_top(self):
        """Elsewhere than on a terminal: once, those that run or wait."""
        moves = [migration("Running", 7, migrationState=STATE, progress={"percent": 43}),
                 {**migration("Succeeded", 8), "spec": {"vmiName": "gone"}}]
        self.route(f"GET {self.ALL}", (200, {"metadata": {"resourceVersion": "9"}, "items": moves}))
        done = self.run_ferry("top")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"db .*43 ?%")
        self.assertNotIn("gone", done.stdout)
        self.assertNotIn("NAMESPACE", self.run_ferry("top", "--no-headers").stdout)
        self.route(f"GET {self.ALL}", (200, {"metadata": {"resourceVersion": "9"}, "items": []}))
        self.assertIn("No migration is running.", self.run_ferry("top").stderr)
        self.route(f"GET {self.ALL}", failure(403, "Forbidden", "not for you"))
        refused = self.run_ferry("top")
        self.assertEqual((refused.returncode, "not for you" in refused.stderr), (1, True))

    def test_kubeconfig(self):
        done = self.run_ferry("kubeconfig", "--path")
        self.assertEqual(done.stdout.strip(), self.config)
        with open(self.config, encoding="utf-8") as f:
            self.assertEqual(self.run_ferry("kubeconfig").stdout, f.read())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
