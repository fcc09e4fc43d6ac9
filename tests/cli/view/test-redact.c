// SPDX-License-Identifier: Apache-2.0
#include "cli/view/redact.h"
#include "base/json.h"
#include <string.h>

static void test_redact(void) {
  static const char text[] =
      "{\"metadata\":{\"name\":\"db\",\"managedFields\":[1],\"annotations\":{\"x/"
      "last-applied\":\"all\"}},"
      "\"spec\":{\"destinationXML\":\"<domain/>\",\"joinToken\":\"ferry.1\",\"usesToken\":true},"
      "\"list\":[\"10.0.0.7\",{\"at\":\"tcp:10.0.0.7:49152 from 10.0.0.8\"}],"
      "\"v6\":\"fe80::1 and 2001:db8:0:0:0:0:0:7\",\"mac\":\"52:54:00:12:34:56\",\"n\":7,"
      "\"time\":\"2026-01-02T03:04:05Z\",\"version\":\"11.3.0\"}";
  g_autoptr(json_t) value = ferry_json_parse(text, strlen(text), NULL);
  g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  ferry_redact(value, names);
  g_autofree char *out = json_dumps(value, JSON_COMPACT);
  static const char *const gone[] = {"10.0.0.", "ferry.1", "<domain",  "managedFields",
                                     "\"all\"", "52:54",   "2001:db8", "fe80"};
  for (gsize i = 0; i < G_N_ELEMENTS(gone); i++)
    if (strstr(out, gone[i]))
      g_error("\"%s\" is left in %s", gone[i], out);
  static const char *const kept[] = {
      "\"db\"", "\"ip-1\"",           "tcp:ip-1:49152 from ip-2", "mac-",
      "7",      "\"usesToken\":true", "2026-01-02T03:04:05Z",     "11.3.0"};
  for (gsize i = 0; i < G_N_ELEMENTS(kept); i++)
    if (!strstr(out, kept[i]))
      g_error("\"%s\" is not in %s", kept[i], out);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/redact", test_redact);
  return g_test_run();
}
