# SPDX-License-Identifier: Apache-2.0
"""A host driven without a control plane: ferry-agentd --standalone and its JSON-RPC socket."""
import json
import os
import re
import signal
import socket

from ferrylab.ferry import AGENT
from labtest import LabTest


class Client:
    """Speaks to a socket inside a host."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self.lines = self.socket.makefile("r")
        self.number = 0
        self.notes = set()

    def call(self, method, **params):
        self.number += 1
        self.socket.sendall((json.dumps({"jsonrpc": "2.0", "method": method, "params": params,
                                         "id": self.number}) + "\n").encode())
        while True:
            answer = json.loads(self.lines.readline())
            if answer.get("id") == self.number:
                return answer
            self.notes.add(answer["method"])

    def close(self):
        self.lines.close()
        self.socket.close()


class LocalSocket(LabTest):
    HOSTS = 2

    def ended(self, client, vm):
        """The status once it has ended."""
        def look():
            status = client.call("getMigrationStatus", vmID=vm)["result"]
            return status if status["status"] != "running" else None
        return self.wait(look, 40, "it ends")

    def begin(self, client, go):
        self.assertIn("result", client.call("migrate", **go))
        self.wait(lambda: client.call("getMigrationStatus", vmID=go["vmID"])["result"]["progress"]
                  > 3, 20, "it moves")

    @staticmethod
    def connected(path):
        try:
            return Client(str(path))
        except (FileNotFoundError, ConnectionRefusedError):  # not made, or bound but not listening
            return None

    def agent(self):
        """Starts an agent of its own on h1, without ferryd; a client of its socket."""
        host = self.lab.host("h1")
        path = host.path("/run/ferry-alone/agent.sock")
        path.unlink(missing_ok=True)  # of one that was killed
        host.start_service("alone", [AGENT, "--standalone", "--node", "alone", "--state-dir",
                                     "/run/ferry-alone"])
        client = self.wait(lambda: self.connected(path), 10, "the socket takes connections")
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.addCleanup(client.close)
        return client

    def target(self):
        return {"dst": self.ferry_json("get", "node", "h2")["status"]["hypervisor"]["peerURI"],
                "dstqemu": self.lab.host("h2").addresses["migration"]}

    def limit_of(self, vm):
        return self.lab.virsh("h1", "migrate-getmaxdowntime", vm).stdout.split()[0]

    def test_adopted_after_a_restart(self):
        self.guest("kept", memory=384, rate=200, working_set=250, pattern="uniform")
        self.guest("other", memory=64, rate=5, working_set=8)
        vm, other = (self.vmi(n)["metadata"]["uid"] for n in ("kept", "other"))
        host = self.lab.host("h1")
        c = self.agent()
        go = {"vmID": vm, "downtime": 20, "stallingLimit": 1, **self.target()}
        self.begin(c, go)
        self.wait(lambda: c.call("getMigrationStatus", vmID=vm) and "migrationStalling" in c.notes,
                  30, "it is told that it stalls")
        self.assertIn("result", c.call("migrateChangeParams", vmID=vm, downtime=33))
        full = c.call("migrate", vmID=other, incomingLimit=1, **self.target())["error"]
        self.assertIn("LimitReached", full["message"])
        self.assertIn("incomingLimit is 1", full["message"])
        full = c.call("migrate", vmID=other, outgoingLimit=1, **self.target())["error"]
        self.assertIn("LimitReached", full["message"])
        before = c.call("getMigrationStatus", vmID=vm)["result"]["progress"]
        host.signal_service("alone", signal.SIGKILL)

        again = self.agent()
        self.addCleanup(host.signal_service, "alone", signal.SIGTERM)
        status = self.wait(lambda: again.call("getMigrationStatus", vmID=vm).get("result"), 10,
                           "the new agent knows of it")
        self.assertEqual(status["status"], "running", status)
        self.wait(lambda: again.call("getMigrationStatus", vmID=vm)["result"]["progress"] >=
                  max(before, 1), 10, "it goes on where it was")
        self.assertEqual(self.limit_of(vm), "33")
        self.assertIn("MigrationInProgress", again.call("migrate", **go)["error"]["message"])
        self.assertIn("result", again.call("migrateChangeParams", vmID=vm, downtime=20000))
        moved = self.ended(again, vm)
        self.assertEqual(moved["status"], "done", moved)
        self.assert_on("kept", "h2")
        self.assertEqual(os.listdir(host.path("/run/ferry-alone/local")), [])

    def labels_of(self, name):
        text = self.lab.virsh("h1", "dumpxml", name).stdout
        return re.search(r"<metadata>.*?</metadata>", text, re.S)[0].split()

    def test_labels_outlast_a_hibernation(self):
        """Those that were given while it ran too, of a VM that is defined nowhere."""
        self.guest("labelled", label="app=web")
        self.lab.virsh("h1", "metadata", "labelled", "https://example.org/owner", "--live",
                       "--key", "o", "--set", "<who>me</who>")
        vm, before = self.vmi("labelled")["metadata"]["uid"], self.labels_of("labelled")
        self.assertIn(">me<", " ".join(before))
        c = self.agent()
        self.addCleanup(self.lab.host("h1").signal_service, "alone", signal.SIGTERM)
        file = {"vmID": vm, "dst": "/run/labelled.save", "dstparams": "/run/labelled.json",
                "mode": "file"}
        self.wait(lambda: "result" in c.call("migrate", **file), 10, "it is taken")
        self.assertEqual(self.ended(c, vm)["status"], "done")
        self.assertIn("result", c.call("restore", dst="/run/labelled.save"))
        self.assertEqual(self.labels_of("labelled"), before)

    def test_standalone(self):
        self.guest("alone", memory=256, rate=200, working_set=150, pattern="uniform")
        vm = self.vmi("alone")["metadata"]["uid"]
        dst = self.target()["dst"]
        host = self.lab.host("h1")
        c = self.agent()
        self.addCleanup(host.signal_service, "alone", signal.SIGTERM)

        # into a file and back
        file = {"vmID": vm, "dst": "/run/alone.save", "dstparams": "/run/alone.json",
                "mode": "file"}
        self.wait(lambda: "result" in c.call("migrate", **file), 10, "it is taken")
        self.assertEqual(self.ended(c, vm)["status"], "done")
        kept = host.path("/run/alone.json").read_text(encoding="utf-8")
        self.assertEqual(json.loads(kept)["uuid"], vm)
        self.assertIn("result", c.call("restore", dst="/run/alone.save"))

        # what cannot be
        for method, params, word in (
                ("migrateChangeParams", {"downtime": 70}, "NotInProgress"),
                ("migrateCancel", {}, "NothingToCancel"),
                ("migrate", {"dst": dst, "downtime": -1}, "2000000"),
                ("hibernate", {}, "no such method")):
            self.assertIn(word, c.call(method, vmID=vm, **params)["error"]["message"])

        # there, changed, cancelled, and there at last
        go = {"vmID": vm, "dst": dst, "dstqemu": self.lab.host("h2").addresses["migration"],
              "downtime": 20}
        self.begin(c, go)
        self.assertIn("MigrationInProgress", c.call("migrate", **go)["error"]["message"])
        self.assertIn("result", c.call("migrateChangeParams", vmID=vm, downtime=70))
        limit = self.lab.virsh("h1", "migrate-getmaxdowntime", vm).stdout.split()[0]
        self.assertEqual(limit, "70")
        self.assertIn("result", c.call("migrateCancel", vmID=vm))
        self.assertEqual(self.ended(c, vm)["status"], "failed")
        self.wait(lambda: "result" in c.call("migrate", **go), 5, "it may go again")
        self.assertIn("result", c.call("migrateChangeParams", vmID=vm, downtime=20000))
        moved = self.ended(c, vm)
        self.assertEqual(moved["status"], "done", moved)
        self.assertGreater(moved["downtime"], 0)
        self.assertIn("migrationProgress", c.notes)
        self.assert_on("alone", "h2")
