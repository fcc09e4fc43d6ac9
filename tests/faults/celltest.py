# SPDX-License-Identifier: Apache-2.0
"""A test case for cells of the matrix that `make test` plays; the matrix as a whole is played by
tests/faults/run."""
import unittest

from cells import SHORT, named
from phases import PHASES
from play import play
from scene import Scene

EARLY = ("queued", "preparing", "disks", "first-pass")
LATE = tuple(name for name in PHASES if name not in EARLY)


class CellTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.down)
        cls.scene.up()

    @classmethod
    def play_cells_of(cls, phases):
        for cell in named(SHORT):
            if cell.phase.name in phases:
                setattr(cls, "test_" + cell.name.replace("/", "_").replace("-", "_"),
                        cls._test(cell))

    @staticmethod
    def _test(cell):
        def test(self):
            result = play(self.scene, cell)
            if result.get("broken"):
                self.scene.down()
                self.scene.up()
            if result["wrong"]:
                self.fail("\n".join(word[:2000] for word in result["wrong"]))
        return test
