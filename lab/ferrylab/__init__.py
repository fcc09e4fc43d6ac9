# SPDX-License-Identifier: Apache-2.0
"""Ferry's lab: real libvirt hosts in namespaces of one machine."""
