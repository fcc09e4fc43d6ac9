// SPDX-License-Identifier: Apache-2.0
// In place of agents and hypervisors: a thread that reports the nodes' hearts and carries out
// migrations in the store, a few milliseconds each. VMs whose name begins with "stuck" fail.
#pragma once
#include "base/clock.h"
#include "base/rfc3339.h"
#include "control/inventory.h"
#include "store/store.h"

#include <string.h>

typedef struct {
  FerryStore *store;
  GThread *thread;
  gint stop; /* atomic */
} FakeAgents;

static gint64 fake_now(void) {
  return ferry_clock_wall_ms(ferry_clock_system());
}

static void fake_report(FakeAgents *a, const char *node, json_t *body) {
  g_autoptr(GError) error = NULL;
  if (!ferry_inventory_report(a->store, node, body, fake_now(), &error))
    g_warning("report of %s: %s", node, error->message);
  json_decref(body);
}

/* The domain goes from `from` to `to`. */
static void fake_move(FakeAgents *a, const json_t *vmi, const char *from, const char *to) {
  const char *uid = ferry_json_str(vmi, "metadata.uid");
  fake_report(a, to,
              json_pack("{s:[{s:s, s:O, s:s, s:s, s:b, s:O, s:O, s:i}]}", "domains", "uuid", uid,
                        "name", ferry_json_get(vmi, "spec.domainName"), "state", "running",
                        "reason", "migrated", "active", 1, "namespace",
                        ferry_json_get(vmi, "metadata.namespace"), "labels",
                        ferry_json_get(vmi, "metadata.labels"), "vcpus", 2));
  fake_report(a, from, json_pack("{s:[s]}", "removed", uid));
}

static void fake_update(FakeAgents *a, json_t *m) {
  FerryWrite write = {.op = FERRY_WRITE_UPDATE,
                      .kind = &ferry_kind_vmim,
                      .ns = ferry_json_str(m, "metadata.namespace"),
                      .name = ferry_json_str(m, "metadata.name"),
                      .object = m};
  g_autoptr(GError) error = NULL;
  if (!ferry_store_commit(a->store, &write, 1, NULL, &error))
    g_message("fake agent: %s", error->message);
}

static void fake_migration(FakeAgents *a, const json_t *seen) {
  const char *ns = ferry_json_str(seen, "metadata.namespace");
  const char *vm = ferry_json_str(seen, "spec.vmiName");
  const char *from = ferry_json_str(seen, "status.migrationState.sourceNode");
  const char *to = ferry_json_str(seen, "status.migrationState.targetNode");
  g_autoptr(json_t) vmi = ferry_store_get(a->store, &ferry_kind_vmi, ns, vm);
  g_autoptr(json_t) m = json_deep_copy(seen);
  ferry_json_set_str(m, "status.phase", "Running");
  fake_update(a, m);
  g_usleep(20000);
  gboolean stuck = g_str_has_prefix(vm, "stuck");
  if (!stuck)
    fake_move(a, vmi, from, to);
  ferry_json_set(m, "status.migrationState.agentResult",
                 json_pack("{s:b, s:s*, s:s}", "returned", 1, "error",
                           stuck ? "the cable was cut" : NULL, "sourceState",
                           stuck ? "running" : "gone"));
  fake_update(a, m);
}

static gpointer fake_run(gpointer data) {
  FakeAgents *a = data;
  gint64 beat = 0;
  while (!g_atomic_int_get(&a->stop)) {
    gint64 now = g_get_monotonic_time();
    if (now >= beat) {
      fake_report(a, "h1", json_object());
      fake_report(a, "h2", json_object());
      beat = now + G_USEC_PER_SEC;
    }
    g_autoptr(GPtrArray) all = ferry_store_list(a->store, &ferry_kind_vmim, NULL, NULL);
    for (guint i = 0; i < all->len; i++) {
      const json_t *m = g_ptr_array_index(all, i);
      const char *phase = ferry_json_str(m, "status.phase");
      gboolean left = g_strcmp0(phase, "Running") == 0 && /* by a process that was killed */
                      !ferry_json_get(m, "status.migrationState.agentResult");
      if (left || g_strcmp0(phase, "Scheduled") == 0)
        fake_migration(a, m);
    }
    g_usleep(5000);
  }
  return NULL;
}

static inline FakeAgents *fake_agents_start(FerryStore *store) {
  FakeAgents *a = g_new0(FakeAgents, 1);
  a->store = store;
  a->thread = g_thread_new("agents", fake_run, a);
  return a;
}

static inline void fake_agents_stop(FakeAgents *a) {
  g_atomic_int_set(&a->stop, 1);
  g_thread_join(a->thread);
  g_free(a);
}
