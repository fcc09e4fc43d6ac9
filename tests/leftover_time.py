# SPDX-License-Identifier: Apache-2.0
"""A control group whose processes get the processor time that nobody else wants. A nice value alone
does not do that: with autogroups it counts only among the processes of one session, and each test
begins a session of its own."""
import contextlib
import os
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


def _make():
    """The new group's folder, None where the kernel or our rights do not allow one."""
    unified = (ROOT / "cgroup.controllers").exists()
    group = (ROOT if unified else ROOT / "cpu") / f"ferry-tests-{os.getpid()}"
    try:
        if unified:
            (ROOT / "cgroup.subtree_control").write_text("+cpu")
        elif not group.parent.is_dir():
            return None
        group.mkdir()
        if unified:
            (group / "cpu.weight").write_text("1")
        else:
            (group / "cpu.shares").write_text("2")
    except OSError:
        with contextlib.suppress(OSError):
            group.rmdir()
        return None
    return group


@contextlib.contextmanager
def leftover_time():
    """Yields a function for a child to call before it becomes a program, or None where there is no
    such group; the group goes once its processes have ended."""
    group = _make()

    def enter():
        (group / "cgroup.procs").write_text(str(os.getpid()))
        os.nice(19)
    try:
        yield enter if group else None
    finally:
        if group:
            with contextlib.suppress(OSError):
                group.rmdir()
