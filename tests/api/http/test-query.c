// SPDX-License-Identifier: Apache-2.0
// Parameters of requests: booleans as Kubernetes reads them, and a 400 with the parameter's name
// for what makes no sense.
#include "../http.h"

#define VMIS "/apis/kubevirt.io/v1/virtualmachineinstances"

static void booleans(Server *s, gconstpointer data) {
  static const struct {
    const char *text;
    gboolean watches;
  } cases[] = {{"watch=true", TRUE},   {"watch=True", TRUE},   {"watch=1", TRUE},
               {"watch=yes", TRUE},    {"watch=", TRUE},       {"watch", TRUE},
               {"watch=false", FALSE}, {"watch=False", FALSE}, {"watch=0", FALSE},
               {"other=1", FALSE}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strconcat(VMIS "?timeoutSeconds=1&", cases[i].text, NULL);
    g_autoptr(Answer) a = http(s, "GET", path, NULL);
    expect(a, 200);
    g_test_message("%s", cases[i].text);
    g_assert_cmpint(g_str_has_prefix(a->body, "{\"type\":\"ADDED\""), ==, cases[i].watches);
  }
}

static void odd(Server *s, gconstpointer data) {
  static const struct {
    const char *name, *value;
  } cases[] = {{"limit", "-1"},
               {"limit", "many"},
               {"timeoutSeconds", "-5"},
               {"timeoutSeconds", "1.5"},
               {"resourceVersion", "new"},
               {"resourceVersionMatch", "About"},
               {"resourceVersionMatch", "Exact"}, /* of no version */
               {"labelSelector", "a%20in"},
               {"fieldSelector", "spec.colour=red"},
               {"continue", "nonsense"},
               {"includeObject", "Some"},
               {"propagationPolicy", "Sideways"},
               {"gracePeriodSeconds", "soon"},
               {"dryRun", "Some"},
               {"fieldValidation", "Maybe"}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strdup_printf(VMIS "?%s=%s", cases[i].name, cases[i].value);
    g_autoptr(Answer) a = http(s, "GET", path, NULL);
    g_test_message("%s: %s", path, a->body);
    g_assert_cmpint(a->status, ==, 400);
    g_assert_cmpstr(ferry_json_str(a->json, "kind"), ==, "Status");
    const char *message = ferry_json_str(a->json, "message");
    g_assert_nonnull(strstr(message, *cases[i].name == 'f' && cases[i].value[0] == 's'
                                         ? "spec.colour"
                                         : cases[i].name));
  }
}

/* What is not there is named. */
static void names_what_was_asked(Server *s, gconstpointer data) {
  static const char *const paths[] = {"/apis/nothing.example/v1", "/apis/kubevirt.io/v9/things",
                                      "/nowhere"};
  for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
    g_autoptr(Answer) a = http(s, "GET", paths[i], NULL);
    expect(a, 404);
    g_assert_nonnull(strstr(ferry_json_str(a->json, "message"), paths[i]));
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add("/query/booleans", Server, NULL, server_up, booleans, server_down);
  g_test_add("/query/odd", Server, NULL, server_up, odd, server_down);
  g_test_add("/query/names-what-was-asked", Server, NULL, server_up, names_what_was_asked,
             server_down);
  return g_test_run();
}
