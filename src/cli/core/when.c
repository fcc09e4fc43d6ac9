// SPDX-License-Identifier: Apache-2.0
#include "cli/core/when.h"
#include "base/duration.h"
#include "base/rfc3339.h"

/* A number of one or two digits, up to `most`, and the text after it; -1: none. */
static int clock_part(const char *text, int most, const char **rest) {
  int n = 0, digits = 0;
  while (digits < 2 && g_ascii_isdigit(text[digits]))
    n = n * 10 + g_ascii_digit_value(text[digits++]);
  *rest = text + digits;
  return digits > 0 && n <= most ? n : -1;
}

/* The next HH:MM; -1: none. */
static gint64 next_clock(const char *text, gint64 now_ms) {
  const char *rest;
  int hour = clock_part(text, 23, &rest);
  if (hour < 0 || *rest != ':')
    return -1;
  int minute = clock_part(rest + 1, 59, &rest);
  if (minute < 0 || *rest != '\0')
    return -1;
  g_autoptr(GDateTime) now = g_date_time_new_from_unix_local(now_ms / 1000);
  for (int days = 0; days <= 1; days++) {
    g_autoptr(GDateTime) day = g_date_time_add_days(now, days);
    g_autoptr(GDateTime) at =
        g_date_time_new_local(g_date_time_get_year(day), g_date_time_get_month(day),
                              g_date_time_get_day_of_month(day), hour, minute, 0);
    if (at && g_date_time_to_unix(at) * 1000 > now_ms)
      return g_date_time_to_unix(at) * 1000;
  }
  return -1;
}

gint64 ferry_when_parse(const char *text, gint64 now_ms) {
  gint64 ms;
  if (!text)
    return -1;
  gint64 clock = next_clock(text, now_ms);
  if (clock >= 0)
    return clock;
  if (ferry_duration_parse(text, &ms))
    return now_ms + ms;
  return ferry_rfc3339_parse(text);
}

char *ferry_when_problem(const char *text, gint64 now_ms) {
  gint64 at = ferry_when_parse(text, now_ms);
  if (at < 0)
    return g_strdup_printf("\"%s\" is not a time such as 10m, 02:00 or 2026-01-02T03:04:05Z", text);
  if (at >= now_ms)
    return NULL;
  g_autofree char *moment = ferry_rfc3339_format(at), *now = ferry_rfc3339_format(now_ms);
  return g_strdup_printf("\"%s\" is %s, which has passed: it is %s now", text, moment, now);
}
