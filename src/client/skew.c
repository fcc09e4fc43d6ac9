// SPDX-License-Identifier: Apache-2.0
#include "client/skew.h"
#include "base/error.h"
#include <string.h>

gboolean ferry_skew_is_not_understood(unsigned status, const GError *error) {
  if (status == 405 || status == 406 || status == 415)
    return TRUE;
  const FerryErrorAbout *about = ferry_error_about(error);
  if (status == 404)
    return !about || !about->name;
  return (status == 400 || status == 422) && strstr(error->message, FERRY_UNKNOWN_FIELD_TEXT);
}

gboolean ferry_skew_is_warned_of(const char *const *warnings) {
  for (; warnings && *warnings; warnings++)
    if (strstr(*warnings, FERRY_UNKNOWN_FIELD_TEXT))
      return TRUE;
  return FALSE;
}

static gboolean skew_parse(const char *text, guint64 *major, guint64 *minor) {
  const char *p = text && *text == 'v' ? text + 1 : text;
  char *end = NULL;
  if (!p || !g_ascii_isdigit(*p))
    return FALSE;
  *major = g_ascii_strtoull(p, &end, 10);
  if (*end != '.' || !g_ascii_isdigit(end[1]))
    return FALSE;
  *minor = g_ascii_strtoull(end + 1, NULL, 10);
  return TRUE;
}

char *ferry_skew_note(const char *ours, const char *theirs) {
  guint64 a[2], b[2];
  if (!skew_parse(ours, &a[0], &a[1]) || !skew_parse(theirs, &b[0], &b[1]) ||
      (a[0] == b[0] && a[1] == b[1]))
    return NULL;
  if (b[0] < a[0] || (b[0] == a[0] && b[1] < a[1]))
    return g_strdup_printf(
        "this needs a newer ferryd: it is %s, and ferry is %s. Upgrade ferryd, or use "
        "the ferry of its version.",
        theirs, ours);
  return g_strdup_printf(
      "this ferry is older than ferryd: it is %s, and ferryd is %s. Upgrade ferry.", ours, theirs);
}
