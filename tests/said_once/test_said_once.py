# SPDX-License-Identifier: Apache-2.0
"""A policy field, a verb of ferry, a kind and a convergence strategy are each added to a copy of the sources
by script, in two files at most (the third one of each is its test), and arrive everywhere. What the two
files touch is compiled again by the build's own commands; the rest comes from the build. With the third
one the tree's own checks (tests/tree/check-mirror) have nothing to say: no list elsewhere wants a line.

usage: test_said_once.py SOURCE_ROOT BUILD_ROOT
"""
import filecmp
import http.client
import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT, BUILD = Path(sys.argv[1]), Path(sys.argv[2])
HERE = ROOT / "tests" / "said_once"
# Not a temporary one: what the compiler's cache knows of an earlier run is good for this one.
WORK = BUILD / "tests" / "said_once" / "work"
DEADLINE = 30
TABLE = "model/kinds/policy_fields_table.h"
HEAD = "#define FERRY_POLICY_FIELDS(ROW)"
ROW = r'''  ROW(EVERYWHERE, SECONDS("zebraWait", "Time to wait for zebras.", .min = 0, .max = 77,            \
                          .fallback = "7", .zero = "never"))                                       \
'''

ZEBRA_CASE = '''    def test_zebra(self):
        done = self.run_ferry("zebra", "horse", "-s", "4")
        self.assertEqual((done.returncode, done.stdout), (0, "horse has 4 stripes\\n"))

'''


def commands():
    """How the build compiles each source, by its path below the root."""
    listed = json.loads((BUILD / "compile_commands.json").read_text())
    return {str((BUILD / c["file"]).resolve().relative_to(ROOT.resolve())): shlex.split(c["command"])
            for c in listed if (BUILD / c["file"]).resolve().is_relative_to(ROOT.resolve())}


class Tree:
    """The copy, and programs of it."""

    def __init__(self, name):
        self.at = WORK / name
        shutil.rmtree(self.at, ignore_errors=True)
        shutil.copytree(ROOT / "src", self.at / "src")
        self.commands = commands()

    def edit(self, name, old, new, below="src"):
        path = self.at / below / name
        text = path.read_text()
        assert text.count(old) == 1, f"{path}: {text.count(old)} times {old}"
        path.write_text(text.replace(old, new))

    def changed(self, below="src"):
        """The files of src, or of tests, that are new or not as they were."""
        def look(now, before):
            compared = filecmp.dircmp(now, before)
            found = [Path(now) / n for n in compared.left_only + compared.diff_files]
            for name in compared.common_dirs:
                found += look(Path(now) / name, Path(before) / name)
            return found
        return sorted(str(p.relative_to(self.at / below)) for p in look(self.at / below, ROOT / below))

    def with_tests(self):
        """The tests come along, and the copy is a tree that tests/tree can look at."""
        shutil.copytree(ROOT / "fuzz", self.at / "fuzz",
                        ignore=shutil.ignore_patterns("__pycache__", "corpus", "floors"))
        shutil.copytree(ROOT / "tests", self.at / "tests",
                        ignore=shutil.ignore_patterns("__pycache__", "zoo", "golden", "results"))
        for folder in ("tests/zoo", "sim/world"):  # tests/README.md names them
            (self.at / folder).mkdir(parents=True)
        subprocess.run(["git", "init", "-q", self.at], check=True)

    def mirrored(self):
        """What check-mirror says of the copy; nothing where each source has what tests it."""
        done = subprocess.run([ROOT / "tests" / "tree" / "check-mirror", "--root", self.at], text=True,
                              capture_output=True)
        return done.stdout.splitlines() if done.returncode else []

    def listed(self, build, variable):
        """The names in a list of lists of a meson.build, as meson hands them to the compiler."""
        text = (self.at / "src" / build).read_text()
        block = re.search(rf"^{variable} = [\[{{]\n(.*?)^[\]}}]", text, re.S | re.M).group(1)
        return re.findall(r"^  \[?'(\w+)'(?:,|:) '[\w/.]+\.c'\]?,$", block, re.M)

    def compile(self, source, like, definitions):
        """An object of a source of the copy, made by the command that makes `like`."""
        words = list(self.commands[like])
        out = self.at / (re.sub(r"\W", "_", str(source)) + ".o")
        for option in ("-o", "-MF", "-MQ", "-c"):
            at = words.index(option)
            del words[at:at + 2]
        words = [w for w in words if w not in ("-MD", "-Werror")
                 and not any(w.startswith(f"-D{name}=") for name in definitions)]
        at = next(i for i, w in enumerate(words) if w.startswith("-I"))
        words[at:at] = [f"-I{self.at}/src"]
        words += ["-O0", "-g0", *(f"-D{k}={v}" for k, v in definitions.items()), "-o", str(out), "-c",
                  str(source)]
        made = subprocess.run(words, cwd=BUILD, text=True, capture_output=True)
        assert made.returncode == 0, made.stderr
        return out

    def program(self, target, sources, definitions=None, without=()):
        """A program of the build, linked anew with these sources of the copy ({source: like}); for
        another source in place of its main's, `without` has the main's object."""
        with ThreadPoolExecutor(2) as pool:
            objects = list(pool.map(lambda s: self.compile(s[0], s[1], definitions or {}),
                                    sources.items()))
        link = subprocess.run(["ninja", "-t", "commands", target], cwd=BUILD, text=True, check=True,
                              capture_output=True).stdout.splitlines()[-1]
        words = [w for w in shlex.split(link) if w not in without]
        at = words.index("-o") + 1
        out = self.at / Path(target).name
        words[at:at + 1] = [str(out), *map(str, objects)]
        made = subprocess.run(words, cwd=BUILD, text=True, capture_output=True)
        assert made.returncode == 0, made.stderr
        return out

    def rebuilt(self, names):
        """Sources of the copy's src, each made as the build makes it."""
        return {self.at / "src" / n: f"src/{n}" for n in names}


