# SPDX-License-Identifier: Apache-2.0
"""Flags that say what the VM is on the target, and resuming a broken post-copy migration."""
import re
import subprocess

from flagstest import FlagsTest
from labtest import BUILD


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

    def test_xml_of_another_machine_is_refused_by_libvirt(self):
        self.guest("same", rate=5, working_set=16)
        xml = self.lab.virsh("h1", "dumpxml", "same", "--migratable").stdout
        path = self.lab.dir / "other.xml"
        path.write_text(re.sub(r"(<memory[^>]*>)\d+", r"\g<1>99999", xml))
        self.fails("same", "h2", r"(?i)memory", "--xml", path)

    def test_unsafe(self):
        """A disk on this host only: libvirt calls it unsafe; with the flag QEMU looks for it."""
        self.guest("risky", kernel="linux", memory=160, rate=2, working_set=16, disk="local")
        self.fails("risky", "h2", r"Migration without shared storage is unsafe.*copyStorageAll")
        done = self.fails("risky", "h2", r"(?i)no such file|cannot access", "--unsafe")
        self.assertNotIn("is unsafe", done.stdout + done.stderr)


class PostCopyResume(FlagsTest):
    def broken(self, name):
        """A post-copy migration whose connection breaks half-way."""
        self.guest(name, memory=256, rate=200, pattern="uniform", working_set=160)
        mover = subprocess.Popen(
            [BUILD / "ferry", "migrate", name, "--to", "h2", "--post-copy", "--no-tls",
             "--bandwidth", "20Mi"], env=self.env, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)

        def jobs():
            if mover.poll() is not None:
                self.fail("it has ended: " + "".join(mover.communicate()))
            return re.search(r"(?i)data processed: +[1-9]",
                             self.lab.virsh("h1", "domjobinfo", name).stdout)

        self.wait(jobs, 20, "the migration runs")
        self.lab.virsh("h1", "migrate-postcopy", name)
        self.wait(lambda: "post-copy" in self.lab.virsh("h1", "domstate", name, "--reason").stdout,
                  10, "post-copy has begun")
        self.lab.virsh("h1", "domjobabort", name, "--postcopy")
        for host, words in (("h1", "post-copy failed"), ("h2", "post-copy failed")):
            if host == "h2":  # the half-open connection: close it
                source = self.lab.host("h1").addresses["migration"]
                self.lab.exec("h2", "ss", "-K", "dst", source)
            self.wait(lambda h=host, w=words: w in self.lab.virsh(
                h, "domstate", name, "--reason").stdout, 20, f"{host} has noticed")
        mover.communicate(timeout=90)
        self.assertEqual(mover.returncode, 1)

    def test_resume(self):
        """libvirtd 11.3 as the target dies of it: refused, with what to do. When it is asked all
        the same the flag reaches libvirt, and the migration ends with both halves kept."""
        self.broken("halves")
        text = self.newest("halves")["status"]["message"]
        self.assertIn("--postcopy-resume", text)
        again = ("--post-copy", "--postcopy-resume", "--no-tls")
        version = self.lab.virsh("h2", "version", "--daemon").stdout
        if not re.search(r"daemon: 11\.3\.", version):
            self.move("halves", "h2", *again)
            self.assertIn("POSTCOPY_RESUME", self.calls()[0])
            self.assert_on("halves", "h2")
            return
        self.assertIn("node h2 has libvirt 11.3", self.refused("halves", *again))
        self.forget_calls()
        done = self.ferry("migrate", "halves", "--to", "h2", *again, "--unsafe", check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("POSTCOPY_RESUME", self.calls()[0])
        self.assertIn("post-copy failed",
                      self.lab.virsh("h1", "domstate", "halves", "--reason").stdout)
        self.lab.start("h2", "libvirtd")
        self.assertIn("running", self.lab.virsh("h2", "domstate", "halves").stdout)

    def test_nothing_to_resume(self):
        self.guest("whole", rate=5, working_set=16)
        self.assertIn("requires post-copy to be enabled", self.refused("whole",
                                                                       "--postcopy-resume"))
        self.assertIn("is not being migrated",
                      self.refused("whole", "--post-copy", "--postcopy-resume"))
