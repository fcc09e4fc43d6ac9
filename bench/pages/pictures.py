# SPDX-License-Identifier: Apache-2.0
"""docs/convergence.md: for each cell a picture, total time against lost work, a point a preset, the
frontier drawn."""
import math
from html import escape

import judge
import provenance
from real import bars as real_bars
from real.cells import of_file
from simulated.run import TICK_MS

from .real import cell_words
from .words import figure

COLUMNS, WIDTH, HEIGHT, LEFT, TOP = 3, 380, 270, 52, 46
OWN_COLOUR, KEPT, BROKEN, LINE = "#1b7f79", "#3f4a56", "#d5a39b", "#c8892b"
LEAST_LOST = 0.01  # what is less stands there: 10 ms
FAR = 6  # of the median time: what took longer is named, not drawn
PAGE = """# Convergence, in pictures

Written by `bench/performance-document`; the figures are those of [performance.md](performance.md).

Every migration costs two things: how long it takes, and how much work the guest does not get done
because of it. In each picture a point is a way to migrate the same guest. Left is sooner, down is
less lost work, and both scales are logarithmic. Full points kept what was asked of that cell, pale
ones did not. The line is the frontier: whoever is on it could only be better at one of the two by
being worse at the other. `intent`, Ferry's own, is the large green point; above and right of the line
another one would have been better. Numbers before an arrow took far longer than the picture is wide.

The numbers beside the points: {legend}.

## Real guests

{real}

![real guests](convergence-real.svg)

{real_table}

## Simulated guests

{sim}

The first cell of each kind that a rival kept, of {cells}; the small points are fixed limits and
throttles, chosen with hindsight.

![simulated guests](convergence-sim.svg)

{sim_table}
"""


def _scale(values, low, high):
    """A logarithmic axis: a function to pixels and its ticks."""
    least, most = min(values) / 1.2, max(values) * 1.2
    span = math.log(most / least)
    ticks = [m * 10**e for e in range(-3, 5)
             for m in (1, 1.5, 2, 3, 4, 5, 7) if least <= m * 10**e <= most]
    step = max(1, math.ceil(len(ticks) / 6))
    return (lambda v: low + (high - low) * math.log(max(v, least) / least) / span), ticks[::step]


def frontier(points):
    """Those that nobody beats in both, by time."""
    out = []
    for seconds, lost in sorted(points):
        if not out or lost < out[-1][1]:
            out.append((seconds, lost))
    return out


def _axes(x, y, xs, ys, left, top):
    right, bottom = left + WIDTH - LEFT - 16, top + HEIGHT - TOP - 34
    out = [f'<rect x="{left}" y="{top}" width="{right - left}" height="{bottom - top}" fill="none" '
           'stroke="#c4cad1"/>']
    for v in xs:
        out.append(f'<text x="{x(v):.1f}" y="{bottom + 13}" text-anchor="middle" fill="#6a7480">'
                   f"{v:g} s</text>")
    for v in ys:
        name = f"{1000 * v:g} ms" if v < 1 else f"{v:g} s"
        out.append(f'<text x="{left - 4}" y="{y(v) + 4:.1f}" text-anchor="end" fill="#6a7480">{name}'
                   "</text>")
    return out


def _near(cell, numbers):
    """Without the points that took so long that the others would be one spot; their numbers are in
    `late`."""
    far = FAR * judge.median(p[1] for p in cell["points"])
    late = [str(numbers[p[0]]) for p in cell["points"] if p[1] > far and p[0] != judge.OWN]
    return {**cell, "late": ", ".join(late), "others": [o for o in cell["others"] if o[0] <= far],
            "points": [p for p in cell["points"] if p[1] <= far or p[0] == judge.OWN]}


