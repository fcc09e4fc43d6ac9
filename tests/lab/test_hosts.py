# SPDX-License-Identifier: Apache-2.0
"""Hosts and their agents: what is seen, how soon, and what survives when something dies."""
import json
import subprocess
import time

from labtest import BUILD, LabTest


class Inventory(LabTest):
    HOSTS = 2

    def test_changes_show_within_a_second(self):
        self.guest("seen", rate=5, working_set=8, label="app=web")
        vmi = self.vmi("seen")
        self.assertEqual(vmi["metadata"]["labels"], {"app": "web"})
        self.assertEqual(vmi["metadata"]["uid"],
                         self.lab.virsh("h1", "domuuid", "seen").stdout.strip())
        self.assertEqual(vmi["spec"]["domain"]["memory"]["guest"], "64Mi")
        self.assertEqual(vmi["status"]["nodeName"], "h1")
        for verb, phase in (("suspend", "Paused"), ("resume", "Running")):
            self.lab.virsh("h1", verb, "seen")
            self.wait(lambda: self.vmi("seen")["status"]["phase"] == phase, 1.0, phase)
        self.lab.virsh("h1", "destroy", "seen")
        self.wait(lambda: self.vmi("seen") is None, 1.0, "gone")

    def test_nodes(self):
        nodes = {n["metadata"]["name"]: n for n in self.ferry_json("get", "nodes")["items"]}
        self.assertEqual(sorted(nodes), ["h1", "h2"])
        status = nodes["h1"]["status"]
        self.assertRegex(status["hypervisor"]["libvirtVersion"], r"^11\.")
        self.assertRegex(status["hypervisor"]["qemuVersion"], r"^10\.")
        self.assertEqual(status["hypervisor"]["hostUUID"], self.lab.state()["hosts"][0]["uuid"])
        addresses = {a["address"] for a in status["addresses"]}
        self.assertIn(self.lab.host("h1").addresses["management"], addresses)
        for field in ("capacity", "nodeInfo", "interfaces"):
            self.assertTrue(status[field])
        self.kubectl("1.20", "describe", "node", "h1")
        self.kubectl("1.32", "describe", "node", "h1")

    def test_an_agent_writes_only_its_own(self):
        """The agent's certificate, used by hand: beside its own it may look at other Nodes, no more."""
        self.guest("mine", rate=5, working_set=8)
        state = self.lab.state()
        base = f"https://{state['server']}:6443"
        pid = self.lab.host("h1").pid()
        keys = self.lab.host("h1").path("/var/lib/ferry-agent")
        curl = ["nsenter", "--net", "--target", str(pid), "curl", "-sS", "-m", "10", "-k", "-w",
                "\n%{http_code}", "--cert", f"{keys}/agent.crt", "--key", f"{keys}/agent.key"]
        tries = [
            ("GET", "/apis/kubevirt.io/v1/virtualmachineinstances", None, 403),
            ("GET", "/api/v1/nodes/h2", None, 200),
            ("GET", "/api/v1/nodes/h1", None, 200),
            ("POST", "/apis/ferry.migration/v1/nodes/h2/report", "{}", 403),
            ("POST", "/apis/ferry.migration/v1/nodes/h2/token", "{}", 403),
            ("GET", "/apis/kubevirt.io/v1/virtualmachineinstancemigrations?fieldSelector="
             "status.migrationState.sourceNode%3Dh2", None, 403),
            ("GET", "/apis/kubevirt.io/v1/virtualmachineinstancemigrations?fieldSelector="
             "status.migrationState.sourceNode%3Dh1", None, 200),
        ]
        for method, path, body, code in tries:
            words = [*curl, "-X", method, base + path]
            if body is not None:
                words += ["-H", "Content-Type: application/json", "-d", body]
            done = self.run_(*words)
            self.assertEqual(done.stdout.rsplit("\n", 1)[1], str(code), (path, done.stdout[:200]))


