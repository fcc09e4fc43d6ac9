# SPDX-License-Identifier: Apache-2.0
"""Flags that say how a VM moves, and what it is afterwards."""
import re

from flagstest import FlagsTest


class Mode(FlagsTest):
    def tx_bytes(self, network):
        return int(self.lab.exec("h1", "cat", f"/sys/class/net/{network}/statistics/tx_bytes")
                   .stdout)

    def test_defaults(self):
        """Live, peer to peer, encrypted; a transient VM leaves nothing behind."""
        self.guest("plain", rate=5, working_set=16)
        self.move("plain", "h2")
        flags, params = self.calls()
        self.assertEqual(flags, {"LIVE", "PEER2PEER", "ABORT_ON_ERROR", "TLS"})
        address = self.lab.host("h2").addresses["migration"]
        self.assertEqual(params["migrate_uri"], f"tcp://{address}")
        self.assertEqual(params["listen_address"], address)
        self.assertEqual(params["tls.destination"], "h2")
        self.assert_on("plain", "h2")

    def test_persistent_vm_ends_persistent_and_gone_from_the_source(self):
        self.guest("kept", rate=5, working_set=16, persistent=True)
        self.move("kept", "h2")
        self.assertLessEqual({"PERSIST_DEST", "UNDEFINE_SOURCE"}, self.calls()[0])
        self.assertIn("kept", self.names("h2", "--persistent"))
        self.assertNotIn("kept", self.names("h1", "--all"))
        self.assert_on("kept", "h2")

    def test_persistent_and_undefinesource(self):
        self.guest("both", rate=5, working_set=16, persistent=True)
        self.move("both", "h2", "--no-undefinesource")
        self.assertIn("both", self.names("h2", "--persistent"))
        self.assertIn("both", self.names("h1", "--inactive"))
        self.assertTrue(self.stat("both")["memory_intact"])
        self.lab.virsh("h1", "undefine", "both")
        self.wait(lambda: len(self.vmi("both")["status"]["domains"]) == 1, 5, "it is seen")
        self.move("both", "h1", "--no-persistent")
        self.assertIn("both", self.names("h1", "--transient"))
        self.assertIn("both", self.names("h2", "--inactive"))  # its definition is not lost
        self.lab.virsh("h2", "undefine", "both")

    def test_no_vm_loses_its_definition(self):
        """Neither here nor there: only where somebody says so."""
        self.guest("last", rate=5, working_set=16, persistent=True)
        options = "--undefinesource", "--no-persistent"
        self.assertRegex(self.refused("last", *options), "no host would keep the VM's definition")
        self.assertIn("last", self.names("h1", "--persistent"))
        self.move("last", "h2", *options, "--unsafe")
        self.assertNotIn("last", self.names("h1", "--all"))
        self.assertIn("last", self.names("h2", "--transient"))
        self.assert_on("last", "h2")

    def test_offline_says_what_it_would_leave_out(self):
        self.guest("aside", rate=5, working_set=16, persistent=True)
        text = self.refused("aside", "--offline", "--bandwidth", "8Mi", "--parallel", "--suspend")
        for field in ("bandwidthPerMigration", "parallel", "paused"):
            self.assertIn(f"spec.{field}: Invalid value: {field} and offline exclude", text)

    def test_persistent_makes_a_transient_vm_persistent(self):
        self.guest("made", rate=5, working_set=16)
        self.move("made", "h2", "--persistent")
        self.assertIn("made", self.names("h2", "--persistent"))
        self.assert_on("made", "h2")

    def test_no_live(self):
        self.guest("frozen", rate=5, working_set=48)
        with self.moving("frozen", "--no-live"):
            self.assertIn("paused", self.lab.virsh("h1", "domstate", "frozen").stdout)
            self.assertNotIn("LIVE", self.calls()[0])
        self.wait(lambda: "running" in self.lab.virsh("h1", "domstate", "frozen").stdout, 5,
                  "it runs again")
        self.move("frozen", "h2", "--no-live")
        self.assert_on("frozen", "h2")

    def test_no_p2p(self):
        """Managed: the agent itself is connected to the target's libvirtd."""
        self.guest("managed", rate=5, working_set=48)

        def connected():
            return self.lab.exec("h1", "ss", "-tnpH", "dport", "=", ":16514").stdout

        with self.moving("managed"):
            self.assertIn("libvirtd", connected())
            self.assertNotIn("ferry-agentd", connected())
        with self.moving("managed", "--no-p2p"):
            self.assertIn("ferry-agentd", connected())
        self.move("managed", "h2", "--no-p2p")
        self.assert_on("managed", "h2")

    def test_tunnelled(self):
        """The data goes through libvirtd, on its network, without QEMU's TLS."""
        self.guest("tunnel", rate=2, working_set=48)
        before = self.tx_bytes("migration"), self.tx_bytes("management")
        self.move("tunnel", "h2", "--tunnelled")
        migration = self.tx_bytes("migration") - before[0]
        management = self.tx_bytes("management") - before[1]
        self.assertIn("TUNNELLED", self.calls()[0])
        self.assertNotIn("TLS", self.calls()[0])
        self.assertLess(migration, 1 << 20)
        self.assertGreater(management, 40 << 20)
        self.assert_on("tunnel", "h2")

    def test_suspend(self):
        self.guest("asleep", rate=5, working_set=16)
        self.move("asleep", "h2", "--suspend")
        self.assertIn("PAUSED", self.calls()[0])
        self.assertIn("paused", self.lab.virsh("h2", "domstate", "asleep").stdout)
        self.assertEqual(self.newest("asleep")["status"]["phase"], "Succeeded")
        self.lab.virsh("h2", "resume", "asleep")
        self.assert_on("asleep", "h2")

    def test_paused_vm_arrives_paused(self):
        self.guest("still", rate=5, working_set=16)
        self.lab.virsh("h1", "suspend", "still")
        self.wait(lambda: self.vmi("still")["status"]["phase"] == "Paused", 5, "seen as paused")
        self.move("still", "h2")
        self.assertIn("paused", self.lab.virsh("h2", "domstate", "still").stdout)
        self.lab.virsh("h2", "resume", "still")
        self.assert_on("still", "h2")

    def test_offline_moves_the_definition_of_a_vm_that_is_off(self):
        self.guest("off", rate=5, working_set=16, persistent=True)
        before = self.lab.virsh("h1", "dumpxml", "--inactive", "off").stdout
        self.lab.virsh("h1", "destroy", "off")
        self.wait(lambda: self.vmi("off")["status"]["phase"] == "Stopped", 5, "seen as off")
        self.move("off", "h2", "--offline")
        self.assertIn("OFFLINE", self.calls()[0])
        self.assertIn("off", self.names("h2", "--inactive"))
        self.assertNotIn("off", self.names("h1", "--all"))
        after = self.lab.virsh("h2", "dumpxml", "--inactive", "off").stdout
        uuid = re.compile("<uuid>.*</uuid>")
        self.assertEqual(uuid.search(before)[0], uuid.search(after)[0])
        self.wait(lambda: self.vmi("off")["status"]["nodeName"] == "h2", 5, "h1 has reported")
        self.lab.virsh("h2", "undefine", "off")

    def test_offline_copies_the_definition_of_a_vm_that_runs(self):
        self.guest("copied", rate=5, working_set=16, persistent=True)
        self.move("copied", "h2", "--offline")
        self.assertNotIn("UNDEFINE_SOURCE", self.calls()[0])
        self.assertIn("copied", self.names("h2", "--inactive"))
        self.assertIn("copied", self.names("h1", "--persistent"))
        self.assertEqual(self.stat("copied")["host"], "h1")
        self.lab.virsh("h2", "undefine", "copied")
