# SPDX-License-Identifier: Apache-2.0
"""--help, the man page and the completion name the same verbs and options.

usage: test_documents.py FERRY SOURCE_ROOT
"""
import re
import subprocess
import sys
import unittest
from pathlib import Path

FERRY, ROOT = sys.argv[1], Path(sys.argv[2])


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
        self.man = (ROOT / "man/ferry.1").read_text()
        self.completion = (ROOT / "completions/ferry.bash").read_text()

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
        self.assertEqual(re.findall(r"\.Nm ferry (\w+)", synopsis), self.verbs)

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

    def test_completion_skips_values(self):
        """Every option that takes a value is known to the scanner of words."""
        scan = self.completion.split("_ferry_scan()")[1].split("-*) ;;")[0]
        scan += self.completion.split('_ferry_flag_values="')[1].split('"')[0]
        for verb in self.verbs:
            for line in run(FERRY, verb, "--help").splitlines():
                match = re.match(r" {2,6}(-.*?--[a-z0-9-]+|--[a-z0-9-]+) [A-Z_/]{2,}", line)
                if match:
                    for word in re.findall(r"--?[a-zA-Z][a-z0-9-]*", match[1]):
                        self.assertRegex(scan, rf"(?<![\w-]){word}(?![\w-])")

    def test_daemons_pages(self):
        """The daemons' option tables (GOption) and their pages name the same options."""
        for page, folder in {"ferryd.8": "ferryd", "ferry-agentd.8": "agent"}.items():
            source = "".join(f.read_text() for f in sorted((ROOT / "src" / folder).glob("*.c")))
            wanted = {"--" + o for o in re.findall(r'\{"([a-z-]+)",[^{}]*?G_OPTION_ARG', source)}
            text = (ROOT / "man" / page).read_text()
            found = {"-" + f for f in re.findall(r"\.It Fl (-[a-z-]+)", text)} - {"--help"}
            self.assertIn("--state-dir", wanted)
            self.assertEqual(found, wanted, page)

    def test_pages_are_well_formed(self):
        for page in ("ferry.1", "ferryd.8", "ferry-agentd.8"):
            done = subprocess.run(
                ["groff", "-mandoc", "-Tutf8", "-ww", str(ROOT / "man" / page)],
                capture_output=True, text=True)
            self.assertEqual(done.stderr, "", page)
            self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
