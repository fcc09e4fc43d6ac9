# SPDX-License-Identifier: Apache-2.0
"""The cells of `make test` in the late phases of a migration."""
import unittest

from celltest import LATE, CellTest


class Late(CellTest):
    pass


Late.play_cells_of(LATE)

if __name__ == "__main__":
    unittest.main()