def _panel(cell, numbers, left, top):
    """`cell`: title, points (preset, seconds, lost, kept), others (seconds, lost)."""
    cell = _near(cell, numbers)
    lost = [max(p[2], LEAST_LOST) for p in cell["points"]]
    others = [(s, max(v, LEAST_LOST)) for s, v in cell["others"]]
    x, xs = _scale([p[1] for p in cell["points"]] + [s for s, _ in others], left + 8,
                   left + WIDTH - LEFT - 26)
    y, ys = _scale(lost + [v for _, v in others], top + HEIGHT - TOP - 42, top + 10)
    out = [f'<text x="{left}" y="{top - 20}" font-weight="bold">{escape(cell["title"])}</text>',
           f'<text x="{left}" y="{top - 6}" fill="#6a7480">{escape(cell["words"])}</text>',
           *_axes(x, y, xs, ys, left, top)]
    if not any(p[0] == judge.OWN for p in cell["points"]):
        out.append(f'<text x="{left + 6}" y="{top + 13}" fill="{OWN_COLOUR}">intent did not move it'
                   "</text>")
    if cell["late"]:
        out.append(f'<text x="{left + WIDTH - LEFT - 20}" y="{top + 13}" text-anchor="end" '
                   f'fill="#6a7480">{cell["late"]} →</text>')
    line = frontier([(p[1], max(p[2], LEAST_LOST)) for p in cell["points"] if p[3]] + others)
    if line:
        path = " ".join(f"{x(s):.1f},{y(v):.1f}" for s, v in line)
        out.append(f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="1.5"/>')
    out += [f'<circle cx="{x(s):.1f}" cy="{y(v):.1f}" r="1.5" fill="{LINE}"/>' for s, v in others]
    for (preset, seconds, _, kept), value in sorted(zip(cell["points"], lost),
                                                    key=lambda p: p[0][0] == judge.OWN):
        own = preset == judge.OWN
        colour = (OWN_COLOUR if own else KEPT) if kept else BROKEN
        out.append(f'<circle cx="{x(seconds):.1f}" cy="{y(value):.1f}" r="{6 if own else 3.5}" '
                   f'fill="{colour}"><title>{escape(preset)}: {seconds:.2f} s, {value:.3f} s lost'
                   f'{"" if kept else ", not within what was asked"}</title></circle>')
        if not own:
            out.append(f'<text x="{x(seconds) + 5:.1f}" y="{y(value) - 3:.1f}" font-size="9" '
                       f'fill="{colour}">{numbers[preset]}</text>')
    return out


def picture(title, cells, numbers):
    rows = -(-len(cells) // COLUMNS)
    width, height = COLUMNS * WIDTH, 10 + rows * HEIGHT
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           'font-family="sans-serif" font-size="10">', f"<title>{escape(title)}</title>",
           f'<rect width="{width}" height="{height}" fill="#ffffff"/>']
    for at, cell in enumerate(cells):
        out += _panel(cell, numbers, (at % COLUMNS) * WIDTH + LEFT,
                      (at // COLUMNS) * HEIGHT + TOP)
    return "\n".join([*out, "</svg>"]) + "\n"


def _points(found):
    sides = {judge.OWN: found["own"], **found["sides"]}
    return [(n, s["seconds"], s["lost"], s["kept"]) for n, s in sides.items() if s and s["moved"]]


def _verdict(found, means):
    """A row of the table under the pictures."""
    if not found["rivals"]:
        return f"| {found['cell']} | - | - | - | no rival kept what was asked |"
    least, fastest = found["least"], found["fastest"]

    def show(name, side):
        used = means(name)
        return (f"{name}{f' ({used})' if used else ''} {figure(side['seconds'])} s, "
                f"{figure(side['lost'], 3)} s lost")
    if not found["ownKept"]:
        own, words = "not within what was asked", "**a rival did what `intent` did not**"
    else:
        mine = found["own"]
        own = f"{figure(mine['seconds'])} s, {figure(mine['lost'], 3)} s lost"
        beaten = [n for n, s in found["rivals"].items() if judge.dominated(mine, s)]
        ratio = mine["lost"] / max(found["rivals"][least]["lost"], 1e-3)
        words = f"**beaten in both by {beaten[0]}**" if beaten else \
            f"{ratio:.1f} times the least lost work"
    return (f"| {found['cell']} | {own} | {show(fastest, found['rivals'][fastest])} | "
            f"{show(least, found['rivals'][least])} | {words} |")


def _table(found, means):
    return "\n".join(["| cell | intent | fastest rival | least lost work, of those nearly as fast | |",
                      "|---|---|---|---|---|",
                      *[_verdict(f, lambda n, f=f: means(f["cell"], n)) for f in found]])


def _real(kept):
    found = real_bars.compare(kept)
    words = {c.name: ", ".join(cell_words(c).split(", ")[1:4]) for c in of_file(kept)}
    presets = real_bars.means(kept)
    cells = [{"title": f["cell"], "words": words[f["cell"]], "points": _points(f), "others": []}
             for f in found]

    def means(cell, name):
        return judge.means(real_bars.of(kept["rows"], cell, name), presets[name])
    return [c for c in cells if c["points"]], _table(found, means)


def _simulated(kept):
    raws = {r["cell"]: r for r in kept["gallery"]}
    found = judge.compare([{"name": r["cell"], "asked": r["asked"], "feasible": False,
                            "rows": {n: [row] for n, row in r["presets"].items()}}
                           for r in raws.values()], TICK_MS)
    cells = []
    for f in found:
        raw = raws[f["cell"]]
        asked = raw["asked"]
        others = [(r["seconds"], r["lost_s"]) for r in raw["hindsight"]
                  if judge.keeps(asked, r, TICK_MS)]
        words = (f"{raw['memory'] / 2**30:.1f} GiB, {raw['writeRate'] / 2**20:.0f} MiB/s over "
                 f"{raw['workingSet'] / 2**20:.0f} MiB, {raw['rate'] * 8 / 1e9:.1f} Gbit/s, pause "
                 f"{asked['maxDowntimeMs']} ms")
        cells.append({"title": f"{raw['pattern']}, {raw['path']} ({f['cell']})", "words": words,
                      "points": _points(f), "others": others})
        f["cell"] = f"{raw['pattern']}, {raw['path']} ({f['cell']})"

    def means(cell, name):
        raw = raws[int(cell.rsplit("(", 1)[1][:-1])]
        return judge.means([raw["presets"][name]], kept["presets"][name])
    return cells, _table(found, means)


def page(real, sim):
    """The page and its pictures, by their paths in the project."""
    names = list(dict.fromkeys([n for n in sim["presets"] if n != judge.OWN] +
                               [n for n in real["presets"] if n != judge.OWN]))
    numbers = {n: i + 1 for i, n in enumerate(names)}
    real_cells, real_table = _real(real)
    sim_cells, sim_table = _simulated(sim)
    text = PAGE.format(legend=", ".join(f"{i} {n}" for n, i in numbers.items()),
                       real=provenance.sentence("convergence.json", real), real_table=real_table,
                       sim=provenance.sentence("convergence-sim.json", sim), sim_table=sim_table,
                       cells=sim["fixed"]["cells"])
    return {"docs/convergence.md": text,
            "docs/convergence-real.svg": picture("Real guests", real_cells, numbers),
            "docs/convergence-sim.svg": picture("Simulated guests", sim_cells, numbers)}
