// SPDX-License-Identifier: Apache-2.0
// When what a host was given for libvirt's TLS ends.
#pragma once
#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/** Of the certificates that a Node was given for libvirt, the pair that ends last (serial,
 * qemuSerial, names, keyHash, qemuKeyHash, ends); NULL: none. Borrowed. Pure. */
const json_t *ferry_trust_last(const json_t *node);
/** Sets the condition CertificateExpiring of `node` where that pair ends within `soon_ms`, unless
 * the condition says so of the agent's own; takes it away where it was of libvirt's and no longer
 * holds. Pure. */
void ferry_trust_warn(json_t *node, gint64 now_ms, gint64 soon_ms);

G_END_DECLS
