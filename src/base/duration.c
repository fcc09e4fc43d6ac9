// SPDX-License-Identifier: Apache-2.0
#include "base/duration.h"
#include <math.h>
#include <string.h>

#define MAX_MS 10000000000.0

static double duration_unit(const char **at) {
  static const struct {
    const char *name;
    double ms;
  } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
  for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
    if (g_str_has_prefix(*at, units[i].name)) {
      *at += strlen(units[i].name);
      return units[i].ms;
    }
  return 0;
}

gboolean ferry_duration_parse(const char *text, gint64 *ms) {
  double sum = 0;
  if (!text || !*text || strlen(text) > 64)
    return FALSE;
  for (const char *at = text; *at;) {
    char *end;
    if (!g_ascii_isdigit(*at))
      return FALSE; /* no signs, no "inf" */
    gsize digits = strspn(at, "0123456789.");
    g_autofree char *number = g_strndup(at, digits);
    double value = g_ascii_strtod(number, &end);
    if (*end)
      return FALSE;
    gboolean whole = at == text;
    at += digits;
    double factor = !*at && whole ? 1000 : duration_unit(&at);
    if (factor <= 0)
      return FALSE;
    sum += value * factor;
    if (!(sum <= MAX_MS))
      return FALSE;
  }
  *ms = llround(sum);
  return TRUE;
}
