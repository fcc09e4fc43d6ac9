# SPDX-License-Identifier: Apache-2.0
"""What is asked of the intent on real guests, and whether it was met.

Rivals on a cell are the presets that kept the cell's intent in most repeats and use no more than
the intent may: no post-copy, no slow-down, no compression where it does not allow them."""
import statistics

from .cells import CELLS
from .run import OWN

MIB = 2**20
LOST = ("the intent takes the earliest end that the pause allows, and a limit that is a target: it "
        "ended {:.0f} % before the best rival in the median, and paused for that")


def percentile(values, share):
    values = sorted(values)
    if not values:
        return float("nan")
    at = share * (len(values) - 1)
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (at - low)


def median(values):
    return statistics.median(values) if values else float("nan")


def of(rows, cell, preset):
    return [r for r in rows if (r["cell"], r["preset"]) == (cell, preset)]


def kept(rows, cell, preset):
    """Most repeats kept the intent."""
    mine = of(rows, cell, preset)
    return bool(mine) and 2 * sum(r.get("within", False) for r in mine) > len(mine)


def means_of(policy):
    """What a preset's MigrationPolicy makes use of, of what an intent must allow."""
    spec = policy["spec"]
    return {"slow": spec.get("allowAutoConverge", False),
            "compress": spec.get("compression", "off") != "off",
            "postCopy": spec.get("allowPostCopy", False)}


def same_means(cell, means):
    return (not means["compress"] and (cell.max_slowdown > 0 or not means["slow"]) and
            (cell.post_copy or not means["postCopy"]))


def bound(cell):
    """Seconds that the guest's memory takes on the path at the least."""
    rate = min(cell.payload, cell.cap_mib * MIB) if cell.cap_mib else cell.payload
    return cell.working_set * MIB / rate


def _bar(text, value, limit, unit, at_most=True, note=""):
    if value != value:  # nothing to judge
        return {"bar": text, "value": None, "limit": limit, "unit": unit, "met": None, "note": note}
    met = value <= limit if at_most else value >= limit
    return {"bar": text, "value": value, "limit": limit, "unit": unit, "met": met, "note": note}


def line(b):
    if b["value"] is None:
        return f"n/a    {b['bar']}: nothing to judge in these cells"
    word = "met   " if b["met"] else "MISSED"
    note = f" [{b['note']}]" if b["note"] else ""
    return f"{word} {b['bar']}: {b['value']:.3g} {b['unit']} (bar {b['limit']:g}){note}"


