// SPDX-License-Identifier: Apache-2.0
// The verbs of the local socket, under oVirt's names: migrate, migrateChangeParams, migrateCancel,
// getMigrationStatus; and restore, the way back from mode=file.
//
// Theory of operation: a local migration is the same worker as ferryd's; only what it would write
// to a server goes to `on_item` here, which keeps its status and sends the notifications. Each VM
// has one entry, the last migration's.
#include "agent/agent_private.h"
#include "base/error.h"
#include "base/file.h"
#include "base/patch.h"
#include <string.h>

#define MAX_ENTRIES 256
#define NOTIFY_US (G_USEC_PER_SEC / 2)
#define CHANGE_WAIT_S 5
#define MAX_CHANGES 50
#define SAVE_POLL_MS 200

typedef struct {
  FerryLocal *local;
  char *vm, *uid;
  json_t *object;  /* as it was asked for; NULL: file */
  json_t *status;  /* as it would stand in the object */
  json_t *changes; /* the last answer to a change */
  json_t *wish;    /* the fields of the last change that was asked for; NULL: none was */
  gint64 next_change, told_us;
  gboolean ended, file;
  char *path; /* file: where to */
  GThread *saver;
} Entry;

struct _FerryLocal {
  FerryAgent *agent;
  FerryRpc *rpc;
  GMutex lock; /* guards the entries; agent->lock may be taken inside it, not the reverse */
  GCond cond;
  GHashTable *entries; /* VM's UUID -> Entry* */
  guint counter;
};

