# SPDX-License-Identifier: Apache-2.0
"""The section of docs/performance.md on real guests."""
import judge
import provenance
from real import bars
from real.cells import CELLS, of_file

from .words import bar_table, coverage, figure

NAME = "convergence.json"
MIB = 2**20
PLOTS = (("within", "success within what was asked"), ("seconds", "total time"),
         ("bytes", "bytes sent"), ("gap", "longest gap"), ("lost", "lost seconds"))
HEAD = """
## Convergence on real guests

{made}

Two real hosts (libvirtd and QEMU in namespaces), a shaped link, one guest a cell that writes by a
known pattern and checks its own memory. Every preset on every cell, {repeats} times, in turns;
medians. One migration before them does not count: after it caches are warm, and the agents know
what the link carries. The longest gap and the lost seconds are seen from outside of the guest. Kept
is what did what the cell asks for: the pause (and {tick} ms, two heartbeats, to measure it by), the
duration, the slow-down, post-copy only where allowed, the memory known to be intact. {cover}
"""
OLD = """
What was another then: `kubevirt` and `kubevirt-vep248` began with the cell's maximum, oVirt's presets
looked every 0.5 s and acted two passes earlier, `proxmox` looked once a second, the rivals got no
post-copy, and `intent` might throttle through QEMU's monitor. The rows are judged by today's rules;
they are not what these presets would do today.
"""


def cell_words(cell):
    words = [f"{cell.pattern}, {cell.rate:g} MiB/s over {cell.working_set} MiB" if cell.rate
             else f"idle, {cell.working_set} MiB written once",
             cell.link if not cell.cap_mib else f"{cell.link} capped at {cell.cap_mib} MiB/s",
             f"pause {cell.max_downtime_ms} ms"]
    words.append(f"duration {cell.max_duration_s:g} s" if cell.max_duration_s else "whenever")
    if cell.max_slowdown:
        words.append(f"slow-down {cell.max_slowdown} %")
    if cell.post_copy:
        words.append("post-copy allowed")
    return ", ".join([*words, f"cut off at {cell.length_s:g} s"])


def idle_here(cell, rules):
    """The rivals whose rule, as it is now, does nothing before the cell is cut off."""
    late = [n for n, p in rules.items()
            if (judge.first_act(p, cell.memory / 1024) or 0) >= cell.length_s]
    return f"cut off before their rule does its first thing: {', '.join(late)}." if late else \
        "every rule can act."


def table(raw, presets):
    out = ["| preset | kept | time s | MiB | gap ms | lost s | means |", "|---|---|---|---|---|---|---|"]
    for name, rows in raw["rows"].items():
        if not rows:
            continue
        s = judge.summary(raw["asked"], rows, bars.TICK_MS)
        mib = judge.median(r["bytes"] / MIB for r in rows if r["outcome"] == "moved")
        show = (lambda v, d=2: figure(v, d)) if s["moved"] else (lambda v, d=2: "-")
        out.append(f"| {name} | {s['keptOf'][0]}/{s['keptOf'][1]} | {show(s['seconds'])} | "
                   f"{show(mib, 0)} | {show(s['gap_ms'], 0)} | {show(s['lost'])} | "
                   f"{judge.means(rows, presets[name])} |")
    return out


def section(kept, rules):
    """`rules`: of the presets as they are now, for a file that has none of its own."""
    found, presets = judge.coverage(bars.compare(kept)), bars.means(kept)
    missing = [c.name for c in CELLS if c.name not in {g["name"] for g in kept["grid"]}]
    out = [HEAD.format(made=provenance.sentence(NAME, kept), repeats=kept["repeats"],
                       tick=bars.TICK_MS, cover=coverage(found))]
    if missing:
        out.append(f"Not measured yet, of the {len(CELLS)} cells that the bench has now: "
                   f"{', '.join(missing)}.\n")
    if "code" not in kept:
        out.append(OLD)
    out += [*bar_table(bars.bars(kept)), ""]
    out += [f"![{title}](../bench/results/convergence-{key}.svg)" for key, title in PLOTS]
    for cell, raw in zip(of_file(kept), bars.as_cells(kept)):
        here = {n: p for n, p in kept.get("rules", rules).items() if n in raw["rows"]}
        now = "" if "rules" in kept else "By today's rules: "
        out += ["", f"### {cell.name}: {cell_words(cell)}", "", now + idle_here(cell, here), "",
                *table(raw, presets)]
    return out
