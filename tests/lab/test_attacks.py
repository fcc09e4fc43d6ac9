# SPDX-License-Identifier: Apache-2.0
"""What one host's key can do to the others: an agent's certificate from a lab host, used by a program
that speaks only HTTP. Real hosts; what must not happen leaves a marker file."""
import http.client
import json
import ssl

from labtest import LabTest

MARKER = "/var/tmp/attacked"
NODES = "/apis/ferry.migration/v1/nodes/"


class Attacks(LabTest):
    HOSTS = 3

    def call(self, method, path, body=None, host="h1", **headers):
        """One request with the key of that host's agent; status and answer."""
        state = self.lab.host(host).path("/var/lib/ferry-agent")
        context = ssl.create_default_context(cafile=self.lab.dir / "ferryd" / "ca.crt")
        context.load_cert_chain(state / "agent.crt", state / "agent.key")
        port = self.lab.state()["ferry"]["port"]
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
        connection.request(method, path, None if body is None else json.dumps(body),
                           {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, json.loads(data) if data[:1] == b"{" else {}

    def report(self, hypervisor, **more):
        epoch = self.ferry_json("get", "node", "h1")["status"]["agent"]["epoch"]
        return self.call("POST", NODES + "h1/report", {
            "epoch": epoch, "full": False, "domains": [], "removed": [],
            "node": {"connected": True, "hypervisor": hypervisor, **more}})[0]

    def no_marker(self):
        for host in self.lab.all_hosts():
            self.assertNotEqual(host.exec("test", "-e", MARKER).returncode, 0, host.name)

    def node(self, name):
        return self.ferry_json("get", "node", name)

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
