// SPDX-License-Identifier: Apache-2.0
#include "control/migration_step.h"
#include "base/rfc3339.h"
#include "policy/config.h"
#include "policy/match.h"

/* Most steps change nothing, so only one that does pays for a copy, and for no more of it than
 * changes (ferry_json_set and ferry_json_own copy the levels that they change). What was read of
 * the original before stays valid: the caller of ferry_migration_step holds it. */
void ferry_step_own(FerryStep *s) {
  if (!s->borrowed)
    return;
  json_t *own = json_copy(s->m);
  json_decref(s->m);
  s->m = own;
  s->borrowed = FALSE;
}

void ferry_step_set(FerryStep *s, const char *path, json_t *value) {
  json_t *there = ferry_json_get(s->m, path);
  if (value ? there && json_equal(there, value) : !there) {
    json_decref(value);
    return;
  }
  ferry_step_own(s);
  ferry_json_set(s->m, path, value);
  s->changed = s->weighs = TRUE;
}

void ferry_step_set_light(FerryStep *s, const char *path, json_t *value) {
  gboolean weighs = s->weighs;
  ferry_step_set(s, path, value);
  s->weighs = weighs;
}

gint64 ferry_step_phase_age(const FerryStep *s) {
  const char *phase = ferry_json_str(s->m, "status.phase");
  const json_t *stamp =
      ferry_json_find(ferry_json_get(s->m, "status.phaseTransitionTimestamps"), "phase", phase);
  gint64 since = ferry_rfc3339_parse(ferry_json_str(stamp, "phaseTransitionTimestamp"));
  return since < 0 ? 0 : MAX(0, s->now_ms - since);
}

void ferry_step_resolve_config(FerryStep *s) {
  if (s->config)
    return;
  g_autoptr(json_t) kubevirt =
      ferry_store_get(s->store, &ferry_kind_kubevirt, "kubevirt", "kubevirt");
  const char *ns = ferry_json_str(s->m, "metadata.namespace");
  g_autoptr(json_t) ns_object = ferry_store_get(s->store, &ferry_kind_namespace, "", ns ? ns : "");
  g_autoptr(GPtrArray) policies =
      ferry_store_list(s->store, &ferry_kind_migration_policy, NULL, NULL);
  const json_t *policy = ferry_policy_match((json_t *const *)policies->pdata, policies->len,
                                            ferry_json_get(s->vmi, "metadata.labels"),
                                            ferry_json_get(ns_object, "metadata.labels"));
  FerryConfigSources sources = {
      kubevirt, policy, s->vmi, s->m, (json_t *const *)policies->pdata, policies->len};
  s->config = ferry_config_resolve(&sources, &s->origins);
  g_free(s->policy_name);
  s->policy_name = g_strdup(ferry_json_str(policy, "metadata.name"));
}

const json_t *ferry_step_goes_first(const FerryStep *s, const GPtrArray *all) {
  for (guint i = 0; i < all->len; i++) {
    const json_t *other = g_ptr_array_index(all, i);
    if (ferry_migration_is_final(other) || ferry_migration_is_put_off(other) ||
        g_strcmp0(ferry_json_str(other, "spec.vmiName"), ferry_json_str(s->m, "spec.vmiName")) !=
            0 ||
        g_strcmp0(ferry_json_str(other, "metadata.namespace"),
                  ferry_json_str(s->m, "metadata.namespace")) != 0 ||
        g_strcmp0(ferry_json_str(other, "metadata.uid"), ferry_json_str(s->m, "metadata.uid")) == 0)
      continue;
    if (ferry_phase_of(other) > FERRY_PHASE_PENDING)
      return other;
    int order = g_strcmp0(ferry_json_str(other, "metadata.creationTimestamp"),
                          ferry_json_str(s->m, "metadata.creationTimestamp"));
    if (!order)
      order =
          g_strcmp0(ferry_json_str(other, "metadata.uid"), ferry_json_str(s->m, "metadata.uid"));
    if (order < 0)
      return other;
  }
  return NULL;
}

void ferry_step_fail(FerryStep *s, const char *reason, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_autofree char *message = g_strdup_vprintf(format, ap);
  va_end(ap);
  g_autofree char *now = ferry_rfc3339_format_ms(s->now_ms);
  ferry_step_set(s, "status.reason", json_string(reason));
  ferry_step_set(s, "status.message", json_string(message));
  ferry_step_set(s, "status.queue", NULL);
  ferry_step_set(s, "status.migrationState.failed", json_true());
  ferry_step_set(s, "status.migrationState.completed", json_true());
  ferry_step_set(s, "status.migrationState.failureReason", json_string(message));
  ferry_step_set(s, "status.migrationState.endTimestamp", json_string(now));
}

gboolean ferry_step_cancel_requested(const FerryStep *s) {
  return ferry_json_get(s->m, "metadata.deletionTimestamp") ||
         ferry_json_bool(s->m, "status.migrationState.abortRequested", FALSE);
}

const json_t *ferry_step_domain_on(const FerryStep *s, const char *node) {
  return node ? ferry_json_find(ferry_json_get(s->vmi, "status.domains"), "nodeName", node) : NULL;
}
