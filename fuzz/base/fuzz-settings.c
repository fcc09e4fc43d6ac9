// SPDX-License-Identifier: Apache-2.0
// A configuration file: whatever stands in it is refused with its line, or read.
#include "base/settings/settings.h"
#include "fuzz.h"
#include <string.h>

typedef struct {
  char *name;
  GStrv list;
  gint64 number, bytes, seconds;
  gboolean yes;
} Target;

#define AT(member) G_STRUCT_OFFSET(Target, member)
static const FerrySetting table[] = {
    {"name", FERRY_SETTING_TEXT, 0, AT(name), "NAME", NULL, "A name"},
    {"list", FERRY_SETTING_LIST, 0, AT(list), "WORD", NULL, "Words"},
    {"number", FERRY_SETTING_NUMBER, 0, AT(number), "N", "10", "A number", NULL, 0, 1000},
    {"bytes", FERRY_SETTING_SIZE, 0, AT(bytes), "SIZE", "64Mi", "A size", NULL, 1},
    {"seconds", FERRY_SETTING_SECONDS, 0, AT(seconds), "TIME", "2m", "A time", NULL, 0, 1000},
    {"yes", FERRY_SETTING_YES, 0, AT(yes), NULL, NULL, "Whether"},
    {NULL},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autoptr(FerrySettingsRead) settings = ferry_settings_new(table);
  g_autoptr(GError) error = NULL;
  Target target = {0};
  if (ferry_settings_read_text(settings, "f", (const char *)data, size, &error) &&
      ferry_settings_apply(settings, &target, &error)) {
    g_assert_cmpint(target.number, <=, 1000);
    g_assert_cmpint(target.seconds, <=, 1000);
    g_assert_cmpint(target.bytes, >=, 1);
  } else {
    g_assert_true(g_str_has_prefix(error->message, "f:"));
  }
  ferry_settings_unapply(table, &target);
  return 0;
}
