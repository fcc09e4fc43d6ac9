# SPDX-License-Identifier: Apache-2.0
"""The rows of the matrix: what goes wrong, and how it comes right again.

A fault is injected with the scene's source, target and guest known. `back` makes it good after
`hold` seconds (a fault without one stays: a dead QEMU). What it may cost the VM is said here, so
that nothing else is excused."""
import contextlib
import signal
import subprocess
from dataclasses import dataclass
from typing import Callable, Optional

from scene import LabError

SOURCE, TARGET, EITHER = "source", "target", "either"


@dataclass(frozen=True)
class Fault:
    name: str
    text: str
    inject: Callable
    back: Optional[Callable] = None
    hold: float = 0.0
    kills: str = ""  # whose copy of the VM it ends: SOURCE, TARGET or EITHER (the one that runs)
    pauses: bool = False  # somebody suspended the VM: it needs not run afterwards
    needs_copy: bool = False  # only where the target has a QEMU of the guest
    rebuild: bool = False  # a host is to be installed anew
    all_lanes: bool = False  # what is played beside it would feel it
    person: bool = False  # what somebody asks for: it may be refused, and is answered


def _service(side, what):
    """kill and start of a host's service."""
    return (lambda s: s.lab.kill(s.host(side), what),
            lambda s: s.lab.start(s.host(side), what))


def _hang(side, process):
    """SIGSTOP and SIGCONT of libvirtd or the guest's QEMU."""
    def send(sig):
        def act(s):
            if process == "libvirtd":
                s.lab.exec(s.host(side), "pkill", f"-{sig.name[3:]}", "-x", "libvirtd") \
                    .check_returncode()
            else:
                s.lab.kill(s.host(side), f"qemu:{s.name}", sig)
        return act

    def goes_on(s):  # what has ended meanwhile needs it not
        with contextlib.suppress(LabError, subprocess.CalledProcessError):
            send(signal.SIGCONT)(s)
    return send(signal.SIGSTOP), goes_on


def _link(side, network):
    return (lambda s: s.lab.link(s.host(side), network, "down"),
            lambda s: s.lab.link(s.host(side), network, "up"))


def _twice(pair, between=1.0):
    def inject(s):
        pair[0](s)
        s.hold(between)
        pair[1](s)
        s.hold(between)
        pair[0](s)
    return inject, pair[1]


FERRYD = (lambda s: s.lab.kill("ferryd"), lambda s: s.lab.start("ferryd"))


def _rows():
    yield Fault("ferryd", "ferryd is killed and started again", *FERRYD, hold=2,
                all_lanes=True)
    yield Fault("ferryd-long", "ferryd is gone for 12 s", *FERRYD, hold=12, all_lanes=True)
    yield Fault("ferryd-twice", "ferryd is killed twice", *_twice(FERRYD), hold=1,
                all_lanes=True)
    for side in (SOURCE, TARGET):
        agent, libvirtd = _service(side, "agent"), _service(side, "libvirtd")
        yield Fault(f"{side}-agent", f"the agent of the {side} is killed and started again",
                    *agent, hold=2)
        yield Fault(f"{side}-agent-long", f"the agent of the {side} is gone for 12 s", *agent,
                    hold=12)
        yield Fault(f"{side}-agent-twice", f"the agent of the {side} is killed twice",
                    *_twice(agent), hold=1)
        yield Fault(f"{side}-libvirtd", f"libvirtd of the {side} is killed and started again",
                    *libvirtd, hold=2)
        yield Fault(f"{side}-libvirtd-long", f"libvirtd of the {side} is gone for 12 s", *libvirtd,
                    hold=12)
        yield Fault(f"{side}-libvirtd-hangs", f"libvirtd of the {side} hangs for 8 s",
                    *_hang(side, "libvirtd"), hold=8)
        yield Fault(f"{side}-libvirtd-hangs-long", f"libvirtd of the {side} hangs for 45 s",
                    *_hang(side, "libvirtd"), hold=45)
        yield Fault(f"{side}-qemu", f"QEMU of the {side} is killed",
                    lambda s, side=side: s.lab.kill(s.host(side), f"qemu:{s.name}"), kills=side,
                    needs_copy=side == TARGET)
        yield Fault(f"{side}-qemu-hangs", f"QEMU of the {side} hangs for 8 s",
                    *_hang(side, "qemu"), hold=8, needs_copy=side == TARGET)
        yield Fault(f"{side}-management", f"the {side} is cut off from ferryd and the other host's "
                    "libvirtd for 5 s", *_link(side, "management"), hold=5)
        yield Fault(f"{side}-management-long", f"the {side} is cut off from ferryd and the other "
                    "host's libvirtd for 40 s", *_link(side, "management"), hold=40)
    yield Fault("migration-link", "the migration network of the target is down for 3 s",
                *_link(TARGET, "migration"), hold=3)
    yield Fault("migration-link-long", "the migration network of the target is down for 20 s",
                *_link(TARGET, "migration"), hold=20)
    yield Fault("both-links", "the target is cut off from all for 12 s",
                lambda s: [s.lab.link(s.host(TARGET), n, "down") for n in
                           ("management", "migration")],
                lambda s: [s.lab.link(s.host(TARGET), n, "up") for n in
                           ("management", "migration")], hold=12)
    for side in (SOURCE, TARGET):
        yield Fault(f"{side}-host", f"the {side} dies",
                    lambda s, side=side: s.lab.kill(s.host(side), "host"), kills=side,
                    rebuild=True)
    yield Fault("cancel", "a person cancels it",
                lambda s: s.ask("cancel", "cancel", s.name), person=True)
    yield Fault("delete", "a person deletes the migration",
                lambda s: s.ask("delete", "delete", "vmim", s.migration_name(), "--no-wait"),
                person=True)
    yield Fault("destroy", "a person destroys the VM on its source",
                lambda s: s.ask_libvirt("destroy", SOURCE), kills=SOURCE, person=True)
    yield Fault("suspend", "a person suspends the VM on its source",
                lambda s: s.ask_libvirt("suspend", SOURCE), pauses=True, person=True)
    yield Fault("both-agents", "both agents are killed and started again",
                lambda s: [s.lab.kill(s.host(side), "agent") for side in (SOURCE, TARGET)],
                lambda s: [s.lab.start(s.host(side), "agent") for side in (SOURCE, TARGET)],
                hold=2)


FAULTS = {f.name: f for f in _rows()}
