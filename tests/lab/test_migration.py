# SPDX-License-Identifier: Apache-2.0
"""A running VM moves on real hosts: by ferry and by kubectl, seen while it moves, cancelled, refused, over the
network that it is to take, and past it."""
import json
import re
import subprocess
import threading
import time

from labtest import BUILD, KUBECTLS, LabTest

MANIFEST = """apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceMigration
metadata:
  name: migration-job
spec:
  vmiName: %s
"""


class Migration(LabTest):
    def test_ferry_migrate_moves_a_busy_vm(self):
        self.guest("busy", rate=20, working_set=32, pattern="uniform")
        self.stat("busy", "--reset")
        done = self.ferry("migrate", "busy", "--to", "h2")
        self.assert_on("busy", "h2")
        m = self.newest("busy")
        status, state = m["status"], m["status"]["migrationState"]
        self.assertEqual(status["phase"], "Succeeded")
        self.assertEqual((state["sourceNode"], state["targetNode"]), ("h1", "h2"))
        self.assertTrue(state["completed"])
        self.assertFalse(state["failed"])
        self.assertEqual(state["network"], "migration")
        self.assertEqual(state["targetNodeAddress"], self.lab.host("h2").addresses["migration"])
        self.assertEqual([t["phase"] for t in status["phaseTransitionTimestamps"]],
                         ["Pending", "Scheduling", "Scheduled", "PreparingTarget", "TargetReady",
                          "Running", "Succeeded"])
        summary = status["summary"]
        self.assertGreater(summary["dataTransferredBytes"], 32 << 20)
        self.assertGreater(summary["totalMs"], 0)
        gap = self.stat("busy")["longest_gap_ms"]
        # Seen from outside it is no shorter, and longer by what the guest needs to be seen again.
        self.assertGreater(gap, summary["downtimeMs"] - 5, summary)
        self.assertLess(gap, summary["downtimeMs"] + 35, summary)
        for word in ("h1", "h2", "migration", "ms"):
            self.assertIn(word, done.stdout)
        self.assertNotIn("\033", done.stdout + done.stderr)  # plain lines without a terminal
        self.assertEqual(self.vmi("busy")["status"]["nodeName"], "h2")

    def test_linux_guest_with_shared_disk(self):
        self.guest("disky", kernel="linux", memory=160, rate=5, working_set=16, disk="shared",
                   persistent=True)
        self.ferry("migrate", "disky", "--to", "h3")
        self.assert_on("disky", "h3")
        info = self.lab.virsh("h3", "dominfo", "disky").stdout
        self.assertRegex(info, r"Persistent:\s+yes")

    def test_manifest_of_kubevirt_with_each_kubectl(self):
        self.guest("kube", rate=5, working_set=8)
        for version in KUBECTLS:
            before = self.stat("kube")["host"]
            self.kubectl(version, "create", "-f", "-", text=MANIFEST % "kube")
            self.kubectl(version, "wait", "--for=condition=Ready", "vmi/kube", "--timeout=20s")
            self.wait(lambda: self.newest("kube")["status"]["phase"] == "Succeeded", 30, "moved")
            table = self.kubectl(version, "get", "vmim").stdout
            self.assertRegex(table, r"migration-job\s+Succeeded\s+kube")
            after = self.stat("kube")["host"]
            self.assertNotEqual(before, after)
            self.assert_on("kube", after)
            described = self.kubectl(version, "describe", "vmim", "migration-job").stdout
            self.assertIn("MigrationSucceeded", described)
            self.kubectl(version, "delete", "vmim", "migration-job", "--timeout=20s")

    def test_request_of_virtctl(self):
        self.guest("virt", rate=5, working_set=8)
        path = ("/apis/subresources.kubevirt.io/v1/namespaces/default/virtualmachines/virt/"
                "migrate")
        # kubectl sends it as virtctl does: a PUT of the options
        for version, body in zip(KUBECTLS, ("{}", '{"dryRun":["All"]}')):
            before = self.stat("virt")["host"]
            self.kubectl(version, "replace", "--raw", path, "-f", "-", text=body)
            if "dryRun" in body:
                self.assertEqual(len(self.migrations("virt")), 1)
                continue
            self.wait(lambda: self.newest("virt")["status"]["phase"] == "Succeeded", 30, "moved")
            after = self.stat("virt")["host"]
            self.assertNotEqual(before, after)
            self.assert_on("virt", after)

    def test_progress_is_reported_and_never_falls(self):
        self.guest("progress", memory=512, rate=0, pattern="idle", working_set=400)
        seen = []
        watcher = subprocess.Popen(
            [BUILD / "ferry", "get", "vmim", "-w", "-o", "json"], env=self.env, text=True,
            stdout=subprocess.PIPE)
        self.addCleanup(watcher.stdout.close)
        self.addCleanup(watcher.wait)
        self.addCleanup(watcher.terminate)

        def read():
            decoder, text = json.JSONDecoder(), ""
            for line in watcher.stdout:
                text += line
                while text.strip():
                    try:
                        value, end = decoder.raw_decode(text.lstrip())
                    except ValueError:
                        break
                    text = text.lstrip()[end:]
                    for item in value.get("items", [value.get("object", value)]):
                        progress = item.get("status", {}).get("progress")
                        if item["spec"]["vmiName"] == "progress" and progress:
                            seen.append((time.monotonic(), item["status"]["phase"], progress))

        threading.Thread(target=read, daemon=True).start()
        self.ferry("migrate", "progress", "--to", "h2")
        self.wait(lambda: seen and seen[-1][1] == "Succeeded", 10, "the watch shows the end")
        percents = [p["percent"] for _, _, p in seen]
        self.assertEqual(percents, sorted(percents))
        self.assertEqual(percents[-1], 100)
        running = [(t, p) for t, phase, p in seen if phase == "Running"]
        seconds = running[-1][0] - running[0][0]
        self.assertGreater(seconds, 1.5, "the migration was too quick to judge")
        self.assertGreaterEqual(len(running) / seconds, 2.0)
        last = running[-1][1]
        for field in ("dataTotalBytes", "dataProcessedBytes", "dataRemainingBytes",
                      "memoryTransferRateBytesPerSecond", "dirtyRateBytesPerSecond", "iteration",
                      "elapsedMs"):
            self.assertIn(field, last)
        rates = [p.get("memoryTransferRateBytesPerSecond", 0) for _, p in running]
        self.assertGreater(max(rates), 60e6)  # a link of 1 Gbit/s
        self.assertLess(max(rates), 160e6)

    def test_cancel(self):
        self.guest("stay", memory=512, rate=200, working_set=300, pattern="uniform")
        for how in ("ferry", "kubectl"):
            mover = subprocess.Popen([BUILD / "ferry", "migrate", "stay", "--to", "h2"],
                                     env=self.env, text=True, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE)
            self.wait(lambda: any(m["status"]["phase"] == "Running" and
                                  m["status"].get("progress", {}).get("percent", 0) > 5
                                  for m in self.migrations("stay")), 20, "it runs")
            started = time.monotonic()
            if how == "ferry":
                self.ferry("cancel", "stay")
            else:
                name = next(m["metadata"]["name"] for m in self.migrations("stay")
                            if m["status"]["phase"] == "Running")
                self.kubectl("1.32", "delete", "vmim", name, "--timeout=20s")
            self.assertLess(time.monotonic() - started, 2.0)
            out, err = mover.communicate(timeout=20)
            self.assertEqual(mover.returncode, 1, out + err)
            self.assertRegex(out + err, r"(?i)cancel|deleted")
            self.assert_on("stay", "h1")
        again = self.ferry("cancel", "stay", check=False)
        self.assertEqual(again.returncode, 3)
        self.assertRegex(again.stderr, r"nothing to cancel")

    def sent(self, network, host="h1"):
        """Bytes that the host has sent over it."""
        text = self.lab.exec(host, "cat", f"/sys/class/net/{network}/statistics/tx_bytes")
        return int(text.stdout)

    def test_only_the_migration_network_carries_it(self):
        self.guest("net", memory=256, rate=0, pattern="idle", working_set=200)
        before = self.sent("migration"), self.sent("management")
        self.ferry("migrate", "net", "--to", "h2")
        self.assertGreater(self.sent("migration") - before[0], 190 << 20)
        self.assertLess(self.sent("management") - before[1], 4 << 20)

    def test_fallback_of_a_network(self):
        """h2 is not in it: nothing moves, or it moves past it, with a word or without one."""
        self.guest("past", memory=64, rate=0, pattern="idle", working_set=40)
        spec = {"roles": [], "subnets": [self.lab.host("h1").addresses["migration"] + "/32"]}
        for fallback, source, target in (("deny", "h1", "h2"), ("warn", "h1", "h2"),
                                         ("allow", "h2", "h1")):
            with self.subTest(fallback):
                self.kubectl("1.32", "apply", "-f", "-", text=json.dumps({
                    "apiVersion": "ferry.migration/v1", "kind": "Network",
                    "metadata": {"name": "narrow"}, "spec": {**spec, "fallback": fallback}}))
                self.falls_back(fallback, source, target)
        self.ferry("delete", "network", "narrow")

    def falls_back(self, fallback, source, target):
        before = self.sent("migration", source), self.sent("management", source)
        done = self.ferry("migrate", "past", "--to", target, "--network", "narrow", check=False)
        sent = (self.sent("migration", source) - before[0],
                self.sent("management", source) - before[1])
        self.assertLess(sent[0], 1 << 20)
        if fallback == "deny":
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("its fallback is deny", done.stderr)
            self.assertLess(sent[1], 1 << 20)
            self.assert_on("past", source)
            return
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(sent[1], 35 << 20)
        status = self.newest("past")["status"]
        self.assertEqual(status["migrationState"]["targetNodeAddress"],
                         self.lab.host(target).addresses["management"])
        self.assertEqual(self.told("past").count("NetworkFallback"), fallback == "warn")
        self.assert_on("past", target)

    def told(self, vmi):
        """Reasons of the events of its newest migration."""
        name = self.newest(vmi)["metadata"]["name"]
        return [e["reason"] for e in self.ferry_json("get", "events")["items"]
                if e["involvedObject"]["name"] == name]

    def test_sigint_without_terminal_leaves_it_running(self):
        self.guest("bye", memory=512, rate=0, pattern="idle", working_set=400)
        mover = subprocess.Popen([BUILD / "ferry", "migrate", "bye", "--to", "h2"], env=self.env,
                                 text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.wait(lambda: any(m["status"]["phase"] == "Running" for m in self.migrations("bye")),
                  20, "it runs")
        mover.send_signal(2)
        out, err = mover.communicate(timeout=10)
        self.assertIn("ferry cancel", out + err)
        self.wait(lambda: self.newest("bye")["status"]["phase"] == "Succeeded", 30, "moved")
        self.assert_on("bye", "h2")


class BadInput(LabTest):
    """Each wrong wish gets its status and a message that says what to do, and changes nothing."""
    HOSTS = 2

    def refused(self, code, pattern, *args):
        before = self.migration_uids()
        done = self.ferry(*args, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertRegex(done.stdout + done.stderr, pattern)
        self.assertEqual(self.migration_uids(), before)

    def test_refusals(self):
        self.guest("one", rate=5, working_set=8, persistent=True)
        self.refused(3, r"mean.*one", "migrate", "onee", "--to", "h2")  # did you mean
        self.refused(3, r"h9", "migrate", "one", "--to", "h9")
        self.refused(3, r"already runs there", "migrate", "one", "--to", "h1")
        self.refused(2, r"(?i)usage|unknown", "migrate", "one", "--warp", "9")
        self.refused(2, r"needs VM", "migrate")
        self.refused(3, r"already runs there", "check", "one", "--to", "h1")
        self.lab.virsh("h1", "suspend", "one")
        self.lab.virsh("h1", "resume", "one")
        self.lab.virsh("h1", "destroy", "one")
        self.wait(lambda: self.vmi("one")["status"]["phase"] == "Stopped", 5, "seen as off")
        self.refused(3, r"(?i)not running|is off|Stopped", "migrate", "one", "--to", "h2")

    def test_name_taken_at_the_target(self):
        self.guest("twin", rate=5, working_set=8)
        xml = ("<domain type='qemu'><name>twin</name><memory unit='MiB'>16</memory>"
               "<os><type arch='x86_64'>hvm</type></os></domain>")
        self.lab.virsh("h2", "define", "/dev/stdin", input=xml)
        self.addCleanup(self.lab.virsh, "h2", "undefine", "twin")
        self.wait(lambda: sum(v["spec"].get("domainName", v["metadata"]["name"]) == "twin"
                              for v in self.ferry_json("get", "vmi")["items"]) == 2, 5,
                  "both are seen")
        self.refused(3, r'another domain named "twin"', "migrate", "twin", "--to", "h2")
        self.assert_running("twin", "h1")

    def assert_running(self, name, host):
        self.assertIn(name, self.lab.virsh(host, "list", "--name").stdout.split())

    def test_second_migration_and_host_down(self):
        self.guest("two", memory=512, rate=200, working_set=300, pattern="uniform")
        mover = subprocess.Popen([BUILD / "ferry", "migrate", "two", "--to", "h2"], env=self.env,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait(lambda: any(m["status"]["phase"] == "Running" for m in self.migrations("two")),
                  20, "it runs")
        second = self.ferry("migrate", "two", "--to", "h2", check=False)
        self.assertEqual(second.returncode, 3, second.stderr)
        self.assertRegex(second.stderr, r"(?i)already|another")
        self.ferry("cancel", "two")
        mover.wait(20)
        self.agent_away("h2")
        self.refused(3, r"not ready: its agent was last heard", "migrate", "two", "--to", "h2")

    def test_raw_bodies(self):
        self.guest("raw", rate=5, working_set=8)
        path = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations"
        good = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
                "metadata": {"name": "x"}, "spec": {"vmiName": "raw"}}
        deep = "[" * 5000 + "]" * 5000
        cases = [
            ("{", 400, "malformed"), (deep, 400, "nested"),
            (json.dumps({**good, "spec": {"vmiName": 7}}), (400, 422), "vmiName"),
            (json.dumps({**good, "spec": {}}), 422, "vmiName"),
            (json.dumps({**good, "metadata": {"name": "Not_A_Name"}}), 422, "metadata.name"),
            (json.dumps({**good, "metadata": {"name": "x", "labels": {"a": "b c"}}}), 422, "label"),
            (json.dumps({**good, "kind": "Node"}), 400, "kind"),
            (json.dumps({**good, "pad": "x" * (4 << 20)}), 413, "bytes"),
        ]
        for body, code, word in cases:
            status, text = self.post(path, body)
            self.assertIn(status, code if isinstance(code, tuple) else (code,), text[:300])
            answer = json.loads(text)
            self.assertEqual(answer["kind"], "Status", text[:300])
            self.assertRegex(answer["message"].lower(), word.lower())
        status, text = self.post(path + "?fieldValidation=Strict",
                                 json.dumps({**good, "spec": {"vmiName": "raw", "vmName": "raw"}}))
        self.assertEqual(status, 400, text)
        self.assertIn('unknown field "spec.vmName"', json.loads(text)["message"])
        bad = self.kubectl("1.32", "get", "vmi", "-l", "a in (b", check=False)
        self.assertNotEqual(bad.returncode, 0)
        self.assertEqual(self.migrations("raw"), [])

    def post(self, path, body):
        config = self.ferry("kubeconfig").stdout
        files = {}
        import base64
        import tempfile
        for key in ("certificate-authority-data", "client-certificate-data", "client-key-data"):
            data = re.search(rf"{key}:\s*\"?([A-Za-z0-9+/=]+)", config).group(1)
            handle = tempfile.NamedTemporaryFile()
            handle.write(base64.b64decode(data))
            handle.flush()
            self.addCleanup(handle.close)
            files[key] = handle.name
        server = re.search(r"server:\s*\"?([^\s\"]+)", config).group(1)
        done = self.run_("curl", "-sS", "-m", "20", "-w", "\n%{http_code}", "--cacert",
                         files["certificate-authority-data"], "--cert",
                         files["client-certificate-data"], "--key", files["client-key-data"],
                         "-H", "Content-Type: application/json", "-H", "Expect:",
                         "--data-binary", "@-", server + path, text=body, check=False)
        text, _, code = done.stdout.rpartition("\n")
        return int(code), text
