# SPDX-License-Identifier: Apache-2.0
"""Disks that are copied: prepared on the target, the same byte for byte while the guest writes, removed
after a failure. Guests write a known pattern to their disks, which is compared on the target; what is
left in either host's directories is listed after each failure."""
import json
import re
import signal
import subprocess
import tempfile

from flagstest import LOG, FlagsTest
from labtest import BUILD
from ferrylab.paths import IN_SHARED


class Disks(FlagsTest):
    SLOW = ("--bandwidth", "12Mi")
    COPY = "--copy-storage-all"

    def disk_guest(self, name, **more):
        self.guest(name, kernel="linux", memory=160, rate=2, working_set=16, disk="local", **more)
        xml = self.lab.virsh("h1", "dumpxml", name).stdout
        self.path = re.search(r"<source file='([^']+)'", xml)[1]
        return self.path

    def exists(self, host, path):
        return self.lab.exec(host, "test", "-e", path).returncode == 0

    def image(self, host, path):
        text = self.lab.exec(host, "qemu-img", "info", "-U", "--output=json", path).stdout
        return json.loads(text)

    def digest(self, host, path):
        """Of what a guest sees, through the whole backing chain."""
        done = self.lab.exec(host, "sh", "-c", f"qemu-img convert -U -O raw '{path}' "
                             "/var/tmp/whole && sha256sum < /var/tmp/whole && rm /var/tmp/whole")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def wait_disk_written(self, name):
        self.wait(lambda: self.stat(name)["disk_blocks_written"] > 20, 15, "the guest writes")

    def mirrors(self, name):
        return [j for j in self.qemu(name, "query-block-jobs") if j["type"] == "mirror"]

    def move_and_compare(self, name, *options):
        """To h2, while the guest writes; what it has there is what it had when it was paused."""
        self.wait_disk_written(name)
        self.move(name, "h2", self.COPY, "--suspend", *options)
        self.assertEqual(self.digest("h1", self.path), self.digest("h2", self.path))
        self.lab.virsh("h2", "resume", name)
        self.assert_on(name, "h2")

    def remove_copy(self, host="h2"):
        self.addCleanup(self.lab.exec, host, "rm", "-f", self.path)

    def test_copy_storage_all(self):
        path = self.disk_guest("disk", persistent=True)
        self.remove_copy()
        self.wait_disk_written("disk")
        self.move("disk", "h2", self.COPY, "--suspend")
        self.assertIn("NON_SHARED_DISK", self.calls()[0])
        source, target = self.image("h1", path), self.image("h2", path)
        self.assertEqual(source["virtual-size"], target["virtual-size"])
        self.assertEqual(source["format"], target["format"])
        self.assertEqual(self.digest("h1", path), self.digest("h2", path))
        m = self.newest("disk")["status"]
        # what the guest writes meanwhile is copied again, and counts
        self.assertGreaterEqual(m["progress"]["diskTotalBytes"], source["virtual-size"])
        self.assertLess(m["progress"]["diskTotalBytes"], source["virtual-size"] * 1.5)
        self.assertLess(m["progress"]["diskTotalBytes"], m["progress"]["dataTotalBytes"])
        self.assertEqual(m["migrationState"]["targetDisks"],
                         [{"name": "vda", "type": "file", "path": path, "format": "raw",
                           "sizeBytes": source["virtual-size"], "create": True}])
        self.assertNotIn("ferry-", self.lab.virsh("h2", "pool-list", "--all").stdout)
        self.lab.virsh("h2", "resume", "disk")
        before = self.stat("disk")["disk_blocks_checked"]
        self.wait(lambda: self.stat("disk")["disk_blocks_checked"] > before + 20, 15,
                  "the guest finds its blocks")
        self.assertEqual(self.stat("disk")["check_errors"], 0)
        self.assert_on("disk", "h2")

    def test_disks_and_memory_are_counted_apart(self):
        """Bytes of disks rise and fall while they are copied; memory's come after, by themselves."""
        self.disk_guest("apart")
        self.remove_copy()

        def progress():
            return self.newest("apart")["status"].get("progress", {})

        def copied(least):
            p = progress()
            return p if p.get("diskProcessedBytes", 0) > least else None

        with self.moving("apart", self.COPY, "--bandwidth", "4Mi", until="total"):
            first = self.wait(lambda: copied(0), 20, "the disk is copied")
            second = self.wait(lambda: copied(first["diskProcessedBytes"] + (4 << 20)), 20,
                               lambda: f"it is copied on: {progress()}")
            self.assertEqual(first["phase"], "CopyingDisks")
            self.assertLess(second["diskRemainingBytes"], first["diskRemainingBytes"])
            for p in (first, second):
                self.assertEqual(p.get("memoryProcessedBytes", 0), 0)
                self.assertEqual(p["dataRemainingBytes"],
                                 p["diskRemainingBytes"] + p.get("memoryRemainingBytes", 0))
        self.move("apart", "h2", self.COPY)
        end = progress()
        self.assertGreater(end["memoryTotalBytes"], 0)
        self.assertEqual(end["dataTotalBytes"], end["diskTotalBytes"] + end["memoryTotalBytes"])
        self.assert_on("apart", "h2")

    def test_copy_storage_inc(self):
        """Only the top of the chain is sent; the rest is on the target already."""
        base = self.disk_guest("chain")
        self.wait_disk_written("chain")
        top = base.replace(".raw", ".qcow2")
        done = self.lab.virsh("h1", "snapshot-create-as", "chain", "--disk-only", "--no-metadata",
                              "--diskspec", f"vda,file={top}")
        self.assertEqual(done.returncode, 0, done.stderr)
        for path in (base, top):
            for host in ("h1", "h2"):
                self.addCleanup(self.lab.exec, host, "rm", "-f", path)
        content = self.lab.exec("h1", "base64", base).stdout
        self.lab.exec("h2", "mkdir", "-p", base.rsplit("/", 1)[0])
        self.lab.exec("h2", "sh", "-c", f"base64 -d > '{base}'", input=content)
        written = self.stat("chain")["disk_blocks_written"]
        self.wait(lambda: self.stat("chain")["disk_blocks_written"] > written + 10, 15, "it writes")
        self.move("chain", "h2", "--copy-storage-inc", "--suspend")
        self.assertIn("NON_SHARED_INC", self.calls()[0])
        self.assertEqual(self.image("h2", top)["format"], "qcow2")
        self.assertEqual(self.image("h2", top)["full-backing-filename"], base)
        self.assertEqual(self.digest("h1", top), self.digest("h2", top))
        self.lab.virsh("h2", "resume", "chain")
        self.assert_on("chain", "h2")

    def test_synchronous_writes(self):
        self.disk_guest("sync")
        self.remove_copy()
        with self.moving("sync", self.COPY, "--copy-storage-synchronous-writes"):
            self.assertIn("NON_SHARED_SYNCHRONOUS_WRITES", self.calls()[0])
            self.wait(lambda: any(j.get("actively-synced") for j in self.mirrors("sync")), 20,
                      "the mirror is in step with the guest's writes")
        with self.moving("sync", self.COPY):
            self.assertFalse(any(j.get("actively-synced") for j in self.mirrors("sync")))
        self.move_and_compare("sync", "--copy-storage-synchronous-writes")

    def test_cancel_removes_what_was_made(self):
        path = self.disk_guest("undo")
        with self.moving("undo", self.COPY, until="total"):
            self.wait(lambda: self.exists("h2", path), 10, "the target has the image")
        self.wait(lambda: self.newest("undo")["status"]["phase"] == "Failed", 20, "cancelled")
        self.assertFalse(self.exists("h2", path))
        self.assertNotIn("ferry-", self.lab.virsh("h2", "pool-list", "--all").stdout)
        self.assertEqual(self.stat("undo")["check_errors"], 0)

    def test_image_in_the_way(self):
        """One of another size is refused and left alone; one that fits is used, and not removed
        when the migration fails, for Ferry did not make it."""
        path = self.disk_guest("way")
        self.remove_copy()
        self.lab.exec("h2", "mkdir", "-p", path.rsplit("/", 1)[0])
        self.lab.exec("h2", "truncate", "-s", "1M", path)
        self.fails("way", "h2", r"exists there with 1048576 bytes in format raw", self.COPY)
        self.assertEqual(self.image("h2", path)["virtual-size"], 1 << 20)
        size = self.image("h1", path)["virtual-size"]
        self.lab.exec("h2", "truncate", "-s", str(size), path)
        # what a host has is looked at every few seconds
        self.wait(lambda: self.ferry("check", "way", "--to", "h2", self.COPY, check=False).returncode == 0, 20,
                  "the look at the image is a new one")
        with self.moving("way", self.COPY, until="total"):
            pass
        self.assertTrue(self.exists("h2", path))
        self.move("way", "h2", self.COPY)
        self.assert_on("way", "h2")

    def moved_to(self, name, path):
        """A file with the domain's XML in which the disk lies at another path."""
        xml = self.lab.virsh("h1", "dumpxml", "--migratable", name).stdout
        file = tempfile.NamedTemporaryFile("w", suffix=".xml")
        self.addCleanup(file.close)
        file.write(xml.replace(self.path, path))
        file.flush()
        return file.name

    def test_directories_are_made_and_removed(self):
        self.disk_guest("deep")
        there = "/var/tmp/ferry-deep/er/disk.raw"
        self.addCleanup(self.lab.exec, "h2", "rm", "-rf", "/var/tmp/ferry-deep")
        options = (self.COPY, "--xml", self.moved_to("deep", there))
        with self.moving("deep", *options, until="total"):
            self.wait(lambda: self.exists("h2", there), 10, "the target has the image")
            disk = self.newest("deep")["status"]["migrationState"]["targetDisks"][0]
            self.assertEqual(disk["directory"], "/var/tmp/ferry-deep")
        self.assertFalse(self.exists("h2", "/var/tmp/ferry-deep"))
        self.assertTrue(self.exists("h2", "/var/tmp"))
        self.assertNotIn("ferry-", self.lab.virsh("h2", "pool-list", "--all").stdout)
        self.move("deep", "h2", *options)
        self.assertTrue(self.exists("h2", there))
        self.assert_on("deep", "h2")

    def test_image_that_appears_meanwhile(self):
        """Nothing is made before ferryd has it in writing; what somebody else makes until then is
        neither written over nor removed."""
        self.disk_guest("late")
        there = "/var/tmp/ferry-late/disk.raw"
        self.addCleanup(self.lab.exec, "h2", "rm", "-rf", "/var/tmp/ferry-late")
        xml = self.moved_to("late", there)
        for host in ("h1", "h2"):
            self.forget_calls(host)

        def called(host, name):
            return self.lab.exec(host, "grep", "-q", name, LOG).returncode == 0

        manifest = {"apiVersion": "migrations.kubevirt.io/v1alpha1", "kind": "MigrationPolicy",
                    "metadata": {"name": "measured"},
                    "spec": {"dirtyRateSeconds": 2, "selectors": {"namespaceSelector": {}}}}
        self.ferry("apply", "-f", "-", text=json.dumps(manifest))
        self.addCleanup(self.ferry, "delete", "migrationpolicy", "measured")
        mover = subprocess.Popen(
            [BUILD / "ferry", "migrate", "late", "--to", "h2", self.COPY, "--xml", xml],
            env=self.env, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        try:
            self.wait(lambda: called("h1", "virDomainStartDirtyRateCalc"), 20, "it is measured")
            self.lab.kill("ferryd", sig=signal.SIGSTOP)
            self.wait(lambda: called("h2", "virStoragePoolCreateXML"), 20, "the target is looked at")
            self.wait(lambda: "ferry-" not in self.lab.virsh("h2", "pool-list", "--all").stdout, 10,
                      "the look has ended")
            self.assertFalse(self.exists("h2", "/var/tmp/ferry-late"))
            self.lab.exec("h2", "mkdir", "/var/tmp/ferry-late")
            self.lab.exec("h2", "sh", "-c", f"echo theirs > {there}")
        finally:
            self.lab.kill("ferryd", sig=signal.SIGCONT)
            text = mover.communicate(timeout=60)[0]
        self.assertEqual(mover.returncode, 1, text)
        self.assertIn(f"{there} appeared on the target meanwhile", text)
        self.assertEqual(self.lab.exec("h2", "cat", there).stdout, "theirs\n")
        self.assertEqual(self.stat("late")["host"], "h1")

    def test_image_of_another_domain(self):
        path = self.disk_guest("mine")
        self.remove_copy()
        xml = ("<domain type='qemu'><name>theirs</name><memory unit='MiB'>16</memory>"
               "<os><type arch='x86_64'>hvm</type></os><devices><disk type='file' device='disk'>"
               f"<source file='{path}'/><target dev='vda'/></disk></devices></domain>")
        self.lab.virsh("h2", "define", "/dev/stdin", input=xml)
        self.addCleanup(self.lab.virsh, "h2", "undefine", "theirs")
        self.fails("mine", "h2", "belongs to the domain theirs", self.COPY)
        self.assertFalse(self.exists("h2", path))

    def test_storage_pool_of_the_target_is_used(self):
        path = self.disk_guest("pooled")
        self.remove_copy()
        directory, name = path.rsplit("/", 1)
        self.lab.exec("h2", "mkdir", "-p", directory)
        self.lab.virsh("h2", "pool-create-as", "images", "dir", "--target", directory)
        self.addCleanup(self.lab.virsh, "h2", "pool-destroy", "images")
        self.move_and_compare("pooled")
        self.assertIn(name, self.lab.virsh("h2", "vol-list", "images").stdout)

    def test_migrate_disks(self):
        """vdb is shared and stays where it is; only vda is copied."""
        path = self.disk_guest("pair")
        self.remove_copy()
        shared = f"{IN_SHARED}/pair-b.raw"
        self.lab.exec("h1", "truncate", "-s", "4M", shared)
        self.addCleanup(self.lab.exec, "h1", "rm", "-f", shared)
        done = self.lab.virsh("h1", "attach-disk", "pair", shared, "vdb", "--driver", "qemu",
                              "--subdriver", "raw", "--cache", "none", "--live")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait(lambda: len(self.vmi("pair")["spec"]["domain"]["devices"]["disks"]) == 2, 10,
                  "the second disk is seen")
        text = self.refused("pair", self.COPY, "--migrate-disks", "vda,vdz")
        self.assertIn("unable to find disk target 'vdz'", text)
        with self.moving("pair", self.COPY, "--migrate-disks", "vda"):
            self.assertEqual(self.calls()[1]["migrate_disks"], "vda")
            self.assertEqual(len(self.mirrors("pair")), 1)
        self.move("pair", "h2", self.COPY, "--migrate-disks", "vda")
        self.assertEqual([d["name"] for d in
                          self.newest("pair")["status"]["migrationState"]["targetDisks"]], ["vda"])
        self.assert_on("pair", "h2")

    def test_detect_zeroes(self):
        self.disk_guest("zero")
        self.remove_copy()
        with self.moving("zero", self.COPY, "--migrate-disks-detect-zeroes", "vda"):
            nodes = self.qemu("zero", "query-named-block-nodes")
            self.assertTrue(any(n.get("detect_zeroes") != "off" for n in nodes))
        with self.moving("zero", self.COPY):
            nodes = self.qemu("zero", "query-named-block-nodes")
            self.assertFalse(any(n.get("detect_zeroes") != "off" for n in nodes))
        self.move_and_compare("zero", "--migrate-disks-detect-zeroes", "vda")
        self.assertEqual(self.calls()[1]["migrate_disks_detect_zeroes"], "vda")

    def test_disks_port_and_uri(self):
        self.disk_guest("port")
        self.remove_copy()
        address = self.lab.host("h2").addresses["migration"]

        def peers(port):
            return self.lab.exec("h1", "ss", "-tnH", "dport", "=", f":{port}").stdout

        with self.moving("port", self.COPY, "--disks-port", "49333"):
            self.assertIn(":49333", peers(49333))
        with self.moving("port", self.COPY, "--disks-uri", f"tcp://{address}:49334", "--no-tls"):
            self.assertIn(f"{address}:49334", peers(49334))
        uri = f"tcp://{address}:49335"
        self.move_and_compare("port", "--disks-uri", uri, "--no-tls")
        self.assertEqual(self.calls()[1]["disks_uri"], uri)
