// SPDX-License-Identifier: Apache-2.0
// Theory of operation: `kubectl drain` knows pods only, so each VM that runs on a host is shown as
// one pod there (model/kinds/kinds_pod.c). Evicting it starts a migration of the VM with the
// highest priority; while that waits in the queue, or no host can take the VM, the answer is 429
// with the reason, which kubectl prints and asks again after.
#include "api/kube/eviction.h"
#include "api/http/negotiate.h"
#include "api/http/respond.h"
#include "api/lookup/made.h"
#include "api/resource/delete.h"
#include "api/resource/write.h"
#include "api/resource/write_options.h"
#include "control/evacuation/evacuation_check.h"
#include "model/field/object_meta.h"
#include "model/migration/migration.h"
#include "model/migration/evacuation.h"
#include "policy/config.h"
#include "policy/limits.h"
#include "policy/migration_admission.h"

static gboolean eviction_later(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean eviction_later(GError **error, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_autofree char *text = g_strdup_vprintf(format, ap);
  va_end(ap);
  g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS, text);
  return FALSE;
}

static gboolean read_eviction(FerryRequest *req, const char *ns, const char *pod, gboolean *dry,
                              json_t **options, GError **error) {
  g_autoptr(json_t) body = ferry_request_body(req, error);
  if (!body)
    return FALSE;
  const char *version = ferry_json_str(body, "apiVersion"), *kind = ferry_json_str(body, "kind");
  const char *name = ferry_json_str(body, "metadata.name");
  const char *space = ferry_json_str(body, "metadata.namespace");
  if ((g_strcmp0(version, "policy/v1") != 0 && g_strcmp0(version, "policy/v1beta1") != 0) ||
      g_strcmp0(kind, "Eviction") != 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "the body must be an Eviction of policy/v1 or policy/v1beta1, it is %s %s",
                version ? version : "without apiVersion", kind ? kind : "without kind");
    return FALSE;
  }
  if ((name && *name && !g_str_equal(name, pod)) || (space && *space && !g_str_equal(space, ns))) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "name and namespace of the Eviction (%s/%s) do not match the URL (%s/%s)",
                space ? space : "", name ? name : "", ns, pod);
    return FALSE;
  }
  *options = json_incref(json_object_get(body, "deleteOptions"));
  if (*options && !json_is_object(*options) && !json_is_null(*options)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "deleteOptions must be a DeleteOptions object");
    return FALSE;
  }
  return ferry_check_delete_options(*options, error) &&
         ferry_request_dry_run(req, *options, dry, error);
}

/* The one that moves the VM or is about to; one that is put off holds nobody up. */
static json_t *active_migration(FerryRequest *req, const json_t *vmi) {
  g_autoptr(GPtrArray) all = ferry_store_list(req->api->store, &ferry_kind_vmim,
                                              ferry_json_str(vmi, "metadata.namespace"), NULL);
  for (guint i = 0; i < all->len; i++) {
    json_t *m = g_ptr_array_index(all, i);
    if (!ferry_migration_is_final(m) && !ferry_migration_is_put_off(m) &&
        g_strcmp0(ferry_json_str(m, "spec.vmiName"), ferry_json_str(vmi, "metadata.name")) == 0)
      return json_incref(m);
  }
  return NULL;
}

/* A migration that an eviction did not ask for: nobody sees to it that the VM leaves. kubectl asks
 * again after a 429; after a 201 it only waits. */
static gboolean eviction_another(const json_t *m, const char *source, GError **error) {
  const char *leaves = ferry_object_annotation(m, FERRY_EVACUATES_ANNOTATION);
  const char *name = ferry_json_str(m, "metadata.name");
  if (ferry_migration_is_forecast(m))
    return !eviction_later(
        error, "a forecast of the VM is being made (%s), which takes some seconds", name);
  if (g_strcmp0(leaves, source) == 0)
    return FALSE;
  return !eviction_later(error, "migration %s of the VM is under way already (%s)", name,
                         ferry_phase_word(m));
}

