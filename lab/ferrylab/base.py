# SPDX-License-Identifier: Apache-2.0
"""The hosts' root filesystems: cached, read-only Debians made by mmdebstrap.

Theory of operation. There is one tree for each of SUITES, two generations of
libvirt and QEMU, so that a lab can mix them. QEMU 7.2 of Debian 12 corrupts
Linux guests in live pre-copy under TCG, so hosts are Debian 13 unless another
is asked for, whatever the machine runs. A tree is made from the mirror that the
machine's own apt sources name, read at run time. It is built under a temporary name and renamed when complete, under a
lock, so that an interrupted build is never mistaken for a base and two labs
don't build it at once. Its name carries a hash of what went into it. Hosts
mount it as an overlay's lower layer and never write to it.

A second, small lower layer ("warm") holds libvirt's QEMU capability cache,
which depends on the machine's kernel and KVM and is therefore made apart."""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import paths
from .errors import LabError

SUITE = "trixie"  # where nothing else is asked for
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_COMMON = """
    libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-clients
    qemu-system-x86 qemu-utils iproute2 procps socat avahi-daemon openssh-server
    libjansson4 libsystemd0 libvirt0 libyaml-0-2 libsmartcols1 libsqlite3-0
    libavahi-client3 libavahi-glib1 libxml2
""".split()
# Suite: packages. What ferryd and the agent link with is named there as that suite has it.
SUITES = {
    "trixie": _COMMON  # libvirt 11.3, QEMU 10.0
    + "libglib2.0-0t64 libcurl3t64-gnutls libgnutls30t64 libmicrohttpd12t64 "
    "librhonabwy1.1t64 qemu-system-modules-spice".split(),
    "bookworm": _COMMON  # libvirt 9.0, QEMU 7.2
    + "libglib2.0-0 libcurl3-gnutls libgnutls30 libmicrohttpd12 librhonabwy1.1".split(),
}
RECIPE = 1  # raise it when the way the base is made changes

# Not needed by a host: keeps the base small.
EXCLUDE = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"]


def _os_release():
    values = {}
    for line in Path("/etc/os-release").read_text().splitlines():
        key, _, value = line.partition("=")
        values[key] = value.strip('"')
    return values


def _deb822_sources(text):
    """Yields (uri, suites, components) of each enabled stanza's "deb" URIs."""
    for stanza in re.split(r"\n\s*\n", text):
        fields, key = {}, None
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in " \t" and key:
                fields[key] += " " + line.strip()
            elif ":" in line:
                key, _, value = line.partition(":")
                key = key.strip().lower()
                fields[key] = value.strip()
        if "deb" not in fields.get("types", "").split():
            continue
        if fields.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        for uri in fields.get("uris", "").split():
            yield uri, fields.get("suites", "").split(), fields.get("components", "").split()


def _oneline_sources(text):
    """The same of the one-line form: deb [options] URI SUITE COMPONENT..."""
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)\s*([^#]*)", line)
        if match:
            yield match[1], [match[2]], match[3].split()


def machine_mirror(etc_apt=Path("/etc/apt"), codename=None):
    """URI of the mirror that serves the machine's own release.

    Third-party sources have other suites or no "main"; the security archive
    has the suite NAME-security. So the first exact match is Debian's."""
    codename = codename or _os_release().get("VERSION_CODENAME", "bookworm")
    wanted = {codename, "stable", "testing", "oldstable"}
    files = [etc_apt / "sources.list"]
    with contextlib.suppress(OSError):
        files += sorted((etc_apt / "sources.list.d").iterdir())
    for file in files:
        try:
            text = file.read_text()
        except OSError:
            continue
        parse = _deb822_sources if file.suffix == ".sources" else _oneline_sources
        for uri, suites, components in parse(text):
            if wanted & set(suites) and "main" in components:
                return uri
    raise LabError(
        f"no apt source for Debian {codename} main found below {etc_apt}: the lab makes its "
        "hosts from that mirror; add one and run apt-get update"
    )


def check_suite(suite):
    """LabError unless hosts can be of this suite."""
    if suite not in SUITES:
        raise LabError(f"no hosts of Debian {suite!r}: expected one of {', '.join(SUITES)}")


def base_path(suite=SUITE):
    """Where the base of this suite is, or would be."""
    digest = hashlib.sha256(
        "\n".join([suite, str(RECIPE), *sorted(SUITES[suite]), *EXCLUDE]).encode()
    ).hexdigest()
    return paths.cache_dir() / f"base-{suite}-{digest[:12]}"


@contextlib.contextmanager
def locked(path):
    """Holds an exclusive flock on path for as long as the block runs. The block may
    remove the file: whoever waited for it then notices and takes the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with open(path, "w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                current = os.path.samestat(os.fstat(file.fileno()), path.stat())
            except FileNotFoundError:
                current = False
            if current:
                yield
                return


def _remove_abandoned(cache):
    """Removes half-made trees; the caller holds the lock, so nobody makes one."""
    for entry in cache.glob("tmp-*"):
        shutil.rmtree(entry, ignore_errors=True)


def ensure(say=lambda text: None, suite=SUITE):
    """Path of the suite's base, built now if it isn't there. Takes a minute then."""
    check_suite(suite)
    target = base_path(suite)
    if target.is_dir():
        return target
    with locked(paths.cache_dir() / ".lock"):
        if target.is_dir():  # another lab made it while we waited
            return target
        _remove_abandoned(paths.cache_dir())
        if not shutil.which("mmdebstrap"):
            raise LabError("mmdebstrap is missing: apt-get install mmdebstrap (or: make deps)")
        say(f"making the hosts' Debian ({suite}) in {target}, once")
        temporary = Path(tempfile.mkdtemp(prefix="tmp-", dir=paths.cache_dir()))
        try:
            _mmdebstrap(temporary / "root", suite)
            _strip(temporary / "root")
            os.rename(temporary / "root", target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return target


def _mmdebstrap(root, suite):
    source = f"deb [signed-by={KEYRING}] {machine_mirror()} {suite} main"
    argv = ["mmdebstrap", "--variant=minbase", "--mode=root", "--include=" + ",".join(SUITES[suite])]
    argv += [f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDE]
    argv += ["--aptopt=Acquire::Languages \"none\"", suite, str(root), source]
    result = subprocess.run(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False, env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"),
    )
    if result.returncode != 0:
        tail = "\n".join(result.stdout.splitlines()[-15:])
        raise LabError(
            f"mmdebstrap could not make {suite} from the machine's mirror (exit "
            f"{result.returncode}); does `apt-get update` work? Its last lines:\n{tail}"
        )


def _strip(root):
    """Removes what must not be shared by hosts or name the machine's mirror."""
    for name in ("etc/apt/sources.list", "etc/machine-id", "var/lib/dbus/machine-id",
                 "etc/hostname", "etc/resolv.conf"):
        with contextlib.suppress(FileNotFoundError):
            (root / name).unlink()
    for key in (root / "etc/ssh").glob("ssh_host_*"):  # each host that wants some makes its own
        key.unlink()
    # No default network: it would want dnsmasq and firewall rules.
    shutil.rmtree(root / "etc/libvirt/qemu/networks", ignore_errors=True)
    for directory in ("opt/ferry", "var/lib/ferry-lab", "var/log/ferry-lab"):
        (root / directory).mkdir(parents=True, exist_ok=True)
