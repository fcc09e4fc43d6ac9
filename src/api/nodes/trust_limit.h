// SPDX-License-Identifier: Apache-2.0
// How often an agent may ask for libvirt's trust, whatever comes of it.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** `clock` is borrowed. */
FerryTrustLimit *ferry_trust_limit_new(const FerryClock *clock);
void ferry_trust_limit_free(FerryTrustLimit *limit); /* NULL is allowed */
/** Counts one try of `node` to get certificates or (`tells`) to say how things are, each apart.
 * TOO_MANY_REQUESTS: there were twenty at once, and since then one each six seconds. Any thread. */
gboolean ferry_trust_limit_take(FerryTrustLimit *limit, const char *node, gboolean tells,
                                GError **error);

G_END_DECLS
