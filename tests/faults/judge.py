# SPDX-License-Identifier: Apache-2.0
"""What a cell must be in the end, whatever the fault was: one copy, where Ferry says it is, with its
memory; the truth as the outcome; nothing left behind; and the next migration works as soon as both hosts
are Ready."""
import time

from faults import EITHER, SOURCE, TARGET
from scene import FINAL, Unreached

BOTH_MS = 200
LOST = ("VMLost", "StoppedMeanwhile", "VMNotFound", "VMNotRunning")
# Where the source alone has it, libvirt there says how it ended, and so must Ferry, at once.
BEFORE_THE_END = ("disks", "first-pass", "later-pass")
AT_ONCE_S = 10
END_S = 90
SILENT_S = 40
READY_S = 15
DEAD_S = 240  # in post-copy a target that is silent is waited for, for 2 minutes
WAITED_S = 90  # for so long of them at the least
# A cancel that comes so early is carried out, one that comes so late is refused.
IN_TIME = ("queued", "preparing", *BEFORE_THE_END)
TOO_LATE = ("finishing", "post-copy")


def may_be_lost(cell, scene):
    """Whether a fault of the cell takes the copy that runs, or a part of its memory."""
    side = {SOURCE} if not cell.phase.moved else {TARGET}
    if cell.phase.split:
        side = {SOURCE, TARGET}
    if cell.phase.name in ("switch-over", "finishing"):
        side = {SOURCE, TARGET}  # by the time it dies either may have it
    return any(f.kills == EITHER or f.kills in side for f in cell.faults
               if not f.person or was_done(scene, f.name))


def was_done(scene, what):
    """Whether what a person asked for was said to be done; one that was not answered may be."""
    answer = scene.answer(what, 0)
    return answer is None or answer[0] == 0


def active(state):
    return not state.startswith(("shut off", "crashed")) and "(starting up)" not in state


def half(state):
    """Of a copy that post-copy left without a part of its memory, for good: no life in it."""
    return state.endswith("(post-copy failed)")


def place(scene):
    """(hosts on which a copy is active, {host: state})."""
    domains = scene.domains()
    return [h for h, s in domains.items() if active(s) and not half(s)], domains


def wait_for_the_end(cell, scene):
    def ended():
        found = scene.migrations()
        return not found or all(m.get("status", {}).get("phase") in FINAL for m in found)
    begun = time.monotonic()
    dead = cell.phase.split and any(f.rebuild for f in cell.faults)
    try:
        if any(f.rebuild and (f.kills == SOURCE or cell.phase.name in ("switch-over", "finishing"))
               for f in cell.faults):
            host_comes_back(scene, ended)
        scene.until(ended, DEAD_S if dead else END_S, "it ends")
    except Unreached as error:
        return None, str(error)
    return time.monotonic() - begun, None


def host_comes_back(scene, ended):
    """Of a host that is silent nobody can tell for minutes whether it has the VM: that is said, and
    decided once it is there again."""
    end = time.monotonic() + SILENT_S
    while time.monotonic() < end and not ended():
        time.sleep(1)
    if ended():
        return
    status = scene.status()
    said, waits = status.get("message") or "", status.get("queue", {}).get("message")
    if not waits and "does not answer" not in said and "cannot be heard" not in said:
        raise Unreached(f"not said that the host is silent: {said}")
    scene.boot_hosts()


def cannot_tell(cell, status):
    """A target that died in post-copy may be one that is only cut off, with the rest of the VM."""
    return cell.phase.split and status.get("reason") == "PostCopyFailed" and \
        any(f.rebuild and f.kills == TARGET for f in cell.faults) and \
        "cannot be heard" in status.get("message", "")


def judge_end_after_it(scene, wrong):
    """It had moved when the fault came: of the migration that is true, and the VM is not said to
    run, or to do so on a host that is said to be silent."""
    def shown():
        status = (scene.vmi() or {}).get("status", {})
        return status.get("phase") == "Running" and status.get("nodeName") in scene.ready_hosts()
    try:
        scene.until(lambda: not shown(), END_S, "it is not said to run")
    except Unreached as error:
        wrong.append(f"the VM is gone, shown as running: {error}")


