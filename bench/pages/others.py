# SPDX-License-Identifier: Apache-2.0
"""The other sections of docs/performance.md: the simulation beside real hosts, what Ferry costs, a
drain at scale, hostile clients."""
import provenance


def calibration(kept):
    return ["", "## The simulation beside real hosts", "",
            f"{provenance.sentence('calibration.json', kept)} The same cells and presets, real and "
            "simulated. Two constants "
            "come from the real idle guest (a start costs "
            f"{kept['startSeconds']:.2f} s, a switch-over {1000 * kept['switchoverSeconds']:.0f} ms); "
            "all other cells are predicted.", "",
            "| | median | 90th percentile | bar (median) | |", "|---|---|---|---|---|",
            *[f"| error of {what} | {100 * kept[key + 'Median']:.1f} % | "
              f"{100 * kept[key + 'P90']:.0f} % | {kept['bar']} % | "
              f"{'met' if 100 * kept[key + 'Median'] <= kept['bar'] else '**missed**'} |"
              for what, key in (("total time", "timeError"), ("the pause", "pauseError"))],
            "", f"Both moved the guest, or both did not, in {kept['agree']} of {kept['pairs']} "
            "pairs of cell and preset."]


def overhead(kept):
    out = ["", "## What Ferry costs", "",
           f"{provenance.sentence('overhead.json', kept)} An idle 256 MiB guest, {kept['pairs']} times "
           "each, in turns; medians.", "", "| | wall clock s | pause ms |", "|---|---|---|"]
    out += [f"| {who} | {wall:.3f} | {pause:.1f} |"
            for who, (wall, pause) in kept["medians"].items()]
    out += ["", "| like beside like | wall clock | pause |", "|---|---|---|"]
    out += [f"| {label} | {r['wall']:.3f} | {r['pause']:.3f} |"
            for label, r in kept["ratios"].items()]
    if "secondsEach" in kept:
        agents = [v for k, v in kept["residentMiB"].items() if k.startswith("agent")]
        each = ", ".join(f"{n} {1000 * v:.0f} ms ({kept['migratingPercent'][n]:.1f} % of a core)"
                         for n, v in kept["secondsEach"].items())
        return out + ["", f"The largest agent held {max(agents):.1f} MiB, ferryd "
                      f"{kept['residentMiB']['ferryd']:.1f} MiB. Processor time of each migration, from "
                      f"the start of `ferry migrate` to its end: {each}."]
    agents = [v[1] for k, v in kept["migrating"].items() if k.startswith("agent")]
    return out + ["", f"The largest agent held {max(agents):.1f} MiB, ferryd "
                  f"{kept['migrating']['ferryd'][1]:.1f} MiB. In this run the start of the lab's own tool, "
                  f"{kept['ferry_lab_start_s']:.2f} s, was taken off virsh's wall clock, and no processor "
                  "time was measured for the migrations alone."]


def scale(kept):
    return ["", "## A drain at scale", "",
            f"{provenance.sentence('scale.json', kept)} A real ferryd and the agents of {kept['hosts']} simulated hosts; "
            f"{kept['vms']} VMs leave one host, {kept['outbound']} at a time, in a world that runs "
            f"{kept['speed']} times as fast over {kept['linkMbps'] / 1000:g} Gbit/s.", "",
            "| | |", "|---|---|",
            f"| all have left after | {kept['makespanSeconds']:.1f} s |",
            f"| the links alone would take | {kept['leastSeconds']:.1f} s |",
            f"| what each migration costs beside | {kept['perMigrationOverheadMs']:.0f} ms |",
            f"| ferryd's processor time | {kept['ferrydCpuSeconds']:.1f} s |",
            f"| ferryd's memory | {kept['ferrydMiB']:.0f} MiB |"]


def milliseconds(series, key):
    if series["failed"] or series.get(key) is None:
        return f"not answered ({series['failed']} of {series['n']} failed)"
    return f"{series[key]:.1f}"


def hostile(kept):
    out = ["", "## Beside hostile clients", "",
           f"{provenance.sentence('hostile.json', kept)} "
           f"{kept['silentPerAddress']} silent connections from each of {kept['addresses']} addresses, "
           f"{kept['watches']} watches that are never read and {kept['listers']} clients that list "
           f"{kept['objects']} objects in a loop, beside the same ferryd without them, in turns. All run "
           f"on this machine, whose load was {kept['loadBefore']:g} before. Milliseconds.", "",
           "| | p50 without | p99 without | p50 with | p99 with | bar |", "|---|---|---|---|---|---|"]
    for name, title in (("get", "a small GET"), ("getNewConnection", "the same on a new connection"),
                        ("cancel", "a cancel")):
        quiet, loud = kept["quiet"][name], kept["hostile"][name]
        met = not loud["failed"] and loud.get("p99Ms", 1e9) < kept["barMs"] and (
            loud["p99Ms"] <= kept["barRatio"] * quiet["p99Ms"])
        bar = "" if name == "getNewConnection" else "met" if met else "**missed**"
        out.append(f"| {title} | {milliseconds(quiet, 'p50Ms')} | {milliseconds(quiet, 'p99Ms')} | "
                   f"{milliseconds(loud, 'p50Ms')} | {milliseconds(loud, 'p99Ms')} | {bar} |")
    return out + ["", f"The bar: at most {kept['barRatio']:g} times and under {kept['barMs']:g} ms."]