static void entry_free(gpointer data) {
  Entry *e = data;
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

FerryLocal *ferry_local_new(FerryAgent *agent, FerryRpc *rpc) {
  FerryLocal *l = g_new0(FerryLocal, 1);
  l->agent = agent;
  l->rpc = rpc;
  g_mutex_init(&l->lock);
  g_cond_init(&l->cond);
  l->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
  return l;
}

static json_t *fail(int *code, char **message, int number, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
static json_t *fail(int *code, char **message, int number, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  *code = number;
  *message = g_strdup_vprintf(format, ap);
  va_end(ap);
  return NULL;
}

/* ---- what the next agent must know ---- */

/* The lock is held. A migration's object with its status, or where a domain is saved to. */
static void keep(const Entry *e) {
  g_autoptr(json_t) record = json_object();
  if (e->ended) {
    ferry_local_forget(e->local->agent, e->vm);
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
  ferry_local_keep(e->local->agent, e->vm, record);
}

/* A change that is in force is the next agent's, too. */
static void keep_change(Entry *e) {
  json_t *list = ferry_json_get(e->object, "status.changes");
  if (!e->object || (g_strcmp0(ferry_json_str(e->changes, "state"), "Applied") != 0 &&
                     !json_object_get(e->changes, "inForce")))
    return;
  list = json_is_array(list) ? json_deep_copy(list) : json_array();
  json_t *change = json_deep_copy(e->changes);
  if (e->wish)
    json_object_set(change, "fields", e->wish);
  if (json_array_size(list) >= MAX_CHANGES)
    json_array_remove(list, 0);
  json_array_append_new(list, change);
  ferry_json_set(e->object, "status.changes", list);
}

/* ---- what a worker tells ---- */

static void tell_status(Entry *e) {
  const char *failure = ferry_json_str(e->status, "migrationState.agentResult.error");
  json_t *note = json_pack("{s:s, s:i, s:s}", "vmID", e->vm, "progress",
                           (int)ferry_json_int(e->status, "progress.percent", 0), "status",
                           !e->ended             ? "running"
                           : failure && *failure ? "failed"
                                                 : "done");
  json_t *progress = json_object_get(e->status, "progress");
  if (progress)
    json_object_set(note, "details", progress);
  ferry_rpc_notify(e->local->rpc, "migrationProgress", note);
}

static void on_item(const json_t *item, gboolean event, gpointer data) {
  Entry *e = data;
  FerryLocal *l = e->local;
  g_mutex_lock(&l->lock);
  const json_t *changes = json_object_get(item, "changes");
  const json_t *stalling = ferry_json_find(json_object_get(item, "conditions"), "type", "Stalling");
  if (event) {
    g_mutex_unlock(&l->lock);
    return;
  }
  if (changes) {
    json_decref(e->changes);
    e->changes = json_deep_copy(json_array_get(changes, 0));
    keep_change(e);
  } else if (stalling) { /* the next agent goes on from it */
    json_object_set(e->status, "conditions", json_object_get(item, "conditions"));
    ferry_rpc_notify(l->rpc, "migrationStalling",
                     json_pack("{s:s, s:b, s:s}", "vmID", e->vm, "stalling",
                               g_strcmp0(ferry_json_str(stalling, "status"), "True") == 0,
                               "message", ferry_json_str(stalling, "message")));
  } else {
    json_t *merged = ferry_patch_merge(e->status, item);
    json_decref(e->status);
    e->status = merged;
    e->ended = ferry_json_get(merged, "migrationState.agentResult") != NULL;
  }
  if (changes || stalling || json_object_get(item, "phase") ||
      json_object_get(item, "migrationState"))
    keep(e);
  gint64 now = g_get_monotonic_time();
  if (e->ended || now - e->told_us > NOTIFY_US) {
    e->told_us = now;
    tell_status(e);
  }
  g_cond_broadcast(&l->cond);
  g_mutex_unlock(&l->lock);
}

/* ---- hibernation ---- */

static gpointer save_thread(gpointer data) {
  Entry *e = data;
  g_autoptr(GError) error = NULL;
  gboolean ok = ferry_host_save(e->local->agent->host, e->vm, e->path, &error);
  g_autoptr(json_t) item =
      json_pack("{s:{s:{s:b, s:s}}, s:{s:i}}", "migrationState", "agentResult", "returned", TRUE,
                "error", ok ? "" : error->message, "progress", "percent", ok ? 100 : 0);
  on_item(item, FALSE, e);
  return NULL;
}

/* One that an earlier agent began: libvirt saves by itself, and the end shows in domain and file.
 */
static gpointer watch_save_thread(gpointer data) {
  Entry *e = data;
  FerryAgent *agent = e->local->agent;
  const char *problem = NULL;
  for (;;) {
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) record = ferry_host_record(agent->host, e->vm, &error);
    gboolean away = g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_CONNECTION);
    if (!away && !ferry_json_bool(record, "active", FALSE)) {
      if (!g_file_test(e->path, G_FILE_TEST_EXISTS))
        problem = "the VM is off, and its file is not there";
      break;
    }
    if (!away) {
      g_autoptr(FerryHostJob) job = ferry_host_job_open(agent->host, e->vm, NULL);
      FerryJobStats stats;
      if (job && ferry_host_job_stats(job, &stats, NULL) && !stats.active) {
        problem = "it was not saved: the VM runs, and libvirt does nothing with it";
        break;
      }
    }
    if (!ferry_agent_sleep(agent, SAVE_POLL_MS))
      return NULL;
  }
  g_autoptr(json_t) item =
      json_pack("{s:{s:{s:b, s:s}}, s:{s:i}}", "migrationState", "agentResult", "returned", TRUE,
                "error", problem ? problem : "", "progress", "percent", problem ? 0 : 100);
  on_item(item, FALSE, e);
  return NULL;
}

/* FALSE with *message: the parameters cannot be kept. */
static gboolean keep_params(FerryLocal *l, const json_t *params, GError **error) {
  const char *path = ferry_json_str(params, "dstparams");
  if (!path)
    return TRUE;
  g_autoptr(json_t) record = ferry_host_record(l->agent->host, ferry_local_vm_of(params), error);
  g_autofree char *text = record ? json_dumps(record, JSON_INDENT(2)) : NULL;
  return text && ferry_file_write(path, text, strlen(text), 0600, error);
}

/* ---- verbs ---- */

/* How many VMs leave this host, whoever asked for it; the lock is held. */
static guint running(FerryLocal *l) {
  guint n = 0;
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, l->entries);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    n += ((Entry *)value)->file && !((Entry *)value)->ended;
  g_mutex_lock(&l->agent->lock);
  g_hash_table_iter_init(&iter, l->agent->migrations);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    n += !ferry_migration_is_done(value);
  g_mutex_unlock(&l->agent->lock);
  return n;
}

static gboolean worker_there(FerryLocal *l, const char *vm) {
  gboolean there = FALSE;
  GHashTableIter iter;
  gpointer m;
  g_mutex_lock(&l->agent->lock);
  g_hash_table_iter_init(&iter, l->agent->migrations);
  while (g_hash_table_iter_next(&iter, NULL, &m))
    there |= !ferry_migration_is_done(m) && g_strcmp0(ferry_migration_domain(m), vm) == 0;
  g_mutex_unlock(&l->agent->lock);
  return there;
}

