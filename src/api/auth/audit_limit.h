// SPDX-License-Identifier: Apache-2.0
// How many refusals of one identity or address are written down one by one. Pure.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef struct FerryAuditLimit FerryAuditLimit;

/** Each key may have `burst` at once and one more each `refill_us`. At most `max_keys` are known at
 * a time; beyond that strangers share one. */
FerryAuditLimit *ferry_audit_limit_new(guint burst, gint64 refill_us, guint max_keys);
void ferry_audit_limit_free(FerryAuditLimit *limit);
/** Whether one of `key` is to be written now (monotonic time). *left_out: how many of it were not
 * since the last that was. */
gboolean ferry_audit_limit_take(FerryAuditLimit *limit, const char *key, gint64 now_us,
                                guint64 *left_out);
/** How many keys something was left out of since. */
guint ferry_audit_limit_owed(const FerryAuditLimit *limit);
/** One key of which something was left out and that has been quiet for `quiet_us`; its number, or 0
 * where there is none. *key: free with g_free. */
guint64 ferry_audit_limit_flush(FerryAuditLimit *limit, gint64 now_us, gint64 quiet_us, char **key);

G_END_DECLS
