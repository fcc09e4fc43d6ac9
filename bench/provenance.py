# SPDX-License-Identifier: Apache-2.0
"""What made a result: revision, machine, versions and command, and which code it judges, so that
a document can tell whether its figures are of the code as it is now.

The code is known by a digest of its files' contents, not by a revision: a commit that does not touch
it leaves its figures valid."""
import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CODE = {".c", ".h", ".py", ".build", ""}
SIMULATOR = ("src/convergence", "src/host/sim", "sim/bench.c", "sim/cells.c", "sim/judged.c",
             "sim/migration.c", "bench/judge.py", "bench/simulated")
DRIVEN = ("src/convergence", "src/agent", "src/host", "bench/real")
WHOLE = ("src",)
# what each file in bench/results judges
JUDGES = {"convergence-sim.json": SIMULATOR, "convergence.json": DRIVEN,
          "calibration.json": (*SIMULATOR[:-2], *DRIVEN[1:]), "overhead.json": WHOLE,
          "scale.json": WHOLE, "hostile.json": WHOLE}


def digest(path):
    """Of the code under `path`, a file or a folder of the project."""
    at, out = ROOT / path, hashlib.sha256()
    files = [at] if at.is_file() else sorted(f for f in at.rglob("*") if f.is_file())
    for file in files:
        if file.suffix in CODE and "__pycache__" not in file.parts:
            out.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return out.hexdigest()[:16]


def stale(name, program):
    """A source of the code that the result file `name` judges which is newer than the program that
    is to make it, or None: what was built before is another code than the digest says."""
    built = Path(program).stat().st_mtime
    for path in JUDGES[name]:
        at = ROOT / path
        for file in [at] if at.is_file() else at.rglob("*"):
            if file.suffix in (".c", ".h") and file.stat().st_mtime > built:
                return str(file.relative_to(ROOT))
    return None


def revision():
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, check=False)
    return done.stdout.strip()


def machine():
    model = next((line.split(":", 1)[1].strip() for line in
                  Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.processor())
    return f"{os.cpu_count()} x {model}, Linux {platform.release()}"


def version(tool):
    """The first line of what a tool says of its version; "" where it is not there."""
    if not shutil.which(tool):
        return ""
    done = subprocess.run([tool, "--version"], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    return (done.stdout.splitlines() or [""])[0].strip()


def made(name, command, tools=("qemu-system-x86_64", "libvirtd")):
    """The fields that the result file `name` begins with."""
    versions = {t: version(t) for t in tools}
    return {"command": command, "revision": revision(), "machine": machine(),
            "versions": {t: v for t, v in versions.items() if v},
            "code": {path: digest(path) for path in JUDGES[name]}}


def changed(name, kept):
    """Which of the code that the file judges is another now; None: the file does not say what it
    was."""
    code = kept.get("code")
    if not code:
        return None
    return [path for path in JUDGES[name] if code.get(path) != digest(path)]


def sentence(name, kept):
    """What a document says beside the figures of a result file."""
    versions = ", ".join(kept.get("versions", {}).values())
    where = f" on {kept['machine']}" if "machine" in kept else ""
    where += f" ({versions})" if versions else ""
    by = f"`{kept['command']}`" if "command" in kept else "A run"
    if "revision" in kept:
        by += f" at {kept['revision']}"
    other = changed(name, kept)
    if other is None:
        return (f"{by}{where}. **These figures are older than the code that they speak of**: the "
                f"file `bench/results/{name}` does not say which code made it.")
    if other:
        return (f"{by}{where}. **These figures are of an older revision**: changed since in "
                f"{', '.join(f'`{p}`' for p in other)}.")
    return f"{by}{where}."