def judge_outcome(cell, scene, status, wrong):
    hosts, domains = place(scene)
    phase, reason = status.get("phase"), status.get("reason")
    if len(hosts) > 1:
        wrong.append(f"active on {hosts}: {domains}")
    if not hosts:
        if not may_be_lost(cell, scene):
            wrong.append(f"the VM is nowhere: {domains}")
        elif cell.phase.name == "finishing" and phase == "Succeeded":
            judge_end_after_it(scene, wrong)
        elif status and (phase != "Failed" or reason not in LOST) and not cannot_tell(cell, status):
            wrong.append(f"the VM is gone, said: {phase} {reason}: {status.get('message')}")
        return None
    where = hosts[0]
    moved = where == scene.host(TARGET)
    if status and moved != (phase == "Succeeded"):
        wrong.append(f"it is on {where}, said: {phase} {reason}: {status.get('message')}")
    if status and phase == "Failed" and not (reason and status.get("message")):
        wrong.append("it failed without a reason or a message")
    return where


def judge_end_of_it(cell, facts, wrong):
    """A VM that was ended on its source while its memory was copied: said with that reason, soon."""
    if cell.phase.name not in BEFORE_THE_END or len(cell.faults) > 1 or \
            cell.faults[0].kills != SOURCE or cell.faults[0].rebuild:
        return
    if facts["reason"] != "StoppedMeanwhile":
        wrong.append(f"it was ended on its source, said: {facts['reason']}: {facts['message']}")
    elif facts["endS"] > AT_ONCE_S:
        wrong.append(f"that it was ended on its source was said after {facts['endS']} s")


def judge_cancel(cell, scene, facts, wrong):
    """Whoever cancels is answered, and the answer is so; in time it is done, too late it is not."""
    answer = scene.answer("cancel", END_S)
    phase, reason = facts["phase"], facts["reason"]
    if answer is None:
        wrong.append(f"the cancel is not answered, and it is {phase} {reason}")
        return
    code, words = answer
    facts["cancel"] = code
    if code == 0 and phase == "Succeeded":
        wrong.append(f"it has moved, and whoever cancelled it was told: {words}")
    if code and reason == "Cancelled" and len(cell.faults) == 1:
        wrong.append(f"it is cancelled, and whoever did so was told: {words}")
    if len(cell.faults) == 1 and cell.phase.name in IN_TIME and reason != "Cancelled":
        wrong.append(f"the cancel was not carried out: {phase} {reason}, said: {words}")
    if len(cell.faults) == 1 and cell.phase.name in TOO_LATE and (not code or phase != "Succeeded"):
        wrong.append(f"the cancel came too late: {phase} {reason}, said: {words}")


def judge_delete(scene, wrong):
    """A migration that is deleted goes once it has ended."""
    answer = scene.answer("delete", END_S)
    if answer is None or answer[0]:
        wrong.append(f"the migration could not be deleted: {answer}")
        return
    try:
        scene.until(lambda: not scene.migrations(), AT_ONCE_S, "the deleted migration is gone")
    except Unreached as error:
        wrong.append(str(error))


def judge_person(cell, scene, facts, wrong):
    """What a person asked for."""
    for fault in cell.faults:
        if fault.name == "cancel":
            judge_cancel(cell, scene, facts, wrong)
        elif fault.name == "delete":
            judge_delete(scene, wrong)
        elif fault.person and cell.phase.name in BEFORE_THE_END and not was_done(scene, fault.name):
            wrong.append(f"{fault.name} was refused: {scene.answer(fault.name, 0)}")


def judge_dead_target(cell, scene, facts, wrong):
    """A target that died in post-copy is waited for, as it may only be cut off; meanwhile and afterwards
    the VM is not said to run. Back without its half, it is not said to have it."""
    if not cell.phase.split or not any(f.rebuild and f.kills == TARGET for f in cell.faults):
        return
    if facts["endS"] is not None and facts["endS"] < WAITED_S:
        wrong.append(f"a silent target with half of the VM was waited for {facts['endS']} s")
    for when in ("while the target is silent", "with the target back"):
        shown = (scene.vmi() or {}).get("status", {})
        if shown.get("phase") == "Running":
            wrong.append(f"{when} it is shown as running on {shown.get('nodeName')}")
        scene.boot_hosts()
        try:
            scene.until(scene.all_ready, END_S, "the target is Ready again")
        except Unreached as error:
            wrong.append(str(error))


