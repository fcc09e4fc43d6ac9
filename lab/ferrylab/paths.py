# SPDX-License-Identifier: Apache-2.0
"""Names and directories of a lab. Everything a lab leaves on the machine is
below its own directory, so removing that directory removes the lab's files."""

import hashlib
import os
import re
from pathlib import Path

from .errors import LabError

REPO = Path(__file__).resolve().parents[2]

# Where the lab's directories appear inside every host.
IN_SHARED = "/var/lib/ferry-lab/shared"  # same files on all hosts
IN_LOCAL = "/var/lib/ferry-lab/local"  # this host's own disk
IN_RUN = "/run/ferry-lab"  # UNIX sockets between hosts and machine
IN_LOG = "/var/log/ferry-lab"
IN_BUILD = "/opt/ferry"  # the build directory, read-only

MAX_HOSTS = 200
FERRYD_HOST_OCTET = 254
FERRYD_AGENT_PORT = 6443


def lab_name(name=None):
    """The lab's name: the argument, else FERRY_LAB, else "ferry"."""
    name = name or os.environ.get("FERRY_LAB") or "ferry"
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", name):
        raise LabError(
            f"lab name {name!r} (FERRY_LAB) is not usable: expected 1 to 32 lower-case "
            "letters, digits and inner dashes"
        )
    return name


def labs_root():
    return Path("/var/tmp/ferry-lab")


def lab_dir(name):
    return labs_root() / name


def cache_dir():
    return Path(os.environ.get("FERRY_LAB_CACHE") or "/var/cache/ferry-lab")


def build_dir():
    return Path(os.environ.get("FERRY_BUILD") or REPO / "build").absolute()


def subnets(name):
    """(management, migration) as "10.a.b" prefixes of /24 networks. They live in
    the lab's own network namespaces, so they can't collide with the machine's;
    being different per lab only makes captures and logs easier to read."""
    digest = hashlib.sha256(name.encode()).digest()
    second = 64 + digest[0] % 64
    return f"10.{second}.{digest[1]}", f"10.{second + 64}.{digest[1]}"


def host_name(index):
    """Name of the host with this index, counted from 1."""
    return f"h{index}"
