// SPDX-License-Identifier: Apache-2.0
#include "base/rfc3339.h"
#include <time.h>

static char *rfc3339_format(gint64 epoch_ms, gboolean with_ms) {
  gint64 ms = epoch_ms % 1000;
  if (ms < 0)
    ms += 1000;
  time_t t = (time_t)((epoch_ms - ms) / 1000);
  struct tm tm;
  if (!gmtime_r(&t, &tm))
    return g_strdup("1970-01-01T00:00:00Z");
  char head[64];
  strftime(head, sizeof(head), "%Y-%m-%dT%H:%M:%S", &tm);
  return with_ms ? g_strdup_printf("%s.%03dZ", head, (int)ms) : g_strdup_printf("%sZ", head);
}

char *ferry_rfc3339_format(gint64 epoch_ms) {
  return rfc3339_format(epoch_ms, FALSE);
}

char *ferry_rfc3339_format_ms(gint64 epoch_ms) {
  return rfc3339_format(epoch_ms, TRUE);
}

gint64 ferry_rfc3339_parse(const char *text) {
  if (!text)
    return -1;
  g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
  g_autoptr(GDateTime) t = g_date_time_new_from_iso8601(text, utc);
  if (!t)
    return -1;
  return g_date_time_to_unix(t) * 1000 + g_date_time_get_microsecond(t) / 1000;
}

char *ferry_age_format(gint64 ms) {
  gint64 s = MAX(ms, 0) / 1000;
  gint64 m = s / 60, h = m / 60, d = h / 24;
#define N G_GINT64_FORMAT
  if (s < 120)
    return g_strdup_printf("%" N "s", s);
  if (m < 10)
    return s % 60 ? g_strdup_printf("%" N "m%" N "s", m, s % 60) : g_strdup_printf("%" N "m", m);
  if (m < 180)
    return g_strdup_printf("%" N "m", m);
  if (h < 8)
    return m % 60 ? g_strdup_printf("%" N "h%" N "m", h, m % 60) : g_strdup_printf("%" N "h", h);
  if (h < 48)
    return g_strdup_printf("%" N "h", h);
  if (d < 8)
    return h % 24 ? g_strdup_printf("%" N "d%" N "h", d, h % 24) : g_strdup_printf("%" N "d", d);
  if (d < 730)
    return g_strdup_printf("%" N "d", d);
  return g_strdup_printf("%" N "y", d / 365);
#undef N
}
