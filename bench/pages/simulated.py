# SPDX-License-Identifier: Apache-2.0
"""The section of docs/performance.md on simulated guests."""
import provenance

from .words import bar_table, coverage, figure

NAME = "convergence-sim.json"
OWN = "intent"
TEXT = """
## Simulated

{made}

{cells} guests, links and wishes, every preset on each, QEMU's rules on a virtual clock: guests of 1 to 4
GiB that write in every way, links that hold, halve, are shared, lose packets or are capped. {fixed} of
them are the same at each run, {drawn} are drawn from seed {seed}. Half of the wishes have no duration:
there each rule can run to its own end. The controller knows what it knows in production: nothing of
what a switch-over costs, of the link nothing, what the card is called, or what an earlier migration
carried. What compression gains is drawn for each guest (zstd 1 to 3.6 times; xbzrle, of pages that its 64
MiB still hold, 0.95 to 8 times), and how many processors have nothing to do on the busier host (0.5 to 8).
zstd takes a processor for each 300 to 700 MiB/s of memory: free as long as they are to spare, then shared
with the guest, whose time that is, whoever asked for it. `intent` knows of the processors, not of the gain,
and takes no time for it from the guest. Several connections gain nothing, as a link is what one carries,
and exclude post-copy, as before QEMU 10.1.

{cover}
"""


def _beside(title, parts):
    """The same bars of several parts side by side."""
    names = list(parts)
    out = ["", title, "", "| bar | asked for | " + " | ".join(names) + " |",
           "|---|---|" + "---|" * len(names)]
    for i, b in enumerate(parts[names[0]]["bars"]):
        row = [parts[n]["bars"][i] for n in names]
        cells = [("-" if x["value"] is None else figure(x["value"])) +
                 ("" if x["met"] in (True, None) else " **missed**") for x in row]
        out.append(f"| {b['bar']} | {'≤' if b['atMost'] else '≥'} {b['limit']:g} {b['unit']} | "
                   + " | ".join(cells) + " |")
    cover = [f"{p['coverage']['both']} of {p['coverage']['cells']}" for p in parts.values()]
    return [*out, "| cells compared | | " + " | ".join(cover) + " |"]


def section(kept):
    own = kept["judged"][OWN]
    out = [TEXT.format(made=provenance.sentence(NAME, kept), cells=kept["cells"],
                       fixed=kept["fixed"]["cells"], drawn=kept["drawn"]["cells"],
                       seed=kept["drawn"]["seed"], cover=coverage(own["all"]["coverage"]))]
    out += bar_table(own["all"]["bars"])
    out += _beside("The half that is the same at each run beside the one that was drawn:",
                   {"fixed": own["fixed"], "drawn": own["drawn"]})
    out += _beside("Beside the rivals that do not compress only, which is no bar:",
                   {"uncompressed rivals": own["uncompressed"]})
    out += _beside("With what is off by default or comes with time: the dirty rate measured for a second before "
                   "(`dirtyRateSeconds: 1`, that second not counted), what one earlier move of the VM "
                   "taught, and the throttle set through QEMU's monitor (`allowMonitorCommands`):",
                   {f"`{n}`": p["all"] for n, p in kept["judged"].items()})
    for key, title in (("pattern", "By the guest's way of writing:"), ("path", "By the path:")):
        out += _beside(title, {k["kind"]: k for k in kept["kinds"] if k["by"] == key})
    keys = list(kept["table"][0])
    out += ["", "Every preset over all cells (kept: of the feasible ones; could act: the duration that "
            "was asked for lets its rule do its first thing):", "",
            "| " + " | ".join(keys) + " |", "|" + "---|" * len(keys)]
    return out + ["| " + " | ".join(f"`{r[k]}`" if isinstance(r[k], str) else figure(r[k])
                                    for k in keys) + " |" for r in kept["table"]]
