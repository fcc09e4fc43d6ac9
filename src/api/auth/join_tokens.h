// SPDX-License-Identifier: Apache-2.0
// One-time tokens with which agents join: STATE/join-tokens.json.
#pragma once
#include "base/clock.h"

G_BEGIN_DECLS

typedef struct FerryJoinTokens FerryJoinTokens;

/** Reads nothing yet. `clock` is borrowed. */
FerryJoinTokens *ferry_join_tokens_open(const char *state_dir, const FerryClock *clock);
void ferry_join_tokens_free(FerryJoinTokens *tokens); /* NULL is allowed */

/** Makes one for `node`, good once within 24 h: its secret part, which is kept as a hash only;
 * `trust` is what ferry_join_tokens_trusts says of it. Free with g_free. Any thread, as all below.
 */
char *ferry_join_tokens_new(FerryJoinTokens *tokens, const char *node, gboolean trust,
                            GError **error);

/** Whether `token` (ferry.HASH.NODE.SECRET) is good for `node`, by what the file says now; `take`:
 * it is taken out of the file as well, so that it can't be used twice. UNAUTHORIZED. */
gboolean ferry_join_tokens_check(FerryJoinTokens *tokens, const char *token, const char *node,
                                 gboolean take, GError **error);

/** Whether a token that is good was made for a host that is to have libvirt's TLS as well. */
gboolean ferry_join_tokens_trusts(FerryJoinTokens *tokens, const char *token);

/** Takes back those of `node` (NULL: all) that wait to be used; how many. Logs a failure. */
guint ferry_join_tokens_drop(FerryJoinTokens *tokens, const char *node);

/** How often the file was read. */
guint64 ferry_join_tokens_reads(FerryJoinTokens *tokens);

G_END_DECLS
