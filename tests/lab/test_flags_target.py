# SPDX-License-Identifier: Apache-2.0
"""Flags that say what the VM is on the target."""
import re

from flagstest import FlagsTest


BOUND = """<domain type='qemu'>
  <name>bound</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><hyperv mode='passthrough'/></features>
  <cpu mode='custom'><model>qemu64</model><feature policy='require' name='invtsc'/></cpu>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='scsi' model='virtio-scsi'/>
    <disk type='block' device='lun'>
      <driver name='qemu' type='raw'/>
      <source dev='/dev/disk/by-id/none'><reservations managed='yes'/></source>
      <target dev='sda' bus='scsi'/>
    </disk>
    <filesystem type='mount' accessmode='passthrough'>
      <driver type='virtiofs'/><source dir='/srv'/><target dir='data'/>
    </filesystem>
  </devices>
</domain>"""


class Target(FlagsTest):
    def test_dname(self):
        self.guest("before", rate=5, working_set=16, persistent=True)
        uid = self.vmi("before")["metadata"]["uid"]
        self.move("before", "h2", "--dname", "after")
        self.assertEqual(self.names("h2", "--all"), ["after"])
        self.assertNotIn("before", self.names("h1", "--all"))
        self.wait(lambda: self.vmi("after"), 5, "found by its new name")
        vmi = self.vmi("after")
        self.assertEqual(vmi["metadata"]["uid"], uid)
        self.assertEqual(vmi["spec"]["domainName"], "after")
        self.move("after", "h1", "--dname", "before")
        self.assert_on("before", "h1")

    def test_dname_that_is_taken(self):
        self.guest("one", rate=5, working_set=16)
        self.guest("two", host="h2", rate=5, working_set=16)
        self.assertRegex(self.refused("one", "--dname", "two"), r"another domain named .?two")

    def test_xml_and_persistent_xml(self):
        self.guest("titled", rate=5, working_set=16, persistent=True)
        files = {}
        for option, title in (("xml", "as it runs"), ("persistent-xml", "as it is defined")):
            dump = ["dumpxml", "titled", "--migratable"]
            xml = self.lab.virsh("h1", *dump, *([] if option == "xml" else ["--inactive"])).stdout
            path = self.lab.dir / f"{option}.xml"
            path.write_text(re.sub(r"(</uuid>)", rf"\1<title>{title}</title>", xml, count=1))
            files[option] = path
        self.move("titled", "h2", "--xml", files["xml"], "--persistent-xml",
                  files["persistent-xml"])
        self.assertEqual(self.lab.virsh("h2", "desc", "titled", "--title", "--live").stdout.strip(),
                         "as it runs")
        self.assertEqual(
            self.lab.virsh("h2", "desc", "titled", "--title", "--config").stdout.strip(),
            "as it is defined")
        self.assert_on("titled", "h2")

    def test_xml_of_another_domain_is_refused(self):
        """libvirt wants the source's name and UUID also where --dname renames."""
        self.guest("own", rate=5, working_set=16)
        xml = self.lab.virsh("h1", "dumpxml", "own", "--migratable").stdout
        path = self.lab.dir / "foreign.xml"
        for text, says in ((xml.replace("<name>own<", "<name>new<"), "name 'new' does not match"),
                           (re.sub("<uuid>.*</uuid>", "", xml), "uuid 'none' does not match"),
                           ("<network/>", "a <network>"), ("domain", "no XML")):
            path.write_text(text)
            self.assertIn(says, self.refused("own", "--xml", path, "--dname", "new"))
        path.write_text(xml)
        self.move("own", "h2", "--xml", path, "--dname", "new")
        self.assertEqual(self.names("h2"), ["new"])

    def test_persistent_xml_of_another_domain_is_refused(self):
        """libvirt ignores another name, and defines another UUID beside the domain that runs."""
        self.guest("lasting", rate=5, working_set=16, persistent=True)
        uid = self.vmi("lasting")["metadata"]["uid"]
        other = "11111111-1111-4111-8111-111111111111"
        xml = self.lab.virsh("h1", "dumpxml", "lasting", "--migratable", "--inactive").stdout
        path = self.lab.dir / "lasting.xml"
        foreign = xml.replace(uid, other), re.sub("<uuid>.*</uuid>", "", xml)
        named = xml.replace("<name>lasting<", "<name>new<")
        for text, says in ((named, "name 'new' is not"), (foreign[0], f"uuid '{other}' is not"),
                           (foreign[1], "uuid 'none' is not")):
            path.write_text(text)
            self.assertIn(says, self.refused("lasting", "--persistent-xml", path))
        # What libvirt does with them is why.
        peer = next(n["status"]["hypervisor"]["peerURI"]
                    for n in self.ferry_json("get", "nodes")["items"]
                    if n["metadata"]["name"] == "h2")
        self.lab.exec("h1", "sh", "-c", "cat >/var/tmp/other.xml", input=foreign[0])
        done = self.lab.virsh("h1", "migrate", "lasting", peer, "--live", "--p2p", "--persistent",
                              "--undefinesource", "--persistent-xml", "/var/tmp/other.xml")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(other, self.lab.virsh("h2", "dumpxml", "--inactive", "lasting").stdout)
        self.assertIn(uid, self.lab.virsh("h2", "dumpxml", "lasting").stdout)

    def test_xml_of_another_machine_is_refused_by_libvirt(self):
        self.guest("same", rate=5, working_set=16)
        xml = self.lab.virsh("h1", "dumpxml", "same", "--migratable").stdout
        path = self.lab.dir / "other.xml"
        path.write_text(re.sub(r"(<memory[^>]*>)\d+", r"\g<1>99999", xml))
        self.fails("same", "h2", r"(?i)memory", "--xml", path)

    def test_unsafe(self):
        """A disk on this host only: nothing starts; with the flag QEMU looks for it."""
        self.guest("risky", kernel="linux", memory=160, rate=2, working_set=16, disk="local")
        checked = self.ferry("check", "risky", "--to", "h2", check=False)
        self.assertEqual(checked.returncode, 3)
        for said in (self.refused("risky"), checked.stdout + checked.stderr):
            self.assertRegex(said, r"disk vda .*Migration without shared storage is unsafe")
        condition = next(c for c in self.vmi("risky")["status"]["conditions"]
                         if c["type"] == "StorageLiveMigratable")
        self.assertEqual((condition["status"], condition["reason"]),
                         ("False", "DisksNotLiveMigratable"))
        self.assertEqual(self.vmi("risky")["status"]["migrationMethod"], "BlockMigration")
        self.ferry("check", "risky", "--to", "h2", "--copy-storage-all")
        done = self.fails("risky", "h2", r"(?i)no such file|cannot access", "--unsafe")
        self.assertNotIn("is unsafe", done.stdout + done.stderr)

    def test_all_that_ties_a_vm_to_its_host(self):
        """Read from a definition that libvirt keeps; the definition itself moves."""
        defined = self.lab.virsh("h1", "define", "/dev/stdin", input=BOUND)
        self.assertEqual(defined.returncode, 0, defined.stderr)
        for host in "h1", "h2":
            self.addCleanup(self.lab.virsh, host, "undefine", "bound")
        vmi = self.wait(lambda: self.vmi("bound"), 5, "h1 has reported it")
        condition = next(c for c in vmi["status"]["conditions"] if c["type"] == "LiveMigratable")
        self.assertEqual((condition["status"], condition["reason"]),
                         ("False", "NoTSCFrequencyNotLiveMigratable"))
        checked = self.ferry("check", "bound", "--to", "h2", check=False)
        self.assertEqual(checked.returncode, 3)
        for said in (self.refused("bound"), checked.stdout + checked.stderr):
            for reason in ("NoTSCFrequency", "HypervPassthrough", "VirtIOFS",
                           "PersistentReservation"):
                self.assertIn(f"({reason}NotLiveMigratable)", said)
        self.move("bound", "h2", "--offline")
        self.assertIn("bound", self.names("h2", "--inactive"))