def judge(cells, presets, rows, floor):
    """All bars of the grid, as a list of dicts. `presets`: the means_of each, by name."""
    slower, lost, lost_fastest, both = [], [], [], 0
    for cell in cells:
        rivals = [n for n in presets if n != OWN and same_means(cell, presets[n]) and
                  kept(rows, cell.name, n)]
        if not rivals or not kept(rows, cell.name, OWN):
            continue
        both += 1
        time_of = {n: median([r["seconds"] for r in of(rows, cell.name, n) if r["within"]])
                   for n in [OWN, *rivals]}
        best = min(rivals, key=time_of.get)
        slower.append((time_of[OWN] / time_of[best], cell.name, best))
        lost_fastest.append(median([r["lost_s"] for r in of(rows, cell.name, OWN)]) /
                            max(1e-3, median([r["lost_s"] for r in of(rows, cell.name, best)])))
        lost += [(median([r["lost_s"] for r in of(rows, cell.name, OWN)]),
                  median([r["lost_s"] for r in of(rows, cell.name, n)]), n) for n in rivals]
    beaten = [s for s in slower if s[0] > 1.05]
    own = [r for r in rows if r["preset"] == OWN]
    feasible = {c.name for c in CELLS if c.feasible}
    asked = [r for r in own if r["cell"] in feasible]
    hopeless = [r for r in own if r["cell"] not in feasible]
    refused = [r for r in hopeless if r.get("infeasible", {}).get("rounds", 99) <= 2]
    false_alarms = [r for r in asked if r.get("within") and "infeasible" in r]
    idle = [c.name for c in cells if c.pattern == "idle"]
    least = min((r["gap_ms"] for r in rows if r["preset"] == floor and r["outcome"] == "moved"),
                default=float("nan"))
    least_mid = median([r["gap_ms"] for r in rows if r["preset"] == floor and
                        r["outcome"] == "moved"])
    mine_idle = median([r["gap_ms"] for r in own if r["cell"] in idle and r["outcome"] == "moved"])
    by_name = {c.name: c for c in cells}
    over = [r["seconds"] / bound(by_name[r["cell"]]) for r in own if r.get("within")]
    fixed = min((r["seconds"] - bound(by_name[r["cell"]]) for r in rows
                 if r["cell"] in idle and r["outcome"] == "moved"), default=0)
    whole = median([r["seconds"] for r in rows if r["cell"] in idle and r["outcome"] == "moved"])
    over_fixed = [r["seconds"] / (bound(by_name[r["cell"]]) + fixed) for r in own
                  if r.get("within")]
    errors = [abs(r["forecast_s"] / r["seconds"] - 1) for r in own
              if r["outcome"] == "moved" and r.get("forecast_s")]
    wrong = {c: max(abs(r["forecast_s"] / r["seconds"] - 1) for r in own if r["cell"] == c and
                    r["outcome"] == "moved" and r.get("forecast_s"))
             for c in {r["cell"] for r in own if r["outcome"] == "moved" and r.get("forecast_s")}}
    worst = ", ".join(f"{c} {100 * e:.0f} %" for c, e in sorted(wrong.items(), key=lambda x: -x[1])
                      if e > 0.12)
    faster = 100 * (1 - median([s[0] for s in slower]))
    names_of = ", ".join(f"{c} {100 * (x - 1):+.0f} % against {n}" for x, c, n in beaten)
    lost_ratio = median([m / t for m, t, _ in lost if t > 0])
    return [
        _bar("cells where the intent is more than 5 % slower than the best rival",
             100 * len(beaten) / both if both else float("nan"), 0, "% of cells", note=names_of),
        _bar("lost seconds of the intent over those of the best rival, median over cells",
             median(lost_fastest), 1, "ratio", note=LOST.format(faster)),
        _bar("... over those of any rival, median over cells and rivals", lost_ratio, 1, "ratio",
             note="most rivals start with a shorter pause and end later"),
        _bar("migrations of feasible cells within the intent",
             100 * sum(r.get("within", False) for r in asked) / len(asked) if asked
             else float("nan"), 95, "%", False,
             note=", ".join(sorted({r["cell"] for r in asked if not r.get("within")}))),
        _bar("migrations of infeasible cells refused within two rounds",
             100 * len(refused) / len(hopeless) if hopeless else float("nan"), 100, "%", False),
        _bar("feasible migrations called infeasible for a while",
             100 * len(false_alarms) / len(asked) if asked else float("nan"), 0, "%",
             note=", ".join(sorted({r["cell"] for r in false_alarms}))),
        _bar("idle guest's pause over the smallest QEMU did (limit 1 ms, median)",
             mine_idle / least_mid, 1.3, "ratio",
             note=f"{mine_idle:.0f} ms; limit 1 ms: median {least_mid:.0f}, least {least:.0f}"),
        _bar("total time over the physical bound b/B, median", median(over), 1.25, "ratio",
             note=f"small guests: a start costs libvirt {fixed:.2f} s, {100 * fixed / whole:.0f} % of "
                  "an idle one's whole time"),
        _bar("... with libvirt's fixed cost in the bound",
             median(over_fixed), 1.25, "ratio", note=f"{fixed:.2f} s, the least of the idle cell; a guest that writes "
                                       "is sent more than once"),
        _bar("forecast error of total time, median", 100 * median(errors), 12, "%"),
        _bar("forecast error of total time, 90th percentile", 100 * percentile(errors, .9), 30, "%",
             note=f"at worst: {worst}" if worst else ""),
    ]
