// SPDX-License-Identifier: Apache-2.0
#include "host/machine/lock_manager.h"

char *ferry_lock_manager_of(const char *text) {
  g_autoptr(GRegex) line =
      g_regex_new("^[ \\t]*lock_manager[ \\t]*=[ \\t]*[\"']([A-Za-z0-9_-]{1,63})[\"']",
                  G_REGEX_MULTILINE, 0, NULL);
  g_autoptr(GMatchInfo) match = NULL;
  if (!g_regex_match(line, text, 0, &match))
    return g_strdup("none");
  char *name = g_match_info_fetch(match, 1);
  if (!g_str_equal(name, "lockd") && !g_str_equal(name, "nop"))
    return name;
  gboolean daemon = g_str_equal(name, "lockd"); /* the plugin's name is not the daemon's */
  g_free(name);
  return g_strdup(daemon ? "virtlockd" : "none");
}
