# SPDX-License-Identifier: Apache-2.0
"""What the sections have in common."""


def figure(value, digits=2):
    if value is None or value != value:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.{digits}f}"


def bar_table(bars):
    """Measured beside wanted, one bar a row."""
    out = ["| bar | measured | asked for | |", "|---|---|---|---|"]
    for b in bars:
        note = f" ({b['note']})" if b.get("note") else ""
        if b["value"] is None:
            out.append(f"| {b['bar']}{note} | nothing to judge | {b['limit']:g} | |")
            continue
        sign = "≤" if b["atMost"] else "≥"
        verdict = "met" if b["met"] else "**missed**"
        out.append(f"| {b['bar']}{note} | {b['value']:.3g} {b['unit']} | {sign} {b['limit']:g} | "
                   f"{verdict} |")
    return out


def coverage(found):
    """Which cells are compared, and what became of the others."""
    text = (f"Compared are the {found['both']} of {found['cells']} cells on which both `intent` and a "
            f"rival kept what was asked. On {found['onlyRivals']} a rival kept it and `intent` did not")
    if found["lostCells"]:
        text += f" ({', '.join(map(str, found['lostCells'][:8]))}" + (
            ", ..." if found["onlyRivals"] > 8 else "") + ")"
    text += f"; on {found['onlyOwn']} only `intent` did"
    if found["ownCells"]:
        text += f" ({', '.join(map(str, found['ownCells'][:8]))})"
    return text + f"; on {found['nobody']} nobody did."
