# SPDX-License-Identifier: Apache-2.0
"""Processes of the lab, named by pid and start time, so that a recycled pid is
never taken for one of ours. Records are JSON files {"pid", "starttime"}."""

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path

from . import paths
from .errors import LabError


def starttime(pid):
    """Clock ticks since boot at which pid started; None if it is gone or dead."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def read_record(path):
    """(pid, starttime) of a record file, or None if there is no usable one."""
    try:
        record = json.loads(Path(path).read_text())
        return int(record["pid"]), int(record["starttime"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(path, pid):
    """For processes started without ferry-lab-init (the guests' collectors)."""
    temporary = Path(f"{path}.tmp")
    temporary.write_text(json.dumps({"pid": pid, "starttime": starttime(pid) or 0}))
    temporary.rename(path)


def alive(path):
    """The pid of the record's process if that very process still runs, else None."""
    record = read_record(path)
    if record and starttime(record[0]) == record[1]:
        return record[0]
    return None


def unrecorded_inits(pids_dir):
    """Pids of inits that were started with a record below pids_dir, whether or not
    that file is still there: a lab whose directory somebody removed."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            argv = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if (len(argv) > 3 and Path(os.fsdecode(argv[0])).name.startswith("ferry-lab-init")
                and argv[2] == b"--record"
                and Path(os.fsdecode(argv[3])).parent == pids_dir):
            found.append(int(entry.name))
    return found


def end(path, sig=signal.SIGKILL, timeout=10.0):
    """Signals the record's process, if it is still that one, and waits for its end, unless the
    signal stops or continues it. True if it did what it was told."""
    record = read_record(path)
    if not record:
        return True
    try:
        pidfd = os.pidfd_open(record[0])
    except OSError:
        return True
    try:
        if starttime(record[0]) != record[1]:
            return True
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, sig)
        if sig in (signal.SIGSTOP, signal.SIGCONT):
            return True
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        return bool(poll.poll(timeout * 1000))
    finally:
        os.close(pidfd)


def init_program(name="ferry-lab-init"):
    """Path of one of lab/host's programs: from the build directory or, in a
    checkout that isn't built yet, compiled into the lab cache."""
    built = paths.build_dir() / "lab/host" / name
    if built.exists():
        return built
    sources = {
        "ferry-lab-init": ["init.c", "rootfs.c", "service.c"],
        "ferry-lab-kvm-probe": ["kvm-probe.c"],
    }[name]
    folder = paths.REPO / "lab/host"
    files = [folder / source for source in sources]
    newest = max(int(file.stat().st_mtime_ns) for file in folder.glob("*.[ch]"))
    target = paths.cache_dir() / "bin" / f"{name}-{newest:x}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_suffix(f".{os.getpid()}")
        argv = ["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-static", "-o", str(temporary)]
        result = subprocess.run(argv + [str(file) for file in files], text=True,
                                stderr=subprocess.PIPE, check=False)
        if result.returncode != 0:
            raise LabError(f"cannot compile {name}; build the tree with meson instead "
                           f"(FERRY_BUILD={paths.build_dir()}):\n{result.stderr}")
        temporary.rename(target)
    return target


def launch(mode, record, log, *args, env=None, pass_fds=()):
    """Starts ferry-lab-init (mode "host" or "exec") and waits until it is ready."""
    argv = [str(init_program()), mode, "--record", str(record), "--log", str(log), *args]
    result = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, env=env, pass_fds=pass_fds,
                            check=False)
    if result.returncode != 0:
        raise LabError(f"{Path(record).stem} did not start: {result.stderr.strip()} "
                       f"(log: {log})")
    pid = alive(record)
    return pid


def wait_for(what, condition, timeout, interval=0.02):
    """Polls condition() until it is true; LabError naming what after the deadline.
    Returns its value."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise LabError(f"{what}: not within {timeout:g} s")
        time.sleep(interval)
