# SPDX-License-Identifier: Apache-2.0
"""Flags about memory: convergence, compression, connections, encryption; as QEMU was told."""
import json
import re
import signal

from flagstest import FlagsTest


class Memory(FlagsTest):
    def setUp(self):
        self.guest("mem", rate=5, working_set=48)

    def test_bandwidth(self):
        with self.moving("mem"):
            self.assertEqual(self.parameters("mem")["max-bandwidth"], 8 << 20)
            self.assertEqual(self.calls()[1]["bandwidth"], "8")

    def test_auto_converge(self):
        with self.moving("mem", "--auto-converge", "--auto-converge-initial", "33",
                         "--auto-converge-increment", "7"):
            self.assertIn("auto-converge", self.capabilities("mem"))
            params = self.parameters("mem")
            self.assertEqual(params["cpu-throttle-initial"], 33)
            self.assertEqual(params["cpu-throttle-increment"], 7)
        with self.moving("mem"):
            self.assertNotIn("auto-converge", self.capabilities("mem"))

    def test_post_copy(self):
        with self.moving("mem", "--post-copy", "--postcopy-bandwidth", "12Mi"):
            self.assertIn("postcopy-ram", self.capabilities("mem"))
            self.assertEqual(self.calls()[1]["bandwidth.postcopy"], "12")
            self.assertEqual(self.parameters("mem")["max-postcopy-bandwidth"], 12 << 20)
        with self.moving("mem"):
            self.assertNotIn("postcopy-ram", self.capabilities("mem"))

    def test_available_switchover_bandwidth(self):
        with self.moving("mem", "--available-switchover-bandwidth", "100Mi"):
            self.assertEqual(self.parameters("mem")["avail-switchover-bandwidth"], 100 << 20)

    def test_xbzrle(self):
        with self.moving("mem", "--compressed", "--comp-methods", "xbzrle", "--comp-xbzrle-cache",
                         "32Mi"):
            self.assertIn("xbzrle", self.capabilities("mem"))
            self.assertEqual(self.parameters("mem")["xbzrle-cache-size"], 32 << 20)
        self.move("mem", "h2", "--compressed")  # libvirt's own default is xbzrle
        self.assertIn("COMPRESSED", self.calls()[0])
        self.assert_on("mem", "h2")

    def test_parallel_with_zstd(self):
        with self.moving("mem", "--parallel", "--parallel-connections", "3", "--compressed",
                         "--comp-methods", "zstd", "--comp-zstd-level", "5"):
            self.assertIn("multifd", self.capabilities("mem"))
            params = self.parameters("mem")
            self.assertEqual(params["multifd-channels"], 3)
            self.assertEqual(params["multifd-compression"], "zstd")
            self.assertEqual(params["multifd-zstd-level"], 5)
        self.move("mem", "h2", "--parallel", "--compressed", "--comp-methods", "zstd")
        self.assert_on("mem", "h2")

    def test_parallel_with_zlib(self):
        with self.moving("mem", "--parallel", "--compressed", "--comp-methods", "zlib",
                         "--comp-zlib-level", "6"):
            params = self.parameters("mem")
            self.assertEqual(params["multifd-compression"], "zlib")
            self.assertEqual(params["multifd-zlib-level"], 6)

    def test_parallel_chooses_its_connections(self):
        """As many as fill the link, 4 Gbit/s each with TLS and 10 without, and as processors can
        encrypt: the links here say 10 Gbit/s; the hosts are said to have more processors than
        this machine may have."""
        for host in ("h1", "h2"):
            node = json.loads(self.kubectl("1.32", "get", "node", host, "-o", "json").stdout)
            self.assertEqual({i.get("speedMbps") for i in node["status"]["interfaces"]
                              if i["name"] == "migration"}, {10000})
            self.set_processors(host, 8)
            self.addCleanup(self.set_processors, host, int(node["status"]["capacity"]["cpu"]))
        for options, channels in (([], 3), (["--no-tls"], 2)):
            with self.moving("mem", "--parallel", *options):
                self.assertEqual(self.parameters("mem")["multifd-channels"], channels)
                status = self.newest("mem")["status"]
                config = status["migrationState"]["migrationConfiguration"]
                self.assertEqual(config["parallelConnections"], channels)
                self.assertEqual(status["configurationOrigins"]["parallelConnections"],
                                 "automatic")

    def set_processors(self, host, number):
        self.kubectl("1.32", "patch", "node", host, "--subresource=status", "--type=merge", "-p",
                     json.dumps({"status": {"capacity": {"cpu": str(number)}}}))

    def test_tls(self):
        with self.moving("mem"):  # by default
            params = self.parameters("mem")
            self.assertTrue(params["tls-creds"])
            self.assertEqual(params["tls-hostname"], "h2")
        with self.moving("mem", "--no-tls"):
            self.assertFalse(self.parameters("mem")["tls-creds"])
        with self.moving("mem", "--tls", "--tls-destination", "h2-migration"):
            self.assertEqual(self.parameters("mem")["tls-hostname"], "h2-migration")
        self.fails("mem", "h2", r"Certificate does not match the hostname elsewhere",
                   "--tls-destination", "elsewhere")

    def test_tls_without_certificates_says_what_to_do(self):
        self.lab.exec("h2", "mv", "/etc/pki/qemu", "/etc/pki/qemu.away")
        try:
            self.fails("mem", "h2", r"disableTLS: true")
            self.move("mem", "h2", "--no-tls")
        finally:
            self.lab.exec("h2", "mv", "/etc/pki/qemu.away", "/etc/pki/qemu")
        self.assert_on("mem", "h2")

    def test_zerocopy_needs_locked_memory(self):
        """The lab's hosts may not lock memory: libvirt's own error comes through; or the VM has no
        limit of its own for it, which is said before anything starts."""
        done = self.not_moved(r"locked memory", "--zerocopy", "--parallel", "--no-tls")
        if done.returncode == 1:
            self.assertIn("ZEROCOPY", self.calls()[0])
            self.assertNotIn("libvirtd of this host went away", done.stdout + done.stderr)

    def test_rdma_needs_hardware(self):
        """A VM without a memory limit is refused, with libvirt's rule; one that has a limit on the
        target fails for the hardware that the lab has not."""
        options = ("--migrateuri", "rdma://h2-migration", "--no-tls")
        said = self.refused("mem", *options)
        self.assertIn("cannot start RDMA migration with no memory hard limit set", said)
        virsh = self.lab.virsh("h1", "migrate", "--live", "--p2p", "mem",
                               f"qemu+tls://{self.lab.host('h2').addresses['management']}/system",
                               "rdma://h2-migration")
        self.assertIn("cannot start RDMA migration with no memory hard limit set", virsh.stderr)
        xml = self.lab.virsh("h1", "dumpxml", "mem", "--migratable").stdout
        path = self.lab.dir / "limit.xml"
        path.write_text(xml.replace("<vcpu", "<memtune><hard_limit unit='MiB'>512</hard_limit>"
                                    "</memtune><vcpu", 1))
        done = self.not_moved(r"(?i)rdma|locked memory", *options, "--rdma-pin-all", "--xml", path)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertNotIn("hard limit", done.stdout + done.stderr)
        flags, params = self.calls()
        self.assertIn("RDMA_PIN_ALL", flags)
        self.assertEqual(params["migrate_uri"], "rdma://h2-migration")

    def not_moved(self, pattern, *options):
        """Refused beforehand or failed, with that text; the VM is where it was."""
        self.forget_calls()
        done = self.ferry("migrate", "mem", "--to", "h2", *options, check=False)
        self.assertIn(done.returncode, (1, 3), done.stdout + done.stderr)
        self.assertRegex(done.stdout + done.stderr, pattern)
        self.assertEqual(self.stat("mem")["host"], "h1")
        self.assertTrue(self.stat("mem")["memory_intact"])
        return done

    def test_migrateuri(self):
        address = self.lab.host("h2").addresses["management"]
        with self.moving("mem", "--migrateuri", f"tcp://{address}:49321", "--no-tls"):
            peers = self.lab.exec("h1", "ss", "-tnH", "dport", "=", ":49321").stdout
            self.assertIn(f"{address}:49321", peers)

    def test_migrateuri_of_a_socket(self):
        """QEMU's data goes to a local socket; here a relay beside each host passes it on."""
        path, port = "/run/ferry-relay.sock", 49555
        address = self.lab.host("h2").addresses["migration"]
        self.lab.host("h1").start_service("relay", [
            "socat", f"UNIX-LISTEN:{path},fork", f"TCP:{address}:{port}"])
        self.lab.host("h2").start_service("relay", [
            "socat", f"TCP-LISTEN:{port},bind={address},fork,reuseaddr", f"UNIX-CONNECT:{path}"])
        for host in ("h1", "h2"):
            self.addCleanup(self.lab.host(host).signal_service, "relay", signal.SIGTERM)
        with self.moving("mem", "--migrateuri", f"unix://{path}", "--no-tls"):
            self.assertEqual(self.calls()[1]["migrate_uri"], f"unix://{path}")
            peers = self.lab.exec("h1", "ss", "-tnpH", "dport", "=", f":{port}").stdout
            self.assertIn("socat", peers)
            self.assertNotIn("qemu", self.lab.exec("h1", "ss", "-tnpH", "dst", address).stdout)
        self.move("mem", "h2", "--migrateuri", f"unix://{path}", "--no-tls")
        self.assert_on("mem", "h2")

    def listening(self):
        """Where h2's QEMU listens for migrations: it does until the last byte has come."""
        lines = self.lab.exec("h2", "ss", "-ltnpH").stdout.splitlines()
        return {line.split()[3].rpartition(":")[0] for line in lines
                if re.search(r":49[12]\d\d$", line.split()[3])}

    def test_listen_address(self):
        """The target listens there and nowhere else: on its other address nobody answers."""
        with self.moving("mem", "--listen-address", "0.0.0.0"):
            self.assertEqual(self.calls()[1]["listen_address"], "0.0.0.0")
            self.assertEqual(self.listening(), {"0.0.0.0"})
        migration = self.lab.host("h2").addresses["migration"]
        with self.moving("mem"):
            self.assertEqual(self.listening(), {migration})
        address = self.lab.host("h2").addresses["management"]
        self.fails("mem", "h2", r"(?i)refused", "--listen-address", address)

    def test_version_of_compression_method(self):
        """QEMU 10 has the method mt no longer."""
        text = self.refused("mem", "--compressed", "--comp-methods", "mt", "--comp-mt-level", "1",
                            "--comp-mt-threads", "2", "--comp-mt-dthreads", "2")
        for field in ("compressionMethods", "compressionMTLevel", "compressionMTThreads",
                      "compressionMTDThreads"):
            self.assertRegex(text, rf"spec\.{field}: .*node h\d has QEMU 10\.\S+: .*removed in "
                                   r"QEMU 9\.1\.0")

    def test_all_violations_at_once_and_nothing_starts(self):
        self.lab.exec("h2", "rm", "-f", "/var/log/libvirt/qemu/mem.log")
        text = self.refused("mem", "--parallel-connections", "4", "--auto-converge-initial", "20",
                            "--tunnelled", "--parallel", "--post-copy", "--suspend", "--zerocopy",
                            "--disks-port", "49200", "--listen-address", "192.0.2.1")
        for said in ("Turn auto convergence on to tune it", "mutually exclusive",
                     "post-copy is not supported with tunnelled", "non-live or paused",
                     "multifd", "disksPort needs", "Failed to bind socket", "listen address is not"):
            self.assertIn(said, text)
        self.assertGreaterEqual(len(re.findall(r"(?m)^\s*[*•-] ", text)), 8, text)
        self.assertNotEqual(
            self.lab.exec("h2", "test", "-e", "/var/log/libvirt/qemu/mem.log").returncode, 0)
        self.assertEqual(self.stat("mem")["host"], "h1")
