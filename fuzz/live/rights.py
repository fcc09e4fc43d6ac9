# SPDX-License-Identifier: Apache-2.0
"""What each role must not reach, as a small table of its own: the oracle of fuzz/live/fuzz.py. It
knows nothing of how ferryd decides."""
import re
from urllib.parse import unquote, urlsplit

READS = ("GET", "HEAD")
OPEN_TO_ALL = re.compile(r"^/(healthz|livez|readyz|version|web)(/|$)")
QUESTIONS = re.compile(r"^/apis/(authorization|authentication)\.k8s\.io/")
DISCOVERY = re.compile(r"^/(api|apis|openapi)(/v[0-9a-z]+)?/?$|^/apis/[^/]+(/[^/]+)?/?$|^/openapi/")
JOIN = "/apis/ferry.migration/v1/join"
LOG_OUT, LOG_IN = "/web/session", ("/web/session", "/web/link")
MIGRATION = re.compile(r"^/apis/kubevirt\.io/v1/namespaces/[^/]+/virtualmachineinstancemigrations/"
                       r"[^/]+/status$")
MIGRATIONS = re.compile(r"^/apis/kubevirt\.io/v1/(namespaces/[^/]+/)?"
                        r"virtualmachineinstancemigrations(/[^/]+)?(/status)?$")
EVENTS = re.compile(r"^/(api/v1|apis/events\.k8s\.io/v1)/namespaces/[^/]+/events$")
# What shows who may do what, and credentials: not for readers.
HIDDEN = re.compile(r"^/apis/rbac\.authorization\.k8s\.io/v1/(namespaces/|cluster|role)"
                    r"|^/apis/ferry\.migration/v1/users")
NODE = re.compile(r"^/api/v1/nodes/[^/]+(/status)?$")


def plain(path):
    """The path as a server that is too kind may read it."""
    path = unquote(urlsplit(path).path)
    path = re.sub(r"/+", "/", path).rstrip("/") or "/"
    return path


def node_may(node, method, path):
    own = f"/apis/ferry.migration/v1/nodes/{node}/"
    if method == "POST":
        return path in (own + "session", own + "report", JOIN) or bool(EVENTS.match(path))
    if method == "PATCH":
        return bool(MIGRATION.match(path))
    return method in READS and bool(MIGRATIONS.match(path) or NODE.match(path))


def may(role, method, path):
    """Whether a 2xx is thinkable. `role`: anonymous, viewer, operator, admin, node:NAME."""
    path = plain(path)
    if role == "admin":
        return True
    if OPEN_TO_ALL.match(path) and method in READS or (method, path) == ("DELETE", LOG_OUT):
        return True
    if role == "anonymous":
        return method == "POST" and path == JOIN
    if method == "POST" and path in LOG_IN and not role.startswith("node:"):
        return True
    if QUESTIONS.match(path) or (method in READS and DISCOVERY.match(path)):
        return True
    if role.startswith("node:"):
        return node_may(role[5:], method, path)
    if HIDDEN.match(path):
        return False
    if method in READS:
        return True
    if role == "operator":
        return "migrat" in path or "evacuations" in path or "eviction" in path or "nodes" in path
    return False
