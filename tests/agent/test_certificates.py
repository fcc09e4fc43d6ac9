# SPDX-License-Identifier: Apache-2.0
"""ferryd and ferry-agentd as processes: the CA changes under them, certificates are renewed, a node is
deleted, keys are read. What is waited for may take a loaded machine long; on a quiet one it is an
agent's next report, 5 s at most.

usage: test_certificates.py; FERRYD, FERRY_AGENTD and FERRY may name other programs than the
build's."""
import datetime
import os
import pathlib
import subprocess
import tempfile
import time
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

BUILD = pathlib.Path(os.environ.get("FERRY_BUILD", pathlib.Path(__file__).resolve().parents[2] / "build"))
FERRYD, AGENT, FERRY = (os.environ.get(name) or str(BUILD / place) for name, place in (
    ("FERRYD", "src/ferryd/ferryd"), ("FERRY_AGENTD", "src/agent/ferry-agentd"),
    ("FERRY", "src/cli/ferry")))

# test:///default names no host, so that the agent would warn without the second.
LIBVIRT = ("--libvirt-uri", "test:///default", "--peer-uri", "qemu+ssh://root@h1.example.com/system")


class Certificates(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)
        self.processes = {}
        self.state, self.agent_dir = self.dir / "state", self.dir / "agent"
        self.start_ferryd()

    def start_ferryd(self, *more):
        begun = len(self.log("ferryd")) if (self.dir / "ferryd.log").exists() else 0
        process = self.spawn("ferryd", FERRYD, "--state-dir", str(self.state), "--listen",
                             "127.0.0.1:0", *more)
        self.url = self.until(lambda: self.find_url(begun), "ferryd's URL")
        return process

    def find_url(self, begun):
        return next((line.split("url=")[1].split()[0]
                     for line in self.log("ferryd")[begun:].splitlines()
                     if "ferryd serves" in line), None)

    def spawn(self, name, *args):
        with open(self.dir / f"{name}.log", "a", encoding="utf-8") as log:
            process = subprocess.Popen(args, stderr=log, stdout=log)

        def end():
            process.terminate()
            process.wait(60)
        self.addCleanup(end)
        self.processes[name] = process
        return process

    def log(self, name):
        return (self.dir / f"{name}.log").read_text(encoding="utf-8")

    def until(self, condition, what, timeout=90):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.1)
        raise AssertionError(f"{what} did not come about: {self.log('ferryd')}")

    def call(self, program, *args):
        return subprocess.run([program, *args], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=90, check=False)

    def ferryd(self, *args):
        done = self.call(FERRYD, *args, "--state-dir", str(self.state))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def ferry(self, *args):
        return self.call(FERRY, *args, "--kubeconfig", str(self.state / "admin.kubeconfig"))

    def start_agent(self, *more):
        return self.spawn("agent", AGENT, "--server", self.url, "--node", "h1", "--state-dir",
                          str(self.agent_dir), *LIBVIRT, *more)

    def join(self):
        token = self.ferryd("token", "create", "--node", "h1").strip()
        agent = self.start_agent("--token", token)
        self.until(self.ready, "node h1")
        return agent

    def ready(self):
        return " Ready" in self.ferry("get", "nodes").stdout

    def last_report(self):
        return self.ferry("get", "node", "h1", "-o", "json").stdout.split('"lastReportTime": "')[-1][:30]

    def curl(self, ca):
        return self.call("curl", "-s", "-o", str(self.dir / "out"), "-w", "%{http_code}",
                         "--noproxy", "*", "--cacert", str(ca), self.url + "/healthz")

    def openssl(self, ca):
        return subprocess.run(
            ["openssl", "s_client", "-connect", self.url.split("//")[1], "-CAfile", str(ca),
             "-no-CApath", "-verify_return_error", "-brief"], input="", text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=90, check=False)

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
        copied = self.dir / "copied.crt"  # by who comes to copy it in between
        bundle = self.state / "ca-bundle.crt"
        copied.write_text(bundle.read_text())
        self.assertEqual(bundle.read_text(), both.read_text())
        for ca in (old, both, copied):
            self.assertEqual(self.curl(ca).stdout, "200")
            self.assertIn("Verification: OK", self.openssl(ca).stderr)
        # a token that was made before goes on to work
        second = self.dir / "second"
        self.spawn("second", AGENT, "--server", self.url, "--node", "h2", "--state-dir",
                   str(second), *LIBVIRT, "--token", before)
        self.until(lambda: "h2" in self.ferry("get", "nodes").stdout, "node h2")
        self.until(lambda: "Every agent has a certificate of the new CA" in self.ferryd("ca", "rotate", "status"),
                   "the agents' change")
        self.assertEqual(self.log("agent").count("session begun"), 1)
        self.ferryd("token", "create", "--node", "h3")
        said = self.ferryd("ca", "rotate", "finish")
        self.assertIn("No change", said)
        self.assertIn("1 unused join token is void", said)
        self.assertEqual(bundle.read_text(), new.read_text())
        for ca in (new, both, copied):
            self.assertEqual(self.curl(ca).stdout, "200")
            self.assertIn("Verification: OK", self.openssl(ca).stderr)
        self.assertNotEqual(self.curl(old).returncode, 0)
        self.assertNotEqual(self.openssl(old).returncode, 0)
        finished = self.last_report()
        self.until(lambda: self.last_report() != finished, "a report after the change")
        # a watch that was opened with the old certificate ends once that CA goes, and is opened anew
        other = [line for line in self.log("agent").splitlines()
                 if "warning" in line and "the credential of this stream" not in line]
        self.assertEqual(other, [])
        self.assertEqual(self.log("agent").count("session begun"), 1)
        self.assertTrue(self.ready())

    def test_finish_waits_for_agents(self):
        agent = self.join()
        agent.terminate()
        agent.wait(60)
        self.ferryd("ca", "rotate", "begin")
        done = self.call(FERRYD, "ca", "rotate", "finish", "--state-dir", str(self.state))
        self.assertEqual(done.returncode, 1)
        self.assertIn('"h1"', done.stderr)
        self.assertIn("No change", self.ferryd("ca", "rotate", "finish", "--force"))
        self.start_agent()
        self.until(lambda: "can't be trusted" in self.log("agent"), "the agent's refusal")

    def test_deleted_node_and_its_way_back(self):
        agent = self.join()
        self.assertIn("its agent reports", self.ferry("delete", "node", "h1").stderr)
        done = self.ferry("delete", "node", "h1", "--force")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.until(lambda: "node h1 was deleted at" in self.log("agent"), "the agent's word")
        self.assertNotIn("h1", self.ferry("get", "nodes").stdout)
        agent.terminate()
        agent.wait(60)
        token = self.ferryd("token", "create", "--node", "h1").strip()
        self.start_agent("--token", token)
        self.until(self.ready, "node h1 again")

    def certificate(self, begins, days):
        """A certificate for the agent's own key, by ferryd's CA, in place of the one it has."""
        ca = x509.load_pem_x509_certificate((self.state / "ca.crt").read_bytes())
        ca_key = load_pem_private_key((self.state / "ca.key").read_bytes(), None)
        path = self.agent_dir / "agent.crt"
        own = x509.load_pem_x509_certificate(path.read_bytes())
        made = x509.CertificateBuilder(
            issuer_name=ca.subject, subject_name=own.subject, public_key=own.public_key(),
            serial_number=x509.random_serial_number(), not_valid_before=begins,
            not_valid_after=begins + datetime.timedelta(days=days), extensions=list(own.extensions))
        path.write_bytes(made.sign(ca_key, hashes.SHA256()).public_bytes(Encoding.PEM))

    def lasts(self, days):
        done = self.call("openssl", "x509", "-in", str(self.agent_dir / "agent.crt"), "-noout",
                         "-checkend", str(days * 86400))
        return done.returncode == 0

    def renewals(self):
        return self.log("agent").count("renewed the certificate")

    def restart_with(self, agent, begins, days):
        agent.terminate()
        agent.wait(60)
        self.certificate(begins, days)
        return self.start_agent()

    def test_agent_renews(self):
        """At two thirds of its life and not before; one for ten years at once."""
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        agent = self.restart_with(self.join(), now - datetime.timedelta(days=59), 90)
        reported = self.last_report()
        self.until(lambda: self.last_report() != reported, "a report")
        self.assertEqual(self.renewals(), 0)
        agent = self.restart_with(agent, now - datetime.timedelta(days=61), 90)
        self.until(lambda: self.renewals() == 1, "the renewal")
        self.assertTrue(self.lasts(89) and not self.lasts(91))
        self.restart_with(agent, now - datetime.timedelta(days=1), 3650)
        self.until(lambda: self.renewals() == 2, "the replacement")
        self.assertTrue(self.lasts(89) and not self.lasts(91))

    def test_an_end_is_told_and_a_long_life_cut(self):
        first = self.processes["ferryd"]
        first.terminate()
        first.wait(60)
        key = load_pem_private_key((self.state / "ca.key").read_bytes(), None)
        now = datetime.datetime.now(datetime.timezone.utc)
        for name, days in (("ca", 100), ("admin", 3650)):
            path = self.state / f"{name}.crt"
            own = x509.load_pem_x509_certificate(path.read_bytes())
            made = x509.CertificateBuilder(
                issuer_name=own.issuer, subject_name=own.subject, public_key=own.public_key(),
                serial_number=x509.random_serial_number(), not_valid_before=now,
                not_valid_after=now + datetime.timedelta(days=days), extensions=list(own.extensions))
            path.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
        self.start_ferryd()
        self.until(lambda: "change it with ferryd ca rotate begin" in self.log("ferryd"), "the word")
        shown = self.ferryd("certs")
        self.assertRegex(shown, r"(?m)^ca .* (99|100)  expiring$")
        self.assertRegex(shown, r"(?m)^admin .* (364|365)  good$")

    def test_managed_host_whose_node_is_deleted(self):
        first = self.processes["ferryd"]
        first.terminate()
        first.wait(60)
        options = ("--agent", AGENT, "--host", "h1=test:///default")
        managed = self.start_ferryd(*options)
        self.until(self.ready, "node h1")
        certificate = self.state / "agents" / "h1" / "agent.crt"
        self.assertTrue(certificate.exists())
        done = self.ferry("delete", "node", "h1", "--force")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.until(lambda: "its agent is stopped until" in self.log("ferryd"), "the word")
        self.until(lambda: not certificate.exists(), "the end of its certificate")
        managed.terminate()
        managed.wait(60)
        self.start_ferryd(*options)
        self.until(self.ready, "node h1 again")

    def test_list_metric_and_keys(self):
        """Keys are read by openssl and the Python package cryptography, which holds to RFC 5915's width."""
        self.join()
        shown = self.ferryd("certs")
        for kind in ("ca", "server", "admin", "node"):
            self.assertRegex(shown, rf"(?m)^{kind} .* good$")
        self.assertRegex(shown, r"(?m)^node +CN=system:node:h1,O=system:nodes .* (89|90)  good$")
        env = {**os.environ, "KUBECONFIG": str(self.state / "admin.kubeconfig")}
        text = subprocess.run(["kubectl", "get", "--raw", "/metrics"], env=env, text=True,
                              stdout=subprocess.PIPE, check=True, timeout=90).stdout
        self.assertRegex(text, r'ferry_certificate_expiry_seconds\{kind="node",name="h1",')

        keys = [*self.state.glob("*.key"), *self.agent_dir.glob("*.key")]
        self.assertEqual(len(keys), 4)
        for key in keys:
            done = self.call("openssl", "pkey", "-in", str(key), "-noout", "-check")
            self.assertIn("Key is valid", done.stdout + done.stderr)
            load_pem_private_key(key.read_bytes(), None)
            self.assertEqual(key.stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
