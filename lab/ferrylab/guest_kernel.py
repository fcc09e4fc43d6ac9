# SPDX-License-Identifier: Apache-2.0
"""What guests boot: our bare image, or Debian's cloud kernel with our own init.

The kernel package is downloaded from the machine's own mirror and unpacked in
the lab's cache, never installed. Kernel and initrd are copied to the directory
that all hosts share, under names that carry a hash of their content: a guest
that moves finds the same files."""

import gzip
import hashlib
import lzma
import os
import re
import shutil
import subprocess
import tempfile

from . import base, paths
from .errors import LabError

# virtio-blk, virtio-net and what they stand on; linux/modules.c knows the order of loading.
MODULES = ("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev",
           "virtio_pci", "virtio_blk", "failover", "net_failover", "virtio_net")
KEPT = "kernel2-"  # the number is raised when MODULES changes


def _built(name):
    path = paths.build_dir() / "lab/guest" / name
    if not path.exists():
        raise LabError(f"{path} is missing: build it with `ninja -C {paths.build_dir()}`, or set "
                       "FERRY_BUILD to the build directory")
    return path


def _publish(lab, stem, data):
    """Puts data in the hosts' shared directory; its path as they see it."""
    name = f"{stem}-{hashlib.sha256(data).hexdigest()[:12]}"
    target = lab.dir / "shared" / name
    if not target.exists():
        temporary = target.with_name(f"{name}.{os.getpid()}")
        temporary.write_bytes(data)
        temporary.rename(target)
    return f"{paths.IN_SHARED}/{name}"


def _run(argv, cwd):
    result = subprocess.run(argv, cwd=cwd, text=True, stdin=subprocess.DEVNULL, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode != 0:
        raise LabError(f"`{' '.join(argv)}` failed (exit {result.returncode}); does `apt-get "
                       f"update` work? It said:\n{result.stdout.strip()[-2000:]}")
    return result.stdout


def _kernel_package():
    text = _run(["apt-cache", "depends", "linux-image-cloud-amd64"], "/")
    found = re.search(r"Depends:\s+(linux-image-\S+-cloud-amd64)", text)
    if not found:
        raise LabError("apt knows no linux-image-cloud-amd64: run `apt-get update`")
    return found[1]


def _fetch(target, package):
    """Downloads and unpacks the package; keeps the kernel and the few modules."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="tmp-kernel-") as directory:
        # apt's sandbox user can't write here, so it would only warn: fetch as root.
        _run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package], directory)
        archive = next(entry for entry in os.listdir(directory) if entry.endswith(".deb"))
        _run(["dpkg", "-x", archive, "root"], directory)
        os.mkdir(f"{directory}/kept")
        for folder, _, files in os.walk(f"{directory}/root"):
            for file in files:
                stem = file.split(".ko")[0].replace("-", "_")
                if file.startswith("vmlinuz-"):
                    shutil.copy(f"{folder}/{file}", f"{directory}/kept/vmlinuz")
                elif ".ko" in file and stem in MODULES:
                    data = open(f"{folder}/{file}", "rb").read()
                    if file.endswith(".xz"):
                        data = lzma.decompress(data)
                    elif file.endswith(".gz"):
                        data = gzip.decompress(data)
                    with open(f"{directory}/kept/{stem}.ko", "wb") as out:
                        out.write(data)
        missing = [name for name in ("vmlinuz", *(f"{m}.ko" for m in MODULES))
                   if not os.path.exists(f"{directory}/kept/{name}")]
        if "vmlinuz" in missing:
            raise LabError(f"{package} has no kernel in it")
        # A module that is missing is built into this kernel.
        os.rename(f"{directory}/kept", target)


def ensure_linux(say=lambda text: None):
    """Directory with vmlinuz and modules, fetched now if it isn't there."""
    cache = paths.cache_dir()
    known = sorted(cache.glob(f"{KEPT}*"))
    if known:
        return known[-1]
    with base.locked(cache / ".lock-kernel"):
        package = _kernel_package()
        target = cache / (KEPT + package.removeprefix("linux-image-"))
        if not target.is_dir():
            say(f"fetching {package} into {target}, once")
            _fetch(target, package)
    return target


def _cpio_entry(number, name, mode, data=b"", device=(0, 0)):
    """One file of a "newc" archive."""
    raw = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(raw), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    entry = header + raw
    entry += b"\0" * (-len(entry) % 4) + data
    return entry + b"\0" * (-len(entry) % 4)


def initrd(init, modules):
    """An initrd's bytes: init (bytes), the modules ({name: bytes}) and /dev."""
    entries = [
        ("dev", 0o040755, b"", (0, 0)),
        ("proc", 0o040755, b"", (0, 0)),
        ("dev/console", 0o020600, b"", (5, 1)),
        ("init", 0o100755, init, (0, 0)),
    ] + [(name, 0o100644, data, (0, 0)) for name, data in modules.items()]
    parts = [_cpio_entry(i + 1, *entry) for i, entry in enumerate(entries)]
    return b"".join(parts) + _cpio_entry(0, "TRAILER!!!", 0)


def prepare(lab, kernel, say=lambda text: None):
    """(kernel, initrd or None) as the hosts see them."""
    if kernel == "bare":
        return _publish(lab, "ferry-guest-bare", _built("ferry-guest-bare").read_bytes()), None
    directory = ensure_linux(say)
    modules = {f"{name}.ko": (directory / f"{name}.ko").read_bytes() for name in MODULES
               if (directory / f"{name}.ko").exists()}
    image = initrd(_built("ferry-guest-init").read_bytes(), modules)
    return (_publish(lab, "vmlinuz", (directory / "vmlinuz").read_bytes()),
            _publish(lab, "initrd", image))
