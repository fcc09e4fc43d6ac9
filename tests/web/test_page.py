# SPDX-License-Identifier: Apache-2.0
"""The page against a real ferryd whose hosts report domains and do nothing else: logging in, each
view, what a role may not, what strangers put into names, and a ferryd that is killed and back."""
import json
import re
import signal
import subprocess
import threading
import unittest

from webtest import WebTest
from live.site import Agent, BUILD, Connection, MIGRATIONS, NODES, VERSION, Site  # pylint: disable=wrong-import-order

# What a guest's administrator might write, hoping that some page runs it.
EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
VIEWS = (("/", "Overview"), ("/vm/default/db", "VM db"), ("/drain", "Drain"),
         ("/policies", "Policies and networks"), ("/history", "History"), ("/access", "Access"))
REPORT_S = 3


class Host(Agent):
    """A host that others can reach, and whose agent goes on reporting."""

    def __init__(self, site, name):
        super().__init__(site, name)
        self.over, self.lock = threading.Event(), threading.RLock()
        self.thread = threading.Thread(target=self.go_on, daemon=True)

    def node_fields(self):
        fields = super().node_fields()
        fields["hypervisor"]["peer"] = {"scheme": "tls", "host": self.name}
        return fields

    def report(self, full=True, domains=None):
        with self.lock:
            return super().report(full, domains)

    def begin_again(self):
        with self.lock:
            self.epoch = self.connection.json("POST", f"{NODES}/{self.name}/session",
                                              {"version": VERSION, "mode": "local"})["epoch"]

    def go_on(self):
        while not self.over.wait(REPORT_S):
            try:
                self.report()
            except (OSError, RuntimeError):
                pass  # ferryd is down in one of the tests

    def stop(self):
        self.over.set()
        self.thread.join(30)
        self.connection.close()


