// SPDX-License-Identifier: Apache-2.0
#include "api/http/limits.h"

#include <sys/resource.h>

/* Files that are neither a client's nor to be spent on one: database, journal, pipes, listeners. */
#define OWN_FILES 128
#define MOST_AUTHENTICATED 8192
#define LEAST_AUTHENTICATED 32

#define DEFAULT(field, value)                                                                      \
  if (!r.field)                                                                                    \
  r.field = (value)

static guint authenticated_by_files(guint anonymous) {
  struct rlimit files = {0};
  if (getrlimit(RLIMIT_NOFILE, &files) < 0)
    return LEAST_AUTHENTICATED;
  gint64 left = files.rlim_cur == RLIM_INFINITY
                    ? MOST_AUTHENTICATED
                    : (gint64)MIN(files.rlim_cur, G_MAXINT32) - anonymous - OWN_FILES;
  return (guint)CLAMP(left, LEAST_AUTHENTICATED, MOST_AUTHENTICATED);
}

FerryHttpLimits ferry_http_limits_resolve(const FerryHttpLimits *limits) {
  FerryHttpLimits r = limits ? *limits : (FerryHttpLimits){0};
  DEFAULT(anonymous, 256);
  DEFAULT(anonymous_per_address, 64);
  DEFAULT(authenticated, authenticated_by_files(r.anonymous));
  DEFAULT(per_identity, MAX(1, r.authenticated * 3 / 4));
  DEFAULT(handshake_ms, 10000);
  DEFAULT(header_ms, 10000);
  DEFAULT(body_ms, 60000);
  DEFAULT(grace_ms, 10000);
  DEFAULT(idle_ms, 75000);
  DEFAULT(stall_ms, 60000);
  DEFAULT(min_rate, 1024);
  DEFAULT(in_flight, 256);
  DEFAULT(rate, 2000);
  DEFAULT(burst, 4000);
  DEFAULT(address_rate, 50);
  DEFAULT(address_burst, 200);
  DEFAULT(unread, (gsize)512 * 1024 * 1024);
  DEFAULT(unread_per_identity, (gsize)64 * 1024 * 1024);
  DEFAULT(streams, 2000);
  DEFAULT(streams_per_identity, 300);
  return r;
}