static Entry *entry_new(FerryLocal *l, const char *vm) {
  Entry *e = g_new0(Entry, 1);
  e->local = l;
  e->vm = g_strdup(vm);
  e->uid = g_strdup_printf("local-%u-%s", l->counter++, vm);
  e->status = json_object();
  g_hash_table_insert(l->entries, e->vm, e);
  return e;
}

/* The lock is held. */
static void start_worker(Entry *e, json_t *object) {
  FerryAgent *agent = e->local->agent;
  ferry_json_set_str(object, "metadata.uid", e->uid);
  e->object = json_deep_copy(object);
  keep(e);
  g_mutex_lock(&agent->lock);
  g_hash_table_replace(agent->migrations, g_strdup(e->uid),
                       ferry_migration_start_local(agent, object, on_item, e));
  g_mutex_unlock(&agent->lock);
}

/* What an earlier agent had begun: a migration that ran is adopted, one that did not has failed. */
static void take_up(const char *vm, const json_t *record, gpointer data) {
  FerryLocal *l = data;
  const char *path = ferry_json_str(record, "path");
  const json_t *object = json_object_get(record, "object");
  if (!path && !json_is_object(object))
    return;
  g_mutex_lock(&l->lock);
  Entry *e = entry_new(l, vm);
  if (path) {
    e->file = TRUE;
    e->path = g_strdup(path);
    e->saver = g_thread_new("save", watch_save_thread, e);
  } else if (g_strcmp0(ferry_json_str(object, "status.phase"), "Running") == 0) {
    const json_t *change;
    gsize i;
    json_array_foreach(ferry_json_get(object, "status.changes"), i, change) {
      const char *id = ferry_json_str(change, "id");
      e->next_change = MAX(e->next_change, id ? g_ascii_strtoll(id, NULL, 10) : 0);
    }
    g_autoptr(json_t) copy = json_deep_copy(object);
    start_worker(e, copy);
  } else {
    e->ended = TRUE;
    ferry_json_set_str(e->status, "migrationState.agentResult.error",
                       "the agent was restarted before it began; the VM was not touched");
    ferry_local_forget(l->agent, vm);
  }
  g_mutex_unlock(&l->lock);
}

void ferry_local_take_up(FerryLocal *l) {
  ferry_local_kept(l->agent, take_up, l);
}

/* The lock is held. */
static json_t *begin(FerryLocal *l, const json_t *params, json_t *object, int *code,
                     char **message) {
  const char *vm = ferry_local_vm_of(params);
  Entry *old = g_hash_table_lookup(l->entries, vm);
  guint limit = (guint)ferry_json_int(params, "outgoingLimit", FERRY_LOCAL_MAX_RUNNING);
  if ((old && !old->ended) || worker_there(l, vm))
    return fail(code, message, FERRY_RPC_IN_PROGRESS, "MigrationInProgress: %s moves already", vm);
  if (running(l) >= limit)
    return fail(code, message, FERRY_RPC_LIMIT_REACHED,
                "LimitReached: %u migrations run already; try again later", running(l));
  if (!old && g_hash_table_size(l->entries) >= MAX_ENTRIES)
    return fail(code, message, FERRY_RPC_LIMIT_REACHED,
                "LimitReached: too many VMs were moved since the agent began; restart it");
  if (old)
    g_hash_table_remove(l->entries, vm);
  Entry *e = entry_new(l, vm);
  e->file = ferry_local_is_file(params);
  if (e->file) {
    e->path = g_strdup(ferry_json_str(params, "dst"));
    keep(e);
    e->saver = g_thread_new("save", save_thread, e);
  } else {
    start_worker(e, object);
  }
  return json_pack("{s:s, s:s}", "vmID", vm, "status", "running");
}

