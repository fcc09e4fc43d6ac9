// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "model/validate/defaults.h"

static const FerryField network_item[] = {
    {.name = "mode", .type = FERRY_TYPE_STRING, .def = "\"warn\""}, {0}};
static const FerryField spec[] = {
    {.name = "on", .type = FERRY_TYPE_BOOLEAN, .def = "true"},
    {.name = "one", .type = FERRY_TYPE_OBJECT, .fields = network_item},
    {.name = "many", .type = FERRY_TYPE_LIST, .fields = network_item},
    {0}};
static const FerryField fields[] = {{.name = "spec", .type = FERRY_TYPE_OBJECT, .fields = spec},
                                    {0}};
static const FerryKind kind = {.kind = "Thing", .fields = fields};

static char *filled(const char *text) {
  g_autoptr(json_t) object = json_loads(text, 0, NULL);
  ferry_apply_defaults(&kind, object);
  char *raw = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
  char *out = g_strdup(raw);
  free(raw);
  return out;
}

static void test_filled(void) {
  static const struct {
    const char *object, *filled;
  } cases[] = {
      {"{\"spec\":{}}", "{\"spec\":{\"on\":true}}"},
      {"{\"spec\":{\"on\":false}}", "{\"spec\":{\"on\":false}}"},
      {"{\"spec\":{\"on\":null,\"one\":{}}}",
       "{\"spec\":{\"on\":null,\"one\":{\"mode\":\"warn\"}}}"},
      {"{\"spec\":{\"on\":true,\"many\":[{},{\"mode\":\"deny\"},1]}}",
       "{\"spec\":{\"many\":[{\"mode\":\"warn\"},{\"mode\":\"deny\"},1],\"on\":true}}"},
      {"{\"status\":{}}", "{\"status\":{}}"},
      {"{\"spec\":1}", "{\"spec\":1}"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *text = filled(cases[i].object);
    g_autoptr(json_t) is = json_loads(text, 0, NULL);
    g_autoptr(json_t) wanted = json_loads(cases[i].filled, 0, NULL);
    g_test_message("%s", text);
    g_assert_true(json_equal(is, wanted));
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/defaults/filled", test_filled);
  return g_test_run();
}
