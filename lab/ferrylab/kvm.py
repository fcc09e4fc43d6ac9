# SPDX-License-Identifier: Apache-2.0
"""Is KVM usable? Only a guest that really runs under it is a yes."""

import contextlib
import subprocess
from pathlib import Path

from . import paths, proc


def usable():
    """True if a probe guest ran under KVM. Remembered until the next boot."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    known = paths.cache_dir() / f"kvm-{boot}"
    with contextlib.suppress(OSError):
        return known.read_text().strip() == "yes"
    answer = False
    if Path("/dev/kvm").exists():
        with contextlib.suppress(subprocess.TimeoutExpired):
            probe = subprocess.run([proc.init_program("ferry-lab-kvm-probe")], timeout=10,
                                   stderr=subprocess.DEVNULL, check=False)
            answer = probe.returncode == 0
    known.parent.mkdir(parents=True, exist_ok=True)
    for old in known.parent.glob("kvm-*"):
        old.unlink(missing_ok=True)
    known.write_text("yes\n" if answer else "no\n")
    return answer
