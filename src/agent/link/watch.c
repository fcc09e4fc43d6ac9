// SPDX-License-Identifier: Apache-2.0
// The migrations that have work for this host's agent: one watch that begins with all of them, and
// again after each gap. What is seen twice is harmless: a migration has at most one worker here.
// Only the source moves anything.
#include "agent/agent_private.h"
#include "base/error.h"
#include "base/log.h"

static const char *const starts[] = {"Scheduled", "PreparingTarget", "TargetReady", "Running",
                                     NULL};

/* Workers that have ended are joined outside the lock: they may just be leaving. */
void ferry_watch_sweep(FerryAgent *agent) {
  g_autoptr(GPtrArray) done = g_ptr_array_new_with_free_func(ferry_migration_free);
  g_mutex_lock(&agent->lock);
  GHashTableIter iter;
  gpointer uid, m;
  g_hash_table_iter_init(&iter, agent->migrations);
  while (g_hash_table_iter_next(&iter, &uid, &m))
    if (ferry_migration_is_done(m)) {
      g_ptr_array_add(done, m);
      g_hash_table_iter_steal(&iter);
      g_free(uid);
    }
  g_mutex_unlock(&agent->lock);
}

static void start(FerryAgent *agent, const char *uid, const json_t *object) {
  FerryMigration *m = ferry_migration_start(agent, object);
  g_mutex_lock(&agent->lock);
  g_hash_table_replace(agent->migrations, g_strdup(uid), m);
  g_mutex_unlock(&agent->lock);
}

/* Attempts whose predecessor's worker has ended by now. */
static void start_again(FerryAgent *agent) {
  GHashTableIter iter;
  gpointer uid, object;
  g_hash_table_iter_init(&iter, agent->again);
  while (g_hash_table_iter_next(&iter, &uid, &object)) {
    g_mutex_lock(&agent->lock);
    gboolean busy = g_hash_table_contains(agent->migrations, uid);
    g_mutex_unlock(&agent->lock);
    if (busy)
      continue;
    start(agent, uid, object);
    g_hash_table_iter_remove(&iter);
  }
}

static gboolean on_event(const char *type, json_t *object, gpointer data) {
  FerryAgent *agent = data;
  const char *uid = ferry_json_str(object, "metadata.uid");
  const char *phase = ferry_json_str(object, "status.phase");
  gboolean bookmark = g_str_equal(type, "BOOKMARK"), deleted = g_str_equal(type, "DELETED");
  if (bookmark || !uid || !ferry_json_str(object, "metadata.name"))
    return TRUE;
  ferry_bandwidth_see(agent, type, object);
  const char *source = ferry_json_str(object, "status.migrationState.sourceNode");
  if (g_strcmp0(source, agent->node) != 0) {
    g_hash_table_remove(agent->again, uid);
    return TRUE;
  }
  const json_t *result = ferry_json_get(object, "status.migrationState.agentResult");
  gboolean ended =
      result && ferry_json_int(result, "attempt", 0) >= ferry_migration_attempt(object);
  g_mutex_lock(&agent->lock);
  FerryMigration *m = g_hash_table_lookup(agent->migrations, uid);
  gboolean waiting = g_hash_table_contains(agent->undelivered, uid);
  g_mutex_unlock(&agent->lock);
  /* Workers are removed by this thread alone, so `m` stays. */
  gboolean wanted = !deleted && !ended && !waiting && phase && g_strv_contains(starts, phase);
  if (m && ferry_migration_is_before(m, object)) {
    if (wanted)
      g_hash_table_replace(agent->again, g_strdup(uid), json_incref(object));
    else
      g_hash_table_remove(agent->again, uid);
  } else if (m) {
    if (!deleted)
      ferry_migration_update(m, object);
  } else if (wanted) {
    g_hash_table_remove(agent->again, uid);
    start(agent, uid, object);
  } else {
    g_hash_table_remove(agent->again, uid);
  }
  return TRUE;
}

static gboolean on_tick(gpointer data) {
  FerryAgent *agent = data;
  ferry_watch_sweep(agent);
  ferry_bandwidth_sweep(agent);
  start_again(agent);
  g_mutex_lock(&agent->lock);
  gboolean go_on = !agent->stop && !agent->stale;
  g_mutex_unlock(&agent->lock);
  return go_on;
}

gpointer ferry_watch_thread(gpointer data) {
  FerryAgent *agent = data;
  FerryClient *client = ferry_agent_take_client(agent);
  agent->again =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_decref);
  g_autofree char *base =
      ferry_client_path("kubevirt.io", "v1", NULL, "virtualmachineinstancemigrations", NULL, NULL);
  g_autofree char *selector = g_strdup_printf("status.migrationState.agents=%s", agent->node);
  g_autofree char *escaped = g_uri_escape_string(selector, NULL, FALSE);
  g_autofree char *path = g_strdup_printf("%s?watch=1&fieldSelector=%s", base, escaped);
  gint64 backoff = 0;
  while (ferry_agent_epoch(agent) > 0) {
    g_autoptr(GError) error = NULL;
    gint64 began = g_get_monotonic_time();
    ferry_agent_refresh_client(agent, &client);
    gboolean ok =
        ferry_client_watch(client, path, NULL, 0, on_event, on_tick, agent, agent->cancel, &error);
    if (!on_tick(agent))
      break;
    if (g_get_monotonic_time() - began > 10 * G_USEC_PER_SEC)
      backoff = 0;
    if (!ok && backoff == 0)
      ferry_warning(error->message, "FERRY_NODE", agent->node);
    if (!ferry_agent_sleep(agent, ferry_agent_backoff_after(&backoff, error)))
      break;
  }
  ferry_client_free(client);
  g_clear_pointer(&agent->again, g_hash_table_unref);
  g_clear_pointer(&agent->probes, g_hash_table_unref);
  return NULL;
}
