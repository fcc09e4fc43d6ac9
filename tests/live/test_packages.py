# SPDX-License-Identifier: Apache-2.0
"""The Debian packages: their files agree with what the build makes and with each other. FERRY_DEBS=DIR names built
packages (`make deb`): then they are looked into, judged by lintian, installed into a root of their own, upgraded,
removed and purged; that takes minutes."""
import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEBIAN = ROOT / "debian"
DEBS = os.environ.get("FERRY_DEBS")
PACKAGES = ["ferryd", "ferry-agentd", "ferry", "ferry-doc"]


def run(*argv, **kw):
    return subprocess.run(argv, text=True, capture_output=True, check=False, **kw)


class Recipe(unittest.TestCase):
    def test_control(self):
        control = (DEBIAN / "control").read_text()
        self.assertEqual(re.findall(r"(?m)^Package: (\S+)$", control), PACKAGES)
        build = re.search(r"(?ms)^Build-Depends:\n(.*?)^\S", control)[1].replace("debhelper-compat (= 13)", "debhelper")
        wanted = set(re.findall(r"(?m)^ ([a-z0-9+.-]+)", build)) - {"dh-sequence-installsysusers", "pkgconf",
                                                                    "libavahi-glib-dev"}
        listed = set((ROOT / "deps" / "debian12.txt").read_text().split())
        self.assertEqual(wanted - listed, set(), "make deps does not install them")

    def test_version_is_the_project_s(self):
        version = re.search(r"(?m)^  version: '([^']+)'", (ROOT / "meson.build").read_text())[1]
        self.assertRegex((DEBIAN / "changelog").read_text(), rf"\Aferry \({re.escape(version)}(\)|-)")
        self.assertIn(f"\nVersion:        {version}\n", (ROOT / "deploy" / "ferry.spec").read_text())

    def test_scripts(self):
        for script in sorted(DEBIAN.glob("*.postrm")):
            self.assertEqual(run("sh", "-n", str(script)).returncode, 0, script)
            self.assertIn("#DEBHELPER#", script.read_text())

    def test_every_installed_file_is_in_one_package(self):
        """What meson installs, by its own plan, against the packages' lists."""
        build = Path(os.environ.get("FERRY_BUILD", ROOT / "build"))
        plan = run("meson", "introspect", "--installed", str(build))
        self.assertEqual(plan.returncode, 0, plan.stderr)
        installed = {re.sub(r"^/usr/local/(etc/)?", lambda m: "etc/" if m[1] else "usr/", path)
                     for path in json.loads(plan.stdout).values()}
        installed = {p.replace("usr/libexec/", "usr/lib/") for p in installed}
        listed = [line for p in PACKAGES if (DEBIAN / f"{p}.install").exists()
                  for line in (DEBIAN / f"{p}.install").read_text().split()]
        self.assertEqual(sorted(listed), sorted(set(listed)))
        self.assertEqual(installed, set(listed))


class Built(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.debs = {p: next(Path(DEBS).glob(f"{p}_*.deb")) for p in PACKAGES}

    def test_lintian(self):
        done = run("lintian", "--no-tag-display-limit", "--fail-on", "error,warning", *map(str, self.debs.values()))
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_states(self):
        """Unpacked and configured in a root of their own: state is kept by an upgrade and by removal, and purged."""
        with tempfile.TemporaryDirectory(prefix="ferry-debs-") as folder:
            root = Path(folder)
            for made in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "etc"):
                (root / made).mkdir(parents=True)
            for empty in ("status", "available"):
                (root / "var/lib/dpkg" / empty).touch()

            def dpkg(*argv):
                done = run("dpkg", f"--root={root}", "--force-depends", "--force-script-chrootless",
                           "--force-not-root", *argv, env={**os.environ, "DPKG_ROOT": str(root)})
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            dpkg("--unpack", *map(str, self.debs.values()))
            for file in ("usr/sbin/ferryd", "usr/bin/ferry", "usr/sbin/ferry-agentd", "etc/ferry/ferryd.conf",
                         "usr/share/man/man8/ferryd.8.gz", "usr/lib/sysusers.d/ferryd.conf"):
                self.assertTrue((root / file).exists(), file)
            conf = root / "etc/ferry/ferryd.conf"
            conf.write_text("listen = 127.0.0.1:1\n")
            state = root / "var/lib/ferry/ferry.db"
            state.parent.mkdir(parents=True, exist_ok=True)
            state.write_text("x")
            dpkg("--unpack", "--force-confold", str(self.debs["ferryd"]))
            self.assertEqual((conf.read_text(), state.read_text()), ("listen = 127.0.0.1:1\n", "x"))


if not DEBS:
    del Built  # on demand: make test-deb

if __name__ == "__main__":
    unittest.main()
