# SPDX-License-Identifier: Apache-2.0
"""What the tests of migration flags share: a migration caught while it runs, the source's QEMU
asked what it was told, and libvirt's own log of the call."""
import contextlib
import json
import re
import subprocess

from labtest import BUILD, LabTest

LOG = "/var/log/libvirt/calls.log"
FLAGS = {name: 1 << bit for bit, name in enumerate(
    "LIVE PEER2PEER TUNNELLED PERSIST_DEST UNDEFINE_SOURCE PAUSED NON_SHARED_DISK NON_SHARED_INC "
    "CHANGE_PROTECTION UNSAFE OFFLINE COMPRESSED ABORT_ON_ERROR AUTO_CONVERGE RDMA_PIN_ALL "
    "POSTCOPY TLS PARALLEL NON_SHARED_SYNCHRONOUS_WRITES POSTCOPY_RESUME ZEROCOPY".split())}


class FlagsTest(LabTest):
    HOSTS = 2
    SLOW = ("--bandwidth", "8Mi")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for host in cls.lab.hosts():
            cls.lab.exec(host, "virt-admin", "-c", "libvirtd:///system", "daemon-log-filters",
                         "1:libvirt 4:*")
            cls.lab.exec(host, "virt-admin", "-c", "libvirtd:///system", "daemon-log-outputs",
                         f"1:file:{LOG}")

    # -- what libvirt was asked

    def forget_calls(self, host="h1"):
        self.lab.exec(host, "truncate", "-s", "0", LOG)

    def calls(self, host="h1"):
        """(flags as a set of names, parameters) of the last migration that the host's libvirtd
        was asked for."""
        text = self.lab.exec(host, "cat", LOG).stdout
        calls = list(re.finditer(r"virDomainMigrate(?:Perform3Params|Begin3Params)\b.*?"
                                 r"flags=0x([0-9a-f]+)", text))
        self.assertTrue(calls, f"no migration in libvirtd's log: {text[-2000:]}")
        bits = int(calls[-1][1], 16)
        params = {}
        for name, value in re.findall(r'params\["([^"]+)"\]=\(\w+\)(.*)', text[calls[-1].start():]):
            if name in params and isinstance(params[name], list):
                params[name].append(value)
            elif name in params:
                params[name] = [params[name], value]
            else:
                params[name] = value
        return {name for name, bit in FLAGS.items() if bits & bit}, params

    def qemu(self, name, command, host="h1"):
        done = self.lab.virsh(host, "qemu-monitor-command", name,
                              json.dumps({"execute": command}))
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["return"]

    def capabilities(self, name, host="h1"):
        """Names of the capabilities that are on."""
        return {c["capability"] for c in self.qemu(name, "query-migrate-capabilities", host)
                if c["state"]}

    def parameters(self, name, host="h1"):
        return self.qemu(name, "query-migrate-parameters", host)

    # -- migrations

    @contextlib.contextmanager
    def moving(self, name, *options, to="h2", slow=True, until="processed", stays=True):
        """A slow migration, caught once memory flows: its `ferry migrate`. Cancelled at the end
        where it still runs; then the VM is where it was, unless not stays."""
        self.forget_calls()
        mover = subprocess.Popen(
            [BUILD / "ferry", "migrate", name, "--to", to, *(self.SLOW if slow else ()), *options],
            env=self.env, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

        def runs():
            if mover.poll() is not None:
                self.fail("it has ended: " + "".join(mover.communicate()))
            info = self.lab.virsh("h1", "domjobinfo", name).stdout
            return re.search(rf"(?i)data {until}: +[1-9]", info)

        try:
            self.wait(runs, 20, "the migration runs")
            yield mover
        finally:
            if mover.poll() is None:
                self.ferry("cancel", name, check=False)
            mover.communicate(timeout=30)
        if stays:
            self.assertEqual(self.stat(name)["host"], "h1")

    def move(self, name, to, *options):
        self.forget_calls()
        return self.ferry("migrate", name, "--to", to, *options)

    def fails(self, name, to, pattern, *options, code=1):
        """The migration fails with that text, and the VM is where it was, intact."""
        host = self.stat(name)["host"]
        done = self.ferry("migrate", name, "--to", to, *options, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertRegex(done.stdout + done.stderr, pattern)
        self.assertEqual(self.stat(name)["host"], host)
        self.assertTrue(self.stat(name)["memory_intact"])
        return done

    def refused(self, name, *options):
        """Refused before anything starts; the causes as text."""
        before = self.migration_uids()
        done = self.ferry("migrate", name, "--to", "h2", *options, check=False)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertEqual(self.migration_uids(), before)
        return done.stderr

    def names(self, host, *options):
        return self.lab.virsh(host, "list", "--name", *options).stdout.split()
