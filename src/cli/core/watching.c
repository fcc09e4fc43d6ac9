// SPDX-License-Identifier: Apache-2.0
#include "cli/core/watching.h"
#include <signal.h>

static volatile sig_atomic_t watching_interrupted;
static struct sigaction action_before;

static void watching_on_interrupt(int signo) {
  watching_interrupted = 1;
}

void ferry_watching_begin(void) {
  struct sigaction act = {.sa_handler = watching_on_interrupt};
  watching_interrupted = 0;
  sigaction(SIGINT, &act, &action_before);
}

void ferry_watching_end(void) {
  sigaction(SIGINT, &action_before, NULL);
}

gboolean ferry_watching_interrupted(void) {
  return watching_interrupted != 0;
}

void ferry_watching_forget(void) {
  watching_interrupted = 0;
}

gboolean ferry_watching_passes(gint64 *lost_us, const GError *why) {
  gint64 now = g_get_monotonic_time();
  if (!g_error_matches(why, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE) &&
      !g_error_matches(why, FERRY_ERROR, FERRY_ERROR_TIMEOUT))
    return FALSE;
  *lost_us = *lost_us ? *lost_us : now;
  return now - *lost_us <= FERRY_CLI_RETRY_LIMIT_MS * 1000LL;
}

char *ferry_watching_path(const FerryKind *kind, const json_t *object) {
  g_autoptr(GString) query = g_string_new("watch=1");
  g_autofree char *field =
      g_strconcat("metadata.name=", ferry_json_str(object, "metadata.name"), NULL);
  ferry_query_add(query, "fieldSelector", field);
  ferry_query_add(query, "resourceVersion", ferry_json_str(object, "metadata.resourceVersion"));
  return ferry_resource_path(kind, ferry_json_str(object, "metadata.namespace"), NULL, query->str);
}

json_t *ferry_watching_get(FerryCli *cli, const FerryKind *kind, const json_t *object,
                           GError **error) {
  g_autofree char *path = ferry_resource_path(kind, ferry_json_str(object, "metadata.namespace"),
                                              ferry_json_str(object, "metadata.name"), NULL);
  return ferry_client_request(cli->client, "GET", path, NULL, NULL, NULL, NULL, error);
}