/* Accepted, or 429 while the migration waits for its turn or for a host. */
static gboolean answer_for(FerryRequest *req, const json_t *m, const char *source, GError **error) {
  const char *name = ferry_json_str(m, "metadata.name");
  FerryPhase phase = ferry_phase_of(m);
  g_autofree char *why = NULL;
  guint place = 0;
  if (phase <= FERRY_PHASE_PENDING) {
    g_autoptr(GPtrArray) all = ferry_store_list(req->api->store, &ferry_kind_vmim, NULL, NULL);
    g_autoptr(json_t) kubevirt =
        ferry_store_get(req->api->store, &ferry_kind_kubevirt, "kubevirt", "kubevirt");
    FerryConfigSources sources = {.kubevirt = kubevirt, .migration = m};
    g_autoptr(json_t) config = ferry_config_resolve(&sources, NULL);
    g_autoptr(FerryLimits) limits = ferry_limits_new((json_t *const *)all->pdata, all->len, config);
    const char *uid = ferry_json_str(m, "metadata.uid");
    place = ferry_limits_position(limits, uid);
    /* place 0: it has left the queue since it was read */
    if (place && !ferry_limits_admit(limits, uid, source, &why))
      return eviction_later(error, "migration %s waits at place %u of the queue: %s", name, place,
                            why);
  } else if (phase == FERRY_PHASE_SCHEDULING) {
    g_autoptr(GString) text = g_string_new(NULL);
    gsize i, k;
    json_t *refusal, *reason;
    json_array_foreach(ferry_json_get(m, "status.refusals"), i, refusal)
        json_array_foreach(json_object_get(refusal, "reasons"), k, reason) g_string_append_printf(
            text, "%s%s", text->len ? "; " : "", ferry_json_str(reason, "message"));
    if (text->len)
      return eviction_later(error, "migration %s waits for a host: %s", name, text->str);
  }
  ferry_respond_json(req, 201,
                     json_pack("{s:s, s:s, s:{}, s:s, s:s}", "kind", "Status", "apiVersion", "v1",
                               "metadata", "status", "Success", "message",
                               "the VM is being moved to another host"));
  return TRUE;
}

/* A refusal in one line: kubectl prints no causes for what it asks again. */
static gboolean eviction_refused(GError *problem, GError **error) {
  guint n = ferry_error_n_causes(problem);
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < n; i++)
    g_string_append_printf(text, "%s%s", i ? "; " : "", ferry_error_cause(problem, i)->message);
  return eviction_later(error, "the VM cannot be moved now: %s", n ? text->str : problem->message);
}

static gboolean evict_vm(FerryRequest *req, const char *ns, const char *pod, GError **error) {
  gboolean dry;
  g_autoptr(json_t) options = NULL;
  if (!read_eviction(req, ns, pod, &dry, &options, error))
    return FALSE;
  g_autoptr(json_t) vmi = ferry_made_source(req, &ferry_kind_pod, ns, pod, error);
  g_autoptr(json_t) shown = vmi ? ferry_made_of(&ferry_kind_pod, vmi) : NULL;
  if (!vmi || !ferry_check_preconditions(req, options, shown, error))
    return FALSE;
  g_autofree char *source = g_strdup(ferry_json_str(vmi, "status.nodeName"));
  g_autoptr(json_t) running = active_migration(req, vmi);
  if (running && eviction_another(running, source, error))
    return FALSE;
  if (running)
    return answer_for(req, running, source, error);
  g_autoptr(FerryEvacuationCheck) check = ferry_evacuation_check_new(req->api->store);
  gboolean external;
  g_autofree char *held =
      ferry_evacuation_check_strategy(check, vmi, source ? source : "", &external);
  if (held)
    return eviction_later(error, "%s", held);
  req->found.kind = &ferry_kind_vmim;
  req->found.ns = ns;
  g_autoptr(GError) problem = NULL;
  /* Asked first: what no host can take is not even begun. */
  g_autoptr(json_t) wish = ferry_evacuation_migration(vmi, source, 1);
  g_hash_table_replace(req->asked.query, g_strdup("dryRun"), g_strdup("All"));
  g_autoptr(json_t) made = ferry_resource_make(req, wish, &problem);
  if (made && !dry) {
    g_hash_table_remove(req->asked.query, "dryRun");
    g_clear_pointer(&made, json_decref);
    g_autoptr(json_t) again = ferry_evacuation_migration(vmi, source, 1);
    made = ferry_resource_make(req, again, &problem);
  }
  req->found.kind = &ferry_kind_pod;
  if (made)
    return answer_for(req, made, source, error);
  if (g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_INVALID) ||
      g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_CONFLICT))
    return eviction_refused(problem, error);
  g_propagate_error(error, g_steal_pointer(&problem));
  return FALSE;
}

gboolean ferry_serve_eviction(FerryRequest *req, GError **error) {
  req->found.kind = &ferry_kind_pod;
  if (!ferry_negotiate(req, FALSE, error))
    return FALSE;
  /* As Kubernetes has it: with a Retry-After client-go would ask again by itself ten times before
   * kubectl could say what it waits for. */
  req->seat.waits_in_words = TRUE;
  return evict_vm(req, req->found.ns, req->found.name, error);
}
