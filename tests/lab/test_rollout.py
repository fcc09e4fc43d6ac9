# SPDX-License-Identifier: Apache-2.0
"""Three hosts and fifteen guests: each host in turn is emptied, its libvirtd restarted, and opened again. One guest
can't move for a while, one libvirtd listens but does not answer after its restart, the rollout is stopped while it
waits, and ferryd is killed while it empties a host. No guest is ever off."""
import contextlib
import json
import signal

from labtest import LabTest
from ferrylab.errors import LabError  # pylint: disable=wrong-import-order

GUESTS = 15


class Rollout(LabTest):
    HOSTS = 3

    def state(self):
        return self.ferry_json("rollout", "status")

    def hosts(self):
        return {h["nodeName"]: h for h in self.state()["status"].get("hosts", [])}

    def await_host(self, host, phase, seconds=180):
        self.wait(lambda: self.hosts().get(host, {}).get("phase") == phase, seconds,
                  lambda: f"{host} is {phase}: {json.dumps(self.hosts())}")

    def restart(self, host):
        self.lab.kill(host, "libvirtd")
        self.lab.start(host, "libvirtd")

    def signal_libvirtd(self, host, sig):
        self.lab.exec(host, "pkill", f"-{int(sig)}", "-x", "libvirtd")

    def vms_on(self, host):
        return [vm["metadata"]["name"] for vm in self.ferry_json("get", "vmi")["items"]
                if vm["status"].get("nodeName") == host and vm["status"]["phase"] == "Running"]

    def snapshot(self, host, name):
        domain = self.lab.virsh(host, "dumpxml", name, "--inactive").stdout
        path = self.lab.host(host).path("/snapshot.xml")
        path.write_text("<domainsnapshot><name>before</name><state>shutoff</state>"
                        f"<creationTime>1</creationTime>{domain}</domainsnapshot>")
        done = self.lab.virsh(host, "snapshot-create", name, "/snapshot.xml", "--redefine")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.touch(host, name)
        self.wait(lambda: self.vmi(name)["spec"]["domain"].get("snapshots") == ["before"], 10,
                  lambda: self.vmi(name))

    def touch(self, host, name):
        """libvirt tells of no snapshot; what it tells of has the agent look at the whole domain."""
        self.lab.virsh(host, "suspend", name)
        self.lab.virsh(host, "resume", name)

    def all_live(self, names):
        """Each guest has run on since it was looked at before, with its memory intact."""
        for name in names:
            vm = self.vmi(name)
            self.assertEqual(vm["status"]["phase"], "Running", vm)
            self.assert_on(name, vm["status"]["nodeName"])

    def refused(self, host, what):
        done = self.ferry("rollout", "done", host, check=False)
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertIn(what, done.stderr)

    def finish(self, host):
        self.restart(host)
        self.ferry("rollout", "done", host)

    def first_is_kept(self):
        """By its name h1 is first; g0 keeps it, which is said at once, and nobody can say that it is done."""
        self.await_host("h1", "Blocked", 5)
        self.assertIn("g0 (Failed): ", self.hosts()["h1"]["message"])
        self.assertIn("(before)", self.hosts()["h1"]["message"])
        self.wait(lambda: self.vms_on("h1") == ["g0"], 120, lambda: self.vms_on("h1"))
        self.refused("h1", "1 VMs run on h1 yet")
        self.assertEqual(self.hosts()["h2"]["phase"], "Queued")
        self.ferry("rollout", "stop")
        self.await_host("h1", "Paused", 10)
        self.lab.virsh("h1", "snapshot-delete", "g0", "before", "--metadata")
        self.touch("h1", "g0")
        self.wait(lambda: not self.vmi("g0")["spec"]["domain"].get("snapshots"), 10, lambda: self.vmi("g0"))
        self.assertEqual(self.vms_on("h1"), ["g0"])
        self.ferry("rollout", "resume", "--no-wait")
        self.await_host("h1", "Empty", 60)
        self.assertEqual(self.vms_on("h1"), [])

    def first_is_done_while_stopped(self):
        """Stopped while it waits: what is empty may be done, and no further host is started."""
        self.ferry("rollout", "stop")
        self.finish("h1")
        self.await_host("h1", "Succeeded", 60)
        self.assertEqual({self.hosts()[h]["phase"] for h in ("h2", "h3")}, {"Queued"})
        self.ferry("rollout", "resume", "--no-wait")

    def second_hangs(self):
        """ferryd dies while the next one is emptied; its libvirtd hangs after the restart. Its name."""
        second = self.wait(lambda: next((h for h in ("h2", "h3") if self.hosts()[h]["phase"] == "Emptying"), None),
                           20, lambda: self.hosts())
        self.lab.kill("ferryd")
        self.lab.start("ferryd")
        self.await_host(second, "Empty")
        self.assertEqual(self.vms_on(second), [])
        self.restart(second)
        self.signal_libvirtd(second, signal.SIGSTOP)
        with contextlib.ExitStack() as stack:
            def goes_on():
                with contextlib.suppress(LabError):
                    self.signal_libvirtd(second, signal.SIGCONT)
            stack.callback(goes_on)
            self.ferry("rollout", "done", second)
            self.wait(lambda: not self.is_ready(second), 40, f"{second} is seen as hung")
            self.wait(lambda: "libvirtd" in self.hosts()[second].get("message", ""), 10,
                      lambda: self.hosts()[second])
            self.assertEqual(self.hosts()[second]["phase"], "Verifying")
        self.await_host(second, "Succeeded", 90)
        return second

    def test_three_hosts(self):
        names = [f"g{i}" for i in range(GUESTS)]
        for i, name in enumerate(names):
            self.guest(name, host=f"h{i % 3 + 1}", rate=1, working_set=4, **({} if i else {"persistent": True}))
        self.snapshot("h1", "g0")
        self.ferry("rollout", "start", "--no-wait")
        self.first_is_kept()
        self.first_is_done_while_stopped()
        second = self.second_hangs()
        third = "h3" if second == "h2" else "h2"
        self.await_host(third, "Empty")
        self.assertEqual(self.vms_on(third), [])
        self.finish(third)
        self.wait(lambda: self.state()["status"]["phase"] == "Succeeded", 90, lambda: self.state())

        self.all_live(names)
        nodes = self.ferry_json("get", "nodes")["items"]
        self.assertEqual([n["spec"] for n in nodes if n["spec"].get("unschedulable") or n["spec"].get("taints")], [])
        done = [m for m in self.ferry_json("get", "vmim")["items"] if m["status"]["phase"] == "Succeeded"]
        # without a host to spare only those of the first one move twice
        self.assertEqual(len(done), GUESTS + GUESTS // 3, [m["spec"]["vmiName"] for m in done])
