# SPDX-License-Identifier: Apache-2.0
"""What the tests on real hosts share: one lab a module, ferry and kubectl as a person runs them."""
import contextlib
import json
import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "lab"))
from ferrylab.lab import Lab  # noqa: E402  pylint: disable=wrong-import-position

FERRY_LAB = str(ROOT / "lab" / "ferry-lab")
BUILD = Path(os.environ.get("FERRY_BUILD", ROOT / "build"))
KUBECTL_DIR = Path(os.environ.get("FERRY_KUBECTL_DIR", "/var/cache/ferry-lab/kubectl"))
KUBECTLS = ("1.20", "1.32")
# How much longer than on a machine of one's own a state may take: tests/run says so where it has
# other work for the processors.
PATIENCE = float(os.environ.get("FERRY_PATIENCE", 1))


class LabTest(unittest.TestCase):
    """Brings a lab up for the whole class; HOSTS and OPTIONS may be set by the class."""
    HOSTS = 3
    OPTIONS = {}

    @classmethod
    def assert_none_crashed(cls):
        if cls.lab.crashed():
            raise AssertionError("; ".join(cls.lab.crashed()))

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(f"t{os.getpid()}")
        os.environ["FERRY_LAB"] = cls.lab.name
        cls.addClassCleanup(cls.lab.down)
        cls.addClassCleanup(cls.assert_none_crashed)
        cls.lab.up(hosts=cls.HOSTS, **cls.OPTIONS)
        cls.env = {**os.environ, **cls.lab.env()}

    def tearDown(self):
        for name in list(getattr(self, "guests", [])):
            self.remove_guest(name)
        outcome = getattr(self._outcome, "result", None)
        bad = outcome and any(t is self for t, _ in outcome.failures + outcome.errors)
        if bad:
            print(f"--- logs of lab {self.lab.name} after {self.id()}", file=sys.stderr)
            for name in ("ferryd", *self.lab.hosts()):
                for path in self.lab.log_files(name):
                    if path.name in ("ferryd.log", "agent.log") and path.exists():
                        lines = path.read_text(errors="replace").splitlines()[-25:]
                        print(f"-- {path}", *lines, sep="\n", file=sys.stderr)

    # -- programs

    def run_(self, *argv, check=True, timeout=120, text=None):
        done = subprocess.run([str(a) for a in argv], text=True, capture_output=True, env=self.env,
                              timeout=timeout, check=False, input=text,
                              **({} if text is not None else {"stdin": subprocess.DEVNULL}))
        if check and done.returncode != 0:
            self.fail(f"{argv}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def ferry(self, *args, **kw):
        return self.run_(BUILD / "ferry", *args, **kw)

    def ferry_json(self, *args):
        return json.loads(self.ferry(*args, "-o", "json").stdout)

    def kubectl(self, version, *args, **kw):
        return self.run_(KUBECTL_DIR / f"kubectl-{version}", *args, **kw)

    def lab_run(self, *args, **kw):
        return self.run_(FERRY_LAB, *args, **kw)

    # -- guests

    def guest(self, name, host="h1", kernel="bare", memory=64, **options):
        words = []
        for key, value in options.items():
            word = "--" + key.replace("_", "-")
            words += [word] if value is True else [word, str(value)]
        # Not to be taken for a guest of that name which the former test had.
        self.wait(lambda: self.vmi(name) is None, 10, f"ferryd knows of no {name}")
        self.guests = [*getattr(self, "guests", []), name]
        self.lab_run("guest", name, "--host", host, "--kernel", kernel, "--memory", str(memory),
                     *words)
        self.wait(lambda: self.vmi(name) and self.vmi(name)["status"]["phase"] == "Running",
                  10, f"ferryd shows {name} as Running")
        return name

    def remove_guest(self, name):
        self.guests = [g for g in self.guests if g != name]
        self.lab_run("guest-rm", name, check=False)

    def stat(self, name, *options):
        return json.loads(self.lab_run("stat", name, *options).stdout)

    def vmi(self, name, ns="default"):
        done = self.ferry("get", "vmi", name, "-n", ns, "-o", "json", check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def is_ready(self, node):
        conditions = self.ferry_json("get", "node", node)["status"]["conditions"]
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    @contextlib.contextmanager
    def migrating(self, name, *options):
        """`ferry migrate NAME --to h2`, once the migration is there or was refused; the command is
        killed in the end where it still waits, the migration itself goes on."""
        before = self.migration_uids()
        with subprocess.Popen([str(BUILD / "ferry"), "migrate", name, "--to", "h2", *options],
                              env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as migration:
            try:
                self.wait(lambda: migration.poll() is not None or self.migration_uids() - before,
                          20, "the migration is there")
                yield migration
            finally:
                migration.kill()

    def agent_away(self, node):
        """Kills a host's agent until the end of the test; ferryd has noticed both."""
        def again():
            self.lab.start(node, "agent")
            self.wait(lambda: self.is_ready(node), 20, f"{node} is Ready again")

        self.lab.kill(node, "agent")
        self.addCleanup(again)
        self.wait(lambda: not self.is_ready(node), 20, f"{node} is seen as down")

    def hook(self, host, script):
        """libvirtd of the host calls this script at each step of a domain's life, until the end of
        the test."""
        def gone():
            self.lab.exec(host, "rm", "-f", "/etc/libvirt/hooks/qemu")

        self.addCleanup(gone)
        self.lab.exec(host, "sh", "-c", "mkdir -p /etc/libvirt/hooks && "
                      "cat >/etc/libvirt/hooks/qemu && chmod 755 /etc/libvirt/hooks/qemu",
                      input=script)
        self.lab.kill(host, "libvirtd")  # it looks for hooks when it starts
        self.lab.start(host, "libvirtd")
        self.wait(lambda: self.is_ready(host), 40, f"{host} is Ready again")

    def migration_uids(self):
        return {m["metadata"]["uid"] for m in self.ferry_json("get", "vmim")["items"]}

    def migrations(self, vmi):
        return [m for m in self.ferry_json("get", "vmim")["items"] if m["spec"]["vmiName"] == vmi]

    def newest(self, vmi):
        return max(self.migrations(vmi), key=lambda m: int(m["metadata"]["resourceVersion"]))

    def wait(self, probe, seconds, what):
        """What probe() gives once that is true; `what` is a text, or makes one when it is too late."""
        until = time.monotonic() + seconds * PATIENCE
        while True:
            value = probe()
            if value:
                return value
            if time.monotonic() > until:
                self.fail(f"not within {seconds * PATIENCE:g} s: {what() if callable(what) else what}")
            time.sleep(0.05)

    def assert_on(self, name, host):
        """The guest runs on that host only, alive, with its memory intact."""
        before = self.stat(name)["heartbeats"]
        self.wait(lambda: self.stat(name)["heartbeats"] > before, 10, f"{name} lives")
        self.wait(lambda: self.stat(name)["memory_intact"] is not None, 10, f"{name} has looked at its memory")
        stat = self.stat(name)
        self.assertEqual(stat["host"], host, stat)
        self.assertTrue(stat["memory_intact"], stat)
        for other in self.lab.hosts():
            if other != host:  # what failed there is taken away by libvirt in its own time
                self.wait(lambda h=other: name not in self.lab.virsh(
                    h, "list", "--all", "--name").stdout.split(), 5,
                    f"{name} is not known on {other}")
