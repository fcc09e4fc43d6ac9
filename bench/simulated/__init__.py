# SPDX-License-Identifier: Apache-2.0
"""Judging presets on simulated guests."""
