# SPDX-License-Identifier: Apache-2.0
"""Guests with a known write pattern: `guest`, `guest-rm`, `stat`, `guest-selftest`.

A guest is a libvirt domain that dirties pages by a pattern at a rate, checks
its own memory all the time and says so on its serial port to a collector
outside (see collector.py). What was asked for is kept in LABDIR/guests/NAME.json
so that guest-rm finds everything again."""

import argparse
import json
import re
import subprocess
import sys
import threading
import time

from . import collector, guest_domain, guest_kernel, kvm, proc
from .errors import LabError

PATTERNS = ("idle", "uniform", "cyclic", "skewed", "phased")
# MiB of memory that the guest itself needs beside its working set.
OVERHEAD_MIB = {"bare": 4, "linux": 96}
LEAST_MIB = {"bare": 16, "linux": 128}
MOST_MIB = {"bare": 3072, "linux": 65536}
BOOT_SECONDS = {"bare": 30, "linux": 90}
VERIFY_SECONDS = 30
HOST_SECONDS = 8


def _say(text):
    print(text, file=sys.stderr, flush=True)


# What the command line may ask for.

def _checked(args):
    """The guest asked for, as a dict; LabError if it can't be."""
    kernel = args.kernel or ("linux" if args.disk != "none" or args.vcpus > 1 or args.net
                             else "bare")
    memory = args.memory
    pattern = "idle" if args.rate == 0 else args.pattern
    rate = 0.0 if pattern == "idle" else args.rate
    working_set = args.working_set or max(1, memory // 4)
    labels = {}

    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,48}[a-z0-9])?", args.name):
        raise LabError(f"guest name {args.name!r} is not usable: expected 1 to 50 lower-case "
                       "letters, digits, dots and dashes")
    if kernel == "bare" and args.disk != "none":
        raise LabError("the bare guest has no disk driver: use --kernel linux with --disk")
    if kernel == "bare" and args.net:
        raise LabError("the bare guest has no network driver: use --kernel linux with --net")
    if not re.fullmatch(r"[0-9.]*(,[0-9.]+)?", args.net):
        raise LabError(f"--net {args.net!r} is not of the form ADDRESS or ADDRESS,PEER")
    if not LEAST_MIB[kernel] <= memory <= MOST_MIB[kernel]:
        raise LabError(f"--memory {memory} is out of range for the {kernel} guest: expected "
                       f"{LEAST_MIB[kernel]} to {MOST_MIB[kernel]} MiB")
    room = memory - OVERHEAD_MIB[kernel]
    if args.working_set is None:
        working_set = min(working_set, room)
    if not 1 <= working_set <= room:
        raise LabError(f"--working-set {working_set} does not fit: with --memory {memory} the "
                       f"{kernel} guest has room for {room} MiB")
    if not 1 <= args.vcpus <= 16:
        raise LabError(f"--vcpus {args.vcpus} is out of range: expected 1 to 16")
    if not 0 <= rate <= 16384:
        raise LabError(f"--rate {rate:g} is out of range: expected 0 to 16384 MiB/s")
    for label in args.label:
        key, equals, value = label.partition("=")
        if not equals or not key:
            raise LabError(f"--label {label!r} is not of the form key=value")
        labels[key] = value
    return {"name": args.name, "kernel": kernel, "memory": memory, "vcpus": args.vcpus,
            "rate": rate, "working_set": working_set, "pattern": pattern, "disk": args.disk,
            "labels": labels, "namespace": args.namespace, "persistent": args.persistent,
            "machine": args.machine, "net": args.net}


# Hosts.

def _ask_hosts(lab, ask):
    """{host: ask(host)} of all hosts at once; None where it failed or took long."""
    answers = {}

    def run(host):
        try:
            answers[host] = ask(host)
        except (LabError, OSError, subprocess.SubprocessError):
            answers[host] = None

    hosts = list(lab.hosts())
    threads = [threading.Thread(target=run, args=(host,), daemon=True) for host in hosts]
    deadline = time.monotonic() + HOST_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    return {host: answers.get(host) for host in hosts}


