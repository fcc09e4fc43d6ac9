# SPDX-License-Identifier: Apache-2.0
"""Rows and cells as the benches write them, for tests of how they are judged."""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

ASKED = {"maxDowntimeMs": 300, "maxDurationS": 8, "maxSlowdown": 0, "allowPostCopy": False}


def row(seconds=2.0, gap_ms=100, lost_s=None, outcome="moved", **more):
    """One migration; what it lost is its gap unless said otherwise."""
    return {"outcome": outcome, "seconds": seconds, "gap_ms": gap_ms,
            "lost_s": gap_ms / 1000 if lost_s is None else lost_s, "top_throttle": 0,
            "post_copy": False, "iterations": 3, "bytes": 1, **more}


def cell(name="medium", feasible=True, asked=None, **presets):
    """A cell for judge.compare(): each preset one row or a list of them."""
    rows = {n.replace("_", "-"): r if isinstance(r, list) else [r] for n, r in presets.items()}
    return {"name": name, "asked": {**ASKED, **(asked or {})}, "feasible": feasible, "rows": rows}
