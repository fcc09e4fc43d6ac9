// SPDX-License-Identifier: Apache-2.0
// Three hosts, VMs on them, and a Rollout, stepped by hand with its evacuations and migrations on a
// clock of the test's own.
#pragma once
#include "control/evacuation/evacuation.h"
#include "control/rollout/rollout.h"
#include "control/rollout/rollout_host.h"
#include "world.h"

#include <string.h>

#define SECOND 1000

/** VM number `digit` is on `node` (`state` running), or not (NULL). */
static inline void rollout_world_vm(FerryStore *store, const char *node, int digit,
                                    const char *state, gint64 now) {
  g_autoptr(GError) error = NULL;
  g_autofree char *uuid = g_strdup_printf("1111111%d-2222-3333-4444-555555555555", digit);
  g_autofree char *name = g_strdup_printf("vm%d", digit);
  g_autoptr(json_t) body =
      state ? json_pack("{s[{ss,ss,ss,ss,sb}]}", "domains", "uuid", uuid, "name", name, "state",
                        state, "reason", "migrated", "active", !g_str_equal(state, "shutoff"))
            : json_pack("{s[s]}", "removed", uuid);
  ferry_inventory_report(store, node, body, now, &error);
  g_assert_no_error(error);
}

static inline json_t *rollout_world_node(FerryStore *store, const char *name) {
  return ferry_store_get(store, &ferry_kind_node, "", name);
}

static inline json_t *rollout_world_get(FerryStore *store) {
  return ferry_store_get(store, &ferry_kind_rollout, "", "r");
}

/** The phase of a host, borrowed from `r`. */
static inline FerryPhase rollout_world_phase(const json_t *r, const char *host) {
  return ferry_phase_parse(ferry_json_str(ferry_rollout_host(r, host), "phase"));
}

static inline const char *rollout_world_message(const json_t *r, const char *host) {
  const char *text = ferry_json_str(ferry_rollout_host(r, host), "message");
  return text ? text : "";
}

/** h1 to h3, ready; no VMs. */
static inline void rollout_world_fill(FerryStore *store) {
  world_add(store, &ferry_kind_namespace, json_pack("{s{ss}}", "metadata", "name", "kubevirt"));
  world_add(store, &ferry_kind_node, world_node("h1", "10.0.0.1"));
  world_add(store, &ferry_kind_node, world_node("h2", "10.0.0.2"));
  world_add(store, &ferry_kind_node, world_node("h3", "10.0.0.3"));
}

static inline FerryStore *rollout_world_new(void) {
  ferry_views_verify_every(1);
  g_autoptr(GError) error = NULL;
  FerryStore *store = ferry_store_open(NULL, NULL, &error);
  g_assert_no_error(error);
  rollout_world_fill(store);
  return store;
}

static inline void rollout_world_make(FerryStore *store, const char *selector, int max) {
  world_add(store, &ferry_kind_rollout,
            json_pack("{ss,ss,s{ss,ss,ss,s[s]},s{ss?,si},s{ss}}", "apiVersion",
                      "ferry.migration/v1", "kind", "Rollout", "metadata", "name", "r", "uid", "r",
                      "creationTimestamp", "2026-01-01T00:00:00Z", "finalizers",
                      FERRY_ROLLOUT_FINALIZER, "spec", "selector", selector, "maxUnavailable", max,
                      "status", "phase", "Pending"));
}

/** What a person or the API writes. Takes `copy`. */
static inline void rollout_world_update(FerryStore *store, const FerryKind *kind, json_t *copy) {
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, kind, copy, FALSE);
  world_commit(store, plan);
}

static inline void rollout_world_pause(FerryStore *store, gboolean paused) {
  g_autoptr(json_t) r = rollout_world_get(store);
  json_t *copy = json_deep_copy(r);
  ferry_json_set_bool(copy, "spec.paused", paused);
  rollout_world_update(store, &ferry_kind_rollout, copy);
}

static inline void rollout_world_done(FerryStore *store, const char *host, gint64 now) {
  g_autoptr(json_t) r = rollout_world_get(store);
  json_t *copy = json_deep_copy(r);
  g_autofree char *at = ferry_rfc3339_format_ms(now);
  ferry_rollout_say_done(ferry_rollout_host(copy, host), at, "nina");
  rollout_world_update(store, &ferry_kind_rollout, copy);
}

/** The evacuations' step, then the rollout's; the rollout after it. */
static inline json_t *rollout_world_step(FerryStore *store, gint64 now) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_evacuation, NULL, NULL);
  for (guint i = 0; i < all->len; i++) {
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    ferry_evacuation_step(store, all->pdata[i], now, plan);
    world_commit(store, plan);
  }
  g_autoptr(json_t) r = rollout_world_get(store);
  if (!r)
    return NULL;
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_rollout_step(store, r, now, plan);
  world_commit(store, plan);
  return rollout_world_get(store);
}

/** Places each migration that waits by the controller's own rules, and has it succeed at once where
 * it got a host. */
static inline void rollout_world_move(FerryStore *store, gint64 now) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_vmim, NULL, NULL);
  for (guint i = 0; i < all->len; i++) {
    if (ferry_migration_is_final(all->pdata[i]))
      continue;
    const char *name = ferry_json_str(all->pdata[i], "metadata.name");
    g_autoptr(json_t) m = world_step(store, name, now);
    const char *to = ferry_json_str(m, "status.migrationState.targetNode");
    if (!to)
      continue;
    const char *vm = ferry_json_str(m, "spec.vmiName");
    const char *from = ferry_json_str(m, "status.migrationState.sourceNode");
    rollout_world_vm(store, to, vm[2] - '0', "running", now);
    rollout_world_vm(store, from, vm[2] - '0', NULL, now);
    g_autofree char *end = ferry_rfc3339_format_ms(now);
    world_set(store, name, "status.migrationState.endTimestamp", json_string(end));
    world_set(store, name, "status.phase", json_string("Succeeded"));
  }
}

static inline guint rollout_world_count(FerryStore *store, const FerryKind *kind) {
  g_autoptr(GPtrArray) all = ferry_store_list(store, kind, NULL, NULL);
  return all->len;
}
