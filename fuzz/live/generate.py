# SPDX-License-Identifier: Apache-2.0
"""Requests that are nearly right: real methods, paths, queries, headers and bodies of ferryd's API,
each of them now and then broken. All of it comes from one random generator, so a seed is enough to
see a run again."""
import copy
import json
import string
from live.site import MIGRATIONS, NODES, VERSION, VMIS

COLLECTIONS = [
    MIGRATIONS, VMIS, "/api/v1/nodes", "/api/v1/namespaces", "/api/v1/namespaces/default/events",
    "/api/v1/events", "/apis/kubevirt.io/v1/namespaces/kubevirt/kubevirts",
    "/apis/kubevirt.io/v1/virtualmachineinstancemigrations",
    "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies",
    "/apis/ferry.migration/v1/networks", "/apis/ferry.migration/v1/evacuations",
    "/apis/ferry.migration/v1/users", "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
    "/api/v1/namespaces/default/pods", "/api/v1/services"]
OTHERS = [
    "/healthz", "/readyz", "/livez", "/version", "/metrics", "/openapi/v2", "/openapi/v3", "/api", "/",
    "/apis", "/apis/kubevirt.io/v1", "/api/v1/events/stream", "/peers",
    "/web/", "/web/session", "/web/link", "/web/link/redeem", "/web/tables",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
    "/apis/authentication.k8s.io/v1/selfsubjectreviews", "/apis/ferry.migration/v1/join",
    f"{NODES}/h1/session", f"{NODES}/h1/report", f"{NODES}/h2/report", f"{NODES}/h1/token",
    "/apis/subresources.kubevirt.io/v1/namespaces/default/virtualmachines/db/migrate",
    "/plugins/kimchi/vms", "/plugins/kimchi/vms/db/migrate", "/plugins/kimchi/tasks",
    "/plugins/kimchi/tasks/1", "/plugins/kimchi/config", "/plugins/kimchi"]
NAMES = ["db", "web", "m1", "m2", "m3", "h1", "h2", "h9", "default", "kubevirt", "x", "a.b", "UPPER",
         "%2e%2e", "..", ".", "a%2Fb", "%00", "%ff", "é", "x" * 300, "-", ""]
SUBRESOURCES = ["", "", "", "/status", "/cancel", "/change", "/uris", "/token", "/certificate", "/log"]
METHODS = ["GET", "GET", "GET", "POST", "PUT", "PATCH", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE",
           "FROB"]
TYPES = ["application/json", "application/json", "application/merge-patch+json",
         "application/json-patch+json", "application/strategic-merge-patch+json",
         "application/apply-patch+yaml", "application/yaml", "application/vnd.kubernetes.protobuf",
         "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "/",
         "application/json; charset=utf-16"]
ACCEPTS = ["application/json", "*/*", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
           "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "application/yaml",
           "application/vnd.kubernetes.protobuf", "text/html", "", ";;;", "application/json;q=0",
           "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", "," * 200]
QUERIES = ["limit=1", "limit=-1", "limit=99999999999999999999", "continue=x", "continue=e30%3D",
           "resourceVersion=0", "resourceVersion=1", "resourceVersion=999999", "dryRun=All",
           "resourceVersionMatch=NotOlderThan", "dryRun=x", "fieldManager=me", "force=true",
           "fieldValidation=Strict", "fieldValidation=Ignore", "labelSelector=a%3Db",
           "labelSelector=%21%21", "fieldSelector=metadata.name%3Ddb", "fieldSelector=status.x%3D1",
           "fieldSelector=status.migrationState.agents%3Dh1", "timeoutSeconds=1", "timeoutSeconds=0",
           "pretty=1", "includeObject=None", "sendInitialEvents=true", "allowWatchBookmarks=true",
           "propagationPolicy=Foreground", "gracePeriodSeconds=0", "%00=1", "a=" + "b" * 4000]
WORDS = ["", "a", "db", "h1", "h2", "../x", "1Gi", "-1", "300ms", "True", "2026-01-01T00:00:00Z", "\u0000",
         "\ud83d\ude00", "x" * 5000, "qemu+tls://h2/system", "qemu+ext:///x?command=id", "tcp://h2:0",
         "<domain/>", "10.0.0.0/8", "fe80::/10", "system:masters", "Succeeded", "Running", "PostCopy"]
VALUES = [None, True, False, 0, 1, -1, 2 ** 31, 2 ** 63 - 1, -2 ** 63, 2 ** 70, 1e308, 0.5, [], {}, [[]],
          [None], [{}], {"": None}, ["a"] * 50]


def meta(rng):
    out = {"name": rng.choice(["m1", "m2", "m3", "x"])}
    if rng.random() < 0.2:
        out["labels"] = {"a": rng.choice(["b", "", "-", "x" * 64])}
    if rng.random() < 0.1:
        out["finalizers"] = [rng.choice(["a/b", "x", ""])]
    if rng.random() < 0.1:
        out["resourceVersion"] = rng.choice(["1", "0", "x"])
    return out


