// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a local migration is the same worker as ferryd's; only what it would write
// to a server goes to `take_item` here, which keeps its status and sends the notifications. A save
// (mode=file) is a thread that waits for libvirt, and ends in the same status.
#include "agent/rpc/entries.h"
#include "agent/migration/migration.h"
#include "agent/rpc/keep.h"
#include "base/patch/patch.h"
#include "model/migration/migration.h"
#include "model/migration/condition.h"
#include "model/kinds/change_fields.h"

#define NOTIFY_US (G_USEC_PER_SEC / 2)
#define SAVE_POLL_MS 200

static const char *state_dir_of(const FerryLocalEntry *e) {
  return ferry_context_state_dir(e->local->ports.migration.context);
}

static void local_entry_free(gpointer data) {
  FerryLocalEntry *e = data;
  if (e->saver)
    g_thread_join(e->saver);
  json_decref(e->object);
  json_decref(e->wish);
  json_decref(e->status);
  json_decref(e->changes);
  g_free(e->vm);
  g_free(e->uid);
  g_free(e->path);
  g_free(e);
}

FerryLocal *ferry_local_new(const FerryLocalPorts *ports) {
  FerryLocal *l = g_new0(FerryLocal, 1);
  l->ports = *ports;
  g_mutex_init(&l->lock);
  g_cond_init(&l->cond);
  l->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, local_entry_free);
  return l;
}

void ferry_local_free(FerryLocal *l) {
  if (!l)
    return;
  gboolean saving = FALSE;
  GHashTableIter iter;
  gpointer value;
  g_mutex_lock(&l->lock);
  l->closed = TRUE;
  g_hash_table_iter_init(&iter, l->entries);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    saving = saving || ((FerryLocalEntry *)value)->saving;
  g_mutex_unlock(&l->lock);
  if (saving) /* its thread still uses the entry; the process is about to end */
    return;
  g_hash_table_unref(l->entries);
  g_mutex_clear(&l->lock);
  g_cond_clear(&l->cond);
  g_free(l);
}

/* ---- what the next agent must know ---- */

/* The lock is held. A migration's object with its status, or where a domain is saved to. */
static void keep_entry(const FerryLocalEntry *e) {
  g_autoptr(json_t) record = json_object();
  if (e->ended) {
    ferry_local_forget(state_dir_of(e), e->vm);
    return;
  }
  if (e->file)
    ferry_json_set_str(record, "path", e->path);
  if (e->object) {
    json_t *object = json_deep_copy(e->object);
    g_autoptr(json_t) status = ferry_patch_merge(json_object_get(object, "status"), e->status);
    ferry_json_set(object, "status", json_deep_copy(status));
    ferry_json_set(record, "object", object);
  }
  ferry_local_keep(state_dir_of(e), e->vm, record);
}

/* A change that is in force is the next agent's, too. */
static void keep_change(FerryLocalEntry *e) {
  json_t *list = ferry_json_get(e->object, "status.changes");
  if (!e->object || (ferry_change_state_of(e->changes) != FERRY_CHANGE_APPLIED &&
                     !json_object_get(e->changes, "inForce")))
    return;
  list = json_is_array(list) ? json_deep_copy(list) : json_array();
  json_t *change = json_deep_copy(e->changes);
  if (e->wish)
    json_object_set(change, "fields", e->wish);
  if (json_array_size(list) >= FERRY_CHANGES_MAX)
    json_array_remove(list, 0);
  json_array_append_new(list, change);
  ferry_json_set(e->object, "status.changes", list);
}

/* ---- what a worker tells ---- */

static void tell_status(FerryLocalEntry *e) {
  const char *failure = ferry_json_str(e->status, "migrationState.agentResult.error");
  json_t *note = json_pack("{s:s, s:i, s:s}", "vmID", e->vm, "progress",
                           (int)ferry_json_int(e->status, "progress.percent", 0), "status",
                           !e->ended             ? "running"
                           : failure && *failure ? "failed"
                                                 : "done");
  json_t *progress = json_object_get(e->status, "progress");
  if (progress)
    json_object_set(note, "details", progress);
  ferry_rpc_notify(e->local->ports.rpc, "migrationProgress", note);
}

static void take_item(const json_t *item, gboolean event, gpointer data) {
  FerryLocalEntry *e = data;
  FerryLocal *l = e->local;
  g_mutex_lock(&l->lock);
  const json_t *changes = json_object_get(item, "changes");
  const json_t *stalling = ferry_json_find(json_object_get(item, "conditions"), "type",
                                           ferry_condition_name(FERRY_CONDITION_STALLING));
  if (event || l->closed) {
    g_mutex_unlock(&l->lock);
    return;
  }
  if (changes) {
    json_decref(e->changes);
    e->changes = json_deep_copy(json_array_get(changes, 0));
    keep_change(e);
  } else if (stalling) { /* the next agent goes on from it */
    json_object_set(e->status, "conditions", json_object_get(item, "conditions"));
    ferry_rpc_notify(l->ports.rpc, "migrationStalling",
                     json_pack("{s:s, s:b, s:s}", "vmID", e->vm, "stalling",
                               ferry_condition_entry_holds(stalling), "message",
                               ferry_json_str(stalling, "message")));
  } else {
    json_t *merged = ferry_patch_merge(e->status, item);
    json_decref(e->status);
    e->status = merged;
    e->ended = ferry_json_get(merged, "migrationState.agentResult") != NULL;
    e->saving = e->saving && !e->ended;
  }
  if (changes || stalling || json_object_get(item, "phase") ||
      json_object_get(item, "migrationState"))
    keep_entry(e);
  gint64 now = g_get_monotonic_time();
  if (e->ended || now - e->told_us > NOTIFY_US) {
    e->told_us = now;
    tell_status(e);
  }
  g_cond_broadcast(&l->cond);
  g_mutex_unlock(&l->lock);
}

