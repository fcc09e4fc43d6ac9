// SPDX-License-Identifier: Apache-2.0
// The NVRAM of a VM that is off: its file, from one host's libvirt to another's.
#pragma once
#include <glib.h>
#include <libvirt/libvirt.h>

G_BEGIN_DECLS

/** Copies the file `path` of an NVRAM from one host's libvirt to another's. TRUE and not `*copied`:
 * there is none here. */
gboolean ferry_libvirt_nvram_copy(virConnectPtr here, virConnectPtr there, const char *path,
                                  gboolean *copied, GError **error);

G_END_DECLS
