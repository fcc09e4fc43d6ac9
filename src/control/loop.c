// SPDX-License-Identifier: Apache-2.0
// The control thread sleeps on a condition until the store has changes or a controller's wake time
// has come. It collects which migrations a batch of changes concerns, steps each of them, and
// commits its plan. A conflict means that someone else wrote meanwhile: their change wakes the loop
// again, so nothing is retried blindly; the migration is simply stepped once more.
#include "control/loop.h"
#include "base/log.h"
#include "control/evacuation/drain_taint.h"
#include "control/evacuation/evacuation.h"
#include "control/expiry.h"
#include "control/inventory.h"
#include "control/migration.h"
#include "control/network.h"
#include "control/node.h"
#include "control/rollout/rollout.h"
#include "control/transition_log.h"
#include "model/migration/condition.h"
#include <string.h>

#define TICK_MS 1000
#define EXPIRY_MS 30000
/* An evacuation looks at all VMs of its host, and nearly each change concerns it; it begins more
 * migrations than may run, so none of them waits for this. */
#define EVACUATIONS_MS 100
/* How often a waiting migration's place in the queue is told anew: each that ends moves all. */
#define PLACE_MS 2000

/* What is kept of a migration that is under way. */
typedef struct {
  char *vmi;
  gboolean waits;    /* Pending: of the VMs, only its own concerns it */
  gint64 told_at_ms; /* monotonic, when its place was written last */
} Active;

struct FerryControl {
  FerryStore *store;
  const FerryClock *clock;
  GThread *thread;
  GMutex lock; /* guards woken, stopping, stats */
  GCond cond;
  gboolean woken, stopping;
  FerryControlStats stats;
  /* the thread's own */
  FerryWatch *watch;
  GHashTable *active;   /* "ns/name" -> Active, of migrations that are not final */
  GHashTable *dirty;    /* of those, to be stepped now */
  GHashTable *nodes;    /* name -> gint64, when its silence is to be judged; wall clock, ms */
  gboolean evacuations; /* they and the rollouts are to be stepped now */
  gboolean networks;    /* to be stepped at the next tick */
  gint64 started_ms, next_expiry_ms;
  gint64 next_evacuations_ms; /* monotonic */
};

static void loop_wake(gpointer data) {
  FerryControl *c = data;
  g_mutex_lock(&c->lock);
  c->woken = TRUE;
  g_cond_signal(&c->cond);
  g_mutex_unlock(&c->lock);
}

static char *key_of(const json_t *m) {
  return g_strdup_printf("%s/%s", ferry_json_str(m, "metadata.namespace"),
                         ferry_json_str(m, "metadata.name"));
}

static void active_free(gpointer data) {
  Active *a = data;
  g_free(a->vmi);
  g_free(a);
}

static void loop_track(FerryControl *c, const json_t *m) {
  g_autofree char *key = key_of(m);
  if (ferry_migration_is_final(m) && !ferry_json_get(m, "metadata.deletionTimestamp")) {
    g_hash_table_remove(c->active, key);
    return;
  }
  Active *a = g_hash_table_lookup(c->active, key);
  if (!a) {
    a = g_new0(Active, 1);
    a->vmi = g_strdup(ferry_json_str(m, "spec.vmiName"));
    a->told_at_ms = -PLACE_MS;
    g_hash_table_insert(c->active, g_strdup(key), a);
  }
  a->waits = ferry_phase_of(m) == FERRY_PHASE_PENDING;
  g_hash_table_add(c->dirty, g_steal_pointer(&key));
}

static void all_dirty(FerryControl *c) {
  GHashTableIter iter;
  gpointer key;
  g_hash_table_iter_init(&iter, c->active);
  while (g_hash_table_iter_next(&iter, &key, NULL))
    g_hash_table_add(c->dirty, g_strdup(key));
}

