// SPDX-License-Identifier: Apache-2.0
#include "agent/migration/arrange/disks.h"

static json_t *parse(const char *text) {
  json_t *value = json_loads(text, 0, NULL);
  g_assert_nonnull(value);
  return value;
}

/* "vda vdb", "-": nothing is copied, "all": libvirt chooses, NULL: it stays as it was. */
static char *choose(const char *config, const char *origins, const char *disks) {
  g_autoptr(json_t) c = parse(config);
  g_autoptr(json_t) o = parse(origins);
  g_autoptr(json_t) d = parse(disks);
  g_autoptr(json_t) fresh = ferry_disks_choose(c, o, d);
  if (!fresh)
    return NULL;
  FerrySettings s = {0};
  ferry_settings_use(&s, fresh);
  char *text = s.disks ? g_strjoinv(" ", s.disks) : g_strdup(s.request.copy_disks ? "all" : "-");
  ferry_settings_clear(&s);
  return text;
}

#define DISK(name, shared)                                                                         \
  "{\"name\":\"" name "\",\"type\":\"file\",\"source\":\"/x/" name                                 \
  "\",\"sizeBytes\":1000,\"shared\":" shared "}"
#define ALL "{\"copyStorageAll\":true}"
#define OFF "{\"copyStorageAll\":false}"
#define OFF_BY_US "{\"copyStorageAll\":\"automatic\"}"
#define SOME "{\"copyStorageAll\":true,\"migrateDisks\":[\"vdb\"]}"
#define SOME_BY_US "{\"migrateDisks\":\"automatic\"}"

static void test_choose(void) {
  static const struct {
    const char *config, *origins, *disks, *chosen;
  } cases[] = {
      {"{}", "{}", "[" DISK("vda", "false") "]", NULL},
      {OFF, "{}", "[" DISK("vda", "false") "]", NULL}, /* a person's no */
      {ALL, "{}", "[" DISK("vda", "false") "]", "all"},
      {ALL, "{}", "[" DISK("vda", "true") "," DISK("vdb", "false") "]", "vdb"},
      {ALL, "{}", "[" DISK("vda", "true") "]", "-"},
      {OFF, OFF_BY_US, "[" DISK("vda", "false") "]", "all"}, /* a snapshot put it elsewhere */
      {OFF, OFF_BY_US, "[" DISK("vda", "true") "]", "-"},
      {SOME, SOME_BY_US, "[" DISK("vda", "false") "," DISK("vdb", "true") "]", "vda"},
      {SOME, "{}", "[" DISK("vda", "false") "," DISK("vdb", "true") "]", NULL},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *chosen = choose(cases[i].config, cases[i].origins, cases[i].disks);
    g_assert_cmpstr(chosen, ==, cases[i].chosen);
  }
}

static void test_bytes(void) {
  g_autoptr(json_t) config = parse("{\"copyStorageAll\":true,\"copiedDiskBytes\":7}");
  g_autoptr(json_t) disks =
      parse("[" DISK("vda", "true") "," DISK("vdb", "false") "," DISK("vdc", "false") "]");
  g_autoptr(json_t) fresh = ferry_disks_choose(config, NULL, disks);
  g_assert_cmpint(ferry_json_int(fresh, "copiedDiskBytes", 0), ==, 2000);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/disks/choose", test_choose);
  g_test_add_func("/disks/bytes", test_bytes);
  return g_test_run();
}
