# SPDX-License-Identifier: Apache-2.0
"""Which cells there are: each fault in each phase where it can happen, and pairs of faults so that
every two of them meet in some phase (a pairwise cover, made anew from the tables)."""
import itertools
from collections import Counter
from dataclasses import dataclass

from faults import FAULTS, Fault
from phases import PHASES, Phase

# Faults that come in pairs: the second while the first is there. What ends the VM or needs the lab
# made anew has nothing to meet.
PAIRED = ("ferryd", "source-agent", "target-agent", "source-libvirtd", "target-libvirtd",
          "source-libvirtd-hangs", "target-libvirtd-hangs", "target-management", "migration-link",
          "cancel")
PAIR_PHASES = ("first-pass", "switch-over", "post-copy")

# In `make test`: fifteen of the faults, each phase at least once, those that once went wrong.
SHORT = (
    "queued/ferryd", "queued/cancel",
    "preparing/source-agent", "preparing/target-libvirtd-hangs", "preparing/ferryd",
    "disks/target-libvirtd",
    "first-pass/ferryd-twice", "first-pass/source-agent", "first-pass/source-libvirtd",
    "first-pass/target-libvirtd", "first-pass/source-qemu", "first-pass/target-qemu",
    "first-pass/destroy", "first-pass/suspend", "first-pass/delete",
    "later-pass/both-agents", "later-pass/target-agent", "later-pass/migration-link",
    "switch-over/ferryd", "switch-over/source-agent", "switch-over/target-qemu",
    "switch-over/cancel",
    "finishing/ferryd", "finishing/source-agent", "finishing/target-agent",
    "finishing/target-libvirtd", "post-copy/ferryd", "post-copy/source-agent",
    "queued/target-libvirtd", "switch-over/target-agent",
)


@dataclass(frozen=True)
class Cell:
    phase: Phase
    faults: tuple[Fault, ...]

    @property
    def name(self):
        return f"{self.phase.name}/{'+'.join(f.name for f in self.faults)}"

    @property
    def all_lanes(self):
        return any(f.all_lanes for f in self.faults)


def possible(phase, fault):
    return not fault.needs_copy or phase.copies


def single():
    return [Cell(p, (f,)) for p in PHASES.values() for f in FAULTS.values() if possible(p, f)]


def pairs():
    """Each two of PAIRED, in turns over the phases: all phases with all pairs would say little
    more."""
    phases = itertools.cycle(PAIR_PHASES)
    return [Cell(PHASES[next(phases)], (FAULTS[a], FAULTS[b]))
            for a, b in itertools.combinations(PAIRED, 2)]


def every():
    return single() + pairs()


def breadth_first(cells, played):
    """The cells in the order in which they say most: a fault and a phase that were seen least often
    come first. `played` are names of cells with a result."""
    rows, columns = Counter(), Counter()

    def count(cell):
        rows.update(f.name for f in cell.faults)
        columns[cell.phase.name] += 1

    for cell in every():
        if cell.name in played:
            count(cell)
    left, ordered = list(cells), []
    while left:
        cell = min(left, key=lambda c: (len(c.faults), sum(rows[f.name] for f in c.faults),
                                        columns[c.phase.name]))
        left.remove(cell)
        ordered.append(cell)
        count(cell)
    return ordered


def named(names):
    known = {c.name: c for c in every()}
    missing = [n for n in names if n not in known]
    if missing:
        raise KeyError(f"there is no cell {', '.join(missing)}")
    return [known[n] for n in names]