/* Those that a change of a VM concerns: its own, and all that have, or look for, a place. */
static void dirty_by_vm(FerryControl *c, const char *ns, const char *name) {
  GHashTableIter iter;
  gpointer key, value;
  gsize n = strlen(ns);
  g_hash_table_iter_init(&iter, c->active);
  while (g_hash_table_iter_next(&iter, &key, &value)) {
    const Active *a = value;
    const char *text = key;
    gboolean own = g_strcmp0(a->vmi, name) == 0 && strncmp(text, ns, n) == 0 && text[n] == '/';
    if (own || !a->waits)
      g_hash_table_add(c->dirty, g_strdup(key));
  }
}

static gboolean only_progress(const FerrySeen *change) {
  if (change->type != FERRY_MODIFIED || !change->previous)
    return FALSE;
  const char *a = ferry_json_str(change->previous, "status.phase");
  const char *b = ferry_json_str(change->object, "status.phase");
  return g_strcmp0(a, b) == 0 &&
         json_equal(ferry_json_get(change->previous, "status.migrationState"),
                    ferry_json_get(change->object, "status.migrationState")) &&
         json_equal(ferry_json_get(change->previous, "status.conditions"),
                    ferry_json_get(change->object, "status.conditions")) &&
         json_equal(ferry_json_get(change->previous, "status.changes"),
                    ferry_json_get(change->object, "status.changes")) &&
         !ferry_json_get(change->object, "metadata.deletionTimestamp");
}

/* The VM shows its migration's progress, as telemetry: a lost race is made good by the next sample.
 */
static void mirror_progress(FerryControl *c, const json_t *m) {
  json_t *progress = ferry_json_get(m, "status.progress");
  const char *name = ferry_json_str(m, "spec.vmiName");
  if (!progress || !name)
    return;
  g_autoptr(json_t) vmi =
      ferry_store_get(c->store, &ferry_kind_vmi, ferry_json_str(m, "metadata.namespace"), name);
  if (!vmi || json_equal(ferry_json_get(vmi, "status.migrationProgress"), progress))
    return;
  json_t *copy = ferry_json_copy_along(vmi, "status");
  ferry_json_set(copy, "status.migrationProgress", json_incref(progress));
  g_autoptr(FerryPlan) plan = ferry_plan_new();
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_vmi, copy, TRUE);
  ferry_plan_commit(plan, c->store, NULL);
}

/* Nothing that a migration's step looks at. */
static gboolean only_progress_of_vmi(const FerrySeen *change) {
  if (change->type != FERRY_MODIFIED || !change->previous)
    return FALSE;
  return json_equal(ferry_json_get(change->previous, "status.domains"),
                    ferry_json_get(change->object, "status.domains")) &&
         json_equal(ferry_json_get(change->previous, "metadata.labels"),
                    ferry_json_get(change->object, "metadata.labels")) &&
         json_equal(json_object_get(change->previous, "spec"),
                    json_object_get(change->object, "spec"));
}

static gboolean node_changed(const FerrySeen *change) {
  if (change->type != FERRY_MODIFIED || !change->previous)
    return TRUE;
  return !json_equal(ferry_json_get(change->previous, "spec"),
                     ferry_json_get(change->object, "spec")) ||
         g_strcmp0(ferry_condition_status(change->previous, FERRY_CONDITION_READY),
                   ferry_condition_status(change->object, FERRY_CONDITION_READY)) != 0;
}

static gboolean addresses_changed(const FerrySeen *change) {
  return change->type != FERRY_MODIFIED || !change->previous ||
         !json_equal(ferry_json_get(change->previous, "status.interfaces"),
                     ferry_json_get(change->object, "status.interfaces")) ||
         !json_equal(ferry_json_get(change->previous, "status.addresses"),
                     ferry_json_get(change->object, "status.addresses"));
}

/* What an evacuation or a rollout looks at has changed; telemetry is not among it. */
static gboolean concerns_evacuations(const FerrySeen *change) {
  if (change->kind == &ferry_kind_vmim)
    return !only_progress(change);
  if (change->kind == &ferry_kind_vmi)
    return !only_progress_of_vmi(change);
  return change->kind == &ferry_kind_evacuation || change->kind == &ferry_kind_rollout ||
         (change->kind == &ferry_kind_node && node_changed(change));
}

