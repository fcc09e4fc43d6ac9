# SPDX-License-Identifier: Apache-2.0
"""Peers by DNS-SD with a real avahi-daemon on each host: announced and found only where asked for,
withdrawn, found again, and never trusted."""
import json
import subprocess
import time

from labtest import BUILD, LabTest
from ferrylab import paths  # pylint: disable=wrong-import-order

AGENT_STATE = "/var/lib/agent-here"
PORT = 7443


class Peers(LabTest):
    HOSTS = 2
    OPTIONS = {"with_ferry": False}

    def setUp(self):
        self.started = []
        # A control plane of this test's own: nothing of the former one's is taken for its.
        self.state = f"/var/lib/ferryd-{self._testMethodName}"
        for host in self.lab.all_hosts():
            if "dbus" not in host.services():
                host.exec("mkdir", "-p", "/run/dbus", "/run/avahi-daemon")
                host.exec("sh", "-c", "tr -d - </proc/sys/kernel/random/uuid >/var/lib/dbus/machine-id")
                host.start_service("dbus", ["dbus-daemon", "--system", "--nofork", "--nopidfile"])
                self.wait(lambda h=host: h.exec("test", "-S", "/run/dbus/system_bus_socket")
                          .returncode == 0, 10, "D-Bus is up")
            if not host.service_runs("avahi"):
                self.start_avahi(host)
        for host in self.lab.all_hosts():
            none = host.exec(f"{paths.IN_BUILD}/tests/discovery/browse-tool", "20", timeout=30)
            self.assertEqual(none.returncode, 0, f"left of the former test: {none.stderr}")

    def tearDown(self):
        for host, name in reversed(self.started):
            if host.service_runs(name):
                host.signal_service(name, 15)
        super().tearDown()

    @staticmethod
    def start_avahi(host):
        host.start_service("avahi", ["avahi-daemon", "--no-chroot", "--no-drop-root", "--no-rlimits"])

    def start(self, host, name, *argv):
        host.start_service(name, [str(a) for a in argv])
        self.started.append((host, name))

    def log(self, host, name):
        return (host.log_dir / f"{name}.log").read_text(errors="replace")

    def start_ferryd(self, name, *options):
        """A ferryd on that host, serving on its management address."""
        host = self.lab.host(name)
        address = host.addresses["management"]
        self.start(host, "ferryd", f"{paths.IN_BUILD}/ferryd", "--state-dir", self.state, "--listen",
                   f"{address}:{PORT}", "--tls-san", address, *options)
        self.wait(lambda: self.peers(name) is not None, 15, f"ferryd on {name} serves")

    def get(self, name, path):
        """(status, text) of an administrator's GET of the ferryd on that host."""
        host = self.lab.host(name)
        pid, keys = host.pid(), host.path(self.state)
        done = subprocess.run(
            ["nsenter", "--net", f"--target={pid}", "curl", "-sS", "--noproxy", "*", "-m", "10", "-w",
             "\n%{http_code}", "--cacert", f"{keys}/ca.crt", "--cert", f"{keys}/admin.crt", "--key",
             f"{keys}/admin.key", f"https://{host.addresses['management']}:{PORT}{path}"],
            capture_output=True, text=True, check=False)
        text, _, status = done.stdout.rpartition("\n")
        return int(status or 0), text

    def peers(self, name):
        status, text = self.get(name, "/plugins/kimchi/peers")
        return json.loads(text) if status == 200 else None

    def until_peers(self, name, wanted, seconds=15):
        self.wait(lambda: self.peers(name) == wanted, seconds,
                  lambda: f"peers of {name} are {wanted}: {self.peers(name)}")

    def tool(self, name, *argv):
        """A process on that host that announces what it is told."""
        process = subprocess.Popen(
            self.lab.host(name).argv(f"{paths.IN_BUILD}/tests/discovery/announce-tool", *argv),
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.addCleanup(process.wait, 10)
        self.addCleanup(process.stdin.close)
        return process

    def ca_hash(self, name):
        text = self.lab.exec(name, f"{paths.IN_BUILD}/ferryd", "token", "create", "--node", "x",
                             "--state-dir", self.state).stdout
        return text.split(".")[1]

    def test_two_control_planes_find_each_other(self):
        self.start_ferryd("h1", "--announce")
        self.start_ferryd("h2", "--announce")
        self.until_peers("h1", [f"https://h2.local:{PORT}"])
        self.until_peers("h2", [f"https://h1.local:{PORT}"])
        h2 = self.lab.host("h2")
        h2.signal_service("ferryd", 15)
        self.until_peers("h1", [])
        self.start_ferryd("h2", "--announce")
        self.until_peers("h1", [f"https://h2.local:{PORT}"])
        # The daemon goes and comes: what was announced does too, and ferryd serves on.
        h2.signal_service("avahi", 15)
        self.until_peers("h1", [])
        self.assertEqual(self.peers("h2"), [])
        self.start_avahi(h2)
        self.until_peers("h1", [f"https://h2.local:{PORT}"], 30)
        self.until_peers("h2", [f"https://h1.local:{PORT}"], 30)

    def test_off_unless_asked_for(self):
        self.start_ferryd("h1")
        self.start_ferryd("h2", "--announce")
        # What h1 does announce arrives at h2, so what does not arrive was not announced.
        self.tool("h1", "ferryd", "probe", "1234")
        self.until_peers("h2", ["https://h1.local:1234"])
        self.assertEqual(self.peers("h2"), ["https://h1.local:1234"])
        self.assertEqual(self.peers("h1"), [])

    def test_agents_lead_to_their_control_plane(self):
        self.start_ferryd("h2", "--announce")
        self.tool("h1", "agent", "ours", "0", "https://10.8.8.8:6443", self.ca_hash("h2"))
        self.tool("h1", "agent", "quiet", "0")
        self.tool("h1", "agent", "some", "0", "https://10.9.9.9:6443", "a" * 64)
        self.until_peers("h2", ["https://10.9.9.9:6443"])

    def test_loopback_is_not_announced(self):
        done = self.lab.exec("h1", f"{paths.IN_BUILD}/ferryd", "--state-dir", "/tmp/loop",
                             "--listen", "127.0.0.1:0", "--announce", timeout=20)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("listens on loopback addresses only", done.stderr)

    def test_an_agent_finds_its_ferryd_and_no_other(self):
        self.start_ferryd("h1")  # another control plane, which does not announce itself
        self.start_ferryd("h2")
        h1, h2 = self.lab.host("h1"), self.lab.host("h2")
        token = self.lab.exec("h2", f"{paths.IN_BUILD}/ferryd", "token", "create", "--node",
                              "walker", "--state-dir", self.state).stdout
        h1.exec("sh", "-c", f"rm -rf {AGENT_STATE}; mkdir -m 700 {AGENT_STATE}; "
                f"cat >{AGENT_STATE}/token", input=token)
        argv = [f"{paths.IN_BUILD}/ferry-agentd", "--announce", "--node", "walker", "--state-dir",
                AGENT_STATE, "--token-file", f"{AGENT_STATE}/token", "--peer-uri",
                "qemu+tls://h1/system"]
        # Somebody claims to be the ferryd of that CA; it is the other one.
        liar = self.tool("h2", "ferryd", "liar", "1",
                         f"https://{h1.addresses['management']}:{PORT}", self.ca_hash("h2"))
        self.start(h1, "walker", *argv)
        self.wait(lambda: "passed over" in self.log(h1, "walker"), 20, "the impostor is refused")
        self.assertRegex(self.log(h1, "walker"), r"(?i)passed over.*(CA|certificate)")
        self.assertEqual(self.get("h1", "/api/v1/nodes/walker")[0], 404)
        # The token was shown to nobody: it is still good, and the impostor is in nobody's way.
        h2.signal_service("ferryd", 15)
        self.start_ferryd("h2", "--announce")
        self.wait(lambda: '"Ready"' in self.get("h2", "/api/v1/nodes/walker")[1], 60,
                  "the agent joined the ferryd it found")
        self.assertIsNone(liar.poll())
        self.assertEqual(self.get("h1", "/api/v1/nodes/walker")[0], 404)
        node = json.loads(self.get("h2", "/api/v1/nodes/walker")[1])
        self.assertEqual(node["status"]["agent"]["mode"], "local")
        self.assertIn(f"https://{h2.addresses['management']}:{PORT}", self.log(h1, "walker"))

    def test_an_agent_announces_itself(self):
        """To a ferryd of another CA it names the one that it serves; when it ends it is gone."""
        self.start_ferryd("h1")
        self.start_ferryd("h2", "--announce")
        h1 = self.lab.host("h1")
        server = f"https://{h1.addresses['management']}:{PORT}"
        token = self.lab.exec("h1", f"{paths.IN_BUILD}/ferryd", "token", "create", "--node",
                              "teller", "--state-dir", self.state).stdout
        h1.exec("sh", "-c", f"rm -rf {AGENT_STATE}; mkdir -m 700 {AGENT_STATE}; "
                f"cat >{AGENT_STATE}/token", input=token)
        argv = [f"{paths.IN_BUILD}/ferry-agentd", "--server", server, "--node", "teller",
                "--state-dir", AGENT_STATE, "--token-file", f"{AGENT_STATE}/token", "--peer-uri",
                "qemu+tls://h1/system"]
        self.start(h1, "teller", *argv, "--announce")
        self.until_peers("h2", [server], 30)
        h1.signal_service("teller", 15)
        self.until_peers("h2", [])

    def test_what_is_asked_of_the_network_has_a_need(self):
        """Without a token and without a CA there is nothing to look for."""
        done = self.lab.exec("h1", f"{paths.IN_BUILD}/ferry-agentd", "--announce", "--node", "w",
                             "--state-dir", "/tmp/empty", timeout=20)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("join token", done.stderr)
        begun = time.monotonic()
        done = self.lab.exec("h1", f"{paths.IN_BUILD}/ferry-agentd", "--node", "w", timeout=20)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--announce", done.stderr)
        self.assertLess(time.monotonic() - begun, 5)
        self.assertTrue(BUILD.is_dir())
