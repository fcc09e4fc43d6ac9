# SPDX-License-Identifier: Apache-2.0
"""What one host's key can do to the others: an agent's certificate from a lab host, used by a program
that speaks only HTTP. Real hosts; what must not happen leaves a marker file."""
import http.client
import json
import shutil
import ssl
import tempfile
import time
from pathlib import Path

from labtest import BUILD, LabTest

MARKER = "/var/tmp/attacked"
NODES = "/apis/ferry.migration/v1/nodes/"
JOIN = "/apis/ferry.migration/v1/join"
DEFAULT = "/apis/kubevirt.io/v1/namespaces/default/"
VMIMS = DEFAULT + "virtualmachineinstancemigrations"
EVENTS = "/api/v1/namespaces/default/events"
AGENT_STATE = "/var/lib/ferry-agent"
MERGE = {"Content-Type": "application/merge-patch+json"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}


class Attacks(LabTest):
    HOSTS = 3

    def connect(self, host):
        """A connection with the key of that host's agent; None: the administrator's."""
        own = self.lab.dir / "ferryd"
        if isinstance(host, Path):
            keys, name = host, "agent"
        else:
            keys, name = (self.lab.host(host).path(AGENT_STATE), "agent") if host else (own, "admin")
        context = ssl.create_default_context(cafile=own / "ca.crt")
        context.load_cert_chain(keys / f"{name}.crt", keys / f"{name}.key")
        port = self.lab.state()["ferry"]["port"]
        return http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)

    @staticmethod
    def ask(connection, method, path, body=None, **headers):
        connection.request(method, path, None if body is None else json.dumps(body),
                           {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        data = answer.read()
        return answer.status, json.loads(data) if data[:1] == b"{" else {}

    def call(self, method, path, body=None, host="h1", **headers):
        """One request with the key of that host's agent; status and answer."""
        connection = self.connect(host)
        try:
            return self.ask(connection, method, path, body, **headers)
        finally:
            connection.close()

    def report(self, hypervisor, **more):
        epoch = self.node("h1")["status"]["agent"]["epoch"]
        return self.call("POST", NODES + "h1/report", {
            "epoch": epoch, "full": False, "domains": [], "removed": [],
            "node": {"connected": True, "hypervisor": hypervisor, **more}})[0]

    def no_marker(self):
        for host in self.lab.all_hosts():
            self.assertNotEqual(host.exec("test", "-e", MARKER).returncode, 0, host.name)

    def node(self, name):
        return self.call("GET", "/api/v1/nodes/" + name, host=None)[1]

    def restart_agent(self):
        self.lab.kill("h1", "agent")
        self.lab.start("h1", "agent")
        self.wait(lambda: self.is_ready("h1"), 20, "h1 is Ready again")

    def test_peers_that_are_none(self):
        """Whatever h1's key reports, h2's libvirtd connects to no command and to no other host."""
        self.addCleanup(self.restart_agent)
        self.guest("lure", host="h2", rate=5, working_set=16)
        command = f"touch {MARKER}"
        for peer in ({"scheme": "ext", "host": f"x/system?command={command}"},
                     {"scheme": "tls", "host": "h1", "command": command},
                     {"scheme": "ssh", "host": "h1", "user": f"-oProxyCommand={command}"},
                     {"scheme": "ssh", "host": "h1", "netcat": command},
                     {"scheme": "unix", "host": "h1", "socket": "/run/libvirt/libvirt-sock"},
                     {"scheme": "tls", "host": "h1/system?no_verify=1"},
                     {"scheme": "tls", "host": "h3"}, {"scheme": "tls", "host": "H3"},
                     {"scheme": "tls", "host": "localhost"}, {"scheme": "tls", "host": "h1", "port": "1"},
                     f"qemu+ext://x/system?command={command}", ["h1"]):
            with self.subTest(peer=peer):
                for uri in (f"qemu+ext://x/system?command={command}", None):
                    self.report({"peer": peer, **({"peerURI": uri} if uri else {})})
                    hypervisor = self.node("h1")["status"]["hypervisor"]
                    if json.dumps(hypervisor.get("peer")) == json.dumps(peer):
                        self.fail(f"taken: {peer}")
                    self.assertNotIn("?", hypervisor.get("peerURI", ""))
        self.assertEqual(self.report({"peer": {"scheme": "tls", "host": "h3"}}), 200)
        done = self.ferry("check", "lure", "--to", "h1", check=False)
        self.assertIn("which is node h3's", done.stdout + done.stderr)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.node("h1")["status"]["hypervisor"].get("peerURI"), None)
        self.assertIn("lure", self.lab.virsh("h2", "list", "--name").stdout)
        self.no_marker()

    def test_addresses_of_another(self):
        """h1's key can't draw to itself what goes to h3."""
        self.addCleanup(self.restart_agent)
        own = self.node("h3")["status"]
        theirs = own["interfaces"]
        self.report({"peer": {"scheme": "tls", "host": "h1"}}, interfaces=theirs,
                    addresses=own["addresses"])
        node = self.node("h1")["status"]
        self.assertEqual([a for i in node["interfaces"] for a in i["addresses"]
                          if any(a in t["addresses"] for t in theirs)], [])
        self.assertTrue(any(c["type"] == "AddressConflict" for c in node["conditions"]))
        self.assertEqual(self.node("h3")["status"]["interfaces"], theirs)

    def test_others_are_closed(self):
        """Foreign routes, objects and secrets; what a node may look at is other Nodes, one by one."""
        for method, path, body in (
                ("POST", NODES + "h2/session", {}), ("POST", NODES + "h2/report", {}),
                ("POST", NODES + "h2/token", {}), ("POST", NODES + "h1/token", {}),
                ("GET", "/api/v1/nodes", None), ("DELETE", "/api/v1/nodes/h2", None),
                ("PATCH", "/api/v1/nodes/h2", {"spec": {"unschedulable": True}}),
                ("PATCH", "/api/v1/nodes/h1", {"spec": {"peer": {"scheme": "tls", "host": "h2"}}}),
                ("PATCH", "/api/v1/nodes/h1/status", {"status": {}}), ("GET", "/metrics", None),
                ("GET", "/api/v1/events", None), ("GET", "/api/v1/events/stream", None),
                ("GET", "/apis/kubevirt.io/v1/virtualmachineinstances", None),
                ("GET", "/apis/kubevirt.io/v1/virtualmachineinstancemigrations", None),
                ("GET", "/apis/kubevirt.io/v1/namespaces/default/kubevirts", None),
                ("GET", "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies", None)):
            with self.subTest(path=path, method=method):
                merge = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
                self.assertIn(self.call(method, path, body, **merge)[0], (403, 404, 405))
        self.assertEqual(self.call("GET", "/api/v1/nodes/h2")[0], 200)
        for name in ("h2", "h3"):
            self.assertFalse(self.node(name)["spec"].get("unschedulable"))
            self.assertTrue(self.is_ready(name))

    # -- migrations

    def writer(self, name, host="h1"):
        """write(field, value, way): one field of that migration's status by the key of that host;
        the code and the fields that the refusal names."""
        epoch = str(self.node(host)["status"]["agent"]["epoch"])
        connection = self.connect(host)
        self.addCleanup(connection.close)

        def write(field, value, way=MERGE):
            body = value
            for key in reversed(["status", *field.split(".")]):
                body = {key: body}
            if way is JSON_PATCH:
                body = [{"op": "add", "path": "/status/" + field.replace(".", "/"), "value": value}]
            code, answer = self.ask(connection, "PATCH", f"{VMIMS}/{name}/status", body,
                                    **{**way, "Ferry-Agent-Epoch": epoch})
            return code, {c["field"] for c in answer.get("details", {}).get("causes", [])}

        return write

    def decided(self, name):
        """What ferryd decided of a migration, but for what an agent tells of its course."""
        status = self.ferry_json("get", "vmim", name)["status"]
        state = {k: v for k, v in status["migrationState"].items()
                 if k not in ("agentEpoch", "targetDisks", "kept", "mode", "ways")}
        return {"phase": status["phase"], **state}

    def refuse_all(self, name, more):
        """Every decision of a migration, by the key of its own source; whichever way it is put."""
        state = "migrationState."
        write = self.writer(name)
        for field, value in (
                (state + "sourceNode", "h3"), (state + "targetNode", "h3"),
                (state + "vmiUID", "6ba7b810-9dad-41d1-80b4-00c04fd430c8"),
                (state + "domainName", "bystander"), (state + "targetURI", "qemu+tcp://h3/system"),
                (state + "targetNodeAddress", self.lab.host("h3").addresses["management"]),
                (state + "agents", ["h1", "h3"]), (state + "attempt", 7),
                (state + "migrationUid", "6ba7b810-9dad-41d1-80b4-00c04fd430c9"),
                (state + "migrationConfiguration.disableTLS", True),
                (state + "migrationConfiguration", {"disableTLS": True}), (state + "completed", True),
                (state + "abortRequested", True), ("phase", "Succeeded"), ("phase", "Pending"),
                *more):
            for way in (MERGE, JSON_PATCH):
                with self.subTest(field=field, value=value, way=way):
                    code, fields = write(field, value, way)
                    self.assertEqual(code, 403)
                    self.assertTrue(any(("status." + field).startswith(f) for f in fields), fields)

    def refuse_strangers(self, name):
        """A migration from h2 to h1: the target's agent reads it, a third one's has no part in it, and
        neither writes what is not its own."""
        before = self.decided(name)
        as_h2 = {"Impersonate-User": "system:node:h2", "Impersonate-Group": "system:nodes"}
        for host in ("h1", "h3"):
            write = self.writer(name, host)
            connection = self.connect(host)
            self.addCleanup(connection.close)
            for field, value in (("migrationState.sourceNode", host), ("phase", "Failed"),
                                 ("migrationState.migrationConfiguration.disableTLS", True),
                                 ("migrationState.keepNode", host),
                                 ("migrationState.doubt.source", {"state": "Destroyed"}),
                                 ("migrationState.bandwidthProbe", {"address": "10.0.0.1", "port": 7}),
                                 ("migrationState.agents", [host])):
                self.assertEqual(write(field, value)[0], 403, (host, field))
            for method, path, body, headers in (
                    ("GET", f"{VMIMS}/{name}", None, {}), ("GET", f"{VMIMS}/{name}", None, as_h2),
                    ("DELETE", f"{VMIMS}/{name}", None, {}),
                    ("PATCH", f"{VMIMS}/{name}", {"spec": {"targetNode": "h3"}}, MERGE),
                    ("PUT", f"{VMIMS}/{name}/status", {"status": {}}, {}),
                    ("POST", VMIMS, {"apiVersion": "kubevirt.io/v1",
                                     "kind": "VirtualMachineInstanceMigration",
                                     "metadata": {"generateName": "x-"},
                                     "spec": {"vmiName": "own"}}, {})):
                code = self.ask(connection, method, path, body, **headers)[0]
                reads = host == "h1" and (method, headers) == ("GET", {})
                self.assertEqual(code, 200 if reads else 403, (host, method, path))
        self.assertEqual({**self.decided(name), "phase": None}, {**before, "phase": None})

    def stop_agent(self, on):
        self.lab.exec("h1", "pkill", "-STOP" if on else "-CONT", "-x", "ferry-agentd")

    def running(self, vmi):
        """The name of its migration, once memory flows."""
        def flows():
            status = self.newest(vmi)["status"]
            return status["phase"] == "Running" and status.get("progress", {}).get("percent", 0) > 0

        self.wait(flows, 30, f"{vmi} moves")
        return self.newest(vmi)["metadata"]["name"]

    def arrives(self, vmi, source, target):
        """It goes encrypted, says its QEMU, and ends where it was to go."""
        asked = json.dumps({"execute": "query-migrate-parameters"})
        told = json.loads(self.lab.virsh(source, "qemu-monitor-command", vmi, asked).stdout)
        self.assertTrue(told["return"]["tls-creds"], f"{vmi} goes in the clear")
        self.ferry("change", vmi, "--bandwidth", "2000")
        self.wait(lambda: self.newest(vmi)["status"]["phase"] == "Succeeded", 20, f"{vmi} has moved")
        self.assert_on(vmi, target)

    def test_a_decision_stays(self):
        """What was decided of a migration is nobody's to change, from the moment it is: the VM moves
        to where it was to go, encrypted."""
        slowly = ("--no-wait", "--bandwidth", "1Mi")
        self.guest("own", rate=5, working_set=16, memory=128)
        self.addCleanup(self.stop_agent, False)
        self.stop_agent(True)
        self.ferry("migrate", "own", "--to", "h2", *slowly)
        self.wait(lambda: self.newest("own")["status"]["phase"] == "Scheduled", 5, "it is scheduled")
        name = self.newest("own")["metadata"]["name"]
        before = self.decided(name)
        self.refuse_all(name, [("phase", "Running")])
        self.assertEqual(self.decided(name), before)
        self.stop_agent(False)
        self.running("own")
        self.refuse_all(name, [("phase", "Scheduled"), ("phase", "TargetReady")])
        self.assertEqual(self.decided(name), {**before, "phase": "Running"})
        self.arrives("own", "h1", "h2")
        self.ferry("migrate", "own", "--to", "h1", *slowly)
        self.refuse_strangers(self.running("own"))
        self.arrives("own", "h2", "h1")

    # -- virtual machines

    def test_a_machine_of_another(self):
        """h2's VM stays h2's, with what h2 says of it, while it is paused for a moment and h1 reports
        its UUID as running."""
        self.addCleanup(self.restart_agent)
        self.guest("held", host="h2", rate=5, working_set=8, label="app=held")
        self.lab.virsh("h2", "suspend", "held")
        vmi = self.wait(lambda: self.vmi("held")["status"]["phase"] == "Paused" and self.vmi("held"),
                        5, "it is paused")
        uid = vmi["metadata"]["uid"]
        peer = {"scheme": "tls", "host": "h1"}
        epoch = self.node("h1")["status"]["agent"]["epoch"]
        stolen = {"uuid": uid, "name": "held", "state": "running", "reason": "booted", "id": 99,
                  "active": True, "persistent": True, "memoryBytes": 1 << 30, "vcpus": 16,
                  "labels": {"app": "stolen", "more": "yes"}}
        for change in ({}, {"uuid": uid.upper(), "name": "other"}, {"reason": "migrated"},
                       {"state": "paused", "reason": "user"}, {"namespace": "kube-system"},
                       {"job": {"type": "unbounded", "operation": "migration-in"}}):
            with self.subTest(change=change):
                code, answer = self.call("POST", NODES + "h1/report", {
                    "epoch": epoch, "full": False, "removed": [], "domains": [{**stolen, **change}],
                    "node": {"connected": True, "hypervisor": {"peer": peer}}})
                self.assertEqual(code, 200, answer)
                now = self.vmi("held")
                self.assertEqual(now["status"]["nodeName"], "h2")
                self.assertEqual(now["status"]["phase"], "Paused")
                self.assertEqual(now["spec"], vmi["spec"])
                self.assertEqual(now["metadata"]["labels"], vmi["metadata"]["labels"])
                claimed = [c for c in now["status"]["conditions"]
                           if c["type"] == "ClaimedByAnotherHost"]
                self.assertEqual(len(claimed), 1, now["status"]["conditions"])
                self.assertIn("h1 reports the same UUID", claimed[0]["message"])
        self.assertEqual(self.call("POST", NODES + "h1/report", {
            "epoch": epoch, "full": True, "domains": [], "present": [], "removed": [uid]})[0], 200)
        self.assertEqual(self.vmi("held")["status"]["nodeName"], "h2")
        self.lab.virsh("h2", "resume", "held")
        self.wait(lambda: self.vmi("held")["status"]["phase"] == "Running", 5, "it runs again")
        self.assert_on("held", "h2")

    # -- names

    def event(self, kind, name, **more):
        return self.call("POST", EVENTS, {
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": "told", "namespace": "default"},
            "involvedObject": {"kind": kind, "name": name, "namespace": "default"},
            "type": "Normal", "reason": "Attacked", "message": "h2 is on fire", **more})

    def test_names_of_others(self):
        """Nothing is told in another's name, and nothing of another's is read."""
        self.guest("secret", host="h2", rate=5, working_set=8)
        for kind, name in (("Node", "h2"), ("VirtualMachineInstance", "secret"), ("Namespace", "default"),
                           ("Pod", "secret"), ("Node", "H1"), ("Node", "")):
            code, answer = self.event(kind, name)
            self.assertEqual(code, 403, (kind, name, answer))
        code, told = self.event("Node", "h1", source={"host": "h2", "component": "ferryd"})
        self.assertEqual(code, 201, told)
        self.assertEqual(told["source"], {"host": "h1", "component": "ferry-agentd"})
        for path in (DEFAULT + "virtualmachineinstances/secret", DEFAULT + "virtualmachineinstances",
                     "/apis/ferry.migration/v1/networks/migration", "/apis/ferry.migration/v1/users",
                     "/apis/rbac.authorization.k8s.io/v1/clusterroles/admin", EVENTS,
                     "/api/v1/nodes", "/api/v1/namespaces/default", "/plugins/kimchi/vms",
                     "/plugins/kimchi/vms/secret", "/metrics",
                     VMIMS + "?fieldSelector=status.migrationState.sourceNode%3Dh2",
                     VMIMS + "?fieldSelector=status.migrationState.agents%3Dh2&watch=true"):
            with self.subTest(path=path):
                if "watch" not in path:
                    self.assertEqual(self.call("GET", path, host=None)[0], 200)
                self.assertEqual(self.call("GET", path)[0], 403)

    def request_of(self, folder, subject):
        """A certificate request by openssl, as it stands in a file."""
        request = Path(folder) / "request.pem"
        self.run_("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                  "-nodes", "-keyout", request.with_suffix(".key"), "-subj", subject, "-out", request)
        return request.read_text()

    def token(self, node):
        return self.run_(BUILD / "ferryd", "token", "create", "--node", node, "--state-dir",
                         self.lab.dir / "ferryd").stdout.strip()

    def test_certificates_of_others(self):
        """A certificate is worth a new one of the same name, and of no other."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        csr = self.request_of(folder, "/O=system:masters/CN=admin")
        token = self.token("h2")
        for body in ({"nodeName": "h2"}, {"nodeName": "h9"}, {"nodeName": "admin"},
                     {"nodeName": "h3", "token": token}, {"nodeName": "h1", "token": token},
                     {"nodeName": "h2", "token": token.replace(".h2.", ".h1.")}):
            code, answer = self.call("POST", JOIN, {**body, "csr": csr})
            self.assertIn(code, (400, 401, 403), answer)
            self.assertNotIn("certificate", answer)
        code, answer = self.call("POST", JOIN, {"nodeName": "h1", "csr": csr})
        self.assertEqual(code, 201, answer)
        shown = self.run_("openssl", "x509", "-noout", "-subject", text=answer["certificate"]).stdout
        self.assertRegex(shown, r"O ?= ?system:nodes, CN ?= ?system:node:h1\n")

    def test_key_of_a_deleted_node(self):
        """Void within a second, on a connection that is open as well; the answer says why, and
        nothing but a new token brings the host back."""
        kept = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name in ("agent.crt", "agent.key"):
            shutil.copy(self.lab.host("h3").path(f"{AGENT_STATE}/{name}"), kept / name)
        csr = self.request_of(kept, "/CN=any")
        connection = self.connect(kept)
        self.addCleanup(connection.close)
        self.assertEqual(self.ask(connection, "GET", "/api/v1/nodes/h3")[0], 200)
        refused = self.ferry("delete", "node", "h3", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("its agent reports", refused.stderr)
        self.assertEqual(self.ask(connection, "GET", "/api/v1/nodes/h3")[0], 200)
        self.addCleanup(self.join_again, "h3")
        self.ferry("delete", "node", "h3", "--force")
        deleted = time.monotonic()
        why = (r"node h3 was deleted at \S+ by \S+; join again with a new token: "
               r"ferryd token create --node h3")
        for attempt in (lambda *a: self.ask(connection, *a), lambda *a: self.call(*a, host=kept)):
            code, answer = attempt("GET", "/api/v1/nodes/h2")
            self.assertEqual(code, 401, answer)
            self.assertRegex(answer["message"], why)
        self.assertLess(time.monotonic() - deleted, 1)
        for path, body in ((JOIN, {"nodeName": "h3", "csr": csr}), (NODES + "h3/report", {"epoch": 1}),
                           (NODES + "h3/session", {"version": "9", "mode": "local"})):
            self.assertEqual(self.call("POST", path, body, kept)[0], 401, path)
        log = self.lab.host("h3").log_dir / "agent.log"
        self.wait(lambda: "node h3 was deleted" in log.read_text(), 10, "its agent says so as well")
        self.assertNotEqual(self.ferry("get", "node", "h3", check=False).returncode, 0)
        self.join_again("h3")
        self.assertEqual(self.call("GET", "/api/v1/nodes/h3", host=kept)[0], 401)
        self.assertEqual(self.call("GET", "/api/v1/nodes/h3", host="h3")[0], 200)

    def join_again(self, name):
        host = self.lab.host(name)
        if self.ferry("get", "node", name, check=False).returncode == 0:
            return
        if host.service_runs("agent"):
            self.lab.kill(name, "agent")
        host.exec("sh", "-c", f"rm -r {AGENT_STATE}; umask 077; cat >/var/lib/ferry-agent-token",
                  input=self.token(name))
        self.lab.start(name, "agent")
        self.wait(lambda: self.is_ready(name), 20, f"{name} is Ready again")
