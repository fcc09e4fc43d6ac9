# SPDX-License-Identifier: Apache-2.0
"""docs/troubleshooting.md says what the table of reasons says, and the table has every reason that
the code gives: in the folders that decide, a CamelCase word is a reason of the table or one of OTHERS.

usage: test_reasons_document.py REASONS_DOC SOURCE_ROOT [--write]
"""
import re
import subprocess
import sys
import unittest
from pathlib import Path

PROGRAM, ROOT = sys.argv[1], Path(sys.argv[2])
FOLDERS = ("agent", "control", "convergence", "policy")
TABLE = (ROOT / "src/model/migration/reasons_table.h").read_text()
ROW = re.compile(r'ROW\(\w+, (\w+),\s+(?:\\\s+)?"(\w+)"')
DOCUMENT = subprocess.run([PROGRAM], check=True, capture_output=True, text=True).stdout
REASONS = set(re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.M))
# What is spelled like a reason and is none.
OTHERS = {
    # kinds, and a Node's and a Namespace's words
    "Event", "KubeVirt", "Namespace", "Node", "VirtualMachineInstance",
    "VirtualMachineInstanceMigration", "Active", "InternalIP", "NoExecute", "NoSchedule",
    "PreferNoSchedule",
    # KubeVirt's evictionStrategy
    "External", "None",
    # what is known of a migration's end
    "NotBefore", "Planned",
    # types and states of conditions, of Events, of changes, of causes of a refused request
    "True", "False", "Unknown", "Complete", "ConnectionsNotCarried",
    "CopiesUnguarded", "Cordoned", "DuplicateName", "LiveMigratable",
    "Migrating", "OtherDomainsActive", "Ready", "RunningOnTwoHosts", "Stalling",
    "StorageLiveMigratable", "Normal", "Warning", "Applied", "FieldValueForbidden",
    "FieldValueInvalid", "BlockMigration", "LiveMigration", "Paused",
    # phases, modes, what a cancel came to, steps of progress: of the agent until it names them
    # by src/model/migration/phase.h
    "Aborting", "Failed", "PostCopy", "PreparingTarget", "Running", "Scheduled", "Succeeded",
    "TargetReady", "CopyingDisks", "CopyingMemory", "Preparing",
    # what a decision does
    "Abort", "Change", "Note", "Refuse", "ChooseMeans", "SetDowntime", "SetThrottle", "StartPostCopy", "Suspend",
    # known defects between versions (src/policy/target/version_defects.c)
    "CPUThreads", "CustomXMLProcessor", "DisksPortKept", "EmulatedWrites", "LongTLS",
    "QueuesOfXML", "RecoveryCalledFailed", "RootSquash", "SettingDropped", "TLSOfParallelDisks",
    "TPMOnNFS", "VMXPartsOff", "VMXToNewer", "VMXToOlder", "VideoVirtio",
    # parts of names
    "Bytes", "Max", "Migration", "Min", "Percent",
}
COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.S)
WORD = re.compile(r'"([A-Z][A-Za-z]*[a-z][A-Za-z]*)"')


def words_of(folder):
    for path in sorted((ROOT / "src" / folder).rglob("*.[ch]")):
        text = COMMENT.sub(lambda m: m.group(0) if m.group(0)[0] == '"' else " ", path.read_text())
        for word in WORD.findall(text):
            yield word, path.relative_to(ROOT)


class ReasonsDocument(unittest.TestCase):
    def test_document(self):
        self.assertGreater(len(REASONS), 80)
        path = ROOT / "docs/troubleshooting.md"
        if "--write" in sys.argv[3:]:
            path.write_text(DOCUMENT)
        self.assertEqual(path.read_text(), DOCUMENT, "docs/troubleshooting.md is not what the "
                         "table gives: run this test with --write")

    def test_every_row(self):
        self.assertEqual({word for _, word in ROW.findall(TABLE)}, REASONS)

    def test_every_reason(self):
        """No word beside the table: tests/tree/check-words refuses those of the table here."""
        found = [pair for folder in FOLDERS for pair in words_of(folder)]
        self.assertGreater(len(found), 50)
        self.assertEqual({f"{word} ({path})" for word, path in found if word not in REASONS | OTHERS}, set(),
                         "a reason that src/model/migration/reasons_table.h lacks, or a word for "
                         "OTHERS")

    def test_nothing_left_over(self):
        """No row for a reason that nothing gives."""
        given = set()
        for path in (ROOT / "src").rglob("*.[ch]"):
            if path.parent.name != "migration" or path.parts[-3] != "model":
                given |= set(re.findall(r"\bFERRY_REASON_(\w+)", path.read_text()))
        self.assertEqual({name for name, _ in ROW.findall(TABLE)} - given, set())

    def test_no_reason_hides(self):
        self.assertEqual(REASONS & OTHERS, set())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
