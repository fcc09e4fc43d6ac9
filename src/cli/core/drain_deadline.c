// SPDX-License-Identifier: Apache-2.0
#include "cli/core/drain_deadline.h"
#include "base/rfc3339.h"
#include "cli/core/when.h"

/* As it stands in the object; NULL: none is asked for. */
static char *drain_deadline_text(FerryCli *cli) {
  gint64 until = ferry_when_parse(ferry_cli_option(cli, "deadline"), g_get_real_time() / 1000);
  return until >= 0 ? ferry_rfc3339_format(until) : NULL;
}

void ferry_drain_deadline_put(FerryCli *cli, json_t *evacuation) {
  g_autofree char *deadline = drain_deadline_text(cli);
  if (deadline != NULL)
    ferry_json_set_str(evacuation, "spec.deadline", deadline);
}

json_t *ferry_drain_deadline_change(FerryCli *cli, json_t *item, GError **error) {
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
  if (text == NULL || ferry_when_parse(text, g_get_real_time() / 1000) >= 0)
    return FALSE;
  ferry_cli_usage(cli, "--deadline %s: expected a time such as 10m or 02:00", text);
  return TRUE;
}
