// SPDX-License-Identifier: Apache-2.0
// Which VMs move at this moment, asked over a connection of its own.
#pragma once
#include "host/port/host.h"

G_BEGIN_DECLS

/** Whether a domain moves: by libvirt's numbers of its state and the state's reason, and its job
 * (NULL: none). `known` FALSE: libvirt does not tell of the job, which counts as a migration, as a
 * target's libvirtd refuses while one comes. Pure. */
gboolean ferry_libvirt_moves(int state, int reason, gboolean known, const FerryJobStats *job);
/** Names of the domains that migrate from or to the host of `uri` now, with commas; "": none.
 * NULL: libvirtd cannot be asked. Free with g_free. Blocks. */
char *ferry_libvirt_moving(const char *uri);

G_END_DECLS