/* ---- hibernation ---- */

/* One that an earlier agent began, or for which nobody waits any more: libvirt saves by itself, and
 * the end shows in domain and file. */
static gpointer watch_save_thread(gpointer data) {
  FerryLocalEntry *e = data;
  const FerryMigrationPorts *ports = &e->local->ports.migration;
  const char *problem = NULL;
  for (;;) {
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) record = ferry_host_record(ports->host, e->vm, &error);
    gboolean away = ferry_host_error_is_away(error);
    if (!away && !ferry_json_bool(record, "active", FALSE)) {
      if (!g_file_test(e->path, G_FILE_TEST_EXISTS))
        problem = "the VM is off, and its file is not there";
      break;
    }
    if (!away) {
      g_autoptr(FerryHostJob) job = ferry_host_job_open(ports->host, e->vm, NULL);
      FerryJobStats stats;
      if (job && ferry_host_job_stats(job, &stats, NULL) && !stats.active) {
        problem = "it was not saved: the VM runs, and libvirt does nothing with it";
        break;
      }
    }
    if (!ferry_context_sleep(ports->context, SAVE_POLL_MS))
      return NULL;
  }
  g_autoptr(json_t) item =
      json_pack("{s:{s:{s:b, s:s}}, s:{s:i}}", "migrationState", "agentResult", "returned", TRUE,
                "error", problem ? problem : "", "progress", "percent", problem ? 0 : 100);
  take_item(item, FALSE, e);
  return NULL;
}

static gpointer save_thread(gpointer data) {
  FerryLocalEntry *e = data;
  g_autoptr(GError) error = NULL;
  gboolean ok = ferry_host_save(e->local->ports.migration.host, e->vm, e->path, &error);
  if (!ok && ferry_host_error_is_silent(error))
    return watch_save_thread(data); /* libvirt goes on with it */
  g_autoptr(json_t) item =
      json_pack("{s:{s:{s:b, s:s}}, s:{s:i}}", "migrationState", "agentResult", "returned", TRUE,
                "error", ok ? "" : error->message, "progress", "percent", ok ? 100 : 0);
  take_item(item, FALSE, e);
  return NULL;
}

guint ferry_local_running(FerryLocal *l) {
  guint n = ferry_workers_running(l->ports.workers);
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, l->entries);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    n += ((FerryLocalEntry *)value)->file && !((FerryLocalEntry *)value)->ended;
  return n;
}

FerryLocalEntry *ferry_local_entry_new(FerryLocal *l, const char *vm) {
  FerryLocalEntry *e = g_new0(FerryLocalEntry, 1);
  g_hash_table_remove(l->entries, vm);
  e->local = l;
  e->vm = g_strdup(vm);
  e->uid = g_strdup_printf("local-%u-%s", l->counter++, vm);
  e->status = json_object();
  g_hash_table_insert(l->entries, e->vm, e);
  return e;
}

void ferry_local_entry_move(FerryLocalEntry *e, const json_t *object) {
  const FerryLocalPorts *ports = &e->local->ports;
  e->object = json_deep_copy(object);
  ferry_json_set_str(e->object, "metadata.uid", e->uid);
  keep_entry(e);
  ferry_workers_add(ports->workers, e->uid,
                    ferry_migration_start_local(&ports->migration, e->object, take_item, e));
}

void ferry_local_entry_save(FerryLocalEntry *e, const char *path) {
  e->file = e->saving = TRUE;
  e->path = g_strdup(path);
  keep_entry(e);
  e->saver = g_thread_new("save", save_thread, e);
}

/* What an earlier agent had begun: a migration that ran is adopted, one that did not has failed. */
static void take_up_record(const char *vm, const json_t *record, gpointer data) {
  FerryLocal *l = data;
  const char *path = ferry_json_str(record, "path");
  const json_t *object = json_object_get(record, "object");
  if (!path && !json_is_object(object))
    return;
  g_mutex_lock(&l->lock);
  FerryLocalEntry *e = ferry_local_entry_new(l, vm);
  if (path) {
    e->file = TRUE;
    e->path = g_strdup(path);
    e->saver = g_thread_new("save", watch_save_thread, e);
  } else if (ferry_phase_of(object) == FERRY_PHASE_RUNNING) {
    const json_t *change;
    gsize i;
    json_array_foreach(ferry_json_get(object, "status.changes"), i, change) {
      e->next_change = MAX(e->next_change, ferry_migration_change_number(change));
    }
    ferry_local_entry_move(e, object);
  } else {
    e->ended = TRUE;
    ferry_json_set_str(e->status, "migrationState.agentResult.error",
                       "the agent was restarted before it began; the VM was not touched");
    ferry_local_forget(state_dir_of(e), vm);
  }
  g_mutex_unlock(&l->lock);
}

void ferry_local_take_up(FerryLocal *l) {
  ferry_local_kept(ferry_context_state_dir(l->ports.migration.context), take_up_record, l);
}