def objects(rng):
    """One object of some kind, whole and right."""
    kubevirt, ferry = "kubevirt.io/v1", "ferry.migration/v1"
    return rng.choice([
        {"apiVersion": kubevirt, "kind": "VirtualMachineInstanceMigration", "metadata": meta(rng),
         "spec": {"vmiName": rng.choice(["db", "web"]), "maxDowntimeMs": 300}},
        {"apiVersion": ferry, "kind": "Network", "metadata": meta(rng),
         "spec": {"subnets": ["10.66.0.0/16"], "roles": ["migration"]}},
        {"apiVersion": ferry, "kind": "Evacuation", "metadata": meta(rng), "spec": {"nodeName": "h1"}},
        {"apiVersion": "v1", "kind": "Namespace", "metadata": meta(rng)},
        {"apiVersion": "migrations.kubevirt.io/v1alpha1", "kind": "MigrationPolicy",
         "metadata": meta(rng), "spec": {"allowPostCopy": True, "bandwidthPerMigration": "64Mi"}},
        {"apiVersion": kubevirt, "kind": "KubeVirt", "metadata": meta(rng),
         "spec": {"configuration": {"migrations": {"parallelMigrationsPerCluster": 5}}}},
        {"apiVersion": "v1", "kind": "Event", "metadata": meta(rng), "reason": "X", "type": "Normal",
         "message": "m", "involvedObject": {"kind": "Node", "name": "h1"}},
        {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {
            "resourceAttributes": {"verb": "get", "resource": "nodes"}}},
        {"token": "ferry.0.h1.x", "nodeName": "h1", "csr": "-----BEGIN CERTIFICATE REQUEST-----"},
        {"version": VERSION, "mode": "local"},
        {"epoch": 1, "full": rng.random() < 0.5, "removed": [], "node": {"connected": True}, "domains": [
            {"uuid": "49485e48-7f4c-4aae-953d-67bbb89e2f57", "name": "db", "state": "running",
             "active": True, "persistent": True, "memoryBytes": 1 << 28, "vcpus": 1}]},
        {"status": {"phase": "Running", "migrationState": {"targetNode": "h2"}}},
        {"remote_host": "h2", "user": "root"},
        {"spec": {"maxDowntimeMs": 1000, "priority": "system-critical"}},
    ])


def patches(rng):
    path = rng.choice(["/spec", "/metadata/labels/a", "/status/phase", "", "/", "/spec/x/-", "/~2", "/a~1b"])
    return [{"op": rng.choice(["add", "remove", "replace", "move", "copy", "test", "x"]), "path": path,
             "from": rng.choice(["/spec", "/metadata", ""]), "value": rng.choice(VALUES[:15])}
            for _ in range(rng.choice([0, 1, 1, 2, 40]))]


def places(value, found):
    if isinstance(value, dict):
        for key in list(value):
            found.append((value, key))
            places(value[key], found)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            found.append((value, i))
            places(item, found)
    return found


def broken(rng, value):
    """The value with one to three of its members made wrong."""
    value = copy.deepcopy(value)
    for _ in range(rng.randint(1, 3)):
        found = places(value, [])
        if not found:
            return value
        parent, key = rng.choice(found)
        what = rng.random()
        if what < 0.2 and isinstance(parent, dict):
            parent.pop(key)
        elif what < 0.4:
            parent[key] = copy.deepcopy(rng.choice(VALUES))
        elif what < 0.8:
            parent[key] = rng.choice(WORDS)
        elif isinstance(parent, dict):
            parent[rng.choice(WORDS[:8]) or "y"] = copy.deepcopy(parent[key])
    return value


def body(rng):
    kind = rng.random()
    if kind < 0.15:
        return None
    if kind < 0.22:
        return bytes(rng.randrange(256) for _ in range(rng.choice([1, 5, 200])))
    if kind < 0.25:
        return b"[" * rng.choice([10, 63, 65, 5000])
    if kind < 0.27:
        return b'{"a":"' + b"x" * rng.choice([70000, 4 << 20]) + b'"}'
    value = patches(rng) if kind < 0.4 else objects(rng)
    if rng.random() < 0.6:
        value = broken(rng, value)
    raw = json.dumps(value).encode()
    if rng.random() < 0.1:
        at = rng.randrange(len(raw) + 1)
        raw = raw[:at] + rng.choice([b"", b"\0", b"\xff", b'"', b"}"]) + raw[at + 1:]
    return raw


