# SPDX-License-Identifier: Apache-2.0
"""What is asked of the intent on real guests, and whether it was met: the bars of judge.py, and
those that need no rival."""
import judge

from .cells import of_file

OWN = judge.OWN
TICK_MS = 10  # two heartbeats: what a pause can be measured to
FLOOR = "limit 1 ms"  # the smallest pause that QEMU can do, for the idle guest
MIB = 2**20


def of(rows, cell, preset):
    return [r for r in rows if (r["cell"], r["preset"]) == (cell, preset)]


def means(kept):
    """What each preset asked for at the start, also of a file that only says whether."""
    return {n: {**m, "compression": m.get("compression", "xbzrle" if m.get("compress") else None)}
            for n, m in kept["presets"].items()}


def as_cells(kept):
    """For judge.compare()."""
    return [{"name": c.name, "asked": c.asked(), "feasible": c.feasible,
             "rows": {n: of(kept["rows"], c.name, n) for n in kept["presets"]}}
            for c in of_file(kept)]


def compare(kept):
    return judge.compare(as_cells(kept), TICK_MS)


def bound(cell):
    """Seconds that the guest's memory takes on the path at the least."""
    rate = min(cell.payload, cell.cap_mib * MIB) if cell.cap_mib else cell.payload
    return cell.working_set * MIB / rate


def _verdicts(own, feasible):
    """Saying in time that nothing will do."""
    asked = [r for r in own if r["cell"] in feasible]
    hopeless = [r for r in own if r["cell"] not in feasible]
    refused = [r for r in hopeless if r.get("infeasible", {}).get("rounds", 99) <= 2]
    alarms = [r for r in asked if "infeasible" in r]
    return [judge.bar("migrations of infeasible cells refused within two rounds",
                      judge.share(refused, hopeless), 98, "%", False),
            judge.bar("feasible migrations called infeasible for a while",
                      judge.share(alarms, asked), 3, "%",
                      note=", ".join(sorted({r["cell"] for r in alarms})))]


def _least_pause(rows, own, idle):
    gaps = [r["gap_ms"] for r in rows if r["preset"] == FLOOR and r["outcome"] == "moved"]
    mine = judge.median(r["gap_ms"] for r in own if r["cell"] in idle and r["outcome"] == "moved")
    least = judge.median(gaps)
    return judge.bar("idle guest's pause over the smallest QEMU did (limit 1 ms, median)",
                     mine / least, 1.3, "ratio",
                     note=f"{mine:.0f} ms; limit 1 ms: median {least:.0f}, "
                          f"least {min(gaps, default=float('nan')):.0f}")


def _times(rows, good, cells, idle):
    """Total time over what the path allows."""
    over = {c.name: bound(c) for c in cells}
    start = min((r["seconds"] - over[r["cell"]] for r in rows
                 if r["cell"] in idle and r["outcome"] == "moved"), default=0)
    return [judge.bar("total time over the physical bound b/B, median",
                      judge.median(r["seconds"] / over[r["cell"]] for r in good), 1.25, "ratio"),
            judge.bar("... with libvirt's fixed cost in the bound",
                      judge.median(r["seconds"] / (over[r["cell"]] + start) for r in good), 1.25,
                      "ratio", note=f"{start:.2f} s, the least of the idle cell; a guest that writes "
                                    "is sent more than once")]


def _forecasts(own):
    moved = [r for r in own if r["outcome"] == "moved" and r.get("forecast_s")]
    errors = [abs(r["forecast_s"] / r["seconds"] - 1) for r in moved]
    return [judge.bar("forecast error of total time, median", 100 * judge.median(errors), 4, "%"),
            judge.bar("forecast error of total time, 90th percentile",
                      100 * judge.percentile(errors, .9), 12, "%")]


def bars(kept):
    """All bars of a result file."""
    cells, rows, found = of_file(kept), kept["rows"], compare(kept)
    own = [r for r in rows if r["preset"] == OWN]
    asked = {c.name: c.asked() for c in cells}
    feasible = {f["cell"] for f in found if f["feasible"]}
    good = [r for r in own if judge.keeps(asked[r["cell"]], r, TICK_MS)]
    tried = [r for r in own if r["cell"] in feasible]
    idle = {c.name for c in cells if c.pattern == "idle"}
    return [*judge.bars(found),
            judge.bar("migrations of feasible cells within what was asked",
                      judge.share([r for r in good if r["cell"] in feasible], tried), 99, "%", False),
            *_verdicts(own, feasible), _least_pause(rows, own, idle),
            *_times(rows, good, cells, idle), *_forecasts(own)]