def output(*argv, code=0, **kw):
    done = subprocess.run([str(a) for a in argv], text=True, capture_output=True, timeout=DEADLINE,
                          stdin=subprocess.DEVNULL, **kw)
    assert done.returncode == code, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + (done.stderr if code else "")


class Server:
    """The API on a store in memory, by a program made of the copy."""

    def __init__(self, test, program, folder):
        self.state = folder / "state"
        self.child = subprocess.Popen([program, self.state], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        test.addCleanup(self.stop)
        self.address = self.child.stdout.readline().strip().removeprefix("https://")
        self.context = ssl.create_default_context(cafile=self.state / "ca.crt")
        self.context.load_cert_chain(self.state / "admin.crt", self.state / "admin.key")

    def get(self, path):
        connection = http.client.HTTPSConnection(self.address, context=self.context,
                                                 timeout=DEADLINE)
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status == 200, f"{path}: {answer.status} {text}"
        return json.loads(text)

    def stop(self):
        self.child.stdin.close()
        self.child.wait(DEADLINE)
        self.child.stdout.close()


class SaidOnce(unittest.TestCase):
    def tree(self):
        tree = Tree(self.id().rpartition(".")[2])
        self.addCleanup(shutil.rmtree, tree.at, ignore_errors=True)
        return tree

    def driver(self, tree, sources, definitions=None):
        """tests/said_once/driver.c in place of the API's test server."""
        return tree.program("tests/api/api-test-server",
                            {HERE / "driver.c": "tests/api/api-test-server.c", **sources}, definitions,
                            ["tests/api/api-test-server.p/api-test-server.c.o"])

    def documents(self, tree, sources, definitions=None):
        """The manual and the completion."""
        program = tree.program("src/cli/ferry-documents", sources, definitions)
        return (output(program, "man", ROOT / "man/ferry.1.in"),
                output(program, "completion", ROOT / "completions/ferry.bash.in"))

    def test_field(self):
        tree = self.tree()
        line = next(t for t in (tree.at / "src" / TABLE).read_text().splitlines()
                    if t.startswith(HEAD))
        tree.edit(TABLE, line + "\n", line + "\n" + ROW)
        self.assertEqual(tree.changed(), [TABLE])
        users = tree.rebuilt(str(p.relative_to(tree.at / "src"))
                             for p in (tree.at / "src").rglob("*.c") if f'"{TABLE}"' in p.read_text())
        kinds = {"FERRY_KINDS": "".join(f"KIND({n})" for n in tree.listed("model/meson.build", "kinds"))}
        output(self.driver(tree, users, kinds), "field")
        manual, _ = self.documents(tree, users, kinds)
        self.assertIn(".It Cm zebraWait\nTime to wait for zebras. (0 to 77 s; default 7)\n", manual)
        self.explained(tree, users, kinds)

    def explained(self, tree, users, kinds):
        """kubectl explain and the API have it, by a server; ferry explain shows it in its unit."""
        program = tree.program("tests/api/api-test-server", users, kinds)
        server = Server(self, program, tree.at)
        document = json.dumps(server.get("/openapi/v3/apis/migrations.kubevirt.io/v1alpha1"))
        self.assertIn("Time to wait for zebras. (0 to 77 s; default 7)", document)
        policy = tree.at / "policy.yaml"
        policy.write_text("apiVersion: migrations.kubevirt.io/v1alpha1\nkind: MigrationPolicy\n"
                          "metadata: {name: patient}\nspec: {zebraWait: 33}\n")
        ferry = tree.program("src/cli/ferry", users, kinds)
        env = {**os.environ, "KUBECONFIG": str(server.state / "admin.kubeconfig")}
        output(ferry, "apply", "-f", policy, env=env)
        self.assertRegex(output(ferry, "describe", "migrationpolicy", "patient", env=env),
                         r"Zebra Wait: +33\.0 s")
        self.assertRegex(output(ferry, "check", "db", "--policy", "patient", env=env),
                         r"zebraWait +33 s +MigrationPolicy/patient")
        policy.write_text(policy.read_text().replace("33", "78"))
        self.assertIn("spec.zebraWait", output(ferry, "apply", "-f", policy, env=env, code=1))

    def test_verb(self):
        tree = self.tree()
        shutil.copy(HERE / "zebra_verb.c", tree.at / "src/cli/verbs/cmd_zebra.c")
        tree.edit("cli/meson.build", "cli_verbs = [\n",
                  "cli_verbs = [\n  ['zebra', 'verbs/cmd_zebra.c'],\n")
        self.assertEqual(tree.changed(), ["cli/meson.build", "cli/verbs/cmd_zebra.c"])
        names = tree.listed("cli/meson.build", "cli_verbs")
        self.assertIn("version", names)
        sources = tree.rebuilt(["cli/verbs.c"])
        sources[tree.at / "src/cli/verbs/cmd_zebra.c"] = "src/cli/verbs/cmd_version.c"
        verbs = {"FERRY_VERBS": "".join(f"VERB({n})" for n in names)}
        ferry = tree.program("src/cli/ferry", sources, verbs)
        self.assertIn("  zebra        Paint an animal\n", output(ferry, "--help"))
        self.assertRegex(output(ferry, "help", "zebra"), r"-s, --stripes COUNT +How many stripes")
        self.assertEqual(output(ferry, "zebra", "horse", "-s", "3"), "horse has 3 stripes\n")
        self.assertIn("ferry zebra needs ANIMAL", output(ferry, "zebra", code=2))
        self.assertIn('did you mean "zebra"', output(ferry, "zebar", code=2))
        manual, completion = self.documents(tree, sources, verbs)
        self.assertIn(".Nm ferry zebra\n.Ar ANIMAL\n", manual)
        self.assertIn(".Ss zebra\nPaint an animal.\nIt is asked first.\n", manual)
        self.assertIn(".It Fl s , Fl -stripes Ar COUNT\nHow many stripes it gets.\nMost have 40.\n", manual)
        (tree.at / "completion").write_text(completion)
        self.completes(tree, "zeb", "zebra")
        self.completes(tree, "zebra --str", "--stripes")
        self.completes(tree, "zebra --stable ", "a-node")
        self.completes(tree, "zebra -s 3 ", "a-vmi")
        self.verb_is_tested(tree, ferry)

    def verb_is_tested(self, tree, ferry):
        """Its case in the test of the program is the third file, and there is no fourth."""
        tree.with_tests()
        without = tree.mirrored()
        self.assertEqual(len(without), 1)
        self.assertIn("never says zebra: give the verb a case there", without[0])
        before = "    def test_label(self):\n"
        tree.edit("cli/test_program.py", before, ZEBRA_CASE + before, "tests")
        self.assertEqual((tree.mirrored(), tree.changed("tests")), ([], ["cli/test_program.py"]))
        case = (f"import sys, unittest; sys.argv[1:] = [{str(ferry)!r}]; import test_program; "
                "unittest.main(test_program, argv=['', 'Program.test_zebra'])")
        done = subprocess.run([sys.executable, "-c", case], cwd=tree.at / "tests" / "cli", text=True,
                              capture_output=True, timeout=DEADLINE)
        self.assertIn("Ran 1 test", done.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)

    def completes(self, tree, typed, wanted):
        words = " ".join(f"'{w}'" for w in ["ferry", *typed.split(" ")])
        script = (f"source {tree.at}/completion; _ferry_names() {{ echo a-$1; }}; COMP_WORDS=({words}); "
                  f"COMP_CWORD={len(typed.split(' '))}; _ferry; echo \"${{COMPREPLY[@]}}\"")
        self.assertEqual(output("bash", "-c", script).strip(), wanted)

    def test_kind(self):
        tree = self.tree()
        shutil.copy(HERE / "zebra_kind.c", tree.at / "src/model/kinds/kinds_zebra.c")
        tree.edit("model/meson.build", "\nkinds = [\n", "\nkinds = [\n  ['zebra', 'kinds/kinds_zebra.c'],\n")
        self.assertEqual(tree.changed(), ["model/kinds/kinds_zebra.c", "model/meson.build"])
        sources = tree.rebuilt(["model/kinds/kinds.c"])
        sources[tree.at / "src/model/kinds/kinds_zebra.c"] = "src/model/kinds/kinds_user.c"
        kinds = {"FERRY_KINDS": "".join(f"KIND({n})" for n in tree.listed("model/meson.build", "kinds"))}
        server = Server(self, tree.program("tests/api/api-test-server", sources, kinds), tree.at)
        ferry = tree.program("src/cli/ferry", sources, kinds)
        resources = server.get("/apis/ferry.migration/v1")["resources"]
        zebra = next(r for r in resources if r["name"] == "zebras")
        self.assertEqual((zebra["kind"], zebra["shortNames"], zebra["namespaced"]),
                         ("Zebra", ["zeb"], False))
        self.assertIn("create", zebra["verbs"])
        self.assertIn("How many stripes it has.",
                      json.dumps(server.get("/openapi/v3/apis/ferry.migration/v1")))
        self.with_rights(tree, server, ferry)
        tree.with_tests()
        self.assertEqual(tree.mirrored(), [])  # the test of all kinds walks this one, too
        manual, completion = self.documents(tree, sources, kinds)
        self.assertIn(".It Cm zebra , zeb\nZebra is an animal with stripes.\n", manual)
        self.assertRegex(completion, r'_ferry_kinds="[^"]*\bzebra\b')

    def with_rights(self, tree, server, ferry):
        """Its routes work, for those who may: view reads, edit writes, operate does not."""
        manifest = tree.at / "zebra.yaml"
        manifest.write_text("apiVersion: ferry.migration/v1\nkind: Zebra\nmetadata: {name: marty}\n"
                            "spec: {stripes: 40}\n")
        admin = {**os.environ, "KUBECONFIG": str(server.state / "admin.kubeconfig")}
        people = {}
        for role in ("operate", "edit"):
            config = tree.at / f"{role}.kubeconfig"
            config.write_text(output(ferry, "user", "create", f"a-{role}", "--role", role, env=admin))
            people[role] = {**os.environ, "KUBECONFIG": str(config)}
        self.assertIn('cannot create resource "zebras"',
                      output(ferry, "apply", "-f", manifest, env=people["operate"], code=1))
        output(ferry, "apply", "-f", manifest, env=people["edit"])
        self.assertRegex(output(ferry, "get", "zeb", env=people["operate"]),
                         r"NAME +STRIPES +AGE\nmarty +40 ")
        manifest.write_text(manifest.read_text().replace("40", "81"))
        self.assertIn("spec.stripes", output(ferry, "apply", "-f", manifest, env=people["edit"], code=1))
        output(ferry, "delete", "zebra", "marty", env=people["edit"])
        self.assertNotIn("marty", output(ferry, "get", "zebras", env=admin))

    def test_strategy(self):
        tree = self.tree()
        shutil.copy(HERE / "zebra_strategy.c", tree.at / "src/convergence/zebra.c")
        tree.edit("convergence/meson.build", "convergence_strategies = {\n",
                  "convergence_strategies = {\n  'zebra': 'zebra.c',\n")
        self.assertEqual(tree.changed(), ["convergence/meson.build", "convergence/zebra.c"])
        names = tree.listed("convergence/meson.build", "convergence_strategies")
        self.assertEqual(sorted(names), ["intent", "schedule", "zebra"])
        tree.with_tests()
        self.assertEqual(len(tree.mirrored()), 1)
        (tree.at / "tests/convergence/test-zebra.c").touch()  # its meson.build takes it up by the list above
        self.assertEqual(tree.mirrored(), [])
        listed = {"FERRY_STRATEGIES": "".join(f"STRATEGY({n})" for n in names)}
        sources = tree.rebuilt(["convergence/strategies.c"])
        sources[tree.at / "src/convergence/zebra.c"] = "src/convergence/intent.c"
        output(self.driver(tree, sources, listed), "strategy")
        bench = tree.program("sim/ferry-sim-bench", sources, listed)
        cell = json.loads(output(bench, "0", "1"))
        self.assertIn("zebra", cell["presets"])
        server = Server(self, tree.program("tests/api/api-test-server", sources, listed), tree.at)
        shown = server.get("/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies/zebra")
        self.assertEqual(shown["spec"]["preset"], "zebra")

    def test_it_can_fail(self):
        """Without the row the same driver finds nothing."""
        tree = self.tree()
        self.assertEqual(tree.changed(), [])
        done = subprocess.run([self.driver(tree, {}), "field"], text=True, capture_output=True)
        self.assertNotEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
