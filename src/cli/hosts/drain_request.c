// SPDX-License-Identifier: Apache-2.0
#include "cli/hosts/drain_request.h"
#include "base/rfc3339.h"
#include "cli/core/when.h"
#include "model/migration/evacuation.h"
#include <stdio.h>

/* The evacuations of a host. New reference. */
static json_t *drain_list(FerryCli *cli, const char *host, GError **error) {
  g_autofree char *field = g_strconcat("spec.nodeName=", host, NULL);
  return ferry_cli_list(cli, &ferry_kind_evacuation, NULL, NULL, field, NULL, NULL, error);
}

/* As it stands in the object; NULL: none is asked for. */
static char *drain_deadline_text(FerryCli *cli) {
  gint64 until = ferry_when_parse(ferry_cli_option(cli, "deadline"), g_get_real_time() / 1000);
  return until >= 0 ? ferry_rfc3339_format(until) : NULL;
}

static void drain_deadline_put(FerryCli *cli, json_t *evacuation) {
  g_autofree char *deadline = drain_deadline_text(cli);
  if (deadline != NULL)
    ferry_json_set_str(evacuation, "spec.deadline", deadline);
}

static json_t *drain_deadline_change(FerryCli *cli, json_t *item, GError **error) {
  g_autofree char *deadline = drain_deadline_text(cli);
  if (deadline == NULL)
    return json_incref(item);
  g_autofree char *path = ferry_resource_path(&ferry_kind_evacuation, NULL,
                                              ferry_json_str(item, "metadata.name"), NULL);
  g_autoptr(json_t) patch = json_pack("{s:{s:s}}", "spec", "deadline", deadline);
  return ferry_client_request(cli->client, "PATCH", path, patch, FERRY_CONTENT_MERGE_PATCH, NULL,
                              NULL, error);
}

gboolean ferry_drain_deadline_bad(FerryCli *cli) {
  const char *text = ferry_cli_option(cli, "deadline");
  g_autofree char *problem =
      text != NULL ? ferry_when_problem(text, g_get_real_time() / 1000) : NULL;
  if (problem == NULL)
    return FALSE;
  ferry_cli_usage(cli, "--deadline: %s", problem);
  return TRUE;
}

json_t *ferry_drain_post(FerryCli *cli, const char *host, gboolean dry, GError **error) {
  g_autoptr(json_t) wish =
      json_pack("{s:s, s:s, s:{s:s}, s:{s:s}}", "apiVersion", "ferry.migration/v1", "kind",
                "Evacuation", "metadata", "generateName", "drain-", "spec", "nodeName", host);
  drain_deadline_put(cli, wish);
  g_autofree char *path =
      ferry_resource_path(&ferry_kind_evacuation, NULL, NULL,
                          dry ? "fieldValidation=Strict&dryRun=All" : "fieldValidation=Strict");
  g_autofree char *header = ferry_cli_trace_header();
  const char *const headers[] = {header, NULL};
  return ferry_client_request(cli->client, "POST", path, wish, NULL, headers, NULL, error);
}

json_t *ferry_drain_begin(FerryCli *cli, const char *host, GError **error) {
  if (ferry_cli_client(cli, error) == NULL)
    return NULL;
  g_autoptr(json_t) list = drain_list(cli, host, error);
  if (list == NULL)
    return NULL;
  size_t i;
  json_t *item;
  json_array_foreach(ferry_json_get(list, "items"), i, item) {
    if (!ferry_evacuation_is_final(item) &&
        ferry_json_str(item, "metadata.deletionTimestamp") == NULL)
      return drain_deadline_change(cli, item, error);
  }
  return ferry_drain_post(cli, host, FALSE, error);
}

gboolean ferry_drain_undo(FerryCli *cli, const char *host, guint *ended, GError **error) {
  g_autofree char *node = ferry_resource_path(&ferry_kind_node, NULL, host, NULL);
  g_autoptr(json_t) patch = json_pack("{s:{s:n}}", "spec", "unschedulable");
  g_autoptr(json_t) opened = ferry_client_request(cli->client, "PATCH", node, patch,
                                                  FERRY_CONTENT_MERGE_PATCH, NULL, NULL, error);
  g_autoptr(json_t) list = opened != NULL ? drain_list(cli, host, error) : NULL;
  size_t i;
  json_t *item;
  json_array_foreach(ferry_json_get(list, "items"), i, item) {
    g_autoptr(GError) cause = NULL;
    g_autofree char *path = ferry_resource_path(&ferry_kind_evacuation, NULL,
                                                ferry_json_str(item, "metadata.name"), NULL);
    g_autoptr(json_t) gone =
        ferry_client_request(cli->client, "DELETE", path, NULL, NULL, NULL, NULL, &cause);
    if (gone == NULL && !g_error_matches(cause, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)) {
      g_propagate_error(error, g_steal_pointer(&cause));
      return FALSE;
    }
    *ended += !ferry_evacuation_is_final(item);
  }
  return list != NULL;
}

void ferry_drain_tell_open(const char *host, guint ended) {
  printf("%s takes VMs again%s.\n", host,
         ended > 0 ? "; its evacuation has ended: what waited is cancelled, what moves goes on"
                   : "");
}