def _domains(lab):
    """{host: {domain: state}}; None for a host that does not answer."""

    def ask(host):
        result = lab.virsh(host, "list", "--all", timeout=HOST_SECONDS)
        if result.returncode != 0:
            return None
        rows = (line.split(None, 2) for line in result.stdout.splitlines()[2:])
        return {row[1]: row[2].strip() for row in rows if len(row) == 3}

    return _ask_hosts(lab, ask)


def _choose_host(lab, domains, wanted):
    if wanted:
        if wanted not in domains:
            raise LabError(f"there is no host {wanted!r}: this lab has {', '.join(domains)}")
        if domains[wanted] is None:
            raise LabError(f"libvirtd on {wanted} does not answer: see `ferry-lab log {wanted}`")
        return wanted
    answering = {host: found for host, found in domains.items() if found is not None}
    if not answering:
        raise LabError("no libvirtd answers: is the lab up? (`ferry-lab status`)")
    return min(answering, key=lambda host: len(answering[host]))


def _virsh(lab, host, *args):
    """Like lab.virsh, but a failure is a LabError with what virsh said."""
    result = lab.virsh(host, *args)
    if result.returncode != 0:
        raise LabError(f"virsh {' '.join(args)} on {host}: "
                       f"{(result.stderr or result.stdout or '').strip()}")
    return result


# Life of a guest.

def _record_path(lab, name):
    return lab.dir / "guests" / f"{name}.json"


def _known(lab, name):
    try:
        return json.loads(_record_path(lab, name).read_text())
    except (OSError, ValueError):
        return None


def _make_disk(lab, host, guest):
    path = guest_domain.disk_path(guest)
    if path:
        result = lab.exec(host, "truncate", "-s", f"{guest_domain.DISK_MIB}M", path)
        if result.returncode != 0:
            raise LabError(f"can't make {path} on {host}: {(result.stderr or '').strip()}")


def _boot_failure(lab, host, guest, why):
    log = lab.exec(host, "tail", "-n", "8", f"/var/log/libvirt/qemu/{guest['name']}.log")
    console = collector.console_tail(lab, guest["name"])
    return LabError(f"guest {guest['name']} on {host} {why}.\nIts console:\n{console or '(empty)'}\n"
                    f"QEMU's log:\n{(log.stdout or '').strip() or '(empty)'}")


def _wait_ready(lab, host, guest):
    """Until it sends heartbeats and has filled its working set."""
    seconds = BOOT_SECONDS[guest["kernel"]]
    deadline = time.monotonic() + seconds
    next_look = time.monotonic() + 1
    while True:
        stat = collector.request(lab, guest["name"], {"cmd": "stat"})
        if stat["fatal"]:
            raise _boot_failure(lab, host, guest, f"gave up: {stat['fatal']}")
        if stat["ready"] and stat["heartbeats"]:
            return
        now = time.monotonic()
        if now > next_look:
            next_look = now + 1
            if lab.virsh(host, "domstate", guest["name"]).stdout.strip() != "running":
                raise _boot_failure(lab, host, guest, "does not run")
        if now > deadline:
            what = "was not ready" if stat["heartbeats"] else "sent no heartbeat"
            raise _boot_failure(lab, host, guest, f"{what} within {seconds} s")
        time.sleep(0.01)


def create(lab, guest, host=None):
    """Makes and starts a guest (a dict as _checked() gives); its host."""
    name = guest["name"]
    domains = _domains(lab)
    taken = [where for where, found in domains.items() if found and name in found]
    if taken or _known(lab, name):
        raise LabError(f"there is a guest {name} already{' on ' + ', '.join(taken) if taken else ''}"
                       f": choose another name or remove it with `ferry-lab guest-rm {name}`")
    host = _choose_host(lab, domains, host)
    kernel, initrd = guest_kernel.prepare(lab, guest["kernel"], _say)

    _record_path(lab, name).parent.mkdir(parents=True, exist_ok=True)
    _record_path(lab, name).write_text(json.dumps(guest, indent=1))
    definition = lab.dir / "run" / f"guest-{name}.xml"
    try:
        collector.start(lab, name)
        _make_disk(lab, host, guest)
        definition.write_text(guest_domain.xml(guest, kernel, initrd, kvm.usable()))
        inside = f"/run/ferry-lab/{definition.name}"
        if guest["persistent"]:
            _virsh(lab, host, "define", inside)
            _virsh(lab, host, "start", name)
        else:
            _virsh(lab, host, "create", inside)
        _wait_ready(lab, host, guest)
    except BaseException:
        remove(lab, name)
        raise
    collector.request(lab, name, {"cmd": "stat", "reset": True})
    return host


