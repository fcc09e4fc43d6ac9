# SPDX-License-Identifier: Apache-2.0
"""Every client that is tried, what is tried with it, and docs/clients.md, which tells of it.

tools/fetch-clients leaves the clients in FERRY_CLIENTS_DIR. Each runs against a server of its own
(tests/api/api-test-server), and is tried by a probe in its own language; kubectl by KUBECTL."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("FERRY_BUILD", ROOT / "build"))
FOLDER = Path(os.environ.get("FERRY_CLIENTS_DIR", "/var/cache/ferry-lab/clients"))
KUBECTLS = Path(os.environ.get("FERRY_KUBECTL_DIR", "/var/cache/ferry-lab/kubectl"))
DOCUMENT = ROOT / "docs/clients.md"
DEADLINE = 120
MODULES = "usr/lib/python3/dist-packages"

# kubectl: what is tried, the command, and what it must print.
KUBECTL = [
    ("discovery", "api-resources --verbs=list", r"^pods +po +(v1 )? *true +Pod|^pods +po "),
    ("reads", "get nodes,pods,vmi -o wide", r"virt-launcher-db-h1 +1/1 +Running"),
    ("describes a node with its VMs", "describe node h1", r"virt-launcher-db-h1"),
    ("creates a namespace", "create namespace by-kubectl", "created"),
    ("asks for rights", "auth can-i list nodes", "^yes"),
    ("creates in kubevirt.io/v1alpha3", "create --dry-run=server -f old.yaml", "dry run"),
    ("the KubeVirt object as its operator ships it", "apply -f kubevirt.yaml", "created"),
    ("deletes all policies, presets too", "delete migrationpolicies --all --timeout=20s", "deleted"),
]
MANIFESTS = {"old.yaml": "migration-v1alpha3.yaml", "kubevirt.yaml": "kubevirt-operator.yaml"}

HEAD = """<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Written by tests/clients/clients --document, by what the tests found. -->

# Clients that are tried

Ferry's API is Kubernetes' own on the wire. These clients, unmodified, are run against it by the
tests: what a row says was tried was done and looked at, with the version named. (`make test` leaves
client-go out where it has not been built, which takes minutes; `tests/clients/clients --document`
builds it.) What kubectl can do command by command is in [kubectl.md](kubectl.md).

| client | version | what was tried | result |
|---|---|---|---|
"""
FOOT = """
Known to Ferry and refused with a word what to do instead: creating a Pod, a VirtualMachine or a
VirtualMachineInstance (VMs are made in libvirt), and `sendTo` and `receive` of a
VirtualMachineInstanceMigration (a VM moves within one cluster). Fields of KubeVirt's own objects
that Ferry does not act by are kept, and a warning names them.
"""


class Server:
    """The API with seeded objects; `env` has what a client needs to find it."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ferry-clients-")
        self.dir = Path(self.folder.name)
        self.process = subprocess.Popen(
            [str(BUILD / "tests/api/api-test-server"), str(self.dir / "state")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if not self.process.stdout.readline().startswith("https://"):
            raise RuntimeError("api-test-server did not start")
        self.env = {**os.environ, "KUBECONFIG": str(self.dir / "state/admin.kubeconfig"),
                    "HOME": str(self.dir)}
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(DEADLINE)
        self.process.stdout.close()
        self.folder.cleanup()

    def run(self, argv, env=None):
        return subprocess.run([str(a) for a in argv], env={**self.env, **(env or {})}, cwd=self.dir,
                              text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=DEADLINE, check=False)


def probe(argv, env=None):
    """What a probe prints: [(check, '' or what was wrong)]."""
    with Server() as server:
        done = server.run(argv, env)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode or not results:
        return [("starts", done.stderr[-2000:] or "it printed nothing")]
    return [(r["check"], "" if r["ok"] else r["detail"] or "failed") for r in results]


def kubectl(program):
    results = []
    with Server() as server:
        for name, example in MANIFESTS.items():
            (server.dir / name).write_text((HERE / "manifests" / example).read_text())
        for check, command, wanted in KUBECTL:
            done = server.run([program, *command.split()])
            text = done.stdout + done.stderr
            good = done.returncode == 0 and re.search(wanted, text, re.M)
            results.append((check, "" if good else text))
    return results


def python(folder, base):
    paths = f"{folder / MODULES}:{base / MODULES}"
    return probe(["/usr/bin/python3", HERE / "probe.py"],
                 {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"})


def fetch(*options):
    """Versions of all clients by the name of their folder."""
    done = subprocess.run([str(ROOT / "tools/fetch-clients"), *options, str(FOLDER)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads((FOLDER / "versions.json").read_text())


def clients(versions):
    """[(client, version, how it is tried)], oldest first."""
    out = [("kubectl", "1.20", lambda: kubectl(KUBECTLS / "kubectl-1.20")),
           ("kubectl", "1.32", lambda: kubectl(KUBECTLS / "kubectl-1.32"))]
    base = FOLDER / next(n for n in versions if n.startswith("python-"))
    for name, version in versions.items():
        folder = FOLDER / name
        if name == "kubectl-newest":
            out.append(("kubectl", version, lambda f=folder: kubectl(f / "usr/bin/kubectl")))
        elif name.startswith("python-"):
            out.append(("Python's kubernetes", version, lambda f=folder: python(f, base)))
        elif name.startswith("client-node-"):
            out.append(("@kubernetes/client-node", version,
                        lambda f=folder: probe(["node", HERE / "probe.mjs", f])))
        elif name.startswith("client-go-"):
            out.append(("client-go", version, lambda f=folder: probe([f / "probe"])))
    return out


def rows(results):
    """Lines of the table; `results`: [(client, version, [(check, wrong)])]."""
    return [f"| {client} | {version} | {check} | {'FAILED' if wrong else 'works'} |"
            for client, version, checks in results for check, wrong in checks]


def main():
    if sys.argv[1:] != ["--document"]:
        print("usage: clients --document\n\nTries every client and writes docs/clients.md.",
              file=sys.stderr)
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    results = [(client, version, run()) for client, version, run in clients(fetch("--client-go"))]
    DOCUMENT.write_text(HEAD + "\n".join(rows(results)) + "\n" + FOOT)
    bad = [f"{c} {v}: {check}: {wrong}" for c, v, checks in results for check, wrong in checks if wrong]
    print("\n".join(bad))
    return 1 if bad else 0
