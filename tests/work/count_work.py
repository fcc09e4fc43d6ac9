#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a client sends costs what it is: each case's input is grown by ten, and the instructions that
valgrind counts must not grow by much more. The case "canary" is quadratic and must be found."""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SMALL, LARGE, MOST = 60, 600, 13


def instructions(program):
    """{(case, n): count}, from the dumps that the program asks for."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["valgrind", "--quiet", "--tool=callgrind",
                        f"--callgrind-out-file={folder}/out", program, str(SMALL), str(LARGE)],
                       check=True, env={"G_SLICE": "always-malloc"})
        counts = {}
        for path in Path(folder).iterdir():
            text = path.read_text()
            label = re.search(r"^desc: Trigger: Client Request: (\S+) (\d+)$", text, re.M)
            if label:
                total = re.search(r"^(?:summary|totals): (\d+)$", text, re.M)
                counts[label[1], int(label[2])] = int(total[1])
        return counts


def main():
    counts = instructions(sys.argv[1])
    cases = list(dict.fromkeys(case for case, _ in sorted(counts)))
    print(f"1..{len(cases)}", flush=True)
    for i, case in enumerate(cases, 1):
        small, large = counts[case, SMALL], counts[case, LARGE]
        ratio = large / max(1, small)
        ok = (ratio > MOST) == (case == "canary")
        print(f"{'' if ok else 'not '}ok {i} {case}: {small} instructions for {SMALL}, "
              f"{ratio:.1f} times as many for {LARGE}", flush=True)
    if "canary" not in cases:
        sys.exit("the program's dumps were not found")


main()
