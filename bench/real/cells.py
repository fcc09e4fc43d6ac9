# SPDX-License-Identifier: Apache-2.0
"""The grid of real guests: which guest, which link, what is asked for.

Sizes in MiB, rates in MiB/s, links as the lab writes them. A cell is small, because two cores carry
QEMU twice under emulation: the bare guest fills its working set and writes it by its pattern; the
rest of its memory is zero. What is asked of a cell is what rivals are measured by (judge.py).

length_s says how long a migration may take before it is cut off, and with that what each rule could
do there at all: the short cells end before Nova's first step, the long ones do not."""
from dataclasses import dataclass, fields

LINK_SHARE = 1448 / 1514  # payload of a full Ethernet frame as the lab's shaper counts it
BITS = {"400mbit": 400e6, "1gbit": 1e9, "2gbit": 2e9}


@dataclass(frozen=True)
class Cell:
    name: str
    rate: float
    working_set: int
    pattern: str
    max_downtime_ms: int
    max_duration_s: float = 8  # 0: whenever
    length_s: float = 9
    max_slowdown: int = 0
    post_copy: bool = False
    feasible: bool = True
    link: str = "1gbit"
    cap_mib: int = 0
    memory: int = 256

    @property
    def payload(self):
        """Bytes of memory a second that the link carries."""
        return BITS[self.link] / 8 * LINK_SHARE

    def intent(self):
        """The intent of a migration's spec."""
        wish = {"maxDowntimeMs": self.max_downtime_ms, "allowPostCopy": self.post_copy,
                "maxSlowdown": self.max_slowdown}
        if self.max_duration_s:
            wish["maxDuration"] = f"{self.max_duration_s:g}s"
        return wish

    def asked(self):
        """The same for judge.py."""
        return {"maxDowntimeMs": self.max_downtime_ms, "maxDurationS": self.max_duration_s,
                "maxSlowdown": self.max_slowdown, "allowPostCopy": self.post_copy}


CELLS = (
    Cell("idle", 0, 160, "idle", 300),
    Cell("light", 20, 96, "uniform", 300),
    Cell("medium", 60, 96, "uniform", 300),
    Cell("cyclic", 60, 128, "cyclic", 400),
    Cell("skewed", 100, 128, "skewed", 400),
    Cell("slow-link", 20, 64, "uniform", 500, link="400mbit"),
    Cell("capped", 30, 64, "uniform", 300, cap_mib=64),
    Cell("heavy", 150, 128, "uniform", 600),
    Cell("throttle", 150, 128, "uniform", 250, max_slowdown=60),
    Cell("post-copy", 300, 128, "uniform", 1300, max_slowdown=30, post_copy=True),
    Cell("infeasible", 300, 128, "uniform", 250, feasible=False),
    # in these the ramps can be climbed: oVirt's looks, VEP 291's and Nova's steps, VEP 248's window
    Cell("patient", 150, 128, "uniform", 450, max_duration_s=0, length_s=240),
    Cell("patient-slow-link", 60, 96, "uniform", 500, max_duration_s=0, length_s=240,
         link="400mbit"),
)


def named(names):
    """The cells of these names, in their order; ValueError for one that is not there."""
    known = {cell.name: cell for cell in CELLS}
    missing = [n for n in names if n not in known]
    if missing:
        raise ValueError(f"no cell {', '.join(missing)}: there are {', '.join(known)}")
    return [known[n] for n in names]


def of_file(kept):
    """The cells of a result file, as they were when it was made."""
    known = {f.name for f in fields(Cell)}
    cells = []
    for entry in kept["grid"]:
        given = {k: v for k, v in entry.items() if k in known}
        if "length_s" not in given:  # of a file that says it once for all
            given["length_s"] = given["max_duration_s"] + kept["cutOffS"]
        cells.append(Cell(**given))
    return cells
