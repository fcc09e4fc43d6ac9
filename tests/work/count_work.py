#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a client sends costs what it is: each case's input is grown by ten, and the instructions that
valgrind counts must not grow by much more. The case "canary" is quadratic and must be found."""
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

SMALL, LARGE, MOST = 60, 600, 13


def instructions(program, case, n):
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                           program, case, str(n)], stderr=subprocess.PIPE, text=True, check=True,
                          env={"G_SLICE": "always-malloc"})
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def main():
    program = sys.argv[1]
    cases = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    with ThreadPoolExecutor(2) as pool:
        counts = {(c, n): pool.submit(instructions, program, c, n)
                  for c in cases for n in (SMALL, LARGE)}
        nothing = instructions(program, "none", 0)
    print(f"1..{len(cases)}", flush=True)
    for i, case in enumerate(cases, 1):
        small, large = (counts[case, n].result() - nothing for n in (SMALL, LARGE))
        ratio = large / max(1, small)
        ok = (ratio > MOST) == (case == "canary")
        print(f"{'' if ok else 'not '}ok {i} {case}: {small} instructions for {SMALL}, "
              f"{ratio:.1f} times as many for {LARGE}", flush=True)


main()
