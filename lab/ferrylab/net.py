# SPDX-License-Identifier: Apache-2.0
"""The lab's two networks, and the guests' own.

Theory of operation. A "switch" namespace holds two bridges, one per network.
Each host has one interface in each, named like the network; its other end is a
bridge port in the switch, HOST-mgmt or HOST-migr. Nothing is in the machine's
own network namespace. Rates are shaped by tbf on both ends of the pair, so a
host's link carries the rate each way. A link is taken down at the switch's
end, as when a cable is pulled: the host keeps its addresses.

The guests' network, made on demand, is a third bridge in the switch and one of the same name in
each host, which the host's port "uplink" joins to HOST-guest of the switch. A host has an address
on its bridge; what it forwards there its firewall sees (br_netfilter)."""

import json
import re
import subprocess

from .errors import LabError

NETWORKS = {"management": "mgmt", "migration": "migr"}
GUESTS = "guests"
UPLINK = "uplink"
GUEST_SUBNET = "192.168.90"
UNSHAPED = ("none", "unlimited")
_UNITS = {"bit": 1, "kbit": 1e3, "mbit": 1e6, "gbit": 1e9, "tbit": 1e12}


def parse_rate(text):
    """Bits per second of "1gbit" and the like; None for "none"."""
    if text is None or str(text).lower() in UNSHAPED:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(bit|kbit|mbit|gbit|tbit)", str(text).lower())
    rate = int(float(match[1]) * _UNITS[match[2]]) if match else 0
    if not 8_000 <= rate <= 400_000_000_000:
        raise LabError(f"rate {text!r} is not usable: expected a number with unit such as "
                       "400mbit or 1gbit, from 8kbit to 400gbit, or none")
    return rate


def port(host, network):
    return f"{host}-{NETWORKS[network]}"


def run_in(pid, argv, text=None):
    """Runs a command of the machine in the network namespace of pid."""
    result = subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", *argv], input=text,
                            capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"{' '.join(argv)} failed in the lab's network: "
                       f"{(result.stderr or result.stdout).strip()}")
    return result.stdout


def _ip(pid, lines):
    run_in(pid, ["ip", "-batch", "-"], "\n".join(lines) + "\n")


def make_switch(pid, management, ferryd_octet):
    """Two bridges; the control plane's address is on the management one."""
    _ip(pid, ["link set lo up"]
        + [f"link add {network} type bridge mcast_snooping 0" for network in NETWORKS]
        + [f"link set {network} up" for network in NETWORKS]
        + [f"addr add {management}.{ferryd_octet}/24 dev management"])


def plug(switch, host_pid, host, addresses):
    """Joins a host: addresses is {"management": ..., "migration": ...}."""
    lines = []
    for network in NETWORKS:
        name = port(host, network)
        lines += [f"link add {name} type veth peer name {network} netns {host_pid}",
                  f"link set {name} master {network}", f"link set {name} up"]
    _ip(switch, lines)
    lines = ["link set lo up"]
    for network, address in addresses.items():
        lines += [f"addr add {address}/24 dev {network}", f"link set {network} up"]
    _ip(host_pid, lines)


def _shape(pid, device, rate):
    if rate is None:
        if "tbf" in run_in(pid, ["tc", "qdisc", "show", "dev", device]):
            run_in(pid, ["tc", "qdisc", "del", "dev", device, "root"])
        return
    # The bucket holds 4 ms of traffic, and at least a few of the 64 KiB packets
    # that segmentation offload makes; the queue behind it 30 ms.
    burst = max(256 * 1024, int(rate / 8 * 0.004))
    limit = burst + max(256 * 1024, int(rate / 8 * 0.030))
    run_in(pid, ["tc", "qdisc", "replace", "dev", device, "root", "tbf", "rate", f"{rate}bit",
                 "burst", str(burst), "limit", str(limit)])


def set_rate(switch, host_pid, host, network, rate):
    """Shapes both directions of a host's link; rate in bit/s, None: unshaped."""
    _shape(switch, port(host, network), rate)
    _shape(host_pid, network, rate)


def forget_neighbours(pids):
    for pid in pids:
        run_in(pid, ["ip", "neigh", "flush", "all"])


def set_link(switch, host, network, up):
    _ip(switch, [f"link set {port(host, network)} {'up' if up else 'down'}"])


def links_up(switch):
    """{port name: True if up} of all links in the switch."""
    links = json.loads(run_in(switch, ["ip", "-json", "link", "show"]) or "[]")
    return {link["ifname"]: "UP" in link["flags"] for link in links}


def make_guest_network(switch, host_pids):
    """Joins hosts, {name: pid of its init}, by a network for their guests; {name: address}."""
    _ip(switch, [f"link add {GUESTS} type bridge mcast_snooping 0", f"link set {GUESTS} up"])
    addresses = {}
    for number, (host, pid) in enumerate(host_pids.items(), 1):
        name = guest_port(host)
        _ip(switch, [f"link add {name} type veth peer name {UPLINK} netns {pid}",
                     f"link set {name} master {GUESTS}", f"link set {name} up"])
        addresses[host] = f"{GUEST_SUBNET}.{number}"
        _ip(pid, [f"link add {GUESTS} type bridge mcast_snooping 0",
                  f"link set {UPLINK} master {GUESTS}", f"link set {UPLINK} up",
                  f"addr add {addresses[host]}/24 dev {GUESTS}", f"link set {GUESTS} up"])
    return addresses


def guest_port(host):
    """The switch's port to a host's guests."""
    return f"{host}-guest"


def learnt_at(switch, mac):
    """The switch's port behind which it has learnt that a guest's address is; None: nowhere."""
    table = json.loads(run_in(switch, ["bridge", "-json", "fdb", "show", "br", GUESTS]) or "[]")
    ports = [entry["ifname"] for entry in table if entry.get("mac") == mac]
    return ports[0] if ports else None


def filter_rules(host_pid, rules):
    """Gives the host's firewall these rules (nft(8)) instead of those it had."""
    run_in(host_pid, ["nft", "-f", "-"], f"flush ruleset\n{rules}\n")
