// SPDX-License-Identifier: Apache-2.0
#include "cli/core/units.h"
#include "base/duration.h"
#include "base/quantity.h"
#include <string.h>

static gboolean is_bare(const char *text, gint64 unit, gint64 *value) {
  gint64 number;
  if (!g_ascii_string_to_signed(text, 10, 0, G_MAXINT64 / MAX(unit, 1), &number, NULL))
    return FALSE;
  *value = number * MAX(unit, 1);
  return TRUE;
}

gboolean ferry_units_time(const char *text, gint64 bare_ms, gint64 *ms) {
  return is_bare(text, bare_ms, ms) ||
         (!g_ascii_isdigit(text[0]) || strspn(text, "0123456789.") < strlen(text)
              ? ferry_duration_parse(text, ms)
              : FALSE);
}

gboolean ferry_units_size(const char *text, gint64 bare_bytes, gint64 *bytes, gboolean *was_bare) {
  gboolean bare = is_bare(text, bare_bytes, bytes);
  if (was_bare)
    *was_bare = bare;
  if (bare)
    return TRUE;
  g_autofree char *size = g_strdup(text);
  if (g_str_has_suffix(size, "/s"))
    size[strlen(size) - strlen("/s")] = '\0';
  return ferry_size_parse(size, bytes, NULL);
}
