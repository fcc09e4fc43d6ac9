// SPDX-License-Identifier: Apache-2.0
#include "policy/freeze.h"

static json_t *kubevirt(const char *freeze) {
  g_autofree char *text = g_strdup_printf("{\"spec\": {\"configuration\": {}%s}}", freeze);
  return json_loads(text, 0, NULL);
}

static void test_text(void) {
  static const struct {
    const char *freeze, *text;
  } cases[] = {
      {"", NULL},
      {", \"freeze\": null", NULL},
      {", \"freeze\": {}", "Ferry is frozen: nothing new starts until 'ferry unfreeze'"},
      {", \"freeze\": {\"by\": \"ann\", \"since\": \"2026-11-29T04:00:00Z\", \"reason\": \"odd\"}",
       "Ferry is frozen by ann since 2026-11-29T04:00:00Z, because odd: nothing new starts until "
       "'ferry unfreeze'"},
      {", \"freeze\": {\"by\": \"ann\", \"reason\": \"\"}",
       "Ferry is frozen by ann: nothing new starts until 'ferry unfreeze'"},
  };
  g_assert_null(ferry_freeze_text(NULL));
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(json_t) object = kubevirt(cases[i].freeze);
    g_autofree char *text = ferry_freeze_text(object);
    g_assert_cmpstr(text, ==, cases[i].text);
  }
}

/* Whatever a client says of who and when, the server knows it. */
static void test_sign(void) {
  g_autoptr(json_t) plain = kubevirt("");
  g_autoptr(json_t) object =
      kubevirt(", \"freeze\": {\"by\": \"bob\", \"since\": \"2020-01-01T00:00:00Z\"}");
  ferry_freeze_sign(NULL, plain, "ann", 0);
  g_assert_null(ferry_json_get(plain, "spec.freeze"));
  ferry_freeze_sign(plain, object, "ann", 1000);
  g_assert_cmpstr(ferry_json_str(object, "spec.freeze.by"), ==, "ann");
  g_assert_cmpstr(ferry_json_str(object, "spec.freeze.since"), ==, "1970-01-01T00:00:01Z");
  g_autoptr(json_t) later = kubevirt(", \"freeze\": {\"reason\": \"more\", \"by\": \"eve\"}");
  ferry_freeze_sign(object, later, "eve", 5000);
  g_assert_cmpstr(ferry_json_str(later, "spec.freeze.by"), ==, "ann"); /* it was frozen before */
  g_assert_cmpstr(ferry_json_str(later, "spec.freeze.since"), ==, "1970-01-01T00:00:01Z");
  g_assert_cmpstr(ferry_json_str(later, "spec.freeze.reason"), ==, "more");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/policy/freeze/text", test_text);
  g_test_add_func("/policy/freeze/sign", test_sign);
  return g_test_run();
}
