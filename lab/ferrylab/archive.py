# SPDX-License-Identifier: Apache-2.0
"""Packages of any Debian release, unpacked somewhere, from the machine's own mirror.

apt runs with a configuration and a state of its own: nothing is installed, and
the machine's apt is untouched. What is installed on the machine does not count,
so that what a package depends on can be asked for as well."""

import os
import subprocess
import tempfile
from pathlib import Path

from . import base
from .errors import LabError


def run(argv, cwd, env=None):
    """Standard output; LabError with the last lines where it failed."""
    result = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False,
                            env={**os.environ, **(env or {})})
    if result.returncode != 0:
        raise LabError(f"{' '.join(map(str, argv[:1] + argv[-2:]))} failed: "
                       + "\n".join(result.stdout.splitlines()[-8:]))
    return result.stdout


class Archive:
    """One release; to be used with `with`."""

    def __init__(self, suite):
        self.suite, self.folder, self.apt_options = suite, None, []

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ferry-archive-")
        work = Path(self.folder.name)
        for name in ("lists/partial", "cache/archives/partial", "download"):
            (work / name).mkdir(parents=True)
        (work / "status").touch()
        (work / "sources.list").write_text(
            f"deb [signed-by={base.KEYRING}] {base.machine_mirror()} {self.suite} main\n")
        options = {
            "Dir::Etc::SourceList": work / "sources.list", "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State::Lists": work / "lists", "Dir::State::Status": work / "status",
            "Dir::Cache": work / "cache", "Acquire::Languages": "none",
            "APT::Sandbox::User": "root", "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
        }
        self.apt_options = [f"-o{key}={value}" for key, value in options.items()]
        self.apt("update")
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def apt(self, *args, program="apt-get", cwd=None):
        return run([program, "-q", *self.apt_options, *args], cwd or self.folder.name)

    def needs(self, package, prefix):
        """The package and what it depends on, as far as names begin with prefix."""
        lines = self.apt("-s", "--no-install-recommends", "install", package).splitlines()
        names = [line.split()[1] for line in lines if line.startswith("Inst ")]
        return [name for name in names if name.startswith(prefix)]

    def unpack(self, packages, target):
        """Puts the packages' files below target."""
        download = Path(self.folder.name) / "download"
        self.apt("download", *packages, cwd=download)
        for file in sorted(download.glob("*.deb")):
            run(["dpkg", "-x", str(file), str(target)], self.folder.name)
            file.unlink()

    def version(self, package):
        """Its version in this release, as Debian counts."""
        lines = self.apt("madison", package, program="apt-cache").splitlines()
        if not lines:
            raise LabError(f"{self.suite} has no package {package}")
        return lines[0].split("|")[1].strip()