def remove(lab, name):
    """Takes a guest away wherever it is. LabError if there is none."""
    guest = _known(lab, name)
    domains = _domains(lab)
    found = False

    def forget(host):
        state = (domains[host] or {}).get(name)
        if state is None:
            return None
        failed = ""
        if state != "shut off":
            failed = lab.virsh(host, "destroy", name).stderr
        # A transient domain is gone with that; a persistent one stays defined.
        lab.virsh(host, "undefine", name)
        left = lab.virsh(host, "domstate", name)
        return (failed or left.stdout) if left.returncode == 0 else ""

    for host, trouble in _ask_hosts(lab, forget).items():
        if trouble:
            raise LabError(f"guest {name} is still on {host}: {trouble.strip()}")
        found = found or trouble == ""
    if guest and guest["disk"] != "none":
        _ask_hosts(lab, lambda host: lab.exec(host, "rm", "-f", guest_domain.disk_path(guest)))
    found = found or guest is not None or collector.running(lab, name)
    collector.stop(lab, name)
    (lab.dir / "run" / f"guest-{name}.xml").unlink(missing_ok=True)
    _record_path(lab, name).unlink(missing_ok=True)
    if not found:
        raise LabError(f"there is no guest {name} in this lab")


def where(lab, name):
    """(host, state, hosts on which it runs, hosts that did not answer)."""
    domains = _domains(lab)
    states = {host: found[name] for host, found in domains.items() if found and name in found}
    running = [host for host, state in states.items() if state == "running"]
    silent = [host for host, found in domains.items() if found is None]
    active = running or [host for host, state in states.items() if state != "shut off"]
    # In a migration the target is "paused" until it takes over.
    host = active[0] if active else None
    state = states[host] if host else ("shut off" if states else None)
    return host, state, running, silent


def _wait_verified(lab, name, seconds):
    """Polls until the guest has checked what it was asked to; the last stat."""
    deadline = time.monotonic() + seconds
    while True:
        stat = collector.request(lab, name, {"cmd": "stat"})
        if (stat["memory_intact"] is not None or stat["silent_seconds"] > 1
                or not stat["ready"] or time.monotonic() > deadline):
            return stat
        time.sleep(0.05)


def stat(lab, name, reset=False, verify=False):
    """What `ferry-lab stat` prints, as a dict. verify: have the guest check all
    its memory now; without it, only a check that is under way (after a move) is
    waited for. The measurements are those of the moment of the call."""
    answer = collector.request(lab, name, {"cmd": "stat", "reset": reset})
    host, state, running, silent = where(lab, name)

    if verify and answer["memory_intact"] is not False:
        collector.request(lab, name, {"cmd": "verify"})
    if verify or (answer["memory_intact"] is None and state == "running"):
        later = _wait_verified(lab, name, VERIFY_SECONDS)
        for key in ("memory_intact", "memory_unknown_because", "check_errors", "pages_checked",
                    "last_error"):
            answer[key] = later[key]
    return {"name": name, "host": host, "hosts": running, "unreachable_hosts": silent,
            "state": state, **answer}


# The self-test: does the check catch what it should?

def _expect(condition, text):
    if not condition:
        raise LabError(f"self-test FAILED: {text}")
    _say(f"ok: {text}")


