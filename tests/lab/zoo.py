# SPDX-License-Identifier: Apache-2.0
"""The zoo: definitions of domains, one file each in tests/zoo (its README says how one is written).
Which of them a run takes says FERRY_ZOO: "all", or names and patterns with spaces between them;
without it those that say always="yes"."""
import fnmatch
import os
from xml.etree import ElementTree

from labtest import ROOT  # before the lab, whose path it sets
from ferrylab.paths import IN_LOCAL, IN_SHARED

FOLDER = ROOT / "tests" / "zoo"


class Animal:
    def __init__(self, path):
        root = ElementTree.fromstring(path.read_text())
        self.name = path.stem
        self.always = root.get("always") == "yes"
        self.persistent = root.get("transient") != "yes"
        self.refused = root.get("refused")  # part of what check says
        self.warns = root.get("warns")  # part of what check says where it allows it
        self.changes = root.get("changes")  # what the event says
        self.checkpoints = (root.get("checkpoints") or "").split()
        self.make = [self._filled(e.text) for e in root.findall("make")]
        self.after = [self._filled(e.text).split() for e in root.findall("after")]
        self.overlay = self._filled(ElementTree.tostring(root.find("domain"), encoding="unicode"))

    def _filled(self, text):
        for word, value in (("name", self.name), ("shared", IN_SHARED), ("local", IN_LOCAL)):
            text = text.replace("{%s}" % word, value)
        return text

    def guest(self):
        return {"name": self.name, "kernel": "bare", "memory": 32, "vcpus": 1, "rate": 1.0,
                "working_set": 4, "pattern": "uniform", "disk": "none", "labels": {},
                "namespace": "default", "persistent": self.persistent, "overlay": self.overlay}


def animals():
    every = [Animal(path) for path in sorted(FOLDER.glob("*.xml"))]
    wanted = os.environ.get("FERRY_ZOO", "").split()
    if not wanted:
        return [a for a in every if a.always]
    if wanted == ["all"]:
        return every
    chosen = [a for a in every if any(fnmatch.fnmatch(a.name, w) for w in wanted)]
    if not chosen:
        raise ValueError(f"FERRY_ZOO={' '.join(wanted)}: there is no such definition in {FOLDER}")
    return chosen
