# SPDX-License-Identifier: Apache-2.0
"""Thirty cells of the matrix of faults and phases (tests/faults/run plays all of it)."""
import unittest

from cells import SHORT, named
from play import play
from scene import Scene


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.down)
        cls.scene.up()


def _add(name):
    def test(self):
        result = play(self.scene, named([name])[0])
        self.assertEqual(result["wrong"], [], result)
    setattr(Faults, "test_" + name.replace("/", "_").replace("-", "_"), test)


for _name in SHORT:
    _add(_name)
