// SPDX-License-Identifier: Apache-2.0
// Which lock manager libvirt has its guests' disks locked by: with one, a second copy of a VM can't
// even start beside the first one, wherever disks and locks are shared.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** The lock manager that `text`, libvirt's qemu.conf, names: "virtlockd", "sanlock", "none", or
 * another one by its own name, at most 63 bytes. Free with g_free. Pure. */
char *ferry_lock_manager_of(const char *text);

G_END_DECLS
