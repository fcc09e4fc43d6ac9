# SPDX-License-Identifier: Apache-2.0
"""Which folder of src may use which, and which room of a folder which other one: for check-includes and
check-calls, as ARCHITECTURE.md says it in words."""

ALLOWED = {
    "base": set(),
    "discovery": {"base"},
    "model": {"base"},
    "convergence": {"base", "model"},
    "policy": {"base", "model", "convergence"},
    "store": {"base", "model"},
    "control": {"base", "model", "policy", "store"},
    "client": {"base", "model"},
    "host": {"base", "model"},
    "agent": {"base", "discovery", "model", "convergence", "host", "client"},
    "api": {"base", "model", "policy", "store", "control"},
    "cli": {"base", "model", "client"},
    "ferryd": {"base", "discovery", "model", "store", "control", "api", "client"},
}

# Rooms inside a folder. What lies in the folder itself puts the rooms together and may use all; the
# rooms may use of it only the headers named under "shared".
ROOMS = {
    "model": {
        "field": set(),
        "flags": {"field"},
        "migration": {"field", "domain"},
        "domain": {"field", "flags"},
        "kinds": {"field", "flags", "migration", "domain"},
        "schema": {"field", "flags", "kinds"},
        "validate": {"field", "migration", "kinds"},
        "listing": {"field", "kinds", "validate"},
        "agents": {"field", "migration", "domain", "kinds", "validate"},
    },
    "api": {
        "pki": set(),
        "http": {"pki"},
        "lookup": {"http"},
        "oidc": {"http"},
        "nodes": {"pki", "http"},
        "auth": {"pki", "http", "lookup", "oidc", "nodes"},
        "rights": {"http", "auth"},
        "resource": {"pki", "http", "lookup", "auth", "rights"},
        "kube": {"pki", "http", "lookup", "auth", "resource"},
        "kimchi": {"pki", "http", "lookup", "auth", "resource"},
        "metrics": {"pki", "http", "auth", "resource"},
        "events": {"http", "auth", "resource"},
        "web": {"http", "auth"},
    },
    "policy": {
        "target": set(),
        "network": set(),
        "place": set(),
        "flags": {"network", "target"},
    },
    "cli": {
        "view": set(),
        "core": {"view"},
        "hosts": {"view", "core"},
        "verbs": {"view", "core", "hosts"},
    },
    "host": {
        "port": set(),
        "machine": set(),
        "libvirt": {"port", "machine"},
        "sim": {"port"},
    },
    "agent": {
        "core": set(),
        "link": {"core"},
        "path": {"core", "link"},
        "carry": {"core", "link"},
        "twin": {"core", "link"},
        "progress": set(),
        "trust": {"core", "link"},
        "migration": {"core", "link", "path", "carry", "twin", "progress"},
        "rpc": {"core", "link", "path", "carry", "migration"},
    },
}
# Rooms inside a room.
INNER = {
    ("agent", "migration"): {
        "state": set(),
        "arrange": {"state"},
        "run": {"state", "arrange"},
    },
}
SHARED = {"api": {"hooks.h"}}


def room_of(parts):
    return parts[1] if len(parts) > 2 else ""


def room_fault(folder, room, target):
    """`target`: parts of the path of what a file of `room` uses in the same folder."""
    rooms, other = ROOMS.get(folder), room_of(target)
    if not rooms or not room or other == room:
        return None
    if room not in rooms:
        return f"src/{folder}/{room}: a room that this check does not know"
    if not other:
        return None if target[-1] in SHARED.get(folder, ()) else \
            f"a room may not use {'/'.join(target)}, which puts the rooms together"
    if other not in rooms[room]:
        return f"{folder}/{room} may not use {folder}/{other}; it may use " \
               f"{', '.join(sorted(rooms[room])) or 'no other room'}"
    return None


def inner_fault(own, target):
    """What is wrong with a use of `target` by the file `own` of the same room, both as parts of a path."""
    rooms = INNER.get(tuple(own[:2]))
    if not rooms or tuple(target[:2]) != tuple(own[:2]) or len(own) < 4:
        return None
    if own[2] not in rooms:
        return f"src/{'/'.join(own[:3])}: a room that this check does not know"
    if len(target) > 3 and (target[2] == own[2] or target[2] in rooms[own[2]]):
        return None
    return f"{'/'.join(own[:3])} may not use {'/'.join(target)}; it may use " \
           f"{', '.join(sorted(rooms[own[2]])) or 'no other room'} of {'/'.join(own[:2])}"


def folder_fault(folder, target):
    """What is wrong with a use of the folder `target` in `folder`."""
    if target == folder or target in ALLOWED[folder]:
        return None
    return f"{folder} may not use {target}; it may use {', '.join(sorted(ALLOWED[folder])) or 'nothing'}"


def components(uses):
    """Strongly connected components (Tarjan, without recursion)."""
    index, low, stack, on, out = {}, {}, [], set(), []
    for root in list(uses):
        if root in index:
            continue
        work = [(root, iter(sorted(uses[root])))]
        index[root] = low[root] = len(index)
        stack.append(root), on.add(root)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other), on.add(other)
                    work.append((other, iter(sorted(uses.get(other, ())))))
                    break
                if other in on:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    found = set()
                    while node not in found:
                        found.add(stack.pop())
                    on -= found
                    out.append(found)
    return out
