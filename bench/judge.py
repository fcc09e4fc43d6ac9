# SPDX-License-Identifier: Apache-2.0
"""Who kept what was asked, what that cost the guest, and who is a rival: one set of rules, for real
guests and for simulated ones.

A row is one migration: outcome ("moved", "gave up", "cut off", "refused"), seconds, gap_ms, lost_s,
top_throttle, post_copy; of a real guest also memory_intact. What is asked: maxDowntimeMs,
maxDurationS (0: whenever), maxSlowdown (percent), allowPostCopy.

A rival is whoever kept what was asked, whatever means it used; the means stand beside it. Lost work
is one number: the seconds of work that the guest did not do because it was moved, its pause and
every slow-down as it really acted (lost_s). A throttle that took nothing from the guest is no
slow-down: what is asked is how the guest fares, not how QEMU is set."""
import statistics

OWN = "intent"
UNFELT_S = 0.05  # work lost beside the pause that nobody can tell from none
NEAR = 1.25  # of the fastest rival's time: beyond it nobody waits for less lost work
WORSE, WORSE_S = 1.1, 0.015  # of the least lost work among those
CLEAR, CLEAR_S = 0.95, 0.015  # better by so much in time and in lost work: dominated
GOAL = 0.8  # of that least, in the median over cells


def percentile(values, share):
    values = sorted(values)
    if not values:
        return float("nan")
    at = share * (len(values) - 1)
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (at - low)


def median(values):
    values = list(values)
    return statistics.median(values) if values else float("nan")


def lost(row):
    """Seconds of work that the guest did not do."""
    return row["lost_s"]


def slowdown(row):
    """Percent by which the guest was slowed at worst, 0 where it lost nothing beside its pause."""
    felt = lost(row) - row["gap_ms"] / 1000 > UNFELT_S
    return row["top_throttle"] if felt else 0


def keeps(asked, row, tick_ms):
    """Whether the migration did what was asked; `tick_ms` is what a pause can be measured to.
    Memory of which nobody knows whether it is intact is not, and a switch-over at which nobody saw
    the guest stand still was not seen."""
    return (row["outcome"] == "moved" and row.get("memory_intact", True) is True and
            0 < row["gap_ms"] <= asked["maxDowntimeMs"] + tick_ms and
            (not asked["maxDurationS"] or row["seconds"] <= asked["maxDurationS"]) and
            slowdown(row) <= asked["maxSlowdown"] and
            (asked["allowPostCopy"] or not row["post_copy"]))


def means(rows, preset):
    """What it used, in words; "" for nothing. `preset`: what it asks for at the start."""
    rows, words = [r for r in rows if r["outcome"] != "refused"], []
    top = max((r["top_throttle"] for r in rows), default=0)
    if top:
        words.append(f"throttle {top} %" + ("" if any(map(slowdown, rows)) else ", not felt"))
    if any(r["post_copy"] for r in rows):
        words.append("post-copy")
    words += sorted({m for r in rows for m in r.get("means", "").split(", ") if m in ("zstd", "xbzrle")})
    if preset.get("compression"):
        words.append(preset["compression"])
    if preset.get("connections"):
        words.append(f"{preset['connections']} connections")
    return ", ".join(words)


def summary(asked, rows, tick_ms):
    """Of the repeats of one preset on one cell. It kept what was asked where most repeats did; time
    and lost work are medians of those."""
    good = [r for r in rows if keeps(asked, r, tick_ms)]
    moved = [r for r in rows if r["outcome"] == "moved"]
    of = good or moved
    return {"kept": bool(rows) and 2 * len(good) > len(rows), "keptOf": (len(good), len(rows)),
            "moved": 2 * len(moved) > len(rows), "seconds": median(r["seconds"] for r in of),
            "gap_ms": median(r["gap_ms"] for r in of), "lost": median(map(lost, of))}


def compare(cells, tick_ms, own=OWN, beside=None):
    """Each cell (name, asked, rows by preset, feasible) as one dict: `own` and its rivals there.
    `beside`: only these presets, for a look at a part of them; a bar is judged on all."""
    out = []
    for cell in cells:
        names = [n for n in cell["rows"] if n == own or
                 n.split("+")[0] != OWN and (beside is None or n in beside)]
        sides = {n: summary(cell["asked"], cell["rows"][n], tick_ms) for n in names if cell["rows"][n]}
        mine = sides.pop(own, None)
        rivals = {n: s for n, s in sides.items() if s["kept"]}
        found = {"cell": cell["name"], "own": mine, "rivals": rivals, "sides": sides,
                 "ownKept": bool(mine and mine["kept"]),
                 "feasible": cell["feasible"] or bool(rivals)}
        if rivals:
            fastest = min(rivals, key=lambda n: rivals[n]["seconds"])
            near = [n for n in rivals if rivals[n]["seconds"] <= NEAR * rivals[fastest]["seconds"]]
            found.update(fastest=fastest, least=min(near, key=lambda n: rivals[n]["lost"]))
        out.append(found)
    return out