static void look_at_node(FerryControl *c, const char *name, gint64 when_ms) {
  gint64 *when = g_new(gint64, 1);
  *when = when_ms;
  g_hash_table_replace(c->nodes, g_strdup(name), when);
}

static void loop_see(FerryControl *c, const FerrySeen *change) {
  ferry_transition_log(c->store, change);
  c->evacuations |= concerns_evacuations(change);
  if (change->kind == &ferry_kind_vmim) {
    if (change->type == FERRY_DELETED) {
      g_autofree char *key = key_of(change->object);
      g_hash_table_remove(c->active, key);
      all_dirty(c);
    } else if (only_progress(change)) {
      mirror_progress(c, change->object);
    } else {
      loop_track(c, change->object);
      if (ferry_migration_is_final(change->object))
        all_dirty(c); /* a place in the queue became free */
    }
  } else if (change->kind == &ferry_kind_vmi) {
    if (!only_progress_of_vmi(change))
      dirty_by_vm(c, change->ns, change->name);
  } else if (change->kind == &ferry_kind_node) {
    if (node_changed(change)) {
      all_dirty(c);
      look_at_node(c, change->name, 0);
    }
    c->networks |= addresses_changed(change);
    if (change->type == FERRY_DELETED) {
      g_hash_table_remove(c->nodes, change->name);
      g_autoptr(GError) error = NULL;
      if (!ferry_inventory_forget_node(c->store, change->name, ferry_clock_wall_ms(c->clock),
                                       &error))
        ferry_warning("cannot forget the VMs of a removed node", "FERRY_NODE", change->name,
                      "FERRY_ERROR", error->message);
    }
  } else if (change->kind == &ferry_kind_network) {
    c->networks = TRUE;
    all_dirty(c);
  } else if (change->kind == &ferry_kind_kubevirt) {
    all_dirty(c);
  }
}

static void loop_subscribe(FerryControl *c) {
  c->networks = TRUE;
  if (c->watch)
    ferry_watch_free(c->watch);
  /* first the watch, then the list: what changes in between is seen twice, never not at all */
  c->watch = ferry_store_watch_now(c->store, NULL, NULL, loop_wake, c);
  g_autoptr(GPtrArray) all = ferry_store_list(c->store, &ferry_kind_vmim, NULL, NULL);
  for (guint i = 0; i < all->len; i++)
    loop_track(c, g_ptr_array_index(all, i));
  g_autoptr(GPtrArray) nodes = ferry_store_list(c->store, &ferry_kind_node, NULL, NULL);
  g_hash_table_remove_all(c->nodes);
  for (guint i = 0; i < nodes->len; i++)
    look_at_node(c, ferry_json_str(g_ptr_array_index(nodes, i), "metadata.name"), 0);
}

static void drain_watch(FerryControl *c) {
  for (;;) {
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryChange) change = ferry_watch_next(c->watch, &error);
    if (error) {
      loop_subscribe(c);
      continue;
    }
    if (!change)
      return;
    g_auto(FerrySeen) seen = ferry_change_see(change);
    loop_see(c, &seen);
  }
}

static void loop_count(FerryControl *c, gboolean conflict) {
  g_mutex_lock(&c->lock);
  c->stats.steps++;
  c->stats.conflicts += conflict;
  g_mutex_unlock(&c->lock);
}

static gboolean loop_commit(FerryControl *c, FerryPlan *plan, const char *what, gint64 *next) {
  g_autoptr(GError) error = NULL;
  *next = MIN(*next, ferry_plan_wake_time(plan));
  gboolean ok = ferry_plan_commit(plan, c->store, &error);
  gboolean conflict = !ok && !g_error_matches(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE);
  loop_count(c, conflict);
  if (!ok && !conflict)
    ferry_warning("a controller's writes were refused by the store", "FERRY_OBJECT", what,
                  "FERRY_ERROR", error->message);
  return ok;
}