class Faults(LabTest):
    def start(self, name, target="h2"):
        """A migration that takes some seconds, under way."""
        mover = subprocess.Popen([BUILD / "ferry", "migrate", name, "--to", target, "-o", "json"],
                                 env=self.env, text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        self.wait(lambda: any(m["status"].get("progress", {}).get("percent", 0) > 3
                              for m in self.migrations(name)
                              if m["status"]["phase"] == "Running"), 20, "it runs")
        return mover

    def test_ferryd_dies(self):
        self.guest("d1", memory=768, rate=0, pattern="idle", working_set=600)
        mover = self.start("d1")
        self.lab.kill("ferryd")
        time.sleep(1.0)  # the length of the outage, not a wait for a state
        self.lab.start("ferryd")
        out, err = mover.communicate(timeout=60)
        self.assertEqual(mover.returncode, 0, out + err)
        self.assertEqual(json.loads(out)["status"]["phase"], "Succeeded")
        self.assert_on("d1", "h2")

    def test_source_agent_dies(self):
        self.guest("d2", memory=768, rate=0, pattern="idle", working_set=600)
        mover = self.start("d2")
        self.lab.kill("h1", "agent")
        self.lab.start("h1", "agent")
        out, err = mover.communicate(timeout=90)
        self.assertEqual(mover.returncode, 0, out + err)
        self.assert_on("d2", "h2")

    def test_target_qemu_dies(self):
        self.guest("d3", memory=768, rate=0, pattern="idle", working_set=600)
        mover = self.start("d3")
        self.lab.kill("h2", "qemu:d3")
        out, err = mover.communicate(timeout=60)
        self.assertEqual(mover.returncode, 1, out + err)
        self.assertIn("h1 as before", out + err)
        self.assert_on("d3", "h1")

    def test_migration_link_is_cut(self):
        self.guest("d4", memory=768, rate=0, pattern="idle", working_set=600)
        mover = self.start("d4")
        self.lab.link("h2", "migration", "down")
        self.addCleanup(self.lab.link, "h2", "migration", "up")
        out, err = mover.communicate(timeout=60)
        self.assertEqual(mover.returncode, 1, out + err)
        m = self.newest("d4")
        self.assertEqual((m["status"]["phase"], m["status"]["reason"]), ("Failed", "LinkStalled"), m["status"])
        self.assertRegex(m["status"]["message"], r"h2 \([0-9.]+\) has acknowledged nothing")
        self.assert_on("d4", "h1")
        # with the link still down the next try goes past it, as the network's fallback has it
        self.ferry("migrate", "d4", "--to", "h2")
        self.assertEqual(self.newest("d4")["status"]["migrationState"]["targetNodeAddress"],
                         self.lab.host("h2").addresses["management"])
        self.assert_on("d4", "h2")

    def test_source_libvirtd_dies(self):
        self.guest("d5", memory=768, rate=0, pattern="idle", working_set=600)
        mover = self.start("d5")
        self.lab.kill("h1", "libvirtd")
        self.lab.start("h1", "libvirtd")
        out, err = mover.communicate(timeout=90)
        self.assertEqual(mover.returncode, 1, out + err)
        self.assertEqual(self.newest("d5")["status"]["reason"], "HypervisorLost", self.newest("d5")["status"])
        self.assert_on("d5", "h1")

    def test_nothing_acknowledged_is_lost(self):
        """What was created is there after ferryd was killed at once."""
        for i in range(3):
            self.kubectl("1.32", "create", "namespace", f"kept{i}")
            self.lab.kill("ferryd")
            self.lab.start("ferryd")
            names = [n["metadata"]["name"] for n in self.ferry_json("get", "namespaces")["items"]]
            self.assertIn(f"kept{i}", names)


class Managed(LabTest):
    """`ferryd --host NAME=URI`: two existing hosts, one command, nothing installed there."""
    OPTIONS = {"with_ferry": False}

    def test_tls(self):
        self.moves("far", "qemu+tls://{}/system")

    def test_ssh(self):
        """With keys of root's, made here, for ferryd's way to the hosts and for libvirtd's to libvirtd."""
        self.open_to_ssh()
        before = self.logins("h3")
        self.moves("farther", "qemu+ssh://root@{}/system")
        seen = self.lab.host("h2").addresses["management"]
        self.assertIn(f"from {seen} ", self.logins("h3")[len(before):])
        self.assertNotIn(" password ", self.logins("h3"))

    def open_to_ssh(self):
        """An sshd on each host, which lets in whoever has a key of h1's or h2's, and nobody else."""
        keys = {}
        ssh = self.lab.host("h1").exec("sh", "-c", "echo ~root").stdout.strip() + "/.ssh"
        for host in self.lab.all_hosts():
            made = host.exec("sh", "-c", f"umask 077; mkdir -p {ssh} /run/sshd; "
                             f"ssh-keygen -q -t ed25519 -N '' -f {ssh}/id_ed25519; "
                             "ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key")
            self.assertEqual(made.returncode, 0, made.stderr)
            keys[host.name] = [host.path(f).read_text() for f in
                               (f"{ssh}/id_ed25519.pub", "/etc/ssh/ssh_host_ed25519_key.pub")]
        for host in self.lab.all_hosts():
            host.path(f"{ssh}/authorized_keys").write_text(keys["h1"][0] + keys["h2"][0])
            host.path(f"{ssh}/known_hosts").write_text("".join(
                f"{name} {key[1]}" for name, key in keys.items()))
            host.start_service("sshd", ["/usr/sbin/sshd", "-D", "-e", "-o", "LogLevel=VERBOSE",
                                        "-o", "PasswordAuthentication=no"])
            self.addCleanup(host.signal_service, "sshd", 15)

    def logins(self, name):
        """What the sshd there says of those whom it let in."""
        text = (self.lab.host(name).log_dir / "sshd.log").read_text(errors="replace") \
            if (self.lab.host(name).log_dir / "sshd.log").exists() else ""
        return "\n".join(t for t in text.splitlines() if t.startswith("Accepted "))

    def moves(self, vm, uri):
        """ferryd on h1, by these URIs, moves a VM from h2 to h3."""
        state = f"/var/lib/ferry-{vm}"
        inside = ["/opt/ferry/ferryd", "--state-dir", state, "--listen", "127.0.0.1:6443", "--host",
                  "h2=" + uri.format("h2"), "--host", "h3=" + uri.format("h3")]
        host = self.lab.host("h1")
        daemon = subprocess.Popen(host.argv(*inside), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True)
        self.addCleanup(daemon.stderr.close)
        self.addCleanup(daemon.wait)
        self.addCleanup(lambda: self.lab.exec("h1", "pkill", "-TERM", "-x", "ferryd"))

        def ferry(*args):
            return self.lab.exec("h1", "/opt/ferry/ferry", "--kubeconfig",
                                 f"{state}/admin.kubeconfig", *args)

        def ready():
            done = ferry("get", "nodes", "-o", "json")
            if done.returncode:
                return False
            nodes = json.loads(done.stdout)["items"]
            return len(nodes) == 2 and all(
                c["status"] == "True" for n in nodes
                for c in n["status"].get("conditions", [{"type": "Ready", "status": ""}])
                if c["type"] == "Ready")

        self.wait(ready, 30, lambda: "both hosts are Ready: " + ferry("get", "nodes").stdout)
        self.guests = [vm]
        self.lab_run("guest", vm, "--host", "h2", "--kernel", "bare", "--memory", "64",
                     "--rate", "5", "--working-set", "8")
        self.wait(lambda: ferry("get", "vmi", vm).returncode == 0, 10, "the VM is seen")
        done = ferry("migrate", vm, "--to", "h3")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assert_on(vm, "h3")
