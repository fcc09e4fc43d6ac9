#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Self-test of the lab's hosts: what the lab promises about hosts, links and
leaving the machine as it was. What needs no host is tested first; then one lab serves most cases, and
those about labs that fail or are killed bring up their own. Run as root: tests/lab-selftest/test_hosts.py"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "lab"))

# pylint: disable=wrong-import-position
from ferrylab import base, net, paths, proc  # noqa: E402
from ferrylab.errors import LabError  # noqa: E402
from ferrylab.lab import Lab  # noqa: E402

# Labs of their own: a lab that somebody uses meanwhile is left alone.
NAME = f"selftest-{os.getpid()}"
NAME2 = f"selftest2-{os.getpid()}"

BARE_DOMAIN = """\
<domain type='qemu'><name>{name}</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os>
<cpu mode='custom' match='exact'><model>qemu64</model></cpu>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<controller type='usb' model='none'/><memballoon model='none'/></devices></domain>
"""


def remains(lab):
    """All that a lab may have left on the machine: [] after down."""
    found = []
    if lab.dir.exists():
        found.append(f"directory {lab.dir}")
    found += [f"file {path}" for path in lab.dir.parent.glob(f".{lab.name}.*")]
    marker = os.fsencode(f"{lab.dir}/")
    if marker in Path("/proc/self/mountinfo").read_bytes():
        found.append("a mount")
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            mounts = (entry / "mountinfo").read_bytes()
        except OSError:
            continue
        if marker in command or marker in mounts:
            found.append(f"process {entry.name}: {command!r}")
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    for network in net.NETWORKS.values():
        found += [f"link h{i}-{network}" for i in range(1, 4) if f"h{i}-{network}" in links]
    return found


def machine_network():
    """Interfaces and routes of the machine's own network namespace."""
    return [subprocess.run(["ip", "-o", *what], capture_output=True, text=True, check=True).stdout
            for what in (["link"], ["route"])]


def run_cli(*args, name=NAME, **kwargs):
    env = dict(os.environ, FERRY_LAB=name)
    return subprocess.run([str(REPO / "lab/ferry-lab"), *args], capture_output=True, text=True,
                          env=env, check=False, timeout=120, **kwargs)


class TestBase(unittest.TestCase):
    """Finding the machine's mirror; no lab needed."""

    def mirror(self, **files):
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "sources.list.d").mkdir()
            for file, text in files.items():
                file = file.replace("_list", ".list").replace("_sources", ".sources")
                where = Path(name) if file == "sources.list" else Path(name) / "sources.list.d"
                (where / file).write_text(text)
            return base.machine_mirror(Path(name), "bookworm")

    def test_deb822(self):
        text = ("Types: deb\n# a comment\nURIs: http://mirror.example/debian\nSuites: bookworm\n"
                " bookworm-updates\nComponents: main\n\n"
                "Types: deb\nURIs: http://security.example/\nSuites: bookworm-security\n"
                "Components: main\n")
        self.assertEqual(self.mirror(debian_sources=text), "http://mirror.example/debian")

    def test_one_line_form(self):
        text = ("# deb http://off.example/debian bookworm main\n"
                "deb-src http://src.example/debian bookworm main\n"
                "deb [arch=amd64 signed-by=/k.gpg] http://one.example/debian bookworm main # x\n")
        self.assertEqual(self.mirror(sources_list=text), "http://one.example/debian")

    def test_third_party_is_not_taken(self):
        with self.assertRaisesRegex(LabError, "no apt source for Debian bookworm"):
            self.mirror(x_list="deb https://other.example/apt cloud-bookworm main\n",
                        y_sources="Types: deb\nEnabled: no\nURIs: http://off.example/debian\n"
                                  "Suites: bookworm\nComponents: main\n")


