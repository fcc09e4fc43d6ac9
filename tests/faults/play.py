# SPDX-License-Identifier: Apache-2.0
"""Plays one cell: its phase, its faults one within the other, what is made good, and the judgement."""
import contextlib
import subprocess
import time

from scene import Broken, LabError, Unreached
from judge import judge

TRIES = 2  # a phase that was over before it was seen says nothing


class Unjudged(Exception):
    """The fault was there, and then something broke that is neither the cell's nor the phase's."""


@contextlib.contextmanager
def _broken_as(kind):
    try:
        yield
    except (LabError, OSError, LookupError, subprocess.SubprocessError) as error:
        raise kind(repr(error)) from error


def _inject(scene, faults):
    """The first fault, within it the next; each comes right again in its own time."""
    fault, rest = faults[0], faults[1:]
    if fault.person:  # what becomes of it is judged
        with contextlib.suppress(subprocess.TimeoutExpired):
            fault.inject(scene)
    else:
        with _broken_as(Unreached):
            fault.inject(scene)
    if rest:
        _inject(scene, rest)
    if fault.back:
        scene.hold(fault.hold)
        fault.back(scene)


def _once(scene, cell):
    with _broken_as(Unreached):
        scene.begin_cell(cell.phase)
        cell.phase.enter(scene)
    begun = time.monotonic()
    with _broken_as(Unjudged):
        _inject(scene, cell.faults)
        scene.lift()
        wrong, facts = judge(cell, scene)
    facts["seconds"] = round(time.monotonic() - begun, 1)
    return {"cell": cell.name, "wrong": wrong, **facts}


def play(scene, cell):
    """{"cell", "wrong": [words], facts}; "unreached" where the phase or the fault could not be had;
    "broken" where the lab is to be made anew before the next cell; "before" where a first try broke off
    after the fault, which is told though the second was good."""
    result, before = {}, None
    for _ in range(TRIES):
        try:
            result = _once(scene, cell)
        except Unreached as error:
            result = {"cell": cell.name, "wrong": [f"not played: {error}"], "unreached": True}
        except Unjudged as error:
            result = {"cell": cell.name, "wrong": [f"not judged: {error}"], "unjudged": True}
            before = before or str(error)
        finally:
            with contextlib.suppress(LabError, OSError, subprocess.SubprocessError):
                scene.end_cell()
            try:
                scene.mend()
            except Broken as error:
                result["broken"] = str(error)
        if not (result.get("unreached") or result.get("unjudged")) or result.get("broken"):
            break
    if before and not result.get("unjudged"):
        result["before"] = before
    return result
