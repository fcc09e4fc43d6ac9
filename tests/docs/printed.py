# SPDX-License-Identifier: Apache-2.0
"""What README's commands print: by a pattern for each, and for the demo by the text that README shows."""
import re

# Of each command that prints something, by how it begins: all of these are found in what it prints.
PRINTS = {
    "build/ferry get nodes": [r"(?m)^NAME +STATUS +", *(rf"(?m)^{h} +Ready +" for h in ("h1", "h2", "h3"))],
    "build/ferry get vmi": [r"(?m)^NAME +", r"(?m)^demo .*\bRunning\b.*\bh2\b"],
    "build/ferry check demo": [r"(?m)^demo can move"],
    "build/ferry migrate demo --to h3": [r"(?m)^demo moved: h2 → h3$", r"total time +[\d.]+ (ms|s)",
                                         r"pause +[\d.]+ ms, as libvirt measured it",
                                         r"data +[\d.]+ MiB in \d+ iterations?, [\d.]+ [KM]iB/s",
                                         r"network +migration \(10\.\d+\.\d+\.3\)", r"migration +demo-\w{5}"],
    "build/ferry get vmim": [r"(?m)^NAME +", r"(?m)^demo-\w{5} +Succeeded .*\bh1\b.*\bh2\b",
                             r"(?m)^demo-\w{5} +Succeeded .*\bh2\b.*\bh3\b"],
    "build/ferry events": [r"MigrationSucceeded", r"demo moved from h2 to h3"],
    "build/ferry describe vmi demo": [r"(?m)^Name: +demo$", r"(?m)^Kind: +VirtualMachineInstance\b",
                                      r"(?m)^Events:", r"\bh3\b"],
    "kubectl get nodes,vmi,vmim": [r"node/h1 +Ready", r"virtualmachineinstance\S*/demo .*Running",
                                   r"virtualmachineinstancemigration\S*/demo-\w{5} +Succeeded"],
    "kubectl create -f docs/examples/migration.yaml": [
        r"virtualmachineinstancemigration.kubevirt.io/\S+ created"],
    "kubectl get vmim -w": [r"(?m)^NAME +", r"Succeeded|Running|Scheduling|Pending"],
    "build/ferry forecast demo": [r"pre-copy", r"post-copy", r"[\d.]+ [KM]iB/s"],
    "build/ferry migrate demo --max-downtime": [r"(?m)^demo moved: h\d → h\d$", r"pause +[\d.]+ ms"],
    "build/ferry explain demo": [r"DECISION", r"SetDowntime \d+ ms", r"maxDowntimeMs +200 ms"],
    "build/ferry get migrationpolicies": [rf"(?m)^{p} " for p in ("intent", "kubevirt", "nova", "proxmox",
                                                                  "ovirt-post-copy")],
}


# The same of "Your own hosts", where nothing that is printed goes to a file.
OWN_HOSTS = {
    "build/ferry get nodes": [r"(?m)^NAME +STATUS +", r"(?m)^h2 +Ready +1 ", r"(?m)^h3 +Ready +0 "],
    "build/ferry get vmi": [r"(?m)^NAME +PHASE +NODE +", r"(?m)^db +Running +h2 "],
    "build/ferry check db --to h3": [r"(?m)^db can move to h3\.$", r"(?m)^h3 .* taken: it is named$"],
    "build/ferry migrate db --to": [r"(?m)^db moved: h[23] → h[23]$", r"total time +[\d.]+ (ms|s)",
                                    r"pause +\d+ ms, as libvirt measured it",
                                    r"data +[\d.]+ MiB in \d+ iterations?", r"migration +db-\w{5}"],
    "build/ferry user create ann": [r"^$"],
    "build/ferry user revoke ann": [r"(?m)^user ann deleted, all its credentials are revoked$",
                                    r"(?m)^1 binding of its name alone deleted$"],
    "build/ferryd certs": [r"(?m)^KIND +SUBJECT +SERIAL +ENDS +DAYS +STATE$", r"(?m)^ca .* good$",
                           r"(?m)^server .* good$", r"(?m)^admin .* good$",
                           *(rf"(?m)^node +CN=system:node:{h},\S+ .* good$" for h in ("h2", "h3"))],
    "build/ferry apply -f docs/examples/network.yaml": [r"(?m)^network.ferry.migration/fast created$"],
}


def masked(line):
    """A line without what differs from run to run."""
    line = re.sub(r"\b\d+(\.\d+)*\b", "0", line)
    line = re.sub(r"\b0 ([KMG]i?B|ms|s)\b", "0 U", line)
    line = re.sub(r"\b0 U/s", "0 U/s", line)
    line = re.sub(r"\b0(ms|s)\b", "0U", re.sub(r"\b[\d.]+(ms|s)\b", r"0\1", line))
    return re.sub(r"\s+", " ", re.sub(r"\bdemo-\w{5}\b", "demo-X", line)).strip()


def lacking(shown, printed):
    """Lines that a document shows and that were not printed, in their order."""
    rest = [masked(t) for t in printed.splitlines()]
    missing = []
    for line in filter(None, map(masked, shown.splitlines())):
        if line in rest:
            rest = rest[rest.index(line) + 1:]
        else:
            missing.append(line)
    return missing


def unlike(command, printed, patterns=None):
    """Patterns of the command that what it printed has not; None: there are none for it."""
    patterns = PRINTS if patterns is None else patterns
    begins = max((b for b in patterns if command.startswith(b)), key=len, default=None)
    return None if begins is None else [p for p in patterns[begins] if not re.search(p, printed)]