class Page(WebTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site = Site(cls.dir, options=("--log-level", "warning"))
        cls.all = cls.site.token("ada", ["system:masters"])
        cls.viewer = cls.site.token("vera", ["ferry:viewers"])
        cls.nobody = cls.site.token("paula", [])
        cls.site.start()
        cls.addClassCleanup(cls.site.stop)
        cls.url = f"https://127.0.0.1:{cls.site.port}"
        cls.hosts = [Host(cls.site, name) for name in ("h1", "h2", "h3")]
        for name in ("db", "web1", "web2"):
            cls.hosts[0].domain(name)
        cls.hosts[1].domain("stuck", hostDevices=[{"name": EVIL, "type": "pci"}])
        for host in cls.hosts:
            host.report()
            host.thread.start()
            cls.addClassCleanup(host.stop)
        cls.admin = Connection(cls.site, cls.site.admin)
        cls.addClassCleanup(cls.admin.close)

    def ferry(self, *args):
        return subprocess.run([BUILD / "ferry", "--kubeconfig", self.site.state / "admin.kubeconfig",
                               *args], text=True, check=True, stdout=subprocess.PIPE).stdout.strip()

    def log_in(self, token):
        self.browser.logIn(url=self.url, token=token)
        self.browser.live(state="live")

    # ---- logging in ----

    def test_a_link_logs_in_once(self):
        url = self.ferry("web", "--print-url").replace("localhost", "127.0.0.1")
        self.assertRegex(url, r"^https://[^/]+/web/#login=[0-9a-f]{16}\.[0-9a-f]{64}$")
        self.browser.visit(url=url)
        self.browser.live(state="live")
        self.browser.see(text="admin")
        sent = self.browser.evaluate(code="""() => performance.getEntries()
          .filter(e => e.encodedBodySize && e.name.includes("/web/")).reduce((sum, e) => sum + e.encodedBodySize, 0)""")
        self.assertTrue(10000 < sent < 200000, f"{sent} bytes of files for the first view")
        self.assertNotIn("login", self.browser.address())
        cookie, = self.browser.cookies()
        self.assertTrue(cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Strict", cookie)
        self.assertNotIn(cookie["value"], self.browser.evaluate(code="() => document.cookie + JSON.stringify({...localStorage, ...sessionStorage})"))
        self.browser.press(name="Log out")
        self.browser.see(text="A bearer token")
        self.assertEqual(self.browser.cookies(), [])
        self.browser.fresh()
        self.browser.visit(url=url)
        self.browser.see(text="used already")

    def test_a_bad_token(self):
        self.browser.visit(url=f"{self.url}/web/")
        self.browser.fill(label="Token", text="no-token-of-anybody-here")
        self.browser.press(name="Log in")
        self.browser.see(text="the bearer token is not known")

    def test_a_session_ends_with_its_credential(self):
        made = self.ferry("user", "create", "eve", "--role", "view")
        token = re.search(r"token: *\"?([^\"\s]+)", made).group(1)
        self.log_in(token)
        self.ferry("user", "revoke", "eve")
        self.browser.see(text="Unauthorized")
        self.browser.see(text="A bearer token")

    # ---- seeing ----

    def test_every_view(self):
        """Nothing is complained about, by axe neither, and 360 pixels are enough."""
        self.log_in(self.all)
        self.browser.see(text="stuck")
        for where, heading in VIEWS:
            with self.subTest(heading):
                self.browser.hash(to=where, heading=heading)
                self.assertEqual(self.browser.audit(), [])
                self.assertEqual(self.browser.overflows(width=360), 0)

    def test_names_stay_text(self):
        self.log_in(self.viewer)
        self.browser.hash(to="/vm/default/stuck", heading="VM stuck")
        self.browser.see(text="<img src=x onerror=")
        self.assertEqual(self.browser.evaluate(code="() => [document.images.length, document.title]"),
                         [0, "VM stuck - Ferry"])

    def test_the_policy_holds(self):
        """What would run text as code is refused by the browser, as ferryd tells it to."""
        self.log_in(self.viewer)
        tried = self.browser.evaluate(code="""() => {
          const failed = {};
          const attempt = (name, what) => { try { what(); failed[name] = false; } catch (e) { failed[name] = e.name; } };
          attempt("innerHTML", () => { document.createElement("p").innerHTML = "<b>x</b>"; });
          attempt("handler", () => document.body.setAttribute("onclick", "1"));
          return failed;
        }""")
        self.assertEqual(tried["innerHTML"], "TypeError")
        self.browser.problems()  # the browser tells of what it refused

    def test_filters_are_in_the_address(self):
        self.log_in(self.viewer)
        self.browser.see(text="4 VMs")
        self.browser.fill(label="Name", text="web")
        self.browser.see(text="2 of 4 VMs")
        self.assertIn("q=web", self.browser.address())
        address = self.browser.address()
        self.browser.visit(url="about:blank")
        self.browser.visit(url=address)
        self.browser.see(text="2 of 4 VMs")

    def test_what_changes_is_seen(self):
        self.log_in(self.viewer)
        self.hosts[2].domain("new-one")
        self.hosts[2].report()
        self.browser.see(text="new-one")
        self.hosts[2].domains.pop("new-one")
        self.hosts[2].report()
        self.browser.gone(text="new-one")

    # ---- acting ----

    def test_hosts_with_their_reasons(self):
        self.log_in(self.all)
        self.browser.hash(to="/vm/default/db", heading="VM db")
        self.browser.see(text="the VM runs on h1 already")
        self.browser.pick(label="h2")
        self.browser.see(text="ferry migrate db --to h2")
        self.browser.fill(label="Pause at most (ms)", text="120")
        self.browser.see(text="--max-downtime 120")
        self.browser.see(text="kubectl create -f -")
        self.browser.hash(to="/vm/default/stuck", heading="VM stuck")
        self.browser.see(text="is passed through from the host")
        self.assertTrue(self.browser.evaluate(code="() => document.querySelector('button.main').disabled"))

    def test_a_migration_that_waits_is_cancelled(self):
        self.log_in(self.all)
        self.browser.hash(to="/vm/default/web1", heading="VM web1")
        self.browser.pick(label="h3")
        self.browser.press(name="Move it")
        self.browser.see(text="Scheduled")
        self.browser.press(name="Cancel the migration")
        self.browser.see(text="Failed", timeout=60000)
        name = re.search(r"/migration/default/([^/?]+)", self.browser.address()).group(1)
        self.assertTrue(self.admin.json("GET", f"{MIGRATIONS}/{name}")["status"]["migrationState"]["abortRequested"])

    def test_who_may_not_is_offered_nothing(self):
        self.log_in(self.viewer)
        self.browser.hash(to="/vm/default/db", heading="VM db")
        self.browser.see(text="You may not move it.")
        for where, heading, name in (("/vm/default/db", "VM db", "Move it"), ("/drain", "Drain", "Drain it"),
                                     ("/policies/migrationpolicies/+", "Policies and networks", "Save")):
            self.browser.hash(to=where, heading=heading)
            self.assertFalse(self.browser.offered(name=name), name)
        self.assertEqual(self.browser.evaluate(code="() => [...document.querySelectorAll('nav a')].some(a => a.textContent === 'Access')"), False)
        # and ferryd refuses it, whatever the page shows
        status = self.browser.evaluate(code="""async () => {
          const { csrf } = await (await fetch("/web/session")).json();
          const answer = await fetch("/apis/ferry.migration/v1/evacuations", { method: "POST",
            headers: { "Ferry-CSRF": csrf, "Content-Type": "application/json" },
            body: JSON.stringify({ apiVersion: "ferry.migration/v1", kind: "Evacuation", metadata: { name: "x" }, spec: { nodeName: "h1" } }) });
          return answer.status;
        }""")
        self.assertEqual(status, 403)

    def test_a_drain_and_back(self):
        self.log_in(self.all)
        self.browser.hash(to="/drain/h3", heading="Drain")
        self.browser.see(text="0 VMs would move")
        self.browser.press(name="Drain it")
        self.browser.see(text="h3 is being drained")
        self.browser.see(text="h3: Succeeded")
        self.browser.press(name="Let it take VMs again")
        self.browser.see(text="h3 takes VMs again")
        self.assertNotIn("unschedulable", self.admin.json("GET", "/api/v1/nodes/h3")["spec"])

    def test_a_policy_is_tried_then_made(self):
        self.log_in(self.all)
        self.browser.hash(to="/policies/migrationpolicies/+", heading="Policies and networks")
        policy = {"apiVersion": "migrations.kubevirt.io/v1alpha1", "kind": "MigrationPolicy",
                  "metadata": {"name": "made-here"},
                  "spec": {"maxDowntimeMs": -1, "selectors": {"virtualMachineInstanceSelector": {"a": "b"}}}}
        self.browser.fill(label="MigrationPolicy as JSON", text=json.dumps(policy))
        self.browser.press(name="Try")
        self.browser.see(text="spec.maxDowntimeMs")
        policy["spec"]["maxDowntimeMs"] = 200
        self.browser.fill(label="MigrationPolicy as JSON", text=json.dumps(policy))
        self.browser.press(name="Try")
        self.browser.see(text="It would be taken.")
        path = "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies/made-here"
        self.assertEqual(self.admin.call("GET", path)[0], 404)
        self.browser.press(name="Save")
        self.browser.see(text="made-here")
        self.assertEqual(self.admin.json("GET", path)["spec"]["maxDowntimeMs"], 200)

    # ---- when ferryd goes ----

    def test_z_ferryd_killed_and_back(self):
        """The page says that what it shows is old, and since when; then goes on, still logged in."""
        self.log_in(self.viewer)
        self.browser.see(text="web2")
        self.site.process.send_signal(signal.SIGKILL)
        self.site.process.wait()
        self.browser.live(state="stale")
        self.browser.see(text="Not live since")
        self.browser.see(text="web2")
        self.site.start()
        self.browser.live(state="live", timeout=30000)
        for host in self.hosts:
            host.begin_again()
        self.hosts[2].domain("after")
        self.hosts[2].report()
        self.browser.see(text="after")


if __name__ == "__main__":
    unittest.main()
