// SPDX-License-Identifier: Apache-2.0
#include "cli/hosts/rollout_request.h"
#include "model/migration/rollout.h"

static char *rollout_path(const char *name, const char *sub) {
  return ferry_client_path(ferry_kind_rollout.group, ferry_kind_rollout.version, NULL,
                           ferry_kind_rollout.plural, name, sub);
}

/* One that has not ended before one that has, then the newest. */
static gboolean rollout_is_better(const json_t *item, const json_t *best) {
  if (!best || ferry_rollout_is_final(item) != ferry_rollout_is_final(best))
    return !best || ferry_rollout_is_final(best);
  return g_strcmp0(ferry_json_str(item, "metadata.creationTimestamp"),
                   ferry_json_str(best, "metadata.creationTimestamp")) > 0;
}

json_t *ferry_rollout_find(FerryCli *cli, const char *name, const char *host, GError **error) {
  if (!ferry_cli_client(cli, error))
    return NULL;
  if (name)
    return ferry_cli_get(cli, &ferry_kind_rollout, NULL, name, NULL, error);
  g_autoptr(json_t) list =
      ferry_cli_list(cli, &ferry_kind_rollout, NULL, NULL, NULL, NULL, NULL, error);
  json_t *item, *best = NULL;
  size_t i;
  if (!list)
    return NULL;
  json_array_foreach(ferry_json_get(list, "items"), i, item) {
    if ((!host || ferry_rollout_host(item, host)) && rollout_is_better(item, best))
      best = item;
  }
  if (!best)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND, "there is no rollout%s%s",
                host ? " with host " : "", host ? host : "");
  return best ? json_incref(best) : NULL;
}

json_t *ferry_rollout_post(FerryCli *cli, gint64 max_unavailable, const char *selector,
                           GError **error) {
  g_autoptr(json_t) wish =
      json_pack("{s:s, s:s, s:{s:s}, s:{s:I, s:s*}}", "apiVersion", "ferry.migration/v1", "kind",
                ferry_kind_rollout.kind, "metadata", "generateName", "rollout-", "spec",
                "maxUnavailable", (json_int_t)max_unavailable, "selector", selector);
  g_autofree char *path =
      ferry_resource_path(&ferry_kind_rollout, NULL, NULL, "fieldValidation=Strict");
  g_autofree char *header = ferry_cli_trace_header();
  const char *const headers[] = {header, NULL};
  return ferry_client_request(cli->client, "POST", path, wish, NULL, headers, NULL, error);
}

json_t *ferry_rollout_put_done(FerryCli *cli, const json_t *object, const char *host,
                               GError **error) {
  g_autofree char *path = rollout_path(ferry_json_str(object, "metadata.name"), "done");
  g_autoptr(json_t) body = json_pack("{s:s}", "nodeName", host);
  return ferry_client_request(cli->client, "PUT", path, body, NULL, NULL, NULL, error);
}

json_t *ferry_rollout_put_paused(FerryCli *cli, const json_t *object, gboolean paused,
                                 GError **error) {
  g_autofree char *path = rollout_path(ferry_json_str(object, "metadata.name"), NULL);
  g_autoptr(json_t) body = json_pack("{s:{s:b}}", "spec", "paused", paused);
  return ferry_client_request(cli->client, "PATCH", path, body, FERRY_CONTENT_MERGE_PATCH, NULL,
                              NULL, error);
}