static json_t *migrate(FerryLocal *l, const json_t *params, int *code, char **message) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) object = ferry_local_object(params, l->agent->progress_timeout_s, &error);
  if (!object)
    return fail(code, message, FERRY_RPC_INVALID_PARAMS, "%s", error->message);
  g_autoptr(json_t) record = ferry_host_record(l->agent->host, ferry_local_vm_of(params), &error);
  if (!record)
    return fail(code, message,
                g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN)
                    ? FERRY_RPC_NO_SUCH_VM
                    : FERRY_RPC_FAILED,
                "%s", error->message);
  if (ferry_local_is_file(params) && g_file_test(ferry_json_str(params, "dst"), G_FILE_TEST_EXISTS))
    return fail(code, message, FERRY_RPC_FAILED, "Failed: %s is there already",
                ferry_json_str(params, "dst"));
  if (ferry_local_is_file(params) && !keep_params(l, params, &error))
    return fail(code, message, FERRY_RPC_FAILED, "Failed: dstparams: %s", error->message);
  gint64 limit = ferry_json_int(params, "incomingLimit", 0), arriving = 0;
  const char *uri = ferry_json_str(object, "status.migrationState.targetURI");
  if (limit > 0 && !ferry_local_is_file(params)) {
    if (!ferry_host_peer_incoming(l->agent->host, uri, &arriving, &error))
      return fail(code, message, FERRY_RPC_FAILED, "Failed: %s", error->message);
    if (arriving >= limit)
      return fail(code, message, FERRY_RPC_LIMIT_REACHED,
                  "LimitReached: %" G_GINT64_FORMAT
                  " migrations arrive at %s, incomingLimit is %" G_GINT64_FORMAT
                  "; try again later",
                  arriving, uri, limit);
  }
  g_mutex_lock(&l->lock);
  json_t *result = begin(l, params, object, code, message);
  g_mutex_unlock(&l->lock);
  return result;
}

/* The worker takes `wish` as if it had come from the server. FALSE: it has ended. */
static gboolean put_wish(FerryLocal *l, const Entry *e, const json_t *wish) {
  g_mutex_lock(&l->agent->lock);
  FerryMigration *m = g_hash_table_lookup(l->agent->migrations, e->uid);
  if (m)
    ferry_migration_update(m, wish);
  g_mutex_unlock(&l->agent->lock);
  return m != NULL;
}

static json_t *change(FerryLocal *l, const json_t *params, int *code, char **message) {
  g_autoptr(json_t) fields = ferry_local_change_fields(params);
  const char *technique = ferry_json_str(fields, "technique");
  if (json_object_size(fields) == 0 ||
      (technique && !g_str_equal(technique, "pre-copy") && !g_str_equal(technique, "post-copy")))
    return fail(code, message, FERRY_RPC_INVALID_PARAMS,
                technique ? "migrationTechnique: expected \"pre-copy\" or \"post-copy\""
                          : "nothing to change: give downtime, maxBandwidth, migrationTechnique or "
                            "stallingLimit");
  g_autoptr(json_t) answer = NULL;
  gboolean pending = FALSE;
  g_mutex_lock(&l->lock);
  Entry *e = g_hash_table_lookup(l->entries, ferry_local_vm_of(params));
  if (e && !e->ended && !e->file) {
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, ++e->next_change);
    g_autoptr(json_t) wish =
        json_pack("{s:{s:[{s:s, s:s, s:s, s:O}]}}", "status", "changes", "id", id, "by",
                  "the local socket", "state", "Requested", "fields", fields);
    gint64 until = g_get_monotonic_time() + CHANGE_WAIT_S * G_USEC_PER_SEC;
    json_decref(e->wish);
    e->wish = json_incref(fields);
    gboolean waiting = put_wish(l, e, wish);
    while (waiting && g_strcmp0(ferry_json_str(e->changes, "id"), id) != 0)
      waiting = g_cond_wait_until(&l->cond, &l->lock, until) &&
                (e = g_hash_table_lookup(l->entries, ferry_local_vm_of(params))) != NULL;
    if (waiting)
      answer = json_incref(e->changes);
    pending = !waiting && e && !e->ended && g_get_monotonic_time() >= until;
  }
  g_mutex_unlock(&l->lock);
  if (g_strcmp0(ferry_json_str(answer, "state"), "Applied") == 0)
    return json_pack("{s:s, s:s}", "vmID", ferry_local_vm_of(params), "message",
                     ferry_json_str(answer, "message"));
  if (pending)
    return fail(
        code, message, FERRY_RPC_FAILED,
        "Pending: not carried out within %d s, and it may still be; getMigrationStatus tells",
        CHANGE_WAIT_S);
  const char *why = ferry_json_str(answer, "message");
  return fail(code, message, answer ? FERRY_RPC_FAILED : FERRY_RPC_NOT_IN_PROGRESS, "%s: %s",
              answer ? "Refused" : "NotInProgress", why ? why : "this VM does not move");
}

