# SPDX-License-Identifier: Apache-2.0
"""--help, the manual and the completion, which the build makes of the same tables, name the same verbs and
options, and the completion offers what fits.

usage: test_documents.py FERRY SOURCE_ROOT MANUAL COMPLETION FERRYD AGENTD
"""
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

FERRY, ROOT = sys.argv[1], Path(sys.argv[2])
MANUAL, COMPLETION = Path(sys.argv[3]), Path(sys.argv[4])
DAEMONS = {"ferryd.8": sys.argv[5], "ferry-agentd.8": sys.argv[6]}
# In place of a server: the names of objects say what was asked for.
FAKE = 'ferry() { echo "x/name-of-$2"; }; timeout() { shift; "$@"; }\n'


def run(*args):
    return subprocess.run(args, check=True, capture_output=True, text=True).stdout


def options_of(text):
    """Option words of a --help text, each line of which begins with them."""
    found = set()
    for line in text.splitlines():
        if not re.match(r" {2,6}-", line):
            continue
        head = re.split(r"(?<! ) [A-Z][a-z]|  +[A-Z\-]?[a-z]", line.strip())[0]
        found |= set(re.findall(r"(?<!\S)--?[a-zA-Z][a-z0-9-]*", head))
    return found


def sections(man):
    """Option words of each .Ss section, and of none as ''."""
    result, names = {}, [""]
    for line in man.splitlines():
        if line.startswith(".Ss "):
            names = [n.strip() for n in line[4:].split(",")]
        elif line.startswith(".Sh "):
            names = [""]
        words = set()
        for part in re.findall(r"Fl (-?[a-zA-Z][a-z0-9-]*)", line):
            words.add("-" + part)
        for name in names:
            result.setdefault(name, set()).update(words)
    return result


