// SPDX-License-Identifier: Apache-2.0
// `ferryd certs` and `ferryd ca rotate`: they ask the running ferryd by its admin.kubeconfig.
#include "client/client.h"
#include "ferryd/options.h"
#include "base/limits.h"
#include <stdio.h>
#include <string.h>

#define API "/apis/ferry.migration/v1/"

static json_t *certs_ask(const char *state_dir, const char *method, const char *path,
                         const json_t *body, GError **error) {
  g_autofree char *kubeconfig =
      g_build_filename(state_dir ? state_dir : "/var/lib/ferry", "admin.kubeconfig", NULL);
  g_autoptr(FerryClientConfig) config = ferry_client_config_load(kubeconfig, NULL, error);
  g_autoptr(FerryClient) client = config ? ferry_client_new(config, error) : NULL;
  return client ? ferry_client_request(client, method, path, body, NULL, NULL, NULL, error) : NULL;
}

static int certs_fail(const char *what, const GError *error) {
  fprintf(stderr, "ferryd %s: %s\n", what, error->message);
  return 1;
}

int ferryd_certs_main(int argc, char **argv) {
  g_autofree char *state_dir = NULL;
  const GOptionEntry entries[] = {
      {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &state_dir,
       "Where the running ferryd keeps its state (default /var/lib/ferry)", "DIR"},
      {NULL},
  };
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_autoptr(GError) error = NULL;
  g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_set_summary(context, "Shows every certificate and when it ends.");
  if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
    fprintf(stderr, "ferryd certs: %s\n", error ? error->message : "it takes no arguments");
    return 2;
  }
  g_autoptr(json_t) answer = certs_ask(state_dir, "GET", API "certificates", NULL, &error);
  if (!answer)
    return certs_fail("certs", error);
  json_t *one;
  size_t i;
  printf("%-7s %-40s %-33s %-21s %5s  %s\n", "KIND", "SUBJECT", "SERIAL", "ENDS", "DAYS", "STATE");
  json_array_foreach(json_object_get(answer, "certificates"), i, one) printf(
      "%-7s %-40s %-33s %-21s %5" G_GINT64_FORMAT "  %s\n", ferry_json_str(one, "kind"),
      ferry_json_str(one, "subject"), ferry_json_str(one, "serial"), ferry_json_str(one, "endsAt"),
      ferry_json_int(one, "secondsLeft", 0) / FERRY_DAY_S, ferry_json_str(one, "state"));
  return 0;
}

static void print_names(const char *what, const json_t *names) {
  json_t *name;
  size_t i;
  if (json_array_size(names) == 0)
    return;
  printf("%s:", what);
  json_array_foreach((json_t *)names, i, name) printf(" %s", json_string_value(name));
  printf("\n");
}

static void print_status(const json_t *status) {
  const char *old = ferry_json_str(status, "oldCA");
  printf("CA         %s\n", ferry_json_str(status, "ca"));
  if (!old) {
    gint64 voided = ferry_json_int(status, "joinTokensVoided", 0);
    printf("No change of the CA is under way.\n");
    if (voided)
      printf("%" G_GINT64_FORMAT " unused join token%s void now: make new ones with ferryd token "
             "create.\n",
             voided, voided == 1 ? " is" : "s are");
    return;
  }
  printf("old CA     %s (still trusted)\n", old);
  print_names("agents that have not shown a certificate of the new CA yet",
              json_object_get(status, "nodes"));
  print_names("users whose certificates are of the old CA (ferry user rotate gives new ones)",
              json_object_get(status, "users"));
  if (json_array_size(json_object_get(status, "nodes")) == 0)
    printf("Every agent has a certificate of the new CA. Hand out new copies of admin.kubeconfig, "
           "then "
           "run: ferryd ca rotate finish\n");
}

int ferryd_ca_main(int argc, char **argv) {
  g_autofree char *state_dir = NULL;
  gboolean force = FALSE;
  const GOptionEntry entries[] = {
      {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &state_dir,
       "Where the running ferryd keeps its state (default /var/lib/ferry)", "DIR"},
      {"force", 0, 0, G_OPTION_ARG_NONE, &force,
       "Finish even though agents depend on the old CA: they have to join again", NULL},
      {NULL},
  };
  g_autoptr(GOptionContext) context = g_option_context_new("rotate begin|status|finish");
  g_autoptr(GError) error = NULL;
  g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_set_summary(context, "Changes the CA while everybody stays connected.");
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    fprintf(stderr, "ferryd ca: %s\n", error->message);
    return 2;
  }
  static const char *const actions[] = {"begin", "status", "finish", NULL};
  if (argc != 3 || !g_str_equal(argv[1], "rotate") || !g_strv_contains(actions, argv[2])) {
    fprintf(stderr, "usage: ferryd ca rotate begin|status|finish [--force] [--state-dir DIR]\n");
    return 2;
  }
  gboolean status = g_str_equal(argv[2], "status");
  g_autofree char *path = status ? g_strdup(API "ca") : g_strdup_printf(API "ca/%s", argv[2]);
  g_autoptr(json_t) body = status ? NULL : json_pack("{s:b}", "force", force);
  g_autoptr(json_t) answer = certs_ask(state_dir, status ? "GET" : "POST", path, body, &error);
  if (!answer)
    return certs_fail("ca rotate", error);
  print_status(answer);
  return 0;
}
