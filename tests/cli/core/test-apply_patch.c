// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "cli/core/apply_patch.h"
#include <string.h>

static void check(const char *last, const char *wanted, const char *live, const char *patch) {
  g_autoptr(json_t) l = last != NULL ? json_loads(last, 0, NULL) : NULL;
  g_autoptr(json_t) w = json_loads(wanted, 0, NULL);
  g_autoptr(json_t) v = json_loads(live, 0, NULL);
  g_autoptr(json_t) p = ferry_cli_apply_patch(l, w, v);
  g_autofree char *text = ferry_json_dump(p);
  g_assert_cmpstr(text, ==, patch);
}

static void test_patch(void) {
  check(NULL, "{\"a\":1}", "{\"a\":1,\"b\":2}", "{}");
  check(NULL, "{\"a\":2}", "{\"a\":1,\"b\":2}", "{\"a\":2}");
  check("{\"a\":1,\"b\":2}", "{\"a\":1}", "{\"a\":1,\"b\":2,\"c\":3}", "{\"b\":null}");
  check("{\"a\":1,\"b\":2}", "{\"a\":1}", "{\"a\":1}", "{}");
  check("{\"s\":{\"x\":1,\"y\":1}}", "{\"s\":{\"x\":2}}", "{\"s\":{\"x\":1,\"y\":1,\"z\":1}}",
        "{\"s\":{\"x\":2,\"y\":null}}");
  check(NULL, "{\"l\":[1,2]}", "{\"l\":[1]}", "{\"l\":[1,2]}");
  check("{\"s\":{\"x\":1}}", "{}", "{\"s\":{\"x\":1}}", "{\"s\":null}");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/apply_patch", test_patch);
  return g_test_run();
}
