// SPDX-License-Identifier: Apache-2.0
#include "control/evacuation/drain_taint.h"
#include "base/random.h"
#include "base/rfc3339.h"
#include "base/trace.h"
#include "control/evacuation/evacuation.h"
#include "model/field/object_meta.h"
#include "model/migration/phase.h"
#include "policy/config.h"
#include "policy/place/emptied.h"
#include "model/migration/condition.h"
#include <string.h>

static const char *asked_by(const json_t *evacuation) {
  return ferry_object_annotation(evacuation, FERRY_DRAIN_TAINT_ANNOTATION);
}

static gint64 ended_ms(const json_t *evacuation) {
  const json_t *complete = ferry_condition_find(evacuation, FERRY_CONDITION_COMPLETE);
  return ferry_rfc3339_parse(ferry_json_str(complete, "lastTransitionTime"));
}

static gboolean is_of(const json_t *evacuation, const char *node) {
  return g_strcmp0(ferry_json_str(evacuation, "spec.nodeName"), node) == 0;
}

static gboolean has_vms(FerryStore *store, const char *node) {
  g_autoptr(GPtrArray) vmis = ferry_store_select(store, &ferry_kind_vmi, FERRY_BY_NODE, node);
  for (guint i = 0; i < vmis->len; i++)
    if (ferry_evacuation_concerns(vmis->pdata[i], node))
      return TRUE;
  return FALSE;
}

static void drain_taint_make(const char *node, const char *key, gint64 now_ms, FerryPlan *plan) {
  g_autofree char *suffix = ferry_random_hex(4);
  g_autofree char *name = g_strdup_printf("taint-%.200s-%s", node, suffix);
  g_autofree char *uid = ferry_random_uuid();
  g_autofree char *now = ferry_rfc3339_format(now_ms);
  g_autofree char *trace = ferry_trace_new();
  ferry_plan_write(plan, FERRY_WRITE_CREATE, &ferry_kind_evacuation,
                   json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:i, s:[s], s:{s:s, s:s}}, s:{s:s}, "
                             "s:{s:s}}",
                             "apiVersion", "ferry.migration/v1", "kind", "Evacuation", "metadata",
                             "name", name, "uid", uid, "creationTimestamp", now, "generation", 1,
                             "finalizers", FERRY_EVACUATION_FINALIZER, "annotations",
                             FERRY_DRAIN_TAINT_ANNOTATION, key, FERRY_TRACE_ANNOTATION, trace,
                             "spec", "nodeName", node, "status", "phase",
                             ferry_phase_name(FERRY_PHASE_PENDING)),
                   FALSE);
}

/* Its next step cancels what has not begun, and lets it go. */
static void drain_taint_end(const json_t *evacuation, gint64 now_ms, FerryPlan *plan) {
  if (ferry_json_get(evacuation, "metadata.deletionTimestamp"))
    return;
  g_autofree char *now = ferry_rfc3339_format(now_ms);
  json_t *copy = json_deep_copy(evacuation);
  ferry_json_set_str(copy, "metadata.deletionTimestamp", now);
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_evacuation, copy, FALSE);
}

static void step_tainted(FerryStore *store, const GPtrArray *evacuations, const char *node,
                         const char *key, gint64 now_ms, FerryPlan *plan) {
  gint64 due = 0;
  for (guint i = 0; i < evacuations->len; i++) {
    const json_t *e = evacuations->pdata[i];
    if (!is_of(e, node))
      continue;
    if (!ferry_evacuation_is_final(e))
      return;
    if (asked_by(e) && ferry_phase_of(e) == FERRY_PHASE_FAILED)
      due = MAX(due, ended_ms(e) + FERRY_DRAIN_TAINT_AGAIN_MS);
  }
  if (!has_vms(store, node))
    return;
  if (now_ms < due) {
    ferry_plan_wake(plan, due);
    return;
  }
  for (guint i = 0; i < evacuations->len; i++) /* the newest tells how it is, one is enough */
    if (asked_by(evacuations->pdata[i]) && is_of(evacuations->pdata[i], node))
      drain_taint_end(evacuations->pdata[i], now_ms, plan);
  drain_taint_make(node, key, now_ms, plan);
}

/* Whether a node has a taint, or had one that an evacuation was made for. */
static gboolean any_is_drained(const GPtrArray *nodes, const GPtrArray *evacuations) {
  for (guint i = 0; i < nodes->len; i++)
    if (json_array_size(ferry_json_get(nodes->pdata[i], "spec.taints")) > 0)
      return TRUE;
  for (guint i = 0; i < evacuations->len; i++)
    if (asked_by(evacuations->pdata[i]))
      return TRUE;
  return FALSE;
}

void ferry_drain_taint_step(FerryStore *store, gint64 now_ms, FerryPlan *plan) {
  g_autoptr(GPtrArray) nodes = ferry_store_list(store, &ferry_kind_node, NULL, NULL);
  g_autoptr(GPtrArray) evacuations = ferry_store_list(store, &ferry_kind_evacuation, NULL, NULL);
  if (!any_is_drained(nodes, evacuations))
    return;
  g_autoptr(json_t) kubevirt = ferry_store_get(store, &ferry_kind_kubevirt, "kubevirt", "kubevirt");
  FerryConfigSources sources = {.kubevirt = kubevirt};
  g_autoptr(json_t) config = ferry_config_resolve(&sources, NULL);
  const char *key = ferry_placement_drain_key(config);
  for (guint i = 0; i < nodes->len; i++) {
    const char *node = ferry_json_str(nodes->pdata[i], "metadata.name");
    if (ferry_json_find(ferry_json_get(nodes->pdata[i], "spec.taints"), "key", key)) {
      step_tainted(store, evacuations, node, key, now_ms, plan);
      continue;
    }
    for (guint k = 0; k < evacuations->len; k++)
      if (asked_by(evacuations->pdata[k]) && is_of(evacuations->pdata[k], node) &&
          !ferry_evacuation_is_final(evacuations->pdata[k]))
        drain_taint_end(evacuations->pdata[k], now_ms, plan);
  }
}
