// SPDX-License-Identifier: Apache-2.0
// Whether a person has said that nothing new is to start (spec.freeze of the KubeVirt object).
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Why nothing new starts, in words, with who said so and what ends it; NULL: it may. `kubevirt`
 * may be NULL. Free with g_free. Pure. */
char *ferry_freeze_text(const json_t *kubevirt);
/** Notes in `kubevirt`, which is about to be stored, who froze Ferry and when. Whatever a client
 * says of these two is replaced: by `user` and `now_ms` where `old` (may be NULL) was not frozen,
 * else by what `old` has. Pure. */
void ferry_freeze_sign(const json_t *old, json_t *kubevirt, const char *user, gint64 now_ms);

G_END_DECLS