def _selftest_one(lab, command, page, kernel):
    name = f"selftest-{kernel}-{command}"
    guest = {"name": name, "kernel": kernel, "memory": LEAST_MIB[kernel] * 2, "vcpus": 1,
             "rate": 10.0, "working_set": 8, "pattern": "uniform", "disk": "none", "labels": {},
             "namespace": "default", "persistent": False}
    create(lab, guest)
    try:
        before = stat(lab, name, verify=True)
        _expect(before["memory_intact"] is True and before["check_errors"] == 0,
                f"a fresh {kernel} guest has checked all its memory and found it intact")
        collector.request(lab, name, {"cmd": command, "page": page})
        after = stat(lab, name, verify=True)
        _expect(after["memory_intact"] is False and after["check_errors"] >= 1,
                f"one bit flipped ({command} {page}) is caught: {after['last_error']}")
        if command == "flip":
            _expect(f"page {page}," in after["last_error"], "the error names the flipped page")
        again = stat(lab, name, reset=True, verify=True)
        _expect(stat(lab, name)["check_errors"] == again["check_errors"] == after["check_errors"],
                "it is counted once and not forgotten by a reset")
    finally:
        remove(lab, name)


# Commands.

def _guest_command(lab, args):
    guest = _checked(args)
    started = time.monotonic()
    host = create(lab, guest, args.host)
    rate = "idle" if guest["pattern"] == "idle" else f"{guest['pattern']}, {guest['rate']:g} MiB/s"
    print(f"guest {guest['name']} runs on {host}: {guest['kernel']}, {guest['memory']} MiB, "
          f"{rate} over {guest['working_set']} MiB (ready in {time.monotonic() - started:.1f} s)")
    return 0


def _guest_rm_command(lab, args):
    remove(lab, args.name)
    return 0


def _stat_command(lab, args):
    print(json.dumps(stat(lab, args.name, args.reset, args.verify), indent=2))
    return 0


def _selftest_command(lab, args):
    for command, page in (("flip", 0), ("flip", 1234), ("flip-table", 1999)):
        _selftest_one(lab, command, page, args.kernel or "bare")
    print("self-test passed: one flipped bit is caught")
    return 0


def add_parsers(subparsers):
    """Adds the guests' commands to ferry-lab's."""
    guest = subparsers.add_parser("guest", help="start a guest with a known write pattern")
    guest.add_argument("name")
    guest.add_argument("--host", metavar="H", help="default: the host with the fewest guests")
    guest.add_argument("--memory", type=int, default=256, metavar="MiB", help="default 256")
    guest.add_argument("--vcpus", type=int, default=1, metavar="N")
    guest.add_argument("--rate", type=float, default=20.0, metavar="MiB/s",
                       help="memory to dirty per second (default 20; 0: idle)")
    guest.add_argument("--working-set", type=int, metavar="MiB",
                       help="memory that is written and checked (default: a quarter)")
    guest.add_argument("--pattern", choices=PATTERNS, default="uniform")
    guest.add_argument("--kernel", choices=("linux", "bare"),
                       help="default: bare, but linux with a disk or several vCPUs")
    guest.add_argument("--disk", choices=("none", "shared", "local"), default="none",
                       help=f"a disk of {guest_domain.DISK_MIB} MiB that is written and checked")
    guest.add_argument("--net", default="", metavar="ADDRESS[,PEER]",
                       help="an interface on the guests' network (see `ferry-lab guest-network`), "
                       "and who gets its stream of datagrams")
    guest.add_argument("--label", action="append", default=[], metavar="k=v")
    guest.add_argument("--namespace", default="default", metavar="NS")
    guest.add_argument("--machine", default="pc", metavar="TYPE",
                       help="machine type (default: %(default)s, the host's newest)")
    guest.add_argument("--persistent", action="store_true", help="define it, too")
    guest.set_defaults(func=_guest_command)

    remove_parser = subparsers.add_parser("guest-rm", help="remove a guest wherever it is")
    remove_parser.add_argument("name")
    remove_parser.set_defaults(func=_guest_rm_command)

    stat_parser = subparsers.add_parser("stat", help="what a guest did, as JSON")
    stat_parser.add_argument("name")
    stat_parser.add_argument("--reset", action="store_true",
                             help="start a new measuring window afterwards")
    stat_parser.add_argument("--verify", action="store_true",
                             help="have the guest check all its memory first")
    stat_parser.set_defaults(func=_stat_command)

    selftest = subparsers.add_parser(
        "guest-selftest", help="prove that a flipped bit in a guest's memory is caught",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    selftest.add_argument("--kernel", choices=("linux", "bare"), default="bare")
    selftest.set_defaults(func=_selftest_command)