/* Whether a waiting migration's place is to be told now; if so it counts as told. */
static gboolean place_is_due(FerryControl *c, const char *key) {
  Active *a = g_hash_table_lookup(c->active, key);
  gint64 now = ferry_clock_monotonic_us(c->clock) / 1000;
  if (!a || now - a->told_at_ms < PLACE_MS)
    return !a;
  a->told_at_ms = now;
  return TRUE;
}

static void step_migrations(FerryControl *c, gint64 *next) {
  g_autoptr(GList) keys = g_hash_table_get_keys(c->dirty);
  g_hash_table_steal_all(c->dirty);
  for (GList *k = keys; k; k = k->next) {
    g_autofree char *key = k->data;
    char *slash = strchr(key, '/');
    g_autofree char *ns = g_strndup(key, (gsize)(slash - key));
    g_autoptr(json_t) m = ferry_store_get(c->store, &ferry_kind_vmim, ns, slash + 1);
    if (!m) {
      g_hash_table_remove(c->active, key);
      continue;
    }
    g_autoptr(FerryLogContext) context = ferry_control_log_context(c->store, m);
    ferry_log_scope(context);
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    ferry_migration_step(c->store, m, ferry_clock_wall_ms(c->clock), plan);
    if (ferry_plan_is_light(plan) && !place_is_due(c, key))
      continue; /* the next tick looks again */
    if (!loop_commit(c, plan, key, next))
      g_hash_table_add(c->dirty, g_strdup(key));
  }
}

static void step_evacuations(FerryControl *c, gint64 *next) {
  gint64 now = ferry_clock_wall_ms(c->clock);
  c->evacuations = FALSE;
  g_autoptr(GPtrArray) all = ferry_store_list(c->store, &ferry_kind_evacuation, NULL, NULL);
  for (guint i = 0; i < all->len; i++) {
    const json_t *evacuation = g_ptr_array_index(all, i);
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    ferry_evacuation_step(c->store, evacuation, now, plan);
    if (!loop_commit(c, plan, ferry_json_str(evacuation, "metadata.name"), next))
      c->evacuations = TRUE;
  }
}

/* After the evacuations: what one of these deletes is gone before another takes its place. */
static void step_rollouts(FerryControl *c, gint64 *next) {
  gint64 now = ferry_clock_wall_ms(c->clock);
  g_autoptr(GPtrArray) all = ferry_store_list(c->store, &ferry_kind_rollout, NULL, NULL);
  for (guint i = 0; i < all->len; i++) {
    const json_t *rollout = g_ptr_array_index(all, i);
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    ferry_rollout_step(c->store, rollout, now, plan);
    if (!loop_commit(c, plan, ferry_json_str(rollout, "metadata.name"), next))
      c->evacuations = TRUE;
  }
}

static void step_networks(FerryControl *c, gint64 *next) {
  c->networks = FALSE;
  g_autoptr(GPtrArray) nodes = ferry_store_list(c->store, &ferry_kind_node, NULL, NULL);
  g_autoptr(GPtrArray) all = ferry_store_list(c->store, &ferry_kind_network, NULL, NULL);
  for (guint i = 0; i < all->len; i++) {
    const json_t *network = g_ptr_array_index(all, i);
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    ferry_network_step(network, (json_t *const *)nodes->pdata, nodes->len,
                       ferry_clock_wall_ms(c->clock), plan);
    if (!loop_commit(c, plan, ferry_json_str(network, "metadata.name"), next))
      c->networks = TRUE;
  }
  for (guint i = 0; i < nodes->len; i++) {
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    json_t *node = json_copy(g_ptr_array_index(nodes, i));
    if (ferry_network_judge_node(node, (json_t *const *)all->pdata, all->len,
                                 ferry_clock_wall_ms(c->clock), plan))
      ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, node, FALSE);
    else
      json_decref(node);
    if (!loop_commit(c, plan, "nodes", next))
      c->networks = TRUE;
  }
}

