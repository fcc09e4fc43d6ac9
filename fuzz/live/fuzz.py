#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Structured random requests of every role over HTTPS against a real ferryd.

What must hold of every answer: no 5xx but 503 and 507, an answer in time, an error as a Status with
its code, and no 2xx for a role that must not have it (fuzz/live/rights.py). In the end descriptors
and memory are back to where they were, and ferryd ends with status 0: under sanitizers that says that
they found nothing. The same seed sends the same requests."""
import argparse
import collections
import contextlib
import http.client
import json
import os
import random
import re
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
# pylint: disable=wrong-import-position
from live import generate, rights
from live.site import Agent, Connection, Credential, ROOT, Site, VERSION, VMIS

BY_DESIGN = (503, 507)
TIMEOUT_S = 20
WORKERS = 4
# What one phase may leave behind beside the phase before it: the store's own growth and chance.
MEMORY_MIB, MEMORY_SHARE, DESCRIPTORS = 12, 0.15, 4
MAX_FINDS = 50


class Finds:
    def __init__(self):
        self.lock, self.list, self.counts = threading.Lock(), [], collections.Counter()

    def count(self, role, status):
        with self.lock:
            self.counts[(role, status)] += 1

    def add(self, what, role, request, answer):
        with self.lock:
            if len(self.list) < MAX_FINDS:
                self.list.append({"what": what, "role": role, "request": request, "answer": answer})


def judge(role, method, path, status, headers, body):
    """What is wrong with this answer, or None."""
    if status >= 500 and status not in BY_DESIGN and not (
            # as Kubernetes answers a revision that is yet to come; HEAD has no words
            status == 504 and (method == "HEAD" or b"ResourceVersionTooLarge" in body)):
        return f"status {status}"
    if 200 <= status < 300 and not rights.may(role, method, path):
        return f"{role} got {status}"
    if status < 400 or method == "HEAD":
        return None
    try:
        said = json.loads(body)
    except ValueError:
        return f"the error {status} is no JSON"
    if re.match(r"/(plugins|peers|host|vms|tasks|config)(/|$)", rights.plain(path)):
        return None if isinstance(said, dict) and said.get("code") else "no error of Kimchi's form"
    if not isinstance(said, dict) or said.get("kind") != "Status" or said.get("code") != status:
        return f"the error {status} is no Status with that code"
    if status == 429 and "Retry-After" not in headers and not said.get("message"):
        return "429 says neither when nor why"
    return None


class Worker(threading.Thread):
    def __init__(self, site, roles, agents, seed, until, finds):
        super().__init__(daemon=True)
        self.site, self.roles, self.agents = site, roles, agents
        self.rng, self.until, self.finds = random.Random(seed), until, finds
        self.connections = {}

    def run(self):
        while time.monotonic() < self.until:
            what = self.rng.random()
            if what < 0.03:
                self.drop_watch()
            elif what < 0.06:
                self.malformed()
            else:
                self.request()
        for connection in self.connections.values():
            connection.close()

    def connection(self, role):
        if role not in self.connections or self.rng.random() < 0.05:
            if role in self.connections:
                self.connections[role].close()
            self.connections[role] = Connection(self.site, self.roles[role], TIMEOUT_S)
        return self.connections[role]

    def request(self):
        rng = self.rng
        role = rng.choice(list(self.roles))
        if rng.random() < 0.5:
            method, path, headers, body = generate.whole(rng)
            headers["Ferry-Agent-Epoch"] = str(self.agents[0].epoch)
        else:
            method, path, body = rng.choice(generate.METHODS), generate.path(rng), generate.body(rng)
            headers = generate.headers(rng, self.agents[0].epoch)
        connection = self.connection(role)
        seen = {"method": method, "path": path[:500], "headers": headers,
                "body": repr(body[:300]) if body else None}
        if re.search(r"watch=|events/stream", path):
            headers["Connection"] = "close"
            path += ("&" if "?" in path else "?") + "timeoutSeconds=1"
        try:
            status, answered, text = connection.call(method, path, body, headers)
        except (socket.timeout, TimeoutError):
            connection.close()
            self.finds.add(f"no answer within {TIMEOUT_S} s", role, seen, None)
            return
        except (OSError, http.client.HTTPException):
            connection.close()  # closed on us: by design after what is no HTTP or too large
            self.finds.count(role, "closed")
            return
        self.finds.count(role, status)
        wrong = judge(role.split("@")[0], method, path, status, answered, text)
        if wrong:
            self.finds.add(wrong, role, seen, {"status": status, "body": repr(text[:500])})

    def tls(self, role):
        raw = socket.create_connection(("127.0.0.1", self.site.port), TIMEOUT_S)
        return self.roles[role].context.wrap_socket(raw, server_hostname="127.0.0.1")

    def drop_watch(self):
        role = self.rng.choice(list(self.roles))
        with contextlib.suppress(OSError), self.tls(role) as sock:
            lines = [f"GET {self.rng.choice(generate.COLLECTIONS)}?watch=true&"
                     f"{self.rng.choice(generate.QUERIES)} HTTP/1.1", "Host: 127.0.0.1",
                     *[f"{k}: {v}" for k, v in self.roles[role].headers().items()], "", ""]
            sock.sendall("\r\n".join(lines).encode())
            sock.settimeout(0.2)
            with contextlib.suppress(TimeoutError):
                sock.recv(self.rng.choice([1, 1000, 100000]))

    def malformed(self):
        role = self.rng.choice(list(self.roles))
        try:
            with self.tls(role) as sock:
                sock.sendall(generate.raw(self.rng))
                sock.settimeout(0.2)
                with contextlib.suppress(TimeoutError):
                    head = sock.recv(200)
                    if re.match(rb"HTTP/1\.[01] 50[0246]", head):
                        self.finds.add("5xx for raw HTTP", role, None, repr(head))
        except OSError:
            pass


def report(agents, until):
    """The hosts live on: they report, and begin anew where somebody took their session."""
    while time.monotonic() < until:
        for agent in agents:
            try:
                agent.report()
            except RuntimeError:
                with contextlib.suppress(RuntimeError, OSError):
                    agent.epoch = agent.connection.json(
                        "POST", f"/apis/ferry.migration/v1/nodes/{agent.name}/session",
                        {"version": VERSION, "mode": "local"})["epoch"]
            except OSError:
                pass
        time.sleep(0.5)
    for agent in agents:
        agent.connection.close()


def let_operate(site):
    """Binds the operator's role, where this ferryd has roles."""
    admin = Connection(site, site.admin)
    status = admin.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "fuzz-operator"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "operate"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "oscar"}]})[0]
    admin.close()
    return status == 201