static json_t *cancel(FerryLocal *l, const json_t *params, int *code, char **message) {
  g_autoptr(json_t) wish =
      json_pack("{s:{s:{s:b}}}", "status", "migrationState", "abortRequested", TRUE);
  gboolean done = FALSE, post_copy = FALSE, file = FALSE;
  g_mutex_lock(&l->lock);
  Entry *e = g_hash_table_lookup(l->entries, ferry_local_vm_of(params));
  if (e && !e->ended) {
    post_copy = g_strcmp0(ferry_json_str(e->status, "migrationState.mode"), "PostCopy") == 0;
    file = e->file;
    done = file || (!post_copy && put_wish(l, e, wish));
  }
  g_mutex_unlock(&l->lock);
  if (file) {
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryHostJob) job =
        ferry_host_job_open(l->agent->host, ferry_local_vm_of(params), &error);
    if (!job || !ferry_host_job_abort(job, &error))
      return fail(code, message, FERRY_RPC_FAILED, "Failed: %s", error->message);
  }
  if (!done)
    return fail(code, message, FERRY_RPC_NOTHING_TO_CANCEL, "NothingToCancel: %s",
                post_copy ? "it is in post-copy, and there is no way back"
                          : "this VM does not move");
  return json_pack("{s:s}", "vmID", ferry_local_vm_of(params));
}

static json_t *status(FerryLocal *l, const json_t *params, int *code, char **message) {
  json_t *out = NULL;
  g_mutex_lock(&l->lock);
  Entry *e = g_hash_table_lookup(l->entries, ferry_local_vm_of(params));
  if (e) {
    const char *failure = ferry_json_str(e->status, "migrationState.agentResult.error");
    gboolean failed = failure && *failure;
    out =
        json_pack("{s:s, s:s, s:i, s:s}", "vmID", e->vm, "status",
                  !e->ended ? "running"
                  : failed  ? "failed"
                            : "done",
                  "progress",
                  e->ended && !failed ? 100 : (int)ferry_json_int(e->status, "progress.percent", 0),
                  "message", failed ? failure : "");
    static const char *const parts[] = {"progress", "summary", "decisions", "course"};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
      if (json_object_get(e->status, parts[i]))
        json_object_set(out, i == 0 ? "details" : parts[i], json_object_get(e->status, parts[i]));
    json_t *downtime = ferry_json_get(e->status, "summary.downtimeMs");
    if (downtime)
      json_object_set(out, "downtime", downtime);
  }
  g_mutex_unlock(&l->lock);
  return out ? out
             : fail(code, message, FERRY_RPC_NOT_IN_PROGRESS,
                    "NotInProgress: this agent has not moved that VM by its local socket");
}

static json_t *restore(FerryLocal *l, const json_t *params, int *code, char **message) {
  const char *path = ferry_json_str(params, "dst");
  g_autoptr(GError) error = NULL;
  if (!path || !g_path_is_absolute(path))
    return fail(code, message, FERRY_RPC_INVALID_PARAMS, "dst: expected an absolute path");
  if (!ferry_host_restore(l->agent->host, path, &error))
    return fail(code, message, FERRY_RPC_FAILED, "Failed: %s", error->message);
  return json_pack("{s:s}", "dst", path);
}

json_t *ferry_local_call(const char *method, const json_t *params, int *code, char **message,
                         gpointer data) {
  static const struct {
    const char *name;
    gboolean vm;
    json_t *(*run)(FerryLocal *, const json_t *, int *, char **);
  } verbs[] = {{"migrate", TRUE, migrate},
               {"migrateChangeParams", TRUE, change},
               {"migrateCancel", TRUE, cancel},
               {"getMigrationStatus", TRUE, status},
               {"restore", FALSE, restore}};
  for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
    if (!g_str_equal(verbs[i].name, method))
      continue;
    g_autoptr(GError) error = NULL;
    if (!ferry_local_check(method, params, &error))
      return fail(code, message, FERRY_RPC_INVALID_PARAMS, "%s", error->message);
    const char *vm = ferry_local_vm_of(params);
    if (verbs[i].vm && (!vm || !g_uuid_string_is_valid(vm)))
      return fail(code, message, FERRY_RPC_INVALID_PARAMS, "vmID: expected the VM's UUID");
    return verbs[i].run(data, params, code, message);
  }
  return fail(code, message, FERRY_RPC_NO_METHOD,
              "no such method: %.100s; there are migrate, migrateChangeParams, migrateCancel, "
              "getMigrationStatus and restore",
              method);
}
