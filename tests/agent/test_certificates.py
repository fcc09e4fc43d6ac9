# SPDX-License-Identifier: Apache-2.0
"""ferryd and ferry-agentd as processes: the CA changes under them, a node is deleted, keys are read.

usage: test_certificates.py, with FERRYD, FERRY_AGENTD and FERRY naming the programs."""
import json
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

FERRYD, AGENT, FERRY = (os.environ[name] for name in ("FERRYD", "FERRY_AGENTD", "FERRY"))


class Certificates(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)
        self.state, self.agent_dir = self.dir / "state", self.dir / "agent"
        self.spawn("ferryd", FERRYD, "--state-dir", str(self.state), "--listen", "127.0.0.1:0")
        self.url = self.until(self.find_url, "ferryd's URL")

    def find_url(self):
        return next((line.split("url=")[1].split()[0] for line in self.log("ferryd").splitlines()
                     if "ferryd serves" in line), None)

    def spawn(self, name, *args):
        with open(self.dir / f"{name}.log", "a", encoding="utf-8") as log:
            process = subprocess.Popen(args, stderr=log, stdout=log)

        def end():
            process.terminate()
            process.wait(10)
        self.addCleanup(end)
        return process

    def log(self, name):
        return (self.dir / f"{name}.log").read_text(encoding="utf-8")

    def until(self, condition, what, timeout=20):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.1)
        raise AssertionError(f"{what} did not come about: {self.log('ferryd')}")

    def call(self, program, *args):
        return subprocess.run([program, *args], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=20, check=False)

    def ferryd(self, *args):
        done = self.call(FERRYD, *args, "--state-dir", str(self.state))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def ferry(self, *args):
        return self.call(FERRY, *args, "--kubeconfig", str(self.state / "admin.kubeconfig"))

    def start_agent(self, *more):
        return self.spawn("agent", AGENT, "--server", self.url, "--node", "h1", "--state-dir",
                          str(self.agent_dir), "--libvirt-uri", "test:///default", *more)

    def join(self):
        token = self.ferryd("token", "create", "--node", "h1").strip()
        agent = self.start_agent("--token", token)
        self.until(self.ready, "node h1")
        return agent

    def ready(self):
        return " Ready" in self.ferry("get", "nodes").stdout

    def curl(self, ca):
        return self.call("curl", "-s", "-o", str(self.dir / "out"), "-w", "%{http_code}",
                         "--noproxy", "*", "--cacert", str(ca), self.url + "/healthz")

    def openssl(self, ca):
        return subprocess.run(
            ["openssl", "s_client", "-connect", self.url.split("//")[1], "-CAfile", str(ca),
             "-no-CApath", "-verify_return_error", "-brief"], input="", text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20, check=False)

    def test_ca_changes_while_the_agent_stays(self):
        self.join()
        old = self.dir / "old-ca.crt"
        old.write_text((self.state / "ca.crt").read_text())
        before = self.ferryd("token", "create", "--node", "h2").strip()
        self.assertIn("still trusted", self.ferryd("ca", "rotate", "begin"))
        twice = self.call(FERRYD, "ca", "rotate", "begin", "--state-dir", str(self.state))
        self.assertIn("under way already", twice.stderr)
        new = self.state / "ca.crt"
        self.assertNotEqual(new.read_text(), old.read_text())
        both = self.dir / "both.crt"  # what an admin.kubeconfig holds now
        both.write_text(new.read_text() + old.read_text())
        for ca in (old, both):
            self.assertEqual(self.curl(ca).stdout, "200")
            self.assertIn("Verification: OK", self.openssl(ca).stderr)
        self.until(lambda: "Every agent has changed" in self.ferryd("ca", "rotate", "status"),
                   "the agent's change")
        self.assertEqual(self.log("agent").count("session begun"), 1)
        # what was made before goes on to work
        second = self.dir / "second"
        self.spawn("second", AGENT, "--server", self.url, "--node", "h2", "--state-dir",
                   str(second), "--libvirt-uri", "test:///default", "--token", before)
        self.until(lambda: "h2" in self.ferry("get", "nodes").stdout, "node h2")
        self.until(lambda: "Every agent has changed" in self.ferryd("ca", "rotate", "status"),
                   "the second agent's change")
        self.assertIn("No change", self.ferryd("ca", "rotate", "finish"))
        for ca in (new, both):
            self.assertEqual(self.curl(ca).stdout, "200")
            self.assertIn("Verification: OK", self.openssl(ca).stderr)
        self.assertNotEqual(self.curl(old).returncode, 0)
        self.assertNotEqual(self.openssl(old).returncode, 0)
        time.sleep(6)  # a heartbeat later it reports still
        self.assertNotIn("warning", self.log("agent").lower())
        self.assertTrue(self.ready())

    def test_finish_waits_for_agents(self):
        agent = self.join()
        agent.terminate()
        agent.wait(10)
        self.ferryd("ca", "rotate", "begin")
        done = self.call(FERRYD, "ca", "rotate", "finish", "--state-dir", str(self.state))
        self.assertEqual(done.returncode, 1)
        self.assertIn('"h1"', done.stderr)
        self.assertIn("No change", self.ferryd("ca", "rotate", "finish", "--force"))
        self.start_agent()
        self.until(lambda: "warning" in self.log("agent"), "the agent's refusal")

    def test_deleted_node_and_its_way_back(self):
        agent = self.join()
        self.assertIn("its agent reports", self.ferry("delete", "node", "h1").stderr)
        done = self.ferry("delete", "node", "h1", "--force")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.until(lambda: "node h1 was deleted at" in self.log("agent"), "the agent's word")
        self.assertNotIn("h1", self.ferry("get", "nodes").stdout)
        agent.terminate()
        agent.wait(10)
        token = self.ferryd("token", "create", "--node", "h1").strip()
        self.start_agent("--token", token)
        self.until(self.ready, "node h1 again")

    def test_list_and_metric(self):
        self.join()
        shown = self.ferryd("certs")
        for kind in ("ca", "server", "admin", "node"):
            self.assertRegex(shown, rf"(?m)^{kind} .* good$")
        self.assertRegex(shown, r"(?m)^node +CN=system:node:h1,O=system:nodes .* (89|90)  good$")
        env = {**os.environ, "KUBECONFIG": str(self.state / "admin.kubeconfig")}
        text = subprocess.run(["kubectl", "get", "--raw", "/metrics"], env=env, text=True,
                              stdout=subprocess.PIPE, check=True, timeout=20).stdout
        self.assertRegex(text, r'ferry_certificate_expiry_seconds\{kind="node",name="h1",')

    def test_keys_are_read_by_others(self):
        """openssl and the Python package cryptography, which holds to the width of RFC 5915."""
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
        self.join()
        keys = [*self.state.glob("*.key"), *self.agent_dir.glob("*.key")]
        self.assertEqual(len(keys), 4)
        for key in keys:
            done = self.call("openssl", "pkey", "-in", str(key), "-noout", "-check")
            self.assertIn("Key is valid", done.stdout + done.stderr)
            load_pem_private_key(key.read_bytes(), None)
            self.assertEqual(key.stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