def settled(site, wanted):
    """Descriptors once everything is closed; waits for the server to notice."""
    deadline = time.monotonic() + 30
    while site.descriptors() > wanted and time.monotonic() < deadline:
        time.sleep(0.2)
    return site.descriptors()


def phase(site, roles, agents, seed, seconds, finds):
    until = time.monotonic() + seconds
    threads = [Worker(site, roles, agents, seed * 1000 + i, until, finds) for i in range(WORKERS)]
    threads.append(threading.Thread(target=report, args=(agents, until), daemon=True))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def fuzz(build, seed, seconds, sanitized):
    """What was found: a list; and what was asked, for the report."""
    env = {"ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=0",
           "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
           "LSAN_OPTIONS": f"suppressions={ROOT / 'tests/lsan.supp'}"}
    finds = Finds()
    with tempfile.TemporaryDirectory(prefix="ferry-fuzz-live-") as place:
        site = Site(place, build, env, ("--log-level", "warning"))
        viewer, both = site.token("vera", ["ferry:viewers"]), site.token("theo", ["ferry:viewers"])
        site.start()
        try:
            agents = [Agent(site, "h1"), Agent(site, "h2")]
            agents[0].domain("db")
            agents[1].domain("web")
            roles = {"anonymous": site.anonymous, "admin": site.admin,
                     "viewer@token": Credential("vera", site.ca, token=viewer),
                     "viewer@certificate": site.certificate("vic", ["ferry:viewers"]),
                     "viewer@both": Credential("theo", site.ca, token=both),
                     "operator": site.certificate("oscar", ["ferry:viewers"]),
                     "anonymous@badtoken": Credential("none", site.ca, token="x" * 48),
                     "node:h1": agents[0].credential, "node:h2": agents[1].credential}
            let_operate(site)
            marks = []
            for turn in range(2):
                phase(site, roles, agents, seed * 10 + turn, seconds / 2, finds)
                marks.append((settled(site, marks[0][0] if marks else 0) if marks
                              else settled_first(site), site.rss_mib()))
            if marks[1][0] > marks[0][0] + DESCRIPTORS:
                finds.add(f"descriptors: {marks[0][0]}, then {marks[1][0]}", "-", None, None)
            if not sanitized and marks[1][1] > marks[0][1] * (1 + MEMORY_SHARE) + MEMORY_MIB:
                finds.add(f"memory: {marks[0][1]:.0f} MiB, then {marks[1][1]:.0f}", "-", None, None)
            check_alive(site, finds)
        finally:
            status = site.stop()
        if status != 0:
            finds.add(f"ferryd ended with status {status}", "-", None,
                      site.log.read_text(errors="replace")[-6000:])
    return finds, marks


def settled_first(site):
    """Descriptors when all clients of the first phase have gone: the number stays for a second."""
    last, since, deadline = site.descriptors(), time.monotonic(), time.monotonic() + 30
    while time.monotonic() < deadline and time.monotonic() - since < 1:
        time.sleep(0.1)
        now = site.descriptors()
        if now != last:
            last, since = now, time.monotonic()
    return last


def check_alive(site, finds):
    admin = Connection(site, site.admin)
    try:
        if admin.call("GET", VMIS)[0] != 200:
            finds.add("VMs cannot be listed in the end", "admin", None, None)
    except OSError as problem:
        finds.add(f"it does not answer in the end: {problem}", "admin", None, None)
    admin.close()


def table(finds):
    by_role = collections.defaultdict(collections.Counter)
    for (role, status), n in finds.counts.items():
        by_role[role][str(status)[0] + "xx" if isinstance(status, int) else status] += n
    columns = ["2xx", "3xx", "4xx", "5xx", "closed"]
    out = ["| role | requests | " + " | ".join(columns) + " |", "|---" * (len(columns) + 2) + "|"]
    out += [f"| {role} | {sum(c.values())} | " + " | ".join(str(c[k]) for k in columns) + " |"
            for role, c in sorted(by_role.items())]
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float,
                        default=float(os.environ.get("FUZZ_LIVE_SECONDS", "600")))
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100000)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--sanitized", action="store_true",
                        help="the build has sanitizers: its memory says nothing")
    args = parser.parse_args()
    finds, marks = fuzz(args.build.resolve(), args.seed, args.seconds, args.sanitized)
    print(f"seed {args.seed}, {args.seconds:g} s, {args.build.name}")
    print(table(finds))
    for name, (descriptors, rss) in zip(("half-way", "in the end"), marks):
        print(f"{name}: {descriptors} descriptors, {rss:.0f} MiB")
    for find in finds.list:
        print(json.dumps(find))
    print(f"{len(finds.list)} found")
    sys.exit(1 if finds.list else 0)


if __name__ == "__main__":
    main()