class Documents(unittest.TestCase):
    def setUp(self):
        self.help = run(FERRY, "--help")
        verbs = self.help.split("Verbs:\n")[1].split("\n\n")[0]
        self.verbs = [line.split()[0] for line in verbs.splitlines()]
        self.global_options = options_of(self.help)
        self.man = MANUAL.read_text()
        self.completion = COMPLETION.read_text()

    def own(self, verb):
        text = run(FERRY, verb, "--help").split("Options:\n")[1]
        return options_of(text.split("\nOptions of every verb:")[0])

    def test_there_is_something_to_compare(self):
        self.assertIn("migrate", self.verbs)
        self.assertIn("--kubeconfig", self.global_options)
        self.assertIn("--max-downtime", self.own("migrate"))
        self.assertIn("--detach", self.own("migrate"))
        self.assertIn("-o", self.own("get"))

    def test_synopsis(self):
        synopsis = self.man.split(".Sh SYNOPSIS")[1].split(".Sh ")[0]
        self.assertEqual(list(dict.fromkeys(re.findall(r"\.Nm ferry (\w+)", synopsis))), self.verbs)

    def test_man_options(self):
        by_section = sections(self.man)
        self.assertEqual(by_section["Options of every verb"], self.global_options)
        for verb in self.verbs:
            with self.subTest(verb=verb):
                named = by_section[verb] - self.global_options
                self.assertEqual(named, self.own(verb) - self.global_options)

    def test_completion(self):
        script = self.completion + '\necho "$_ferry_verbs"; echo "$_ferry_global"\n'
        script += "".join(f"echo $(_ferry_options_of {verb})\n" for verb in self.verbs)
        lines = run("bash", "-c", script).splitlines()
        self.assertEqual(lines[0].split(), self.verbs)
        self.assertEqual(set(lines[1].split()) | {"--version"}, self.global_options)
        for verb, line in zip(self.verbs, lines[2:]):
            with self.subTest(verb=verb):
                self.assertEqual(set(line.split()), self.own(verb))

    def offered(self, lines):
        """What is offered for the last word of each line, by one bash for all."""
        script = self.completion + "\n" + FAKE
        for words in lines:
            typed = " ".join(f"'{w}'" for w in ("ferry", *words))
            script += (f"COMP_WORDS=({typed}); COMP_CWORD={len(words)}; _ferry\n"
                       'echo "${COMPREPLY[@]}"\n')
        return [line.split() for line in run("bash", "-c", script).splitlines()]

    def test_completion_offers(self):
        cases = (
                ("dr", ["drain"]),
                ("drain ", ["name-of-node"]),
                ("-n prod migrate ", ["name-of-vmi"]),
                ("migrate db ", ["name-of-node"]),
                ("migrate db h2 ", []),
                ("host ", ["add"]),
                ("describe ho", ["host"]),
                ("migrate --to ", ["name-of-node"]),
                ("migrate db --preset ", ["name-of-migrationpolicy"]),
                ("get -o w", ["wide"]),
                ("apply --output w", []),
                ("change db --technique ", ["pre-copy", "post-copy"]),
                ("get evac", ["evacuation"]),
                ("get vmi ", ["name-of-vmi"]),
                ("migrate --xm", ["--xml"]),
                (f"migrate --xml {str(MANUAL)[:-1]}", [str(MANUAL)]),
                ("create ", ["namespace"]),
                ("user rotate ", ["name-of-user"]),
                ("help und", ["undrain"]))
        for (words, wanted), found in zip(cases, self.offered([c[0].split(" ") for c in cases])):
            with self.subTest(words):
                self.assertEqual(found, wanted)

    def test_completion_skips_values(self):
        """After an option and its value the verb's own word is offered, whatever the option."""
        lines = [["check", "--xml", "x", ""], ["check", "--comp-methods", "mt", ""], ["check", "--tls", ""]]
        wanted = [["name-of-vmi"]] * len(lines)
        for verb, word in (("drain", "node"), ("change", "vmi")):
            for line in run(FERRY, verb, "--help").splitlines():
                match = re.match(r" {2,6}(-.*?--[a-z0-9-]+|--[a-z0-9-]+)( [A-Z_/]{2,})? ", line)
                for option in re.findall(r"--?[a-zA-Z][a-z0-9-]*", match[1]) if match else ():
                    lines.append([verb, option, "x", ""] if match[2] else [verb, option, ""])
                    wanted.append([f"name-of-{word}"])
        self.assertGreater(len(lines), 20)
        for line, should, found in zip(lines, wanted, self.offered(lines)):
            with self.subTest(line=line):
                self.assertEqual(found, should)

    def test_other_shells(self):
        """zsh and fish offer what bash offers."""
        env = {**os.environ, "FERRY_COMPLETION": str(COMPLETION.resolve()),
               "XDG_CONFIG_HOME": "/nonexistent"}
        fish = subprocess.run(["fish", "-N", "-c", f"source {COMPLETION.parent}/ferry.fish; complete -C 'ferry dra'; "
                               "complete -C 'ferry get mig'"], env=env, text=True, capture_output=True, check=True)
        self.assertEqual(fish.stdout.split()[0], "drain", fish.stderr)
        self.assertIn("migrationpolicy", fish.stdout)
        zsh = subprocess.run(["zsh", "-f", "-c", "compadd() { print -l -- ${(P)2}; }; words=(ferry undr); CURRENT=2; "
                              f"source {COMPLETION.parent}/_ferry"], env=env, text=True, capture_output=True,
                             check=True)
        self.assertEqual(zsh.stdout, "undrain\n", zsh.stderr)

    def test_daemons_pages(self):
        """The daemons' pages, made of their tables of settings, have what --help shows."""
        for page, program in DAEMONS.items():
            wanted = {"--" + o for o in re.findall(r"(?m)^  (?:-h, )?--([a-z-]+)", run(program, "--help"))}
            text = (MANUAL.parent / page).read_text()
            text = text[text.index(".It Fl -config"):]
            found = {"-" + f for f in re.findall(r"\.It Fl (-[a-z-]+)", text[:text.index(".El")])}
            self.assertIn("--check-config", wanted)
            self.assertEqual(found, wanted, page)

    def test_pages_are_well_formed(self):
        for page in ("ferry.1", "ferryd.8", "ferry-agentd.8"):
            done = subprocess.run(
                ["groff", "-mandoc", "-Tutf8", "-ww",
                 str(MANUAL.parent / page)],
                capture_output=True, text=True)
            self.assertEqual(done.stderr, "", page)
            self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
