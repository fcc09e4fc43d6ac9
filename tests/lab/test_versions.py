# SPDX-License-Identifier: Apache-2.0
"""Hosts of two generations: h1 has libvirt 11.3 and QEMU 10.0, h2 libvirt 9.0 and QEMU 7.2. What
one of them lacks is refused by name and version before anything starts; what both have is used.
Without KVM, QEMU 7.2 as the source loses writes of a guest that runs: from h2 guests move paused."""
import re

from flagstest import FlagsTest
from ferrylab import guest
from ferrylab.paths import IN_SHARED

OLD_MACHINE = "pc-i440fx-7.2"  # which both generations know
# option and value, what it is called, what it needs of libvirt and of QEMU
NEWER = (
    (("--comp-zlib-level", "3"), "compressionZlibLevel", "9.4.0", None),
    (("--comp-zstd-level", "3"), "compressionZstdLevel", "9.4.0", None),
    (("--migrate-disks-detect-zeroes", "vda"), "migrateDisksDetectZeroes", "10.9.0", None),
    (("--available-switchover-bandwidth", "50Mi"), "availableSwitchoverBandwidth", "11.1.0",
     "8.2.0"),
)


class Versions(FlagsTest):
    OPTIONS = {"suites": ["trixie", "bookworm"]}

    def refusal(self, name, target, *options):
        """Refused before anything starts; the causes as text. check says the same."""
        before = self.migration_uids()
        text = ""
        for verb in ("check", "migrate"):
            done = self.ferry(verb, name, "--to", target, *options, check=False)
            self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
            text = text or done.stdout + done.stderr
            self.assertEqual(set(re.findall(r"node h\d has .*", text)),
                             set(re.findall(r"node h\d has .*", done.stdout + done.stderr)))
        self.assertEqual(self.migration_uids(), before)
        return text

    def old_guest(self, name, **options):
        return self.guest(name, machine=OLD_MACHINE, rate=5, working_set=16, **options)

    def test_nodes_say_what_they_have(self):
        nodes = {n["metadata"]["name"]: n["status"]["hypervisor"]
                 for n in self.ferry_json("get", "nodes")["items"]}
        for host, libvirt, qemu in (("h1", "11.3.", "10.0."), ("h2", "9.0.", "7.2.")):
            self.assertTrue(nodes[host]["libvirtVersion"].startswith(libvirt), nodes[host])
            self.assertTrue(nodes[host]["qemuVersion"].startswith(qemu), nodes[host])
            self.assertIn(OLD_MACHINE, nodes[host]["machineTypes"])
            self.assertIn("qemu64", nodes[host]["cpuModels"])
        self.assertIn("pc-i440fx-10.0", nodes["h1"]["machineTypes"])
        self.assertNotIn("pc-i440fx-10.0", nodes["h2"]["machineTypes"])
        self.assertIn("compression-zstd", nodes["h1"]["features"])
        self.assertNotIn("compression-zstd", nodes["h2"]["features"])

    def refuses_all_newer(self, source, target):
        name = self.old_guest(f"from-{source}", host=source)
        options = ["--parallel", "--compressed", "--comp-methods", "zlib,zstd",
                   "--copy-storage-all"]
        wanted = []
        for option, field, libvirt, qemu in NEWER:
            options += option
            wanted.append(rf"{field}\b.*node h2 has libvirt 9\.0\.\d+: {field} needs libvirt "
                          rf"{re.escape(libvirt)} or newer")
            if qemu:
                wanted.append(rf"{field}\b.*node h2 has QEMU 7\.2\.\d+: {field} needs QEMU "
                              rf"{re.escape(qemu)} or newer")
        for method in ("zlib", "zstd"):
            wanted.append(rf"compressionMethods\b.*node h2 has libvirt 9\.0\.\d+: compression method "
                          rf"{method} needs libvirt 9\.4\.0 or newer")
        text = self.refusal(name, target, *options)
        for pattern in wanted:
            self.assertRegex(text, pattern)
        self.assertNotIn("node h1 has", text)
        self.assertEqual(len(re.findall(r"node h2 has", text)), len(wanted), text)
        self.assertEqual(self.stat(name)["host"], source)

    def overlaid(self, name, overlay):
        self.guests = [*getattr(self, "guests", []), name]
        guest.create(self.lab, {
            "name": name, "kernel": "bare", "memory": 32, "vcpus": 1, "rate": 1.0,
            "working_set": 4, "pattern": "uniform", "disk": "none", "labels": {},
            "namespace": "default", "persistent": True, "machine": OLD_MACHINE,
            "overlay": f"<domain>{overlay}</domain>"}, "h1")
        self.wait(lambda: self.vmi(name), 15, "ferryd shows it")

    def test_setting_that_an_older_libvirt_drops(self):
        """libvirt says nothing of it, and check does."""
        image = f"{IN_SHARED}/dropped.qcow2"
        self.lab.exec("h1", "qemu-img", "create", "-q", "-f", "qcow2", image, "8M")
        self.overlaid("dropped", (
            "<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none' "
            f"discard_no_unref='on'/><source file='{image}'/><target dev='vda' bus='virtio'/></disk>"
            "</devices>"))
        done = self.ferry("check", "dropped", "--to", "h2")
        self.assertRegex(done.stderr, r"the libvirt of h2 \(9\.0\.\d+\) doesn't know "
                                      r"<devices/disk/driver> \(disk-discard-no-unref\)")
        self.assertNotIn("EmulatedWrites", done.stderr)  # of QEMU 7.2 as the source alone
        self.assertIn("discard_no_unref", self.lab.virsh("h1", "dumpxml", "dropped").stdout)
        self.ferry("migrate", "dropped", "--to", "h2")
        self.assertNotIn("discard_no_unref", self.lab.virsh("h2", "dumpxml", "dropped").stdout)
        back = self.ferry("check", "dropped", "--to", "h1")
        self.assertRegex(back.stderr, r"known defect between h2 .*\(EmulatedWrites\)")

    def test_setting_that_an_older_libvirt_refuses(self):
        self.overlaid("refused", ("<features><acpi/><apic/><vmport state='off'/><ps2 state='off'/>"
                                  "</features>"))
        self.assertIn("(SettingUnknown)", self.refusal("refused", "h2"))
        uri = self.ferry_json("get", "node", "h2")["status"]["hypervisor"]["peerURI"]
        moved = self.lab.virsh("h1", "migrate", "--live", "--p2p", "refused", uri)
        self.assertNotEqual(moved.returncode, 0)
        self.assertIn("ps2", moved.stderr)

    def test_what_the_target_lacks(self):
        self.refuses_all_newer("h1", "h2")

    def test_what_the_source_lacks(self):
        self.refuses_all_newer("h2", "h1")

    def test_what_was_removed(self):
        """The method mt went with QEMU 9.1: refused for the newer host, in both directions."""
        for source, target in (("h1", "h2"), ("h2", "h1")):
            name = self.old_guest(f"mt-{source}", host=source)
            text = self.refusal(name, target, "--compressed", "--comp-methods", "mt",
                                "--comp-mt-threads", "2")
            self.assertRegex(text, r"node h1 has QEMU 10\.0\.\d+: compression method mt was removed "
                                   r"in QEMU 9\.1\.0")
            self.assertIn("compressionMTThreads was removed", text)
            self.assertNotIn("node h2 has", text)

    def test_resume_is_refused_for_the_host_that_dies_of_it(self):
        name = self.old_guest("resumed", host="h2")
        text = self.ferry("migrate", name, "--to", "h1", "--post-copy", "--postcopy-resume",
                          check=False).stderr
        self.assertIn("node h1 has libvirt 11.3", text)

    def test_a_newer_machine_type(self):
        """h2's QEMU has it not, as plain virsh would find out later."""
        self.guest("modern", rate=5, working_set=16)
        text = self.refusal("modern", "h2", "--available-switchover-bandwidth", "50Mi")
        self.assertRegex(text, r"node h2 has QEMU 7\.2\.\d+, which lacks the VM's machine type "
                               r"pc-i440fx-10\.0")
        self.assertIn("availableSwitchoverBandwidth needs libvirt", text)  # at once
        said = self.virsh_migrate("modern")
        self.assertIn("does not support machine type 'pc-i440fx-10.0'", said)
        done = self.ferry("migrate", "modern", check=False)  # to wherever it can
        self.assertEqual(done.returncode, 1)
        self.assertIn("h2: node h2 has QEMU", done.stderr)
        self.assertEqual(self.stat("modern")["host"], "h1")

    def test_a_newer_cpu_model(self):
        """EPYC-v2 is a name that libvirt 9.0 does not know."""
        self.old_guest("fast")
        xml = self.lab.virsh("h1", "dumpxml", "fast").stdout
        self.lab.virsh("h1", "destroy", "fast")
        xml = re.sub(r"<cpu .*?</cpu>", "<cpu mode='custom' match='exact' check='none'><model>"
                     "EPYC-v2</model></cpu>", xml, flags=re.S)
        done = self.lab.virsh("h1", "create", "/dev/stdin", input=xml)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.wait(lambda: (vmi := self.vmi("fast")) and  # a transient one is gone in between
                  vmi["spec"]["domain"]["cpu"]["model"] == "EPYC-v2", 10,
                  "it is seen with its processor")
        text = self.refusal("fast", "h2")
        self.assertRegex(text, r"node h2 has libvirt 9\.0\.\d+ and QEMU 7\.2\.\d+, which lack the "
                               r"VM's processor model EPYC-v2")
        self.assertIn("Unknown CPU model EPYC-v2", self.virsh_migrate("fast"))

    def virsh_migrate(self, name):
        """What libvirt itself says."""
        address = self.lab.host("h2").addresses["migration"]
        done = self.lab.virsh("h1", "migrate", "--live", "--p2p", name, "qemu+tls://h2/system",
                              "--migrateuri", f"tcp://{address}")
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def test_there_and_back(self):
        """What both have is used: TLS, and with --parallel as many connections as are chosen."""
        self.old_guest("traveller")
        self.move("traveller", "h2")
        self.assertLessEqual({"LIVE", "PEER2PEER", "TLS"}, self.calls("h1")[0])
        self.assert_on("traveller", "h2")
        self.move_from("h2", "traveller", "h1", "--parallel")
        flags, params = self.calls("h2")
        self.assertLessEqual({"PARALLEL", "TLS"}, flags)
        self.assertGreaterEqual(int(params["parallel.connections"]), 2)
        self.assert_on("traveller", "h1")
        self.assertTrue(self.stat("traveller", "--verify")["memory_intact"])

    def move_from(self, source, name, to, *options):
        self.forget_calls(source)
        return self.ferry("migrate", name, "--to", to, "--no-live", *options)

    def test_post_copy_without_what_only_one_has(self):
        """libvirt 11.3 preempts for the pages that are asked for, 9.0 can't: it is left out."""
        self.old_guest("split")
        with self.moving("split", "--post-copy"):
            on = self.capabilities("split")
            self.assertIn("postcopy-ram", on)
            self.assertNotIn("postcopy-preempt", on)
        self.move("split", "h2", "--post-copy")
        self.assert_on("split", "h2")

    def test_compression_that_both_have(self):
        self.old_guest("packed", host="h2")
        self.move_from("h2", "packed", "h1", "--compressed", "--comp-methods", "xbzrle")
        flags, params = self.calls("h2")
        self.assertIn("COMPRESSED", flags)
        self.assertIn("xbzrle", params["compression"])
        self.assert_on("packed", "h1")

    def test_placement_goes_by_what_hosts_have(self):
        """No target is named: the host that lacks it is passed over, with the reason."""
        self.old_guest("chooser")
        done = self.ferry("migrate", "chooser", "--available-switchover-bandwidth", "50Mi",
                          check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertRegex(done.stderr, r"h2: node h2 has libvirt 9\.0\.\d+: "
                                      r"availableSwitchoverBandwidth needs libvirt 11\.1\.0")
        self.assertEqual(self.stat("chooser")["host"], "h1")
