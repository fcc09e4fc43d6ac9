// SPDX-License-Identifier: Apache-2.0
// Which connection to the target broke. libvirtd passes on what it met there with the codes of a
// loss of one's own connection, so that only what it says beside them tells. And what its words for
// other failures say of what is to be done.
#pragma once
#include "host/port/host.h"

G_BEGIN_DECLS

/** The code (host.h) that stands for an error of a migration whose own connection to libvirt is
 * alive: one of FERRY_HOST_ERROR_PEER_*, or `code` as it is where the error is not a connection's.
 * `code` is as ferry_libvirt_error leaves it, so NO_CONNECTION for whatever way a connection broke.
 * `message` may be in any language: what is told by words is less certain then, what is told by
 * ports and codes is not. `hypervisor_port` is where the target's libvirtd listens, 0: not known.
 * Golden cases of libvirt 9.0 and 11.3: tests/host/libvirt/test-libvirt_blame.c. Pure. */
int ferry_libvirt_blame(int code, const char *message, guint16 hypervisor_port);

/** What libvirt's or QEMU's words for a migration's failure say of what is to be done. Pure. */
FerryHostHint ferry_libvirt_hint(const char *message);

/** Whether a domain could not go on as QEMU's own locks of its disks are another process's. Pure.
 */
gboolean ferry_libvirt_is_locked(const char *message);

/** Whether a call about a storage pool failed because somebody else's about the same pool came in
 * between, so that the same call may succeed. Pure. */
gboolean ferry_libvirt_pool_is_contended(const GError *error);

/** The port that a connection URI leads to, by its transport where it names none; 0: not TCP, or
 * no URI. Pure. */
guint16 ferry_libvirt_uri_port(const char *uri);

G_END_DECLS