/* Those that may have fallen silent: who was heard at the last look has until its grace is over. */
static void step_nodes(FerryControl *c, gint64 now, gint64 *next) {
  GHashTableIter iter;
  gpointer name, when;
  g_hash_table_iter_init(&iter, c->nodes);
  while (g_hash_table_iter_next(&iter, &name, &when)) {
    gint64 left = *(gint64 *)when == G_MAXINT64 ? 1 : *(gint64 *)when - now;
    if (left > 0 && left <= FERRY_NODE_GRACE_MS) /* more: the clock was set back */
      continue;
    g_autoptr(json_t) node = ferry_store_get(c->store, &ferry_kind_node, "", name);
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    if (node)
      ferry_node_step(node, c->started_ms, now, plan);
    if (loop_commit(c, plan, "nodes", next))
      *(gint64 *)when = ferry_plan_wake_time(plan);
  }
}

static void step_time(FerryControl *c, gint64 *next) {
  gint64 now = ferry_clock_wall_ms(c->clock);
  if (c->networks)
    step_networks(c, next);
  step_nodes(c, now, next);
  g_autoptr(FerryPlan) evictions = ferry_plan_new();
  ferry_eviction_step(c->store, now, evictions);
  loop_commit(c, evictions, "evictions", next);
  g_autoptr(FerryPlan) taints = ferry_plan_new();
  ferry_drain_taint_step(c->store, now, taints);
  loop_commit(c, taints, "taints", next);
  c->evacuations = TRUE; /* one may be due */
  if (now >= c->next_expiry_ms) {
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    ferry_expiry_step(c->store, now, plan);
    loop_commit(c, plan, "expiry", next);
    c->next_expiry_ms = now + EXPIRY_MS;
  }
  all_dirty(c);
}

static gpointer loop_run(gpointer data) {
  FerryControl *c = data;
  loop_subscribe(c);
  gint64 next_tick = 0;
  for (;;) {
    gint64 next = G_MAXINT64;
    drain_watch(c);
    gint64 mono = ferry_clock_monotonic_us(c->clock) / 1000;
    if (mono >= next_tick) {
      step_time(c, &next);
      next_tick = mono + TICK_MS;
    }
    if (c->evacuations && mono >= c->next_evacuations_ms) {
      step_evacuations(c, &next);
      step_rollouts(c, &next);
      c->next_evacuations_ms = mono + EVACUATIONS_MS;
    }
    step_migrations(c, &next);
    g_mutex_lock(&c->lock);
    gint64 wait_ms = g_hash_table_size(c->dirty) > 0 ? 5 : TICK_MS;
    if (c->evacuations)
      wait_ms = MIN(wait_ms, MAX(5, c->next_evacuations_ms - mono));
    gint64 until = g_get_monotonic_time() + wait_ms * 1000;
    while (!c->woken && !c->stopping && g_cond_wait_until(&c->cond, &c->lock, until))
      ;
    c->woken = FALSE;
    gboolean stop = c->stopping;
    g_mutex_unlock(&c->lock);
    if (stop)
      return NULL;
  }
}

FerryControl *ferry_control_start(FerryStore *store, const FerryClock *clock) {
  FerryControl *c = g_new0(FerryControl, 1);
  c->store = store;
  c->clock = clock;
  g_mutex_init(&c->lock);
  g_cond_init(&c->cond);
  c->active = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, active_free);
  c->dirty = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  c->nodes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  c->started_ms = ferry_clock_wall_ms(clock);
  c->thread = g_thread_new("control", loop_run, c);
  return c;
}

void ferry_control_stop(FerryControl *c) {
  if (!c)
    return;
  g_mutex_lock(&c->lock);
  c->stopping = TRUE;
  g_cond_signal(&c->cond);
  g_mutex_unlock(&c->lock);
  g_thread_join(c->thread);
  ferry_watch_free(c->watch);
  g_hash_table_unref(c->active);
  g_hash_table_unref(c->dirty);
  g_hash_table_unref(c->nodes);
  g_cond_clear(&c->cond);
  g_mutex_clear(&c->lock);
  g_free(c);
}

void ferry_control_stats(FerryControl *c, FerryControlStats *stats) {
  g_mutex_lock(&c->lock);
  *stats = c->stats;
  g_mutex_unlock(&c->lock);
}
