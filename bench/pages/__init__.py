# SPDX-License-Identifier: Apache-2.0
"""The sections of docs/performance.md and the page docs/convergence.md, from bench/results."""
