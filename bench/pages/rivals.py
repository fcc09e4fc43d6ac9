# SPDX-License-Identifier: Apache-2.0
"""Who the rivals are: what each uses, where its rule was read, when it first does something."""


def first_act(preset):
    act = preset.get("firstAct", {})
    if "seconds" in act:
        return f"{act['seconds']:g} s"
    if not act:
        return ""
    least = act["leastGiB"] * act["secondsPerGiB"]
    return f"{act['secondsPerGiB']:g} s per GiB, at least {least:g} s"


def means(preset):
    words = [w for key, w in (("autoConverge", "auto-converge"), ("postCopy", "post-copy"))
             if preset.get(key)]
    words += [preset["compression"]] if preset.get("compression") else []
    words += [f"{preset['connections']} connections"] if preset.get("connections") else []
    return ", ".join(words)


def section(presets):
    out = ["", "## The rivals", "",
           "A rival is whoever kept what was asked, whatever means it used; the means stand beside it. "
           "Lost work is one number everywhere: the seconds of work that the guest did not do because it "
           "was moved, its pause and every slow-down as it really acted. A throttle that took nothing "
           "from the guest is no slow-down. The rules are `bench/judge.py`, for real guests and simulated "
           "ones. Each rival plays by its original's rule with the original's defaults, gets post-copy where "
           "`intent` gets it, and `intent` gets Ferry's defaults: `allowMonitorCommands` is off, so it "
           "cannot throttle.", "",
           "| preset | uses | does its first thing after | rule read in | version |",
           "|---|---|---|---|---|"]
    out += [f"| `{p['name']}` | {means(p)} | {first_act(p)} | {p['project']}: {p['file']} | "
            f"{p['version']} |" for p in presets.values() if p.get("project")]
    return out