def path(rng):
    if rng.random() < 0.3:
        out = rng.choice(OTHERS)
    else:
        out = rng.choice(COLLECTIONS)
        if rng.random() < 0.7:
            out += "/" + rng.choice(NAMES) + rng.choice(SUBRESOURCES)
    twist = rng.random()
    if twist < 0.05:
        out = out.replace("/", "//", rng.randint(1, 3))
    elif twist < 0.1:
        out += "/"
    elif twist < 0.13:
        out = out.upper()
    elif twist < 0.16 and len(out) > 2:
        at = rng.randrange(1, len(out))
        out = out[:at] + "%" + format(ord(out[at]) & 0xff, "02x") + out[at + 1:]
    elif twist < 0.18:
        out += "/.." * rng.randint(1, 3)
    out = "".join(c if c in string.printable and c not in " \t\r\n\x0b\x0c" else "%C3%A9" for c in out)
    chosen = [rng.choice(QUERIES) for _ in range(rng.choice([0, 0, 1, 2, 5, 70]))]
    return out + ("?" + "&".join(chosen) if chosen else "")


def headers(rng, epoch):
    out = {"Content-Type": rng.choice(TYPES), "Accept": rng.choice(ACCEPTS)}
    for name, share, value in (
            ("Ferry-Agent-Epoch", 0.3, rng.choice([str(epoch), "0", "-1", "x"])),
            ("Ferry-Telemetry", 0.1, "1"), ("If-None-Match", 0.05, '"x"'), ("Origin", 0.03, "https://evil"),
            ("Impersonate-User", 0.05, "admin"), ("Impersonate-Group", 0.03, "system:masters"),
            ("traceparent", 0.05, "00-" + "0" * 32 + "-" + "1" * 16 + "-01"),
            ("Range", 0.03, "bytes=0-10"), ("Accept-Encoding", 0.05, "gzip"),
            ("X-Forwarded-For", 0.03, "10.0.0.1"), ("X-Remote-User", 0.03, "admin"),
            ("User-Agent", 0.1, rng.choice(["kubectl/v1.20", "curl/8", "x" * 3000]))):
        if rng.random() < share:
            out[name] = value
    return {k: v for k, v in out.items() if v or rng.random() < 0.5}


RAW = [b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"\0" * 100, b"\x16\x03\x01",
       b"GET /version HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET /version\r\n\r\n",
       b"POST /version HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
       b"POST /version HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
       b"POST /version HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\nx",
       b"GET /version HTTP/1.1\r\nHost : a\r\n\r\n", b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
       b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 3000 + b"\r\n", b"GET /" + b"a" * 100000,
       b"GET /version HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
       b"GET /version HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
       b"CONNECT h:1 HTTP/1.1\r\nHost: a\r\n\r\n", b"\r\n" * 5000]


def raw(rng):
    out = bytearray(rng.choice(RAW))
    for _ in range(rng.choice([0, 0, 1, 3])):
        if out:
            out[rng.randrange(len(out))] = rng.choice(b"\0\r\n :\xff/%A")
    return bytes(out)


def whole(rng):
    """A request whose parts fit each other: (method, path, headers, body)."""
    value = objects(rng)
    kind = value.get("kind", "")
    where = {"VirtualMachineInstanceMigration": MIGRATIONS, "Network": "/apis/ferry.migration/v1/networks",
             "Evacuation": "/apis/ferry.migration/v1/evacuations", "Namespace": "/api/v1/namespaces",
             "MigrationPolicy": "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies",
             "KubeVirt": "/apis/kubevirt.io/v1/namespaces/default/kubevirts",
             "Event": "/api/v1/namespaces/default/events"}.get(kind)
    as_json = {"Content-Type": "application/json"}
    if not where:
        collection = rng.choice(COLLECTIONS[:9])
        name = rng.choice(["", "/db", "/m1", "/h1", "/default"])
        query = rng.choice(["", "?limit=2", "?watch=true", "?labelSelector=a%3Db", "?resourceVersion=0"])
        return "GET", collection + name + query, {"Accept": rng.choice(ACCEPTS[:5])}, None
    name = value["metadata"]["name"]
    action = rng.random()
    if action < 0.4:
        return "POST", where, as_json, json.dumps(value).encode()
    if action < 0.5:
        return "PUT", f"{where}/{name}", as_json, json.dumps(value).encode()
    if action < 0.6:
        return "DELETE", f"{where}/{name}", {}, None
    if action < 0.7:
        return "PUT", f"{where}/{name}/{rng.choice(['cancel', 'change'])}", as_json, b'{"maxDowntimeMs":500}'
    if action < 0.8:
        return ("PATCH", f"{where}/{name}?fieldManager=fuzz&force=true",
                {"Content-Type": "application/apply-patch+yaml"}, json.dumps(value).encode())
    patch = {"metadata": {"labels": {rng.choice("abc"): rng.choice(["x", None])}}, "spec": value.get("spec")}
    if rng.random() < 0.5:
        patch = broken(rng, patch)
    return ("PATCH", f"{where}/{name}{rng.choice(['', '', '/status'])}",
            {"Content-Type": rng.choice(TYPES[2:5:2])}, json.dumps(patch).encode())
