# SPDX-License-Identifier: Apache-2.0
"""Plays one cell: its phase, its faults one within the other, what is made good, and the judgement."""
import contextlib
import subprocess
import time

from scene import Broken, LabError, Unreached
from judge import judge

TRIES = 2  # a phase that was over before it was seen says nothing


def _inject(scene, faults):
    """The first fault, within it the next; each comes right again in its own time."""
    fault, rest = faults[0], faults[1:]
    if fault.kills or not fault.back:
        # a person's command may be refused, or wait for what hangs: that is judged
        with contextlib.suppress(LabError, subprocess.TimeoutExpired):
            fault.inject(scene)
    else:
        fault.inject(scene)
    if rest:
        _inject(scene, rest)
    if fault.back:
        scene.hold(fault.hold)
        fault.back(scene)


def _once(scene, cell):
    scene.begin_cell(cell.phase)
    cell.phase.enter(scene)
    begun = time.monotonic()
    _inject(scene, cell.faults)
    scene.lift()
    wrong, facts = judge(cell, scene)
    facts["seconds"] = round(time.monotonic() - begun, 1)
    return {"cell": cell.name, "wrong": wrong, **facts}


def play(scene, cell):
    """{"cell", "wrong": [words], facts}; "unreached" where the phase could not be had; "broken" where
    the lab is to be made anew before the next cell."""
    result = {}
    for _ in range(TRIES):
        try:
            result = _once(scene, cell)
        except Unreached as error:
            result = {"cell": cell.name, "wrong": [f"not played: {error}"], "unreached": True}
        except (LabError, OSError, KeyError, subprocess.SubprocessError) as error:
            result = {"cell": cell.name, "wrong": [f"not played: {error!r}"], "unreached": True}
        finally:
            with contextlib.suppress(LabError, OSError, subprocess.SubprocessError):
                scene.end_cell()
            try:
                scene.mend()
            except Broken as error:
                result["broken"] = str(error)
        if not result.get("unreached") or result.get("broken"):
            break
    return result
