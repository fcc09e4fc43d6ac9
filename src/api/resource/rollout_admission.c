// SPDX-License-Identifier: Apache-2.0
#include "api/resource/rollout_admission.h"
#include "api/auth/authz.h"
#include "api/resource/trace.h"
#include "model/field/object_meta.h"
#include "model/listing/selector.h"
#include "model/migration/rollout.h"
#include "store/store.h"

gboolean ferry_rollout_rights(FerryRequest *req, GError **error) {
  const FerryAccess needs[] = {
      {.verb = "create",
       .group = ferry_kind_evacuation.group,
       .resource = ferry_kind_evacuation.plural,
       .ns = ""},
      {.verb = "patch",
       .group = ferry_kind_node.group,
       .resource = ferry_kind_node.plural,
       .ns = ""},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(needs); i++)
    if (!ferry_authz_require(req, &needs[i], error))
      return FALSE;
  return TRUE;
}

static gboolean refuse_selector(const json_t *object, const char *text, GError **error) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s.%s \"%s\" is invalid: spec.selector: %s",
              ferry_kind_rollout.kind, ferry_kind_rollout.group,
              ferry_json_str(object, "metadata.name"), text);
  if (error && *error)
    ferry_error_add_cause(*error, "FieldValueInvalid", "spec.selector", "%s", text);
  return FALSE;
}

/* The rollout that has that host and has not ended, or will have it: one that was made just now has
 * not chosen its hosts yet. Borrowed. */
static const json_t *rollout_of(const GPtrArray *all, const json_t *object, const json_t *node) {
  const char *own = ferry_json_str(object, "metadata.name");
  const json_t *has = ferry_rollout_of_host((json_t *const *)all->pdata, all->len, own,
                                            ferry_json_str(node, "metadata.name"));
  for (guint i = 0; !has && i < all->len; i++) {
    const json_t *other = all->pdata[i];
    if (ferry_rollout_is_final(other) || ferry_json_get(other, "status.hosts") ||
        g_strcmp0(ferry_json_str(other, "metadata.name"), own) == 0)
      continue;
    g_autoptr(FerrySelector) selector =
        ferry_selector_parse_labels(ferry_json_str(other, "spec.selector"), NULL);
    has = ferry_selector_matches(selector, node) ? other : NULL;
  }
  return has;
}

static gboolean check_hosts(FerryRequest *req, const json_t *object, GError **error) {
  const char *words = ferry_json_str(object, "spec.selector");
  g_autoptr(GError) problem = NULL;
  g_autoptr(FerrySelector) selector = ferry_selector_parse_labels(words, &problem);
  if (problem)
    return refuse_selector(object, problem->message, error);
  g_autoptr(GPtrArray) nodes = ferry_store_list(req->api->store, &ferry_kind_node, NULL, NULL);
  g_autoptr(GPtrArray) all = ferry_store_list(req->api->store, &ferry_kind_rollout, NULL, NULL);
  guint n = 0;
  for (guint i = 0; i < nodes->len; i++) {
    if (!ferry_selector_matches(selector, nodes->pdata[i]))
      continue;
    n++;
    const char *node = ferry_json_str(nodes->pdata[i], "metadata.name");
    const json_t *other = rollout_of(all, object, nodes->pdata[i]);
    if (!other)
      continue;
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "node \"%s\" is in rollout \"%s\" already; wait for its end or delete it first",
                node, ferry_json_str(other, "metadata.name"));
    return FALSE;
  }
  if (n > 0)
    return TRUE;
  g_autofree char *text =
      words && *words ? g_strdup_printf("Invalid value: \"%s\": no node has these labels", words)
                      : g_strdup("Invalid value: there are no nodes");
  return refuse_selector(object, text, error);
}

gboolean ferry_rollout_admit(FerryRequest *req, json_t *object, GError **error) {
  if (!ferry_rollout_rights(req, error) || !check_hosts(req, object, error))
    return FALSE;
  ferry_object_add_finalizer(object, FERRY_ROLLOUT_FINALIZER);
  ferry_trace_object(req, object);
  json_object_set_new(object, "status",
                      json_pack("{s:s}", "phase", ferry_phase_name(FERRY_PHASE_PENDING)));
  return TRUE;
}
