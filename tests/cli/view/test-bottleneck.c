// SPDX-License-Identifier: Apache-2.0
#include "cli/view/bottleneck.h"
#include <string.h>

static char *text_of(const char *rate, const char *config) {
  g_autofree char *text =
      g_strdup_printf("{\"status\":{\"progress\":{\"memoryTransferRateBytesPerSecond\":%s},"
                      "\"migrationState\":{\"migrationConfiguration\":{%s}}}}",
                      rate, config);
  g_autoptr(json_t) m = ferry_json_parse(text, strlen(text), NULL);
  g_assert_nonnull(m);
  return ferry_bottleneck_text(m);
}

static void test_named(void) {
  static const struct {
    const char *rate, *config, *says;
  } cases[] = {
      {"60000000", "\"bandwidthPerMigration\":64000000", "bandwidth limit"},
      {"110000000", "\"linkRateBytesPerSecond\":62500000", "by the link"},
      {"110000000", "\"linkRateBytesPerSecond\":62500000,\"bandwidthPerMigration\":500000000",
       "by the link"},
      {"40000000", "\"linkRateBytesPerSecond\":625000000,\"disableTLS\":false", "TLS"},
      {"40000000", "\"linkRateBytesPerSecond\":625000000,\"disableTLS\":true", "processor"},
      {"40000000", "\"linkRateBytesPerSecond\":625000000,\"disableTLS\":false,\"parallel\":true",
       "processor of either host"},
      {"40000000", "\"disableTLS\":true", NULL},
      {"0", "\"linkRateBytesPerSecond\":625000000", NULL},
      {"-5", "\"bandwidthPerMigration\":\"64Mi\"", NULL},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *said = text_of(cases[i].rate, cases[i].config);
    if (cases[i].says)
      g_assert_nonnull(strstr(said, cases[i].says));
    else
      g_assert_null(said);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/bottleneck/named", test_named);
  return g_test_run();
}
