# SPDX-License-Identifier: Apache-2.0
"""What is asked of the intent on simulated guests beside the bars of judge.py: saying in time that
nothing will do, its forecast, and how near it comes to what is possible."""
import judge

from .run import TICK_MS, as_cell


FEW = 30  # of fewer a share is chance


def doubts_off(rows):
    """How far the probabilities that were named are from how often the intent was not kept then, in
    points: of the statement that is farther off."""
    named = {}
    for _, row, found in rows:
        named.setdefault(row["doubtPercent"], []).append(not found["ownKept"])
    return max((abs(percent - judge.share([x for x in missed if x], missed))
                for percent, missed in named.items() if len(missed) >= FEW), default=float("nan"))


def own_bars(raws, found, own):
    """Bars that need no rival. `raws`: the simulator's cells, in the order of `found`."""
    rows = [(raw, raw["presets"][own], f) for raw, f in zip(raws, found)]
    feasible = [x for x in rows if x[2]["feasible"]]
    hopeless = [x for x in rows if not x[2]["feasible"] and not x[2]["ownKept"]]
    said = [x for x in feasible if "notedRounds" in x[1]]
    in_two = [x for x in hopeless if x[1].get("notedRounds", 99) <= 2 or
              x[1].get("doubtedRounds", 99) <= 2 or x[1]["outcome"] == "gave up" and x[1]["iterations"] - 1 <= 2]
    doubts = [x for x in rows if "doubtPercent" in x[1]]
    idle = [row["gap_ms"] / 1000 / raw["eps"] for raw, row, _ in rows
            if raw["pattern"] == "idle" and row["outcome"] == "moved" and
            raw["path"] in ("steady", "capped")]
    kept = [(raw, row) for raw, row, f in rows if f["ownKept"]]
    error = [abs(row["forecast_s"] / row["seconds"] - 1) for _, row in kept if row.get("forecast_s")]
    return [
        judge.bar("feasible cells within what was asked",
                  judge.share([x for x in feasible if x[2]["ownKept"]], feasible), 99, "%", False,
                  f"{len(feasible)} cells that fixed limits with hindsight or a rival kept"),
        judge.bar("infeasible cells told so within two rounds", judge.share(in_two, hopeless), 98, "%",
                  False, f"{len(hopeless)} cells"),
        judge.bar("feasible cells told that nothing will do, for a while",
                  judge.share(said, feasible), 3, "%"),
        judge.bar("doubts: the probability they are worded with, and how often the intent was not kept",
                  doubts_off(doubts), 10, "points", note=f"{len(doubts)} cells"),
        judge.bar("idle guest's pause over the cost of the switch-over, worst",
                  max(idle, default=float("nan")), 1.3, "ratio", note=f"{len(idle)} cells"),
        judge.bar("total time over the physical bound, median",
                  judge.median(row["seconds"] / raw["bound"] for raw, row in kept), 1.25, "ratio"),
        judge.bar("first plan's error of total time, median", 100 * judge.median(error), 4, "%",
                  note=f"{len(error)} of {len(kept)} migrations had a plan"),
        judge.bar("first plan's error of total time, 90th percentile",
                  100 * judge.percentile(error, .9), 12, "%")]


def judged(raws, own):
    """Coverage and all bars over these cells."""
    found = judge.compare([as_cell(r) for r in raws], TICK_MS, own)
    bars = judge.bars(found) + own_bars(raws, found, own)
    return {"coverage": judge.coverage(found), "bars": bars}


def uncompressed(raws, own, presets):
    """The bars beside the rivals that do not compress: a look at a part, not what is judged."""
    plain = {n for n, p in presets.items() if not p.get("compression")}
    found = judge.compare([as_cell(r) for r in raws], TICK_MS, own, plain)
    return {"coverage": judge.coverage(found), "bars": judge.bars(found)}


def table(raws, presets):
    """A row for each preset, over all cells."""
    cells = [as_cell(r) for r in raws]
    found = judge.compare(cells, TICK_MS)
    rows = []
    for name in raws[0]["presets"]:
        mine = [(raw, cell, f, raw["presets"][name]) for raw, cell, f in zip(raws, cells, found)]
        kept = [judge.keeps(cell["asked"], row, TICK_MS) for _, cell, _, row in mine]
        moved = [(raw, row) for raw, _, _, row in mine if row["outcome"] == "moved"]
        possible = [k for k, (_, _, f, _) in zip(kept, mine) if f["feasible"]]
        acts = [judge.first_act(presets.get(name, {}), raw["memory"] / 2**30) for raw in raws]
        could = [not raw["asked"]["maxDurationS"] or not at or at < raw["asked"]["maxDurationS"]
                 for raw, at in zip(raws, acts)]
        rows.append({
            "preset": name, "kept %": judge.share([k for k in possible if k], possible),
            "could act %": judge.share([c for c in could if c], could),
            "moved %": judge.share(moved, mine),
            "time/bound": judge.median(row["seconds"] / raw["bound"] for raw, row in moved),
            "p90": judge.percentile([row["seconds"] / raw["bound"] for raw, row in moved], .9),
            "gap ms": judge.median(row["gap_ms"] for _, row in moved),
            "gap p90": judge.percentile([row["gap_ms"] for _, row in moved], .9),
            "lost s": judge.median(judge.lost(row) for _, row in moved),
            "throttled %": judge.share([1 for _, _, _, row in mine if row["top_throttle"]], mine)})
    return rows


def kinds(raws, own):
    """Coverage and the bars by the guest's pattern and by its path."""
    out = []
    for key in ("pattern", "path"):
        for value in sorted({r[key] for r in raws}):
            part = judged([r for r in raws if r[key] == value], own)
            out.append({"kind": value, "by": key, **part})
    return out


def gallery(raws):
    """Cells for pictures, by a rule and not by hand: of each pattern the first on a steady link, of
    each other path the first of a uniform writer, that a rival kept."""
    cells = [as_cell(r) for r in raws]
    found = judge.compare(cells, TICK_MS)
    chosen = {}
    for raw, f in zip(raws, found):
        steady = raw["path"] == "steady"
        if f["rivals"] and raw["pattern"] != "idle" and (steady or raw["pattern"] == "uniform"):
            chosen.setdefault((raw["pattern"], raw["path"]), raw)
    return list(chosen.values())
