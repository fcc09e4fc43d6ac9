# SPDX-License-Identifier: Apache-2.0
"""The Debian packages: their files agree with what the build makes and with each other. FERRY_DEBS=DIR names built
packages (`make deb`): then they are looked into, judged by lintian, installed into a root of their own, upgraded,
removed and purged; that takes minutes."""
import fnmatch
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "lab"))
from ferrylab import base  # noqa: E402  pylint: disable=wrong-import-position

DEBIAN = ROOT / "debian"
DEBS = os.environ.get("FERRY_DEBS")
STATES = r"""
mount -t tmpfs tmpfs "$2"
mkdir "$2/upper" "$2/work" "$2/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mkdir "$2/root/debs"
cp "$3" "$4" "$5" "$2/root/debs/"
chroot "$2/root" sh -euxc '
export DEBIAN_FRONTEND=noninteractive
mount -t proc proc /proc
dpkg -i /debs/*.deb
id ferry
test "$(stat -c "%U %a" /var/lib/ferry)" = "ferry 700"
test "$(stat -c "%U %a" /var/lib/ferry-agent)" = "root 700"
ferryd --check-config
ferry --version
test -L /etc/systemd/system/multi-user.target.wants/ferryd.service
! test -e /etc/systemd/system/multi-user.target.wants/ferry-agentd.service
echo kept >/var/lib/ferry/ferry.db
echo kept >/var/lib/ferry-agent/agent.key
echo "listen = 127.0.0.1:1" >>/etc/ferry/ferryd.conf
dpkg -i --force-confold /debs/*.deb
grep kept /var/lib/ferry/ferry.db
grep 127.0.0.1:1 /etc/ferry/ferryd.conf
dpkg -r ferry ferryd ferry-agentd
! test -e /usr/sbin/ferryd
grep kept /var/lib/ferry/ferry.db
grep kept /var/lib/ferry-agent/agent.key
grep 127.0.0.1:1 /etc/ferry/ferryd.conf
dpkg -P ferryd ferry-agentd ferry
! test -e /var/lib/ferry
! test -e /var/lib/ferry-agent
! test -e /etc/ferry
id ferry
' >&2
echo all well
"""
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
        for script in sorted(DEBIAN.glob("*.p*rm")):
            self.assertEqual(run("sh", "-n", str(script)).returncode, 0, script)
            self.assertIn("#DEBHELPER#", script.read_text())

    def test_spec(self):
        """RPM's own program reads it, and it packs what meson installs."""
        spec = str(ROOT / "deploy" / "ferry.spec")
        done = run("rpmspec", "--query", "--queryformat", "%{NAME} %{VERSION}\\n", spec)
        version = re.search(r"(?m)^  version: '([^']+)'", (ROOT / "meson.build").read_text())[1]
        self.assertEqual((done.returncode, done.stderr, sorted(done.stdout.split())),
                         (0, "", sorted(["ferry", "ferryd", "ferry-agentd", "ferry-doc"] + 4 * [version])))
        done = run("rpmspec", "--parse", spec)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        packed = re.findall(r"(?m)^(?:%config\(noreplace\) )?(/\S+)$", done.stdout.partition("\n%files")[2])
        packed = [re.sub(r"\*$", "", path).replace("/usr/libexec/", "/usr/lib/") for path in packed]
        self.assertEqual(sorted(packed), sorted(set(packed)))
        self.compare({path.lstrip("/") for path in packed})

    def installed(self):
        """What meson installs, by its own plan."""
        build = Path(os.environ.get("FERRY_BUILD", ROOT / "build"))
        plan = run("meson", "introspect", "--installed", str(build))
        self.assertEqual(plan.returncode, 0, plan.stderr)
        installed = {re.sub(r"^/usr/local/(etc/)?", lambda m: "etc/" if m[1] else "usr/", path)
                     for path in json.loads(plan.stdout).values()}
        return {p.replace("usr/libexec/", "usr/lib/") for p in installed}

    def test_every_installed_file_is_in_one_package(self):
        listed = [line for p in PACKAGES if (DEBIAN / f"{p}.install").exists()
                  for line in (DEBIAN / f"{p}.install").read_text().split()]
        self.assertEqual(sorted(listed), sorted(set(listed)))
        self.compare(set(listed))

    def compare(self, patterns):
        """Each installed file is one of what is packed, and each pattern of that is for some file."""
        installed = self.installed()
        fitting = {p: {f for f in installed if fnmatch.fnmatchcase(f, p)} for p in patterns}
        self.assertEqual([p for p, files in fitting.items() if not files], [])
        found = [f for files in fitting.values() for f in files]
        self.assertEqual(sorted(found), sorted(installed))


class Built(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.debs = {p: next(Path(DEBS).glob(f"{p}_*.deb")) for p in PACKAGES}

    def test_lintian(self):
        done = run("lintian", "--tag-display-limit", "0", "--allow-root", "--fail-on", "error,warning", *map(str, self.debs.values()))
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_states(self):
        """Installed, upgraded, removed and purged in a Debian of the lab, in a mount namespace of its own."""
        suite = re.search(r"(?m)^VERSION_CODENAME=(.*)$", Path("/etc/os-release").read_text())[1]
        with tempfile.TemporaryDirectory(prefix="ferry-debs-") as folder:
            done = run("unshare", "-m", "bash", "-euc", STATES, "states", str(base.ensure(suite=suite)), folder,
                       *(str(self.debs[p]) for p in PACKAGES[:3]))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.splitlines()[-1], "all well")


if not DEBS:
    del Built  # on demand: make test-deb

if __name__ == "__main__":
    unittest.main()