class TestArguments(unittest.TestCase):
    def test_rates(self):
        self.assertEqual(net.parse_rate("1gbit"), 10**9)
        self.assertEqual(net.parse_rate("2.5mbit"), 2_500_000)
        self.assertIsNone(net.parse_rate("none"))
        for bad in ("1", "1gb", "-1gbit", "0mbit", "999tbit", "1gbit; reboot"):
            with self.assertRaises(LabError, msg=bad):
                net.parse_rate(bad)

    def test_names(self):
        for bad in ("../x", "A", "a" * 33, "-a", "a b"):
            with self.assertRaises(LabError, msg=bad):
                paths.lab_name(bad)

    def test_not_up(self):
        result = run_cli("virsh", "h1", "list", name=f"{NAME}-none")
        self.assertEqual(result.returncode, 1)
        self.assertIn("is not up", result.stderr)
        self.assertEqual(run_cli("down", name=f"{NAME}-none").returncode, 0)
        status = run_cli("status", "-o", "json", name=f"{NAME}-none")
        self.assertEqual(status.returncode, 1)
        self.assertFalse(json.loads(status.stdout)["up"])


class TestHosts(unittest.TestCase):
    """One lab of three hosts for all of these."""

    @classmethod
    def setUpClass(cls):
        for suite in base.SUITES:
            base.ensure(suite=suite)
        cls.network_before = machine_network()
        cls.lab = Lab(NAME)
        started = time.monotonic()
        cls.lab.up(hosts=3, migration_rate="400mbit", with_ferry=False)
        cls.up_seconds = time.monotonic() - started

    @classmethod
    def tearDownClass(cls):
        cls.lab.down()
        left = remains(cls.lab)
        if left:
            raise AssertionError(f"down left: {left}")

    def ok(self, result):
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_up_is_quick(self):
        self.assertLess(self.up_seconds, 15)

    def test_machine_network_is_untouched(self):
        self.assertEqual(machine_network(), self.network_before)

    def test_hosts_are_distinct(self):
        for command in (["hostname"], ["cat", "/etc/machine-id"],
                        ["sh", "-c", "virsh -c qemu:///system capabilities | grep -m1 uuid"]):
            answers = {self.ok(self.lab.exec(host, *command)) for host in self.lab.hosts()}
            self.assertEqual(len(answers), 3, command)

    def test_programs_find_their_libraries(self):
        for program in ("ferryd", "ferry-agentd", "ferry"):
            told = self.ok(self.lab.exec("h1", "ldd", f"/opt/ferry/{program}"))
            self.assertNotIn("not found", told, program)

    def test_libvirt_answers_over_tls_without_prompt(self):
        for source in self.lab.hosts():
            for target in self.lab.hosts():
                name = self.ok(self.lab.exec(source, "virsh", "-c", f"qemu+tls://{target}/system",
                                             "hostname", timeout=20))
                self.assertEqual(name.strip(), target)

    def test_tls_is_verified(self):
        """A name that the certificate doesn't hold is refused."""
        address = self.lab.host("h2").addresses["management"]
        self.ok(self.lab.exec("h1", "sh", "-c", f"echo {address} stranger >>/etc/hosts"))
        result = self.lab.exec("h1", "virsh", "-c", "qemu+tls://stranger/system", "hostname",
                               timeout=20)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("stranger", result.stderr)

    def test_shared_and_local_directories(self):
        self.ok(self.lab.exec("h1", "sh", "-c", f"echo one >{paths.IN_SHARED}/f"))
        self.assertEqual(self.ok(self.lab.exec("h2", "cat", f"{paths.IN_SHARED}/f")), "one\n")
        self.ok(self.lab.exec("h1", "touch", f"{paths.IN_LOCAL}/g"))
        self.assertNotEqual(self.lab.exec("h2", "test", "-e", f"{paths.IN_LOCAL}/g").returncode, 0)

    def test_cli(self):
        self.assertEqual(self.ok(run_cli("exec", "h2", "--", "hostname")), "h2\n")
        self.assertIn("running", self.ok(run_cli("status")))
        self.assertTrue(json.loads(self.ok(run_cli("status", "-o", "json")))["up"])
        self.assertIn(f"export FERRY_LAB_DIR={self.lab.dir}\n", self.ok(run_cli("env")))
        self.ok(run_cli("log", "h1"))
        again = run_cli("up", "--no-ferry")
        self.assertEqual(again.returncode, 1)
        self.assertIn("already up", again.stderr)
        self.assertIn("expected one of h1, h2, h3", run_cli("exec", "h9", "true").stderr)
        self.assertEqual(run_cli("exec", "h1", "sh", "-c", "exit 7").returncode, 7)

    def test_orphans_are_reaped_at_once(self):
        script = "(sh -c 'echo $$ >/tmp/orphan; exec sleep 0.2' &)"
        self.ok(self.lab.exec("h3", "sh", "-c", script))
        pid = proc.wait_for("pid", lambda: self.lab.exec("h3", "cat", "/tmp/orphan").stdout, 5)
        proc.wait_for("end of the orphan, zombie included", lambda: self.lab.exec(
            "h3", "test", "-d", f"/proc/{pid.strip()}").returncode, 5)

    def test_crash_is_told(self):
        """Also of a service that runs again by the time somebody looks."""
        host = self.lab.host("h3")
        self.assertEqual(self.lab.crashed("poor"), [])
        host.start_service("poor", ["sleep", "60"])
        host.signal_service("poor", signal.SIGKILL)
        self.assertEqual(self.lab.crashed("poor"), [])
        host.start_service("poor", ["sleep", "60"])
        host.signal_service("poor", signal.SIGSEGV)
        host.start_service("poor", ["sleep", "60"])
        self.assertEqual(self.lab.crashed("poor"), ["h3: poor crashed: Segmentation fault"])
        self.assertEqual(self.lab.crashed(), [])

    def migrate(self, source, target, name, *flags):
        address = self.lab.host(target).addresses["migration"]
        return self.lab.virsh(source, "migrate", "--live", "--p2p", *flags, name,
                              f"qemu+tls://{target}/system", "--migrateuri", f"tcp://{address}",
                              "--listen-address", address, timeout=60)

    def test_migration_and_faults(self):
        """A domain goes round; survives its libvirtd; dies with its QEMU."""
        self.ok(self.lab.virsh("h1", "create", "/dev/stdin",
                               input=BARE_DOMAIN.format(name="round")))
        self.ok(self.migrate("h1", "h2", "round", "--tls"))
        self.ok(self.migrate("h2", "h3", "round"))
        self.assertIn("round", self.ok(self.lab.virsh("h3", "list", "--name")))
        self.lab.kill("h3", "libvirtd")
        self.assertEqual(self.lab.status()["hosts"][2]["services"]["libvirtd"], "killed 9")
        self.assertNotEqual(self.lab.virsh("h3", "list").returncode, 0)
        self.lab.start("h3", "libvirtd")
        self.assertIn("round", self.ok(self.lab.virsh("h3", "list", "--name")))
        self.lab.kill("h3", "qemu:round")
        proc.wait_for("libvirt to see that QEMU is gone", lambda: "round" not in
                      self.lab.virsh("h3", "list", "--name").stdout, 10)
        with self.assertRaisesRegex(LabError, "no QEMU of guest 'round'"):
            self.lab.kill("h3", "qemu:round")

    def measure(self, source, target, network, size):
        """Seconds that size bytes take from one host to another."""
        address = self.lab.host(target).addresses[network]
        receiver = subprocess.Popen(
            self.lab.host(target).argv("socat", "-u", f"TCP-LISTEN:5001,bind={address},reuseaddr",
                                       "OPEN:/dev/null"), stdin=subprocess.DEVNULL)
        try:
            started = time.monotonic()
            sender = self.lab.exec(source, "sh", "-c", f"head -c {size} /dev/zero | socat -u - "
                                   f"TCP:{address}:5001,retry=100,interval=0.02", timeout=30)
            self.assertEqual(receiver.wait(timeout=30), 0)
            self.ok(sender)
            return time.monotonic() - started
        finally:
            receiver.kill()
            receiver.wait()

    def test_link_rates(self):
        size = 50_000_000  # one second at 400 Mbit/s
        for source, target in (("h1", "h2"), ("h2", "h1")):
            rate = size * 8 / self.measure(source, target, "migration", size) / 1e6
            self.assertGreater(rate, 300, "migration network slower than its 400 Mbit/s")
            self.assertLess(rate, 420, "migration network faster than its 400 Mbit/s")
        rate = size * 8 / self.measure("h1", "h2", "management", size) / 1e6
        self.assertGreater(rate, 600, "the management network is not shaped")
        self.lab.link("h1", "migration", "rate", "100mbit")
        try:
            rate = size / 4 * 8 / self.measure("h1", "h2", "migration", size // 4) / 1e6
            self.assertGreater(rate, 70)
            self.assertLess(rate, 110)
            status = json.loads(self.ok(run_cli("status", "-o", "json")))
            self.assertEqual(status["hosts"][0]["links"]["migration"]["rate"], "100mbit")
        finally:
            self.lab.link("h1", "migration", "rate", "400mbit")

    def test_link_down(self):
        address = self.lab.host("h2").addresses["migration"]
        probe = ["socat", "-u", "/dev/null", f"TCP:{address}:16514,connect-timeout=1"]
        self.ok(self.lab.exec("h1", *probe))
        self.lab.link("h2", "migration", "down")
        try:
            self.assertNotEqual(self.lab.exec("h1", *probe).returncode, 0)
            self.assertFalse(self.lab.status()["hosts"][1]["links"]["migration"]["up"])
            self.ok(self.lab.exec("h1", "virsh", "-c", "qemu+tls://h2/system", "hostname"))
        finally:
            self.lab.link("h2", "migration", "up")
        self.ok(self.lab.exec("h1", *probe))


class TestSuites(unittest.TestCase):
    """Two generations of libvirt and QEMU in one lab."""

    def setUp(self):
        self.lab = Lab(NAME2)
        self.addCleanup(self.lab.down)

    def test_hosts_of_two_suites(self):
        self.lab.up(hosts=3, with_ferry=False, suites=("bookworm", "trixie"))
        for host, version in (("h1", "9.0."), ("h2", "11.3."), ("h3", "11.3.")):
            self.assertIn(f"daemon: {version}",
                          self.lab.virsh(host, "version", "--daemon").stdout)
        for source, target in (("h1", "h2"), ("h2", "h1")):
            name = self.lab.exec(source, "virsh", "-c", f"qemu+tls://{target}/system", "hostname",
                                 timeout=20)
            self.assertEqual(name.stdout.strip(), target, name.stderr)
        domain = BARE_DOMAIN.format(name="old").replace("'pc'", "'pc-i440fx-7.2'")
        created = self.lab.virsh("h1", "create", "/dev/stdin", input=domain)
        self.assertEqual(created.returncode, 0, created.stderr)
        address = self.lab.host("h3").addresses["migration"]
        moved = self.lab.virsh("h1", "migrate", "--live", "--p2p", "--tls", "old",
                               "qemu+tls://h3/system", "--migrateuri", f"tcp://{address}",
                               timeout=60)
        self.assertEqual(moved.returncode, 0, moved.stderr)
        self.assertIn("old", self.lab.virsh("h3", "list", "--name").stdout)
        status = run_cli("status", name=NAME2).stdout
        self.assertIn("h1 (bookworm): up", status)
        self.assertIn("h3 (trixie): up", status)

    def test_wrong_suites(self):
        with self.assertRaisesRegex(LabError, "'sid'.*expected one of trixie, bookworm"):
            self.lab.up(hosts=2, with_ferry=False, suites=("sid",))
        with self.assertRaisesRegex(LabError, "2 suites for 1 hosts"):
            self.lab.up(hosts=1, with_ferry=False, suites=("trixie", "trixie"))
        self.assertIn("expected one of", run_cli("base", "sid").stderr)
        self.assertEqual(remains(self.lab), [])


FAKE_FERRYD = """\
#!/usr/bin/python3
# Stands in for ferryd: says what it was given, then serves nothing.
import json, os, socket, sys, time
if sys.argv[1:3] == ["token", "create"]:
    print("token-of-" + sys.argv[4])
    sys.exit()
if os.environ.get("FAKE_FAILS"):
    sys.exit("fake ferryd fails as asked")
args = dict(zip(sys.argv[1::2], sys.argv[2::2]))
assert os.environ["LISTEN_PID"] == str(os.getpid())
passed = socket.socket(fileno=3)
with open(args["--state-dir"] + "/seen.json", "w") as file:
    json.dump({"passed": passed.getsockname(), "fds": os.environ["LISTEN_FDS"],
               "args": args, "netns": os.stat("/proc/self/ns/net").st_ino}, file)
with open(args["--state-dir"] + "/admin.kubeconfig", "w") as file:
    file.write("fake")
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
while True:
    connection, _ = passed.accept()
    connection.sendall(b"hello")
    connection.close()
"""

FAKE_AGENT = """\
#!/bin/sh
# Stands in for the agent: greets the address it was given, then is ready.
token=$(cat "$8")
address=${2#https://}
[ "$token" = "token-of-$4" ] || { echo "bad token $token" >&2; exit 1; }
[ "$(socat -u "TCP:$address" -)" = hello ] || { echo "no ferryd" >&2; exit 1; }
echo "$@"
printf READY=1 | socat -u - "UNIX-SENDTO:$NOTIFY_SOCKET"
exec sleep infinity
"""

FAKE_FERRY = """\
#!/bin/sh
# Stands in for the command line: keeps what is applied, has all nodes Ready.
folder=$(dirname "$0")
case "$3" in
apply) cat >"$folder/applied.json";;
get) for node in h1 h2; do
    printf '%s{"metadata":{"name":"%s"},"status":{"conditions":[{"type":"Ready","status":"True"}]}}' \
        "${separator-{\\"items\\":[}" "$node"; separator=,
  done; echo ']}';;
esac
"""


class TestFerry(unittest.TestCase):
    """How Ferry's programs are started, with stand-ins for them."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.build = Path(folder.name)
        for name, text in (("ferryd", FAKE_FERRYD), ("ferry-agentd", FAKE_AGENT),
                           ("ferry", FAKE_FERRY)):
            (self.build / name).write_text(text)
            (self.build / name).chmod(0o755)
        # The lab's own programs still come from the real build directory.
        host = paths.build_dir() / "lab/host"
        if host.is_dir():
            (self.build / "lab").mkdir()
            (self.build / "lab/host").symlink_to(host)
        self.set_env("FERRY_BUILD", folder.name)
        self.lab = Lab(NAME2)
        self.addCleanup(self.lab.down)

    def set_env(self, name, value):
        before = os.environ.get(name)
        os.environ[name] = value
        self.addCleanup(lambda: os.environ.pop(name) if before is None
                        else os.environ.update({name: before}))

    def test_programs_are_started_and_stopped(self):
        self.lab.up(hosts=2)
        seen = json.loads((self.lab.dir / "ferryd/seen.json").read_text())
        self.assertEqual(seen["passed"], [self.lab.state()["server"], 6443])
        self.assertEqual(seen["netns"], os.stat("/proc/self/ns/net").st_ino)
        env = self.lab.env()
        self.assertEqual(env["FERRY_SERVER"], f"https://{seen['args']['--listen']}")
        self.assertTrue(Path(env["KUBECONFIG"]).exists())
        applied = json.loads((self.build / "applied.json").read_text())
        self.assertEqual(applied["spec"]["subnets"], [self.lab.state()["subnets"]["migration"]])
        self.assertTrue(self.lab.status()["ferry"]["up"])

        self.lab.kill("ferryd")
        self.assertFalse(self.lab.status()["ferry"]["up"])
        self.lab.start("ferryd")
        again = json.loads((self.lab.dir / "ferryd/seen.json").read_text())
        self.assertEqual(again["args"], seen["args"], "the same address after a restart")
        self.lab.stop("h1", "agent")
        self.assertEqual(self.lab.host("h1").services()["agent"][1], "killed 15")
        self.lab.start("h1", "agent")
        self.assertTrue(self.lab.host("h1").service_runs("agent"))
        self.lab.down()
        self.assertEqual(remains(self.lab), [])

    def test_failing_ferryd_is_shown_and_undone(self):
        self.set_env("FAKE_FAILS", "1")
        with self.assertRaisesRegex(LabError, "fake ferryd fails as asked"):
            self.lab.up(hosts=1)
        self.assertTrue((self.lab.dir.parent / f"{self.lab.name}.failed-log").exists())
        self.assertFalse(self.lab.dir.exists())
        self.lab.down()
        self.assertEqual(remains(self.lab), [])

    def test_unbuilt(self):
        (self.build / "ferry").unlink()
        with self.assertRaisesRegex(LabError, "not built: ferry .*--no-ferry"):
            self.lab.up(hosts=1)


class TestDown(unittest.TestCase):
    """What down must survive."""

    def setUp(self):
        self.lab = Lab(NAME2)
        self.addCleanup(self.lab.down)

    def test_two_labs_and_down_after_kills(self):
        other = Lab(f"{NAME2}-b")
        self.addCleanup(other.down)
        self.lab.up(hosts=2, with_ferry=False)
        other.up(hosts=2, with_ferry=False)
        self.assertNotEqual(self.lab.state()["subnets"], other.state()["subnets"])
        self.assertEqual(self.lab.virsh("h1", "create", "/dev/stdin",
                                        input=BARE_DOMAIN.format(name="left")).returncode, 0)
        inits = [host.pid() for host in self.lab.all_hosts()]
        children = [int(pid) for pid in Path(f"/proc/{inits[0]}/task/{inits[0]}/children")
                    .read_text().split()]
        self.assertGreaterEqual(len(children), 2, "libvirtd and QEMU")
        self.lab.kill("h1", "libvirtd")
        self.lab.kill("h2", "host")
        self.assertFalse(self.lab.is_up() and self.lab.status()["up"])
        self.lab.down()
        self.assertEqual(remains(self.lab), [])
        for pid in inits + children:
            self.assertIsNone(proc.starttime(pid))
        self.assertTrue(other.status()["up"], "the other lab must not notice")
        self.lab.down()  # again: nothing to do
        other.down()
        self.assertEqual(remains(other), [])

    def test_down_without_its_directory(self):
        self.lab.up(hosts=1, with_ferry=False)
        subprocess.run(["rm", "-rf", str(self.lab.dir / "pids"), str(self.lab.dir / "lab.json")],
                       check=True)
        self.lab.down()
        self.assertEqual(remains(self.lab), [])

    def test_up_killed_halfway(self):
        env = dict(os.environ, FERRY_LAB=NAME2)
        with subprocess.Popen([str(REPO / "lab/ferry-lab"), "up", "--no-ferry"], env=env,
                              stderr=subprocess.DEVNULL) as process:
            try:
                proc.wait_for("the first host's record", lambda: process.poll() is not None or
                              (self.lab.dir / "pids/host-h1.json").exists(), 60, interval=0.001)
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()
        again = run_cli("up", "--no-ferry", name=NAME2)
        self.assertEqual(again.returncode, 1)
        self.assertIn("ferry-lab down", again.stderr)
        self.assertEqual(run_cli("down", name=NAME2).returncode, 0)
        self.assertEqual(remains(self.lab), [])

    def test_failed_up_leaves_nothing(self):
        original = net.plug

        def broken(*_args):
            raise LabError("broken on purpose")

        net.plug = broken
        try:
            with self.assertRaisesRegex(LabError, "broken on purpose"):
                self.lab.up(hosts=2, with_ferry=False)
        finally:
            net.plug = original
        self.assertTrue((self.lab.dir.parent / f"{self.lab.name}.failed-log").exists())
        self.assertFalse(self.lab.dir.exists())
        self.lab.down()
        self.assertEqual(remains(self.lab), [])

    def test_recycled_pid_is_spared(self):
        """A record whose pid now belongs to another process ends nothing."""
        self.lab.up(hosts=1, with_ferry=False)
        with subprocess.Popen(["sleep", "60"]) as innocent:
            try:
                record = {"pid": innocent.pid, "starttime": proc.starttime(innocent.pid) - 1}
                (self.lab.dir / "pids/old.json").write_text(json.dumps(record))
                self.lab.down()
                self.assertIsNone(innocent.poll())
            finally:
                innocent.kill()


if __name__ == "__main__":
    unittest.main(verbosity=2)
