# SPDX-License-Identifier: Apache-2.0
"""ferry-dev builds what it is to run, and runs it: plain, under gdb, under valgrind, with ASan. Tools that take
long or are not there are played by programs that say how they were called."""
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("FERRY_BUILD", ROOT / "build"))
SAYS = "#!/bin/sh\necho \"$(basename \"$0\"): $*\"\n"


class FerryDev(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)
        self.bin = self.dir / "bin"
        self.bin.mkdir()

    def program(self, path, text=SAYS):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def run_it(self, *args, code=0, **env):
        done = subprocess.run([ROOT / "ferry-dev", *args], cwd=self.dir, text=True, capture_output=True,
                              env={**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}",
                                   "FERRY_BUILD": str(BUILD), **env}, timeout=120, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def played(self, *args, code=0, **env):
        """With a build directory, ninja and meson that only say what is asked of them."""
        build = self.dir / "played"
        for tool in ("ninja", "meson", "gdb", "valgrind"):
            self.program(self.bin / tool)
        self.program(build / "src/cli/ferry")
        self.program(build / "tests/a/test-b")
        (build / "build.ninja").write_text("")
        env = {"FERRY_BUILD": str(build), "FERRY_BUILD_ASAN": str(build), **env}
        return self.run_it(*args, code=code, **env)

    def test_plain(self):
        done = self.run_it("ferry", "version", "--client")
        self.assertRegex(done.stdout, r"\Aferry +v\d+\.\d+\.\d+\n\Z")

    def test_valgrind(self):
        done = self.run_it("--valgrind", "ferry", "version", "--client")
        self.assertIn("ferry   v", done.stdout)
        self.assertIn("ERROR SUMMARY: 0 errors", done.stderr)

    def test_exit_status_is_the_programs(self):
        self.assertIn("unknown verb", self.run_it("ferry", "nonsense", code=2).stderr)

    def test_gdb(self):
        done = self.played("--gdb", "ferry", "get", "vmi")
        self.assertRegex(done.stdout, r"\Agdb: --args \S+/played/src/cli/ferry get vmi\n\Z")

    def test_asan(self):
        self.program(self.dir / "played/src/cli/ferry", "#!/bin/sh\necho \"$LSAN_OPTIONS $*\"\n")
        (self.dir / "played/build.ninja").write_text("")
        self.program(self.bin / "ninja")
        done = self.run_it("--asan", "ferry", "top", FERRY_BUILD_ASAN=str(self.dir / "played"))
        self.assertEqual(done.stdout, f"suppressions={ROOT}/tests/lsan.supp top\n")

    def test_asan_is_set_up_where_it_is_not(self):
        self.program(self.bin / "ninja")
        self.program(self.bin / "meson")
        self.program(self.dir / "new/src/cli/ferry")
        done = self.run_it("--asan", "ferry", FERRY_BUILD_ASAN=str(self.dir / "new"))
        self.assertIn("meson: setup", done.stderr)
        self.assertIn("-Db_sanitize=address,undefined", done.stderr)

    def test_built_first(self):
        done = self.played("tests/a/test-b", "-p", "/x")
        self.assertIn("ninja: -C ", done.stderr)
        self.assertIn(" tests/a/test-b\n", done.stderr)
        self.assertEqual(done.stdout, "test-b: -p /x\n")
        self.program(self.bin / "ninja", "#!/bin/sh\nexit 1\n")
        failed = self.run_it("tests/a/test-b", code=1, FERRY_BUILD=str(self.dir / "played"))
        self.assertIn("tests/a/test-b was not built", failed.stderr)
        self.assertEqual(failed.stdout, "")

    def test_usage(self):
        for args in ((), ("--gdb",), ("--faster", "ferry"), ("--help",)):
            with self.subTest(args):
                self.assertIn("ferry-dev [--gdb|--valgrind|--asan] COMMAND",
                              self.run_it(*args, code=2).stderr)


if __name__ == "__main__":
    unittest.main()