def dominated(mine, theirs):
    return all(theirs[k] < CLEAR * mine[k] and mine[k] - theirs[k] > CLEAR_S
               for k in ("seconds", "lost"))


def coverage(found):
    """How many cells are compared, and what became of the others: nothing is left out silently."""
    both = [f for f in found if f["ownKept"] and f["rivals"]]
    groups = {"both": both,
              "onlyOwn": [f for f in found if f["ownKept"] and not f["rivals"]],
              "onlyRivals": [f for f in found if not f["ownKept"] and f["rivals"]],
              "nobody": [f for f in found if not f["ownKept"] and not f["rivals"]]}
    return {"cells": len(found), **{k: len(v) for k, v in groups.items()},
            "feasible": sum(f["feasible"] for f in found),
            "lostCells": [f["cell"] for f in groups["onlyRivals"]][:20],
            "ownCells": [f["cell"] for f in groups["onlyOwn"]][:20]}


def bar(text, value, limit, unit, at_most=True, note=""):
    if value != value:  # nothing to judge
        return {"bar": text, "value": None, "limit": limit, "unit": unit, "atMost": at_most,
                "met": None, "note": note}
    met = value <= limit if at_most else value >= limit
    return {"bar": text, "value": value, "limit": limit, "unit": unit, "atMost": at_most,
            "met": met, "note": note}


def share(some, of):
    return 100 * len(some) / len(of) if of else float("nan")


def named(found, words, most=6):
    """The first of the cells, each with what words() says of it."""
    text = ", ".join(words(f) for f in found[:most])
    return text + (f" and {len(found) - most} more" if len(found) > most else "")


def bars(found):
    """The bars of time and lost work, over the cells where both kept what was asked; and first how
    many those are."""
    both = [f for f in found if f["ownKept"] and f["rivals"]]
    given = [f for f in found if f["rivals"]]
    for f in both:
        least, fastest = f["rivals"][f["least"]], f["rivals"][f["fastest"]]
        f["lostRatio"] = f["own"]["lost"] / max(least["lost"], 1e-3)
        f["timeRatio"] = f["own"]["seconds"] / fastest["seconds"]
        f["worse"] = f["own"]["lost"] > max(WORSE * least["lost"], least["lost"] + WORSE_S)
        f["dominatedBy"] = [n for n, s in f["rivals"].items() if dominated(f["own"], s)]
    missed = sorted((f for f in given if not f["ownKept"]), key=lambda f: str(f["cell"]))
    worse = sorted((f for f in both if f["worse"]), key=lambda f: -f["lostRatio"])
    slow = sorted((f for f in both if f["timeRatio"] > NEAR), key=lambda f: -f["timeRatio"])
    beaten = [f for f in both if f["dominatedBy"]]
    of = f"{len(both)} of {len(found)} cells"

    def note(some, words):
        return f"{of}; {named(some, words)}" if some else of

    return [
        bar("cells where a rival kept what was asked and the intent did not", share(missed, given),
            0, "%", note=named(missed, lambda f: f"{f['cell']} ({', '.join(list(f['rivals'])[:2])})")),
        bar(f"cells where it lost more work than {WORSE:g} times (and {1000 * WORSE_S:g} ms above) "
            f"the least of the rivals that end within {NEAR:g} of the fastest", share(worse, both), 0,
            "%", note=note(worse, lambda f: f"{f['cell']} {f['lostRatio']:.1f} x {f['least']}")),
        bar("lost work over that least, median over cells", median(f["lostRatio"] for f in both),
            GOAL, "ratio", note=of),
        bar(f"cells where it took longer than {NEAR:g} times the fastest rival", share(slow, both), 0,
            "%", note=note(slow, lambda f: f"{f['cell']} {f['timeRatio']:.2f} x {f['fastest']}")),
        bar("total time over the fastest rival's, median over cells",
            median(f["timeRatio"] for f in both), NEAR, "ratio", note=of),
        bar("cells where a rival was better by 5 % and 15 ms both in time and in lost work",
            share(beaten, both), 0, "%",
            note=note(beaten, lambda f: f"{f['cell']} by {f['dominatedBy'][0]}"))]


def line(b):
    """A bar for a terminal."""
    if b["value"] is None:
        return f"n/a    {b['bar']}: nothing to judge in these cells"
    note = f" [{b['note']}]" if b["note"] else ""
    return (f"{'met   ' if b['met'] else 'MISSED'} {b['bar']}: {b['value']:.3g} {b['unit']} "
            f"(bar {b['limit']:g}){note}")


def first_act(preset, gib):
    """Seconds after the start at which a preset's rule does its first thing; None: at once."""
    act = preset.get("firstAct")
    if not act:
        return None
    if "seconds" in act:
        return act["seconds"]
    return act["secondsPerGiB"] * max(gib, act["leastGiB"])
