# SPDX-License-Identifier: Apache-2.0
"""A host is emptied: by kubectl drain, by ferry drain, by an Evacuation; every VM arrives intact."""
import json
import subprocess
import tempfile
import unittest

from labtest import KUBECTL_DIR, KUBECTLS, LabTest


class Drain(LabTest):
    HOSTS = 2

    def setUp(self):
        for name in ("one", "two", "three"):
            self.guest(name, rate=5, working_set=8)

    def others(self, host):
        return "h2" if host == "h1" else "h1"

    def assert_all_on(self, host):
        for name in self.guests:
            self.assert_on(name, host)

    def is_cordoned(self, host):
        return self.ferry_json("get", "node", host)["spec"].get("unschedulable", False)

    def test_kubectl_drain(self):
        host = "h1"
        for version in KUBECTLS:
            done = self.kubectl(version, "drain", host, "--timeout=60s")
            self.assertIn(f"evicting pod default/virt-launcher-one-{host}",
                          done.stdout + done.stderr)
            self.assert_all_on(self.others(host))
            self.assertTrue(self.is_cordoned(host))
            self.kubectl(version, "uncordon", host)
            host = self.others(host)

    def test_kubectl_drain_waits_for_the_queue(self):
        """Two migrations that somebody else asked for leave no room for a third: kubectl is told
        both and asks again; once they are cancelled all leave."""
        for name in ("one", "two"):  # slower than the guest writes: they do not end by themselves
            self.ferry("migrate", name, "--to", "h2", "--bandwidth", "1Mi", "--preset",
                       "kubevirt-classic", "--no-wait")
        for name in ("one", "two"):
            self.wait(lambda: self.newest(name)["status"].get("phase") == "Running", 20,
                      f"{name} moves")
        self.addCleanup(self.ferry, "undrain", "h1")
        with tempfile.TemporaryFile("w+") as out:
            drain = subprocess.Popen(
                [KUBECTL_DIR / f"kubectl-{KUBECTLS[1]}", "drain", "h1", "--timeout=90s"],
                env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)

            def said():
                out.seek(0)
                return out.read()

            try:
                self.wait(lambda: "waits at place" in said() and "under way" in said(), 15, said)
            finally:
                for name in ("one", "two"):
                    self.ferry("cancel", name, check=False)
                drain.wait(timeout=90)
            said = said()
        self.assertRegex(said, r"three-h1.*waits at place 1 of the queue: 2 migrations leave node "
                         r"h1, the limit is 2")
        self.assertRegex(said, r"one-h1.*of the VM is under way already \(Running\)")
        self.assert_all_on("h2")

    def test_a_snapshot_keeps_its_vm(self):
        """libvirt moves no domain with snapshots: that is said before, and tried not once."""
        self.guest("kept", rate=5, working_set=8, persistent=True)
        domain = self.lab.virsh("h1", "dumpxml", "kept", "--inactive").stdout
        made = ("<domainsnapshot><name>before</name><state>shutoff</state>"
                f"<creationTime>1</creationTime>{domain}</domainsnapshot>")
        path = self.lab.host("h1").path("/snapshot.xml")
        path.write_text(made)
        done = self.lab.virsh("h1", "snapshot-create", "kept", "/snapshot.xml", "--redefine")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.addCleanup(self.lab.virsh, "h1", "snapshot-delete", "kept", "before", "--metadata")
        # libvirt tells of no snapshot; what it tells of has the agent look at the whole domain
        self.lab.virsh("h1", "suspend", "kept")
        self.lab.virsh("h1", "resume", "kept")
        self.wait(lambda: self.vmi("kept")["spec"]["domain"].get("snapshots") == ["before"], 10,
                  lambda: self.vmi("kept"))
        refused = self.ferry("check", "kept", "--to", "h2", check=False)
        self.assertNotEqual(refused.returncode, 0, refused.stdout)
        self.assertIn("it has 1 (before)", refused.stdout + refused.stderr)
        self.addCleanup(self.ferry, "undrain", "h1")
        drain = self.ferry("drain", "h1", check=False)
        self.assertEqual(drain.returncode, 1, drain.stdout)
        self.assertIn("h1 is not empty: 3 of 4 VMs have moved", drain.stderr)
        self.assertIn("it has 1 (before)", drain.stderr)
        self.assertEqual(self.migrations("kept"), [])

    def test_a_paused_vm_leaves(self):
        """Also where a policy allows post-copy, which libvirt refuses for a paused VM; it arrives
        paused."""
        self.ferry("apply", "-f", "-", text="""
apiVersion: migrations.kubevirt.io/v1alpha1
kind: MigrationPolicy
metadata: {name: post-copy}
spec: {allowPostCopy: true, selectors: {namespaceSelector: {}}}
""")
        self.addCleanup(self.ferry, "delete", "migrationpolicy", "post-copy")
        self.addCleanup(self.ferry, "undrain", "h1")
        self.lab.virsh("h1", "suspend", "one")
        self.wait(lambda: self.vmi("one")["status"]["phase"] == "Paused", 10, "it is paused")
        self.ferry("drain", "h1")
        state = self.lab.virsh("h2", "domstate", "one").stdout.strip()
        self.lab.virsh("h2", "resume", "one")  # before its guest is looked at
        self.assertEqual(state, "paused")
        self.assert_all_on("h2")

    def test_drain_by_taint(self):
        """KubeVirt's nodeDrainTaintKey: while the node has it, nothing stays there and nothing
        comes; nothing is cordoned."""
        version = KUBECTLS[1]
        self.kubectl(version, "taint", "node", "h1", "kubevirt.io/drain=now:NoSchedule")
        self.addCleanup(self.kubectl, version, "taint", "node", "h1", "kubevirt.io/drain-",
                        check=False)
        for name in self.guests:
            self.wait(lambda: self.vmi(name)["status"]["nodeName"] == "h2", 40, f"{name} left")
        self.assert_all_on("h2")
        self.assertFalse(self.is_cordoned("h1"))
        self.wait(lambda: [e for e in self.ferry_json("get", "evacuations")["items"]
                           if e["status"]["phase"] == "Succeeded"], 10, "it is said to be done")
        refused = self.ferry("check", "one", check=False)
        self.assertRegex(refused.stderr,
                         r"nodes\[h1\]: node h1 has the taint kubevirt.io/drain:NoSchedule")
        self.kubectl(version, "taint", "node", "h1", "kubevirt.io/drain-")
        self.ferry("check", "one")

    def test_ferry_drain_and_undrain(self):
        done = self.ferry("drain", "h1")
        for name in self.guests:
            self.assertRegex(done.stdout, rf"{name}: Moved: it runs on h2")
        self.assertIn("h1 is empty: 3 VMs moved", done.stdout)
        self.assert_all_on("h2")
        # Both ways are shut: every reason of every host, and nothing was started.
        refused = self.ferry("check", "one", check=False)
        self.assertEqual(refused.returncode, 3, refused)
        self.assertRegex(refused.stderr, r"\* nodes\[h1\]: node h1 is cordoned")
        self.assertRegex(refused.stderr, r"\* nodes\[h2\]: the VM runs on h2 already")
        self.assertIn("takes VMs again", self.ferry("undrain", "h1").stdout)
        self.assertFalse(self.is_cordoned("h1"))
        self.wait(lambda: not self.ferry_json("get", "evacuations")["items"], 10, "it is gone")
        self.assertEqual(self.ferry("check", "one").returncode, 0)

    def test_plan_bound_deadline_and_report(self):
        """What is said before holds beside what it was; a deadline that can't be met is named before, missed,
        and said again at the end; a VM whose strategy is None stays, with that as its reason."""
        policy = {"apiVersion": "migrations.kubevirt.io/v1alpha1", "kind": "MigrationPolicy",
                  "metadata": {"name": "stays"},
                  "spec": {"evictionStrategy": "None",
                           "selectors": {"virtualMachineInstanceSelector": {"moves": "never"}}}}
        self.kubectl(KUBECTLS[1], "apply", "-f", "-", text=json.dumps(policy))
        self.addCleanup(self.ferry, "delete", "migrationpolicy", "stays")
        self.ferry("label", "vm", "three", "moves=never")
        self.addCleanup(self.ferry, "undrain", "h1")
        plan = self.ferry("drain", "h1", "--dry-run", "--deadline", "1s", check=False)
        self.assertEqual(plan.returncode, 3, plan)
        self.assertRegex(plan.stdout, r"one -> h2 \(.*, by .* s\)")
        self.assertIn("three stays: its evictionStrategy is None", plan.stdout)
        self.assertRegex(plan.stdout, r"to move, in about .*; no order takes less than")
        self.assertRegex(plan.stderr, r"3 VMs are not expected to have left by the deadline.*: one, three, two")
        done = self.ferry("drain", "h1", "--deadline", "1s", check=False)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("three: Failed: its evictionStrategy is None", done.stderr)
        self.assert_on("one", "h2")
        self.assert_on("two", "h2")
        self.assert_on("three", "h1")
        ended = self.ferry_json("get", "evacuations")["items"][0]
        conditions = {c["type"]: c for c in ended["status"]["conditions"]}
        self.assertEqual(conditions["DeadlineMissed"]["status"], "True", ended)
        self.assertRegex(conditions["Complete"]["message"],
                         r"it took .* s, .* s were expected, .* s are the least; .* s after its deadline")
        self.assertGreaterEqual(ended["status"]["tookMs"], ended["status"]["plan"]["boundMs"] // 20, ended)
        self.assertNotIn("expectedEnd", ended["status"])

    def test_drain_without_a_way_out_says_why_and_can_be_ended(self):
        self.kubectl(KUBECTLS[1], "cordon", "h2")
        self.addCleanup(self.ferry, "undrain", "h2")
        self.addCleanup(self.ferry, "undrain", "h1")
        name = self.ferry("drain", "h1", "--no-wait").stdout.strip()

        def says_why():
            vms = self.ferry_json("get", "evacuation", name)["status"].get("vms", [])
            return len(vms) == 3 and all("cordoned" in vm.get("message", "") for vm in vms)

        self.wait(says_why, 20, "each VM's reason is in the Evacuation's status")
        out = self.ferry("undrain", "h1").stdout
        self.assertIn("its evacuation has ended", out)
        self.wait(lambda: not self.ferry_json("get", "evacuations")["items"], 10, "it is gone")
        self.assert_all_on("h1")


if __name__ == "__main__":
    unittest.main()
