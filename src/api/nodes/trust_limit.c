// SPDX-License-Identifier: Apache-2.0
// A try is a request to be read and, where it is refused, a line in the journal.
#include "api/nodes/trust_limit.h"
#include "api/auth/audit_limit.h"

#define TRIES 20
#define REFILL_US (6 * G_USEC_PER_SEC)
#define MAX_KEYS 20000 /* only nodes that trust is wanted on come here */

struct FerryTrustLimit {
  const FerryClock *clock;
  GMutex lock; /* the rest */
  FerryAuditLimit *tries, *told;
};

FerryTrustLimit *ferry_trust_limit_new(const FerryClock *clock) {
  FerryTrustLimit *limit = g_new0(FerryTrustLimit, 1);
  limit->clock = clock;
  g_mutex_init(&limit->lock);
  limit->tries = ferry_audit_limit_new(TRIES, REFILL_US, MAX_KEYS);
  limit->told = ferry_audit_limit_new(TRIES, REFILL_US, MAX_KEYS);
  return limit;
}

void ferry_trust_limit_free(FerryTrustLimit *limit) {
  if (!limit)
    return;
  ferry_audit_limit_free(limit->tries);
  ferry_audit_limit_free(limit->told);
  g_mutex_clear(&limit->lock);
  g_free(limit);
}

gboolean ferry_trust_limit_take(FerryTrustLimit *limit, const char *node, gboolean tells,
                                GError **error) {
  guint64 left_out = 0;
  g_mutex_lock(&limit->lock);
  gboolean ok = ferry_audit_limit_take(tells ? limit->told : limit->tries, node,
                                       ferry_clock_monotonic_us(limit->clock), &left_out);
  g_mutex_unlock(&limit->lock);
  if (!ok)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS,
                "node \"%s\" asks too often; try again in a minute", node);
  return ok;
}
