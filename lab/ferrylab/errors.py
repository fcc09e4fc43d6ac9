# SPDX-License-Identifier: Apache-2.0
"""The one exception the command line prints without a traceback."""


class LabError(Exception):
    """What was wrong, where, and what to do next, in one message."""
