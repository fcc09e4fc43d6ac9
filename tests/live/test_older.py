# SPDX-License-Identifier: Apache-2.0
"""What older versions have written and what they say is understood by this one. older/VERSION/ is of that
version: store.sql is a ferryd's database with objects of every kind that people or agents make, agent.json
what an agent says to ferryd. The folder of a version that is not released yet may be made anew
(test_older.py --write); one that is released stays as it is, and the next version gets a folder of its own."""
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "fuzz"), str(ROOT / "tests" / "agent")]
from fake_ferryd import FakeFerryd  # noqa: E402  pylint: disable=wrong-import-position
from live.site import BUILD, NODES, Agent, Connection, Site  # noqa: E402  pylint: disable=wrong-import-position

HERE = Path(__file__).resolve().parent / "older"
VERSIONS = sorted((p for p in HERE.iterdir() if (p / "store.sql").exists()),
                  key=lambda p: [int(n) for n in p.name.split(".")])
PRESENT = re.search(r"(?m)^  version: '([^']+)'", (ROOT / "meson.build").read_text())[1]
PASSED_OVER = {"credentials", "events"}  # ferryd's own; gone after an hour
PATIENCE_S = 60


def schema_of(db):
    """Tables as they were made, and the number that ferryd goes by."""
    tables = sorted(row[0] for row in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
    return tables, db.execute("SELECT value FROM ferry_store WHERE key = 'schema_version'").fetchone()[0]


def put_store(version, state):
    """The database of a version, as the file that it left."""
    state.mkdir(mode=0o700)
    db = sqlite3.connect(state / "ferry.db")
    db.executescript((HERE / version / "store.sql").read_text())
    rows = db.execute("SELECT api_group, resource, namespace, name, data FROM objects").fetchall()
    db.close()
    return rows


def path_of(resource, namespace, name, stored):
    version = stored["apiVersion"]
    return "".join([f"/apis/{version}" if "/" in version else f"/api/{version}",
                    f"/namespaces/{namespace}" if namespace else "", f"/{resource}/{name}"])


def is_shipped(stored):
    """Roles and presets that each ferryd brings to what it has itself."""
    return "kubernetes.io/bootstrapping" in stored["metadata"].get("labels", {})


class Stores(unittest.TestCase):
    def test_there_is_one_of_this_version(self):
        self.assertIn(PRESENT, [v.name for v in VERSIONS], "test_older.py --write makes it")

    def test_schema_is_that_of_the_newest(self):
        """Whoever changes the schema raises its number, and adds a version here that has it."""
        with tempfile.TemporaryDirectory(prefix="ferry-older-") as folder:
            with Site(folder, options=("--log-level", "warning")) as site:
                state = site.state
            made = sqlite3.connect(state / "ferry.db")
            old = sqlite3.connect(":memory:")
            old.executescript((VERSIONS[-1] / "store.sql").read_text())
            self.assertEqual(schema_of(made), schema_of(old))
            made.close()
            old.close()

    def test_objects_are_kept(self):
        for version in VERSIONS:
            with self.subTest(version.name), tempfile.TemporaryDirectory(prefix="ferry-older-") as folder:
                rows = put_store(version.name, Path(folder) / "ferryd")
                self.assertGreater(len(rows), 20)
                with Site(folder, options=("--log-level", "warning")) as site:
                    self.check_rows(site, rows)
                with Site(folder, options=("--log-level", "warning")) as site:  # and by what it has made of it
                    self.check_rows(site, rows)

    def check_rows(self, site, rows):
        admin = Connection(site, site.admin)
        self.addCleanup(admin.close)
        for _, resource, namespace, name, data in rows:
            stored = json.loads(data)
            if resource in PASSED_OVER or is_shipped(stored):
                continue
            now = admin.json("GET", path_of(resource, namespace, name, stored))
            self.assertEqual(now["metadata"]["uid"], stored["metadata"]["uid"], name)
            self.assertEqual(now | {"spec": now.get("spec", {}) | stored.get("spec", {})},
                             now | {"spec": now.get("spec", {})}, f"{resource} {name}")  # what was said holds
            for part in ("rules", "subjects", "roleRef"):
                self.assertEqual(now.get(part), stored.get(part), f"{resource} {name}")


class Agents(unittest.TestCase):
    def test_an_older_one_is_understood(self):
        """Joined by this ferryd, speaking as its version does: its host is ready and its VMs are seen."""
        for version in VERSIONS:
            said = json.loads((version / "agent.json").read_text())
            with self.subTest(version.name), tempfile.TemporaryDirectory(prefix="ferry-older-") as folder, \
                    Site(folder, options=("--log-level", "warning")) as site:
                host = Agent(site, "h1")
                epoch = host.connection.json("POST", f"{NODES}/h1/session", said["session"])["epoch"]
                for number, report in enumerate(said["reports"]):
                    report |= {"epoch": epoch, "sequence": (epoch << 32) + number + 1}
                    answer = host.connection.json("POST", f"{NODES}/h1/report", report)
                    self.assertTrue(answer["caHash"])
                admin = Connection(site, site.admin)
                self.addCleanup(admin.close)
                self.addCleanup(host.connection.close)
                node = admin.json("GET", "/api/v1/nodes/h1")
                ready = next(c for c in node["status"]["conditions"] if c["type"] == "Ready")
                self.assertEqual(ready["status"], "True", ready)
                vms = admin.json("GET", "/apis/kubevirt.io/v1/virtualmachineinstances")["items"]
                self.assertEqual([v["metadata"]["name"] for v in vms],
                                 [d["name"] for r in said["reports"] for d in r.get("domains", [])])


def example(site):
    """Objects of all kinds that people and agents make."""
    hosts = [Agent(site, "h1"), Agent(site, "h2")]
    for host in hosts:
        host.domain(f"db-{host.name}", metadata="<x/>")
        host.report()
    environ = {**os.environ, "FERRY_KUBECONFIG": str(site.state / "admin.kubeconfig")}

    def ferry(*words, text=None, codes=(0,)):
        done = subprocess.run([str(BUILD / "ferry"), *words], env=environ, input=text, text=True,
                              capture_output=True, check=False, timeout=PATIENCE_S)
        assert done.returncode in codes, (words, done.stdout, done.stderr)

    for file in ("network.yaml", "policies.yaml"):
        ferry("apply", "-f", str(ROOT / "docs" / "examples" / file))
    ferry("apply", "-f", "-", text="apiVersion: kubevirt.io/v1\nkind: KubeVirt\nmetadata: {name: kubevirt, "
          "namespace: kubevirt}\nspec: {configuration: {migrations: {bandwidthPerMigration: 64Mi}}}\n")
    ferry("apply", "-f", "-", text="apiVersion: v1\nkind: Namespace\nmetadata: {name: team-a}\n")
    ferry("apply", "-f", "-", text="apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n"
          "metadata: {name: team-a, namespace: team-a}\nroleRef: {apiGroup: rbac.authorization.k8s.io, "
          "kind: ClusterRole, name: operate}\nsubjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, "
          "name: team-a}]\n")
    ferry("user", "create", "nina", "--role", "operate")
    admin = Connection(site, site.admin)
    admin.json("POST", "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations", {
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration", "metadata": {"name": "moves"},
        "spec": {"vmiName": "db-h1"}})
    admin.json("POST", "/apis/ferry.migration/v1/evacuations", {
        "apiVersion": "ferry.migration/v1", "kind": "Evacuation", "metadata": {"name": "h2"},
        "spec": {"nodeName": "h2"}})


def recorded_agent():
    """What this build's agent says first, of libvirt's test driver, without what is this machine's."""
    fake = FakeFerryd()
    with tempfile.TemporaryDirectory(prefix="ferry-older-") as folder:
        for name in ("agent.key", "agent.crt", "ca.crt"):
            Path(folder, name).write_text("-----BEGIN NOTHING-----\n")
        agent = subprocess.Popen([str(BUILD / "ferry-agentd"), "--config", "/dev/null", "--server",
                                  f"http://127.0.0.1:{fake.port}", "--node", "h1", "--state-dir", folder,
                                  "--libvirt-uri", "test:///default", "--log-level", "error"])
        try:
            until = time.monotonic() + PATIENCE_S
            while not any(r[2].get("full") for r in fake.reports):
                assert time.monotonic() < until, "no report"
                time.sleep(0.05)
        finally:
            agent.kill()
            agent.wait()
            fake.stop()
    report = next(r[2] for r in fake.reports if r[2].get("full"))
    node = report["node"]
    node["addresses"] = [{"type": "InternalIP", "address": "10.66.0.1"}, {"type": "Hostname", "address": "h1"}]
    for field in ("interfaces", "routes", "sharedFileSystems"):
        node.pop(field, None)
    for field in ("machineID", "systemUUID", "bootID", "kernelVersion", "osImage"):
        if field in node.get("nodeInfo", {}):
            node["nodeInfo"][field] = "of the host"
    return {"session": {"version": f"v{PRESENT}", "mode": "local"}, "reports": [report]}


def write():
    folder = HERE / PRESENT
    folder.mkdir(exist_ok=True)
    (folder / "agent.json").write_text(json.dumps(recorded_agent(), indent=1, sort_keys=True) + "\n")
    with tempfile.TemporaryDirectory(prefix="ferry-older-") as state:
        with Site(state, options=("--log-level", "warning")) as site:
            example(site)
        db = sqlite3.connect(site.state / "ferry.db")
        text = "\n".join([*db.iterdump(), "PRAGMA application_id = 1181905529;"])
        db.close()
    (folder / "store.sql").write_text(text + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        unittest.main()
