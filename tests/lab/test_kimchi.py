# SPDX-License-Identifier: Apache-2.0
"""Kimchi's REST on real hosts: a migration as a task, its monitor, its end, its settings."""
import json
import ssl
import threading
import time
import urllib.error
import urllib.request

from flagstest import FlagsTest

FINAL = ("finished", "failed", "killed")


class Kimchi(FlagsTest):
    HOSTS = 2

    def http(self, method, path, body=None):
        """(status, JSON) of an administrator's request."""
        state = self.lab.dir / "ferryd"
        context = ssl.create_default_context(cafile=str(state / "ca.crt"))
        context.load_cert_chain(state / "admin.crt", state / "admin.key")
        request = urllib.request.Request(
            self.lab.env()["FERRY_SERVER"] + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                             urllib.request.HTTPSHandler(context=context))
        try:
            with opener.open(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def post(self, vm, **body):
        status, task = self.http("POST", f"/vms/{vm}/migrate", body)
        self.assertEqual(status, 202, task)
        self.assertEqual((task["status"], task["target_uri"]), ("running", f"/vms/{vm}"))
        return task

    def until_over(self, task, seconds=40):
        """The last state of a task; its messages on the way are in self.messages."""
        self.messages = []

        def over():
            now = self.http("GET", f"/tasks/{task['id']}")[1]
            if now["message"] not in self.messages:
                self.messages.append(now["message"])
            return now if now["status"] in FINAL else None

        return self.wait(over, seconds, lambda: f"the task is over: {self.messages}")

    def monitor(self, vm):
        return self.http("GET", f"/plugins/kimchi/vms/{vm}/migrate")[1]

    def max_bandwidth(self, host, vm):
        text = self.lab.virsh(host, "qemu-monitor-command", vm, "--hmp",
                              "info migrate_parameters").stdout
        return next(line.split(":")[1].split()[0] for line in text.splitlines()
                    if line.startswith("max-bandwidth"))

    def test_a_vm_moves_and_the_task_stays(self):
        self.guest("kim", rate=10, working_set=16, memory=256, persistent=True)
        self.assertEqual(self.http("GET", "/vms/kim")[1]["host"], "h1")
        # Kimchi's clients send a user and a password; neither is needed or kept.
        task = self.post("kim", remote_host=self.lab.host("h2").addresses["management"],
                         user="root", password="secret")
        self.assertIn("not kept", " ".join(task["warnings"]))
        seen = []
        stop = threading.Event()

        def watch():
            while not stop.is_set():
                seen.append(self.monitor("kim"))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            end = self.until_over(task)
        finally:
            stop.set()
            watcher.join()
        self.assertEqual(end["status"], "finished", end)
        self.assertRegex(end["message"], r"^step 6 of 6, finish: kim moved from h1 to h2 in ")
        self.assert_on("kim", "h2")
        self.assertEqual(self.http("GET", end["target_uri"])[1]["host"], "h2")
        order = ["check", "connect", "prepare", "migrate", "recover", "finish"]
        places = [order.index(m["step"]) for m in seen]
        self.assertEqual(places, sorted(places), "the steps only go on")
        percents = [m.get("progress", {}).get("percent", 0) for m in seen]
        self.assertEqual(percents, sorted(percents))
        last = self.monitor("kim")
        self.assertEqual([s["status"] for s in last["steps"]],
                         ["done", "done", "done", "done", "skipped", "done"])
        self.assertEqual(last["settings"], {"migration_destination_timeout": 21600,
                                            "migration_max_bandwidth": "unlimited",
                                            "migration_downtime": 500})
        before = self.http("GET", f"/tasks/{task['id']}")
        self.lab.kill("ferryd")
        self.lab.start("ferryd")
        self.assertEqual(self.http("GET", f"/tasks/{task['id']}"), before)
        self.assertIn(before[1], self.http("GET", "/tasks?status=finished")[1])
        text = json.dumps(self.ferry_json("get", "vmim"))
        self.assertNotIn("secret", text)
        self.assertEqual(self.http("DELETE", f"/tasks/{task['id']}")[0], 409)

    def test_tunnelled(self):
        """A request for Kimchi's tunnelled mode goes through libvirtd's own connection."""
        self.guest("tun", rate=5, working_set=16, persistent=True)
        self.forget_calls()
        task = self.post("tun", remote_host=self.lab.host("h2").addresses["management"],
                         tunnelled=True)
        self.assertEqual(self.until_over(task)["status"], "finished", self.messages)
        flags = self.calls()[0]
        self.assertLessEqual({"TUNNELLED", "PEER2PEER", "LIVE"}, flags)
        self.assertNotIn("TLS", flags)
        self.assert_on("tun", "h2")

    def test_cancel_says_what_was_recovered(self):
        self.guest("busy", memory=512, rate=100, working_set=300, pattern="uniform")
        task = self.post("busy", remote_host="https://h2:8001", migration_max_bandwidth=20,
                         migration_downtime=50)
        self.assertIn("50 is below 100 ms and is ignored", " ".join(task["warnings"]))
        self.wait(lambda: self.monitor("busy").get("progress", {}).get("percent", 0) > 2, 30,
                  "it sends memory")
        now = self.monitor("busy")
        self.assertEqual((now["step"], now["source"], now["destination"]), ("migrate", "h1", "h2"))
        self.assertEqual(now["settings"]["migration_downtime"], 500)
        self.assertEqual(self.max_bandwidth("h1", "busy"), str(20 << 20))
        self.assertEqual(self.http("POST", "/vms/busy/migrate", {"remote_host": "h2"})[0], 409)
        status, answer = self.http("DELETE", "/vms/busy/migrate")
        self.assertEqual(status, 202, answer)
        end = self.until_over(task)
        self.assertEqual(end["status"], "killed", end)
        self.assertRegex(end["message"], "^step 4 of 6, migrate: cancelled by admin; step 5 of 6, "
                         "recover: recovered: the VM is running on h1 as before, nothing of it is "
                         "left on h2")
        self.assert_on("busy", "h1")

    def test_the_timeout_ends_it(self):
        self.guest("slow", memory=512, rate=50, working_set=300, pattern="uniform")
        begun = time.monotonic()
        task = self.post("slow", remote_host="h2", migration_max_bandwidth=5,
                         migration_destination_timeout=4)
        end = self.until_over(task)
        took = time.monotonic() - begun
        self.assertEqual(end["status"], "failed", end)
        self.assertGreater(took, 3.5)
        self.assertLess(took, 15)
        self.assertRegex(end["message"], "step 4 of 6, migrate: failed: .*(?i:time).*recovered: the "
                         "VM is running on h1")
        self.assert_on("slow", "h1")

    def test_configuration_reaches_the_migration(self):
        status, config = self.http("PUT", "/config", {"migration_downtime": 321,
                                                      "migration_max_bandwidth": 77})
        self.assertEqual(status, 200, config)
        self.addCleanup(self.http, "PUT", "/config", {"migration_downtime": 500,
                                                      "migration_max_bandwidth": "unlimited"})
        self.lab.kill("ferryd")
        self.lab.start("ferryd")
        self.assertEqual(self.http("GET", "/config")[1], config)
        self.guest("conf", rate=5, working_set=8)
        task = self.post("conf", remote_host="h2.local", migration_max_bandwidth="64")
        end = self.until_over(task)
        self.assertEqual(end["status"], "finished", end)
        self.assertEqual(self.monitor("conf")["settings"],
                         {"migration_destination_timeout": 21600, "migration_max_bandwidth": 64,
                          "migration_downtime": 321})

    def test_the_destination_has_to_be_reachable(self):
        self.guest("stay", rate=5, working_set=8)
        self.agent_away("h2")
        status, answer = self.http("POST", "/vms/stay/migrate", {"remote_host": "h2"})
        self.assertEqual(status, 422, answer)
        self.assertIn("h2 is not ready", answer["reason"])
        self.assertEqual(self.http("GET", "/vms/stay/migrate")[0], 404)
