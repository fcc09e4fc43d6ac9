# SPDX-License-Identifier: Apache-2.0
"""Runs the simulator (ferry-sim-bench) and brings its lines into the shape that judge.py takes."""
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import judge

CHUNK = 50
TICK_MS = 5  # what a simulated pause is measured to
SEEDS = 1 << 31


def output(program, *args):
    done = subprocess.run([program, *map(str, args)], text=True, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"{program} {' '.join(map(str, args))} ended with status {done.returncode}: "
                 f"{done.stderr}")
    return done.stdout


def presets(program):
    """What the simulator knows of each preset, by name."""
    return {p["name"]: p for p in json.loads(output(program, "--presets"))}


def simulate(program, first, count, jobs):
    def one(start):
        n = min(CHUNK, first + count - start)
        return [json.loads(line) for line in output(program, start, n).splitlines()]

    with ThreadPoolExecutor(jobs) as pool:
        return [cell for part in pool.map(one, range(first, first + count, CHUNK)) for cell in part]


def as_cell(raw):
    """For judge.compare(): feasible is what fixed limits and throttles, chosen with hindsight, did."""
    return {"name": raw["cell"], "asked": raw["asked"],
            "rows": {n: [row] for n, row in raw["presets"].items()},
            "feasible": any(judge.keeps(raw["asked"], r, TICK_MS) for r in raw["hindsight"])}
