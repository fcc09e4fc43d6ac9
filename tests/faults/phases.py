# SPDX-License-Identifier: Apache-2.0
"""The columns of the matrix: where a migration is when the fault comes.

Each phase says what guest it takes, how the migration is asked for, and how it is known that the
phase is reached; what it needs to stay in the phase for some seconds (a slow link, a limit) is
taken away by the scene when the fault is over."""
from dataclasses import dataclass, field
from typing import Callable


@dataclass(frozen=True)
class Phase:
    name: str
    text: str
    guest: dict
    options: tuple
    enter: Callable  # of the scene: begins the migration, returns when the phase is reached
    copies: bool = True  # the target has a QEMU of the guest
    moved: bool = False  # the target's copy is the one that runs
    split: bool = False  # each host has a part of the memory
    more: dict = field(default_factory=dict)


def _queued(s):
    s.begin_blocker()
    s.begin()
    s.until(lambda: s.status().get("phase") == "Pending" and s.status().get("queue"), 15,
            "it waits")


def _preparing(s):
    s.begin()
    s.until(s.status, 10, "the migration is there")


def _copying(s):
    s.begin()
    s.until(lambda: s.status().get("phase") == "Running" and
            s.status().get("progress", {}).get("dataProcessedBytes", 0) > 0, 30, "memory flows")


def _disks(s):
    s.begin()
    s.until(lambda: s.status().get("progress", {}).get("diskRemainingBytes", 0) > 0, 30,
            "the disk is copied")


def _later(s):
    s.begin()
    s.until(lambda: s.status().get("progress", {}).get("iteration", 0) >= 3, 60,
            "a later pass runs")


def _switchover(s):
    s.slow_link()
    with s.events("source") as line:
        s.begin()
        s.until(lambda: "Suspended Migrated" in line(), 60, "the guest is paused for it")


def _finishing(s):
    s.slow_link()
    with s.events("target") as line:
        s.begin()
        s.until(lambda: "Resumed" in line(), 90, "the guest goes on at the target")


def _postcopy(s):
    s.begin()
    s.until(lambda: s.status().get("progress", {}).get("dataProcessedBytes", 0) > 0, 30,
            "memory flows")
    s.ferry("change", s.name, "--technique", "post-copy", "--no-wait", check=False)
    s.until(lambda: "post-copy" in s.reason("source"), 20, "post-copy has begun")


SLOW = ("--bandwidth", "10Mi")
STILL = {"memory": 128, "working_set": 80, "rate": 2}
BUSY = {"memory": 96, "working_set": 32, "rate": 60, "pattern": "uniform"}

PHASES = {p.name: p for p in (
    Phase("queued", "it waits for its turn", {"memory": 64, "working_set": 16, "rate": 5}, (),
          _queued, copies=False),
    Phase("preparing", "its target is being prepared", {"memory": 64, "working_set": 16, "rate": 5},
          (), _preparing, copies=False),
    Phase("disks", "its disk is copied",
          {"memory": 160, "working_set": 16, "rate": 2, "kernel": "linux", "disk": "local"},
          ("--copy-storage-all", "--bandwidth", "6Mi"), _disks),
    Phase("first-pass", "the memory is copied for the first time", STILL, SLOW, _copying),
    Phase("later-pass", "what was written meanwhile is copied again", BUSY,
          (*SLOW, "--max-downtime", "20"), _later),
    Phase("switch-over", "the guest is paused for the last of its memory",
          {"memory": 128, "working_set": 32, "rate": 20}, ("--max-downtime", "20000"), _switchover),
    Phase("finishing", "the guest has just gone on at the target",
          {"memory": 128, "working_set": 32, "rate": 20}, ("--max-downtime", "20000"), _finishing,
          moved=True),
    Phase("post-copy", "the guest runs at the target, its memory comes after",
          {"memory": 128, "working_set": 80, "rate": 2},
          ("--post-copy", "--bandwidth", "10Mi", "--postcopy-bandwidth", "6Mi"), _postcopy,
          moved=True, split=True),
)}
