# SPDX-License-Identifier: Apache-2.0
"""docs/threat-model.md says what each credential can do if it is stolen; here a real ferryd is asked."""
import base64
import json
import re
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fuzz"))
# pylint: disable=wrong-import-position
from provider import Provider
from live.site import Agent, Connection, Credential, MIGRATIONS, NODES, Site, VMIS

JOIN = "/apis/ferry.migration/v1/join"


def rows():
    """The table between the two marks: {credential: {capability: "yes" or "no"}}."""
    text = (ROOT / "docs" / "threat-model.md").read_text()
    table = re.search(r"<!-- credentials -->\n(.*?)<!-- end -->", text, re.S).group(1)
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    head, body = lines[0], lines[2:]
    return head[1:], {line[0]: dict(zip(head[1:], line[1:])) for line in body}


class Cookie(Credential):
    """A session of the page, with or without the token that writes need."""

    def __init__(self, ca, cookie, csrf):
        super().__init__("cookie", ca)
        self.said = {"Cookie": cookie} | ({"Ferry-CSRF": csrf} if csrf else {})

    def headers(self):
        return self.said


class Credentials(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ferry-threats-")
        self.addCleanup(folder.cleanup)
        provider = Provider(Path(folder.name) / "jwks.json")
        site = self.site = Site(folder.name,
                                options=("--log-level", "warning", *provider.options()))
        plain, viewer = site.token("paula", []), site.token("vera", ["ferry:viewers"])
        site.start()
        self.addCleanup(site.stop)
        self.agents = {name: Agent(site, name) for name in ("h1", "h2")}
        self.agents["h1"].domain("db")
        for agent in self.agents.values():
            agent.report()
            agent.connection.close()
        self.join_token = site.run("ferryd", "token", "create", "--node", "h3", "--state-dir",
                                   site.state).strip()
        admin = ("--kubeconfig", site.state / "admin.kubeconfig")
        by_token = self.made(site.run("ferry", "user", "create", "ursa", "--role", "view", *admin))
        by_certificate = self.made(site.run("ferry", "user", "create", "ulf", "--role", "operate",
                                            "--certificate", *admin))
        self.csr = site.key_and_request("system:node:x", ["system:nodes"])[1].read_text()
        self.own, self.other = ({"csr": self.request(f"{who} one"), "qemuCsr": self.request(f"{who} two"), "names": []}
                                for who in ("host", "thief"))
        self.wants_trust()
        self.credentials = {
            "nothing": site.anonymous, "join token": site.anonymous,
            "user's token without a role": Credential("paula", site.ca, token=plain),
            "viewer's token": Credential("vera", site.ca, token=viewer),
            "`ferry user` token, role view": by_token,
            "`ferry user` certificate, role operate": by_certificate,
            "provider's token (OpenID Connect), group with the role view": Credential(
                "ida", site.ca, token=provider.token("ida", ["ferry:viewers"])),
            "provider's token that claims `system:masters` and `system:nodes`": Credential(
                "eve", site.ca, token=provider.token("eve", ["system:masters", "system:nodes"])),
            "the page's cookie alone, role operate": self.cookie(by_certificate, writes=False),
            "the page's cookie with its token for writes, role operate": self.cookie(by_certificate),
            "viewer's certificate": site.certificate("vic", ["ferry:viewers"]),
            "agent's key": self.agents["h1"].credential,
            "administrator's certificate": site.admin,
            "CA key": site.certificate("mallory", ["system:masters"])}

    def request(self, name):
        return self.site.key_and_request(name, [])[1].read_text()

    def wants_trust(self):
        """`ferry host trust h1`, and its agent has been given what is asked for."""
        for credential, method, path, body in (
                (self.site.admin, "PATCH", "/api/v1/nodes/h1", {"spec": {"trust": True}}),
                (self.agents["h1"].credential, "POST", f"{NODES}/h1/trust", self.own)):
            connection = Connection(self.site, credential)
            status, _, told = connection.call(method, path, body, {"Content-Type": "application/merge-patch+json"}
                                              if method == "PATCH" else None)
            connection.close()
            self.assertIn(status, (200, 201), told)

    def cookie(self, credential, writes=True):
        connection = Connection(self.site, credential)
        status, headers, body = connection.call("POST", "/web/session", {})
        connection.close()
        self.assertEqual(status, 201, body)
        return Cookie(self.site.ca, headers["Set-Cookie"].split(";")[0],
                      json.loads(body)["csrf"] if writes else None)

    def made(self, kubeconfig):
        """The credential in a kubeconfig that `ferry user create` printed."""
        fields = dict(re.findall(r"^[ -]*([a-z-]+): *\"?([^\"\n]+)\"?$", kubeconfig, re.M))
        if "token" in fields:
            return Credential("user", self.site.ca, token=fields["token"])
        paths = []
        for kind in ("certificate", "key"):
            paths.append(self.site.dir / f"user.{kind}")
            paths[-1].write_bytes(base64.b64decode(fields[f"client-{kind}-data"]))
        return Credential("user", self.site.ca, *paths)

    def join(self, credential, node):
        token = self.join_token if credential == "join token" else "ferry." + "0" * 64 + f".{node}.x"
        return "POST", JOIN, {"token": token, "nodeName": node, "csr": self.csr}

    def report(self, node):
        return "POST", f"{NODES}/{node}/report", {"epoch": self.agents[node].epoch}

    def tries(self, credential):
        """What of a capability is tried; what could be undone is a dry run."""
        spec = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
                "metadata": {"name": "m1"}, "spec": {"vmiName": "db"}}
        policy = {"apiVersion": "migrations.kubevirt.io/v1alpha1", "kind": "MigrationPolicy",
                  "metadata": {"name": "p1"}, "spec": {"allowPostCopy": True}}
        network = {"apiVersion": "ferry.migration/v1", "kind": "Network", "metadata": {"name": "n1"},
                   "spec": {"subnets": ["10.66.0.0/16"], "roles": []}}
        return {
            "read VMs and migrations": [("GET", VMIS, None), ("GET", MIGRATIONS, None),
                                        ("GET", f"{VMIS}/db", None),
                                        ("GET", f"{VMIS}?watch=true&timeoutSeconds=1", None)],
            "read metrics": [("GET", "/metrics", None)],
            "move a VM": [("POST", MIGRATIONS + "?dryRun=All", spec)],
            "change policies and networks": [
                ("POST", "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies?dryRun=All", policy),
                ("POST", "/apis/ferry.migration/v1/networks?dryRun=All", network)],
            "make join tokens": [("POST", f"{NODES}/h4/token", {})],
            "report for its own host": [self.report("h1")],
            "report for another host": [self.report("h2")],
            "libvirt's certificate for its host's key": [("POST", f"{NODES}/h1/trust", self.own)],
            "libvirt's certificate for another key": [("POST", f"{NODES}/h1/trust", self.other)],
            "join another host": [self.join(credential, "h4")],
            "join a host with its token": [self.join(credential, "h3")]}

    def answers(self, name, tries):
        connection = Connection(self.site, self.credentials[name])
        try:
            return [(connection.call(*request)[0], request[:2]) for request in tries]
        finally:
            connection.close()

    def test_table(self):
        capabilities, told = rows()
        self.assertEqual(set(told), set(self.credentials), "rows of the table and what is tried")
        wrong = []
        for name, cells in told.items():
            tries = self.tries(name)
            self.assertEqual(set(tries), set(capabilities))
            for capability, requests in tries.items():
                for status, request in self.answers(name, requests):
                    self.assertNotIn(status, (404, 405, 415, 500), (name, request, status))
                    # 422: let in, and then judged by what the VM is
                    let_in = 200 <= status < 300 or status == 422
                    if ("yes" if let_in else "no") != cells[capability]:
                        wrong.append(f"{name}: {capability}: {cells[capability]} in the table, but "
                                     f"{request[0]} {request[1]} answered {status}")
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
