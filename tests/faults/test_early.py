# SPDX-License-Identifier: Apache-2.0
"""The cells of `make test` in the early phases of a migration."""
import unittest

from celltest import EARLY, CellTest


class Early(CellTest):
    pass


Early.play_cells_of(EARLY)

if __name__ == "__main__":
    unittest.main()
