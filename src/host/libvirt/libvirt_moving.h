// SPDX-License-Identifier: Apache-2.0
// Which VMs move at this moment, asked over a connection of its own.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Names of the domains that migrate from or to the host of `uri` now, with commas; "": none.
 * NULL: libvirtd cannot be asked. Free with g_free. Blocks. */
char *ferry_libvirt_moving(const char *uri);

G_END_DECLS