def judge_life(cell, scene, where, wrong):
    """Runs, with its memory; where Ferry says it is."""
    state = scene.domains().get(where, "")
    if any(f.pauses for f in cell.faults) and state.startswith("paused"):
        scene.lab.virsh(where, "resume", scene.name)
    elif not state.startswith("running"):
        wrong.append(f"on {where} it is {state!r}")
        return
    before = scene.stat()["heartbeats"]
    try:
        scene.until(lambda: scene.stat()["heartbeats"] > before, 10, "the guest lives")
        scene.until(lambda: scene.stat()["memory_intact"] is not None, 20, "memory is checked")
        scene.until(lambda: (scene.vmi() or {}).get("status", {}).get("nodeName") == where, 15,
                    f"Ferry shows it on {where}, shows "
                    f"{(scene.vmi() or {}).get('status', {}).get('nodeName')}")
    except Unreached as error:
        wrong.append(str(error))
        return
    if scene.stat()["memory_intact"] is not True:
        wrong.append("its memory is damaged")


def judge_leftovers(scene, where, wrong):
    try:
        scene.until(lambda: set(scene.domains()) <= {where} and set(scene.qemus()) <= {where}, 20,
                    "nothing is left behind")
    except Unreached:
        wrong.append(f"left behind: domains {scene.domains()}, QEMUs on {scene.qemus()}; it is on "
                     f"{where}")


def judge_halves(cell, scene, status, wrong):
    """What post-copy left of a VM that is lost: Ferry says to destroy it, which can be done, and tells
    nobody that it runs."""
    halves = [h for h, s in scene.domains().items() if half(s)]
    if not halves:
        return
    if status and "virsh destroy" not in status.get("message", "") and \
            not cannot_tell(cell, status):
        wrong.append(f"what to do with {halves} is not said: {status.get('message')}")
    done = scene.ferry("migrate", scene.name, "--to", scene.host("third"), check=False, timeout=90)
    if done.returncode == 0 or " runs on " in done.stdout + done.stderr:
        wrong.append(f"half a VM is migrated: {done.stdout[-300:]} {done.stderr[-300:]}")
    for host in halves:
        scene.lab.virsh(host, "destroy", scene.name, timeout=15)


def judge_next(cell, scene, where, wrong):
    target = scene.host("third" if where == scene.host(TARGET) else TARGET)
    options = ("--copy-storage-all",) if "--copy-storage-all" in cell.phase.options else ()
    try:  # an agent comes back to its libvirtd within its longest pause between two tries
        scene.until(lambda: {where, target} <= scene.ready_hosts(), READY_S, "both hosts are Ready again")
    except Unreached as error:
        wrong.append(f"the next migration: {error}")
        return
    done = scene.ferry("migrate", scene.name, "--to", target, *options, check=False, timeout=90)
    if done.returncode:
        wrong.append(f"the next migration: {done.stdout[-300:]} {done.stderr[-300:]}")
        return
    hosts, domains = place(scene)
    if hosts != [target]:
        wrong.append(f"after the next migration to {target}: {domains}")


def judge(cell, scene):
    """(what is wrong, facts) once all faults are over."""
    wrong, facts = [], {}
    took, late = wait_for_the_end(cell, scene)
    status = scene.status()
    facts.update(phase=status.get("phase"), reason=status.get("reason"),
                 message=status.get("message"),
                 endS=round(took, 1) if took is not None else None)
    if late:
        wrong.append(f"it does not end: {late}")
    both = scene.stat()["both_ms"]
    facts["bothMs"] = both
    if both > BOTH_MS:
        wrong.append(f"two copies ran for {both} ms")
    rebuilt = any(f.rebuild for f in cell.faults)
    where = judge_outcome(cell, scene, status, wrong)
    facts["host"] = scene.side(where)
    judge_end_of_it(cell, facts, wrong)
    judge_person(cell, scene, facts, wrong)
    judge_dead_target(cell, scene, facts, wrong)
    if where and not late:
        judge_life(cell, scene, where, wrong)
        if not rebuilt:
            judge_leftovers(scene, where, wrong)
            judge_next(cell, scene, where, wrong)
    elif not where:
        judge_halves(cell, scene, status, wrong)
        judge_leftovers(scene, None, wrong)
    wrong += scene.lab.crashed()
    return wrong, facts
