// SPDX-License-Identifier: Apache-2.0
// The hypervisor port for real hosts: libvirt's driver.
#pragma once
#include "host/port/host.h"

G_BEGIN_DECLS

/** The libvirt driver for a connection URI such as "qemu:///system" or "qemu+ssh://h1/system".
 * Does not connect yet. One process can have several. Never fails for an unreachable host: it
 * keeps trying and says so by events. */
FerryHost *ferry_host_libvirt_new(const char *uri);

G_END_DECLS
