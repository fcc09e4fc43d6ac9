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
#include "convergence/schedule.h"
#include <string.h>

#define MIB (1024 * 1024)
#define MAX_ENTRIES 256
#define MAX_RUNNING 8
#define NOTIFY_US (G_USEC_PER_SEC / 2)
#define CHANGE_WAIT_S 5

typedef struct {
  FerryLocal *local;
  char *vm, *uid;
  json_t *status;  /* as it would stand in the object */
  json_t *changes; /* the last answer to a change */
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

void ferry_local_free(FerryLocal *l) {
  g_hash_table_unref(l->entries);
  g_mutex_clear(&l->lock);
  g_cond_clear(&l->cond);
  g_free(l);
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

/* ---- parameters ---- */

typedef struct {
  const char *name;
  json_type type; /* JSON_TRUE: a boolean */
  gint64 min, max;
  const char *config; /* the resolved configuration's name for it; NULL: handled apart */
} Param;

static const Param migrate_params[] = {
    {"vmId", JSON_STRING},
    {"vmID", JSON_STRING},
    {"dst", JSON_STRING},
    {"dstqemu", JSON_STRING},
    {"dstparams", JSON_STRING},
    {"mode", JSON_STRING},
    {"method", JSON_STRING},
    {"consoleAddress", JSON_STRING},
    {"downtime", JSON_INTEGER, 1, 2000000, "maxDowntimeMs"},
    {"compressed", JSON_TRUE, 0, 0, "compressed"},
    {"autoConverge", JSON_TRUE, 0, 0, "allowAutoConverge"},
    {"migrationProgressTimeout", JSON_INTEGER, 0, 10000000, "migrationProgressTimeout"},
    {"stallingLimit", JSON_INTEGER, 0, 86400, "stallingLimit"},
    {"convergenceSchedule", JSON_OBJECT, 0, 0, "schedule"},
    {"maxBandwidth", JSON_INTEGER, 1, 1048576},
    {"tunneled", JSON_TRUE, 0, 0, "tunnelled"},
    {"abortOnError", JSON_TRUE, 0, 0, "abortOnError"},
    {"parallel", JSON_INTEGER, 1, 255, "parallelConnections"},
    {"encrypted", JSON_TRUE},
    {"zerocopy", JSON_TRUE, 0, 0, "zeroCopy"},
    {"postcopy", JSON_TRUE, 0, 0, "allowPostCopy"},
    {"outgoingLimit", JSON_INTEGER, 1, MAX_RUNNING},
    {NULL},
};
static const Param change_params[] = {
    {"vmId", JSON_STRING},
    {"vmID", JSON_STRING},
    {"downtime", JSON_INTEGER, 1, 2000000, "downtimeMs"},
    {"maxBandwidth", JSON_INTEGER, 1, 1048576, "bandwidthMiBps"},
    {"migrationTechnique", JSON_STRING, 0, 0, "technique"},
    {"stallingLimit", JSON_INTEGER, 0, 86400, "stallingLimitSeconds"},
    {NULL}};
static const Param vm_params[] = {{"vmId", JSON_STRING}, {"vmID", JSON_STRING}, {NULL}};
static const Param restore_params[] = {{"dst", JSON_STRING}, {NULL}};

static gboolean check_one(const Param *p, const json_t *value, GError **error) {
  gboolean right = p->type == JSON_TRUE ? json_is_boolean(value) : json_typeof(value) == p->type;
  gint64 n = json_integer_value(value);
  if (right && (p->type != JSON_INTEGER || (n >= p->min && n <= p->max)) &&
      json_string_length(value) <= 4096)
    return TRUE;
  static const char *const names[] = {
      [JSON_OBJECT] = "an object", [JSON_STRING] = "a text", [JSON_TRUE] = "true or false"};
  if (p->type == JSON_INTEGER)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "%s: expected a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                p->name, p->min, p->max);
  else
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s: expected %s", p->name,
                names[p->type]);
  return FALSE;
}

static gboolean check_params(const Param *table, const json_t *params, GError **error) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)params, key, value) {
    const Param *p = table;
    while (p->name && !g_str_equal(p->name, key))
      p++;
    if (!p->name) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%.100s: no such parameter", key);
      return FALSE;
    }
    if (!check_one(p, value, error))
      return FALSE;
  }
  return TRUE;
}

static const char *vm_of(const json_t *params) {
  const char *vm = ferry_json_str(params, "vmID");
  return vm ? vm : ferry_json_str(params, "vmId");
}

static gboolean is_file(const json_t *params) {
  return g_strcmp0(ferry_json_str(params, "mode"), "file") == 0;
}

/* What the parameters must be together. */
static const char *disagreement(const json_t *params) {
  const char *vm = vm_of(params), *dst = ferry_json_str(params, "dst");
  const char *mode = ferry_json_str(params, "mode"), *method = ferry_json_str(params, "method");
  const char *image = ferry_json_str(params, "dstparams");
  if (!vm || !g_uuid_string_is_valid(vm))
    return "vmID: expected the VM's UUID";
  if (!dst || !*dst)
    return "dst: expected the other host, or with mode \"file\" a path";
  if (mode && !g_str_equal(mode, "remote") && !g_str_equal(mode, "file"))
    return "mode: expected \"remote\" or \"file\"";
  if (method && !g_str_equal(method, "online"))
    return "method: expected \"online\"";
  if (is_file(params) && !g_path_is_absolute(dst))
    return "dst: with mode \"file\" expected an absolute path";
  if (image && (!is_file(params) || !g_path_is_absolute(image)))
    return "dstparams: expected an absolute path, and mode \"file\"";
  return NULL;
}

json_t *ferry_local_object(const json_t *params, GError **error) {
  if (!check_params(migrate_params, params, error))
    return NULL;
  const char *wrong = disagreement(params);
  if (wrong) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s", wrong);
    return NULL;
  }
  json_t *schedule = json_object_get(params, "convergenceSchedule");
  FerrySchedule *parsed =
      schedule ? ferry_schedule_parse(schedule, "convergenceSchedule", error) : NULL;
  if (schedule && !parsed) {
    const FerryCause *cause =
        error && ferry_error_n_causes(*error) > 0 ? ferry_error_cause(*error, 0) : NULL;
    g_autofree char *text =
        g_strdup_printf(": %s %s", cause ? cause->field : "", cause ? cause->message : "");
    if (error) {
      GError *whole = g_error_new(FERRY_ERROR, FERRY_ERROR_INVALID, "convergenceSchedule: %s%s",
                                  (*error)->message, cause ? text : "");
      g_clear_error(error);
      g_propagate_error(error, whole);
    }
    return NULL;
  }
  g_clear_pointer(&parsed, ferry_schedule_free);
  g_autoptr(json_t) config = json_pack("{s:i}", "completionTimeoutPerGiB", 0);
  for (const Param *p = migrate_params; p->name; p++)
    if (p->config && json_object_get(params, p->name))
      json_object_set(config, p->config, json_object_get(params, p->name));
  gint64 mib = ferry_json_int(params, "maxBandwidth", 0);
  if (mib > 0)
    json_object_set_new(config, "bandwidthPerMigration", json_integer((json_int_t)mib * MIB));
  if (json_object_get(params, "parallel"))
    ferry_json_set_bool(config, "parallel", TRUE);
  ferry_json_set_bool(config, "disableTLS", !ferry_json_bool(params, "encrypted", FALSE));
  g_autofree char *text = schedule ? json_dumps(schedule, JSON_COMPACT) : NULL;
  if (text && strstr(text, "\"postcopy\"")) /* it must be enabled from the start */
    ferry_json_set_bool(config, "allowPostCopy", TRUE);
  const char *console = ferry_json_str(params, "consoleAddress");
  if (console) {
    g_autofree char *uri = g_strconcat("spice://", console, NULL);
    ferry_json_set_str(config, "graphicsURI", uri);
  }
  const char *dst = ferry_json_str(params, "dst"), *address = ferry_json_str(params, "dstqemu");
  g_autofree char *uri =
      strstr(dst, "://") ? g_strdup(dst) : g_strdup_printf("qemu+tls://%s/system", dst);
  return json_pack("{s:{s:s, s:s}, s:{s:s}, s:{s:s, s:{s:s, s:s, s:s*, s:O}}}", "metadata",
                   "namespace", "default", "name", vm_of(params), "spec", "vmiName", vm_of(params),
                   "status", "phase", "Scheduled", "migrationState", "vmiUID", vm_of(params),
                   "targetURI", uri, "targetNodeAddress", address, "migrationConfiguration",
                   config);
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
  } else if (stalling) {
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

/* FALSE with *message: the parameters cannot be kept. */
static gboolean keep_params(FerryLocal *l, const json_t *params, GError **error) {
  const char *path = ferry_json_str(params, "dstparams");
  if (!path)
    return TRUE;
  g_autoptr(json_t) record = ferry_host_record(l->agent->host, vm_of(params), error);
  g_autofree char *text = record ? json_dumps(record, JSON_INDENT(2)) : NULL;
  return text && ferry_file_write(path, text, strlen(text), 0600, error);
}

/* ---- verbs ---- */

static guint running(FerryLocal *l) {
  guint n = 0;
  GHashTableIter iter;
  gpointer e;
  g_hash_table_iter_init(&iter, l->entries);
  while (g_hash_table_iter_next(&iter, NULL, &e))
    n += !((Entry *)e)->ended;
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

/* The lock is held. */
static json_t *begin(FerryLocal *l, const json_t *params, json_t *object, int *code,
                     char **message) {
  const char *vm = vm_of(params);
  Entry *old = g_hash_table_lookup(l->entries, vm);
  guint limit = (guint)ferry_json_int(params, "outgoingLimit", MAX_RUNNING);
  if ((old && !old->ended) || worker_there(l, vm))
    return fail(code, message, FERRY_RPC_IN_PROGRESS, "MigrationInProgress: %s moves already", vm);
  if (running(l) >= limit)
    return fail(code, message, FERRY_RPC_LIMIT_REACHED,
                "LimitReached: %u migrations run already; try again later", running(l));
  if (!old && g_hash_table_size(l->entries) >= MAX_ENTRIES)
    return fail(code, message, FERRY_RPC_LIMIT_REACHED,
                "LimitReached: too many VMs were moved since the agent began; restart it");
  Entry *e = g_new0(Entry, 1);
  e->local = l;
  e->vm = g_strdup(vm);
  e->uid = g_strdup_printf("local-%u-%s", l->counter++, vm);
  e->status = json_object();
  e->file = is_file(params);
  if (old)
    g_hash_table_remove(l->entries, vm);
  g_hash_table_insert(l->entries, e->vm, e);
  if (e->file) {
    e->path = g_strdup(ferry_json_str(params, "dst"));
    e->saver = g_thread_new("save", save_thread, e);
  } else {
    ferry_json_set_str(object, "metadata.uid", e->uid);
    g_mutex_lock(&l->agent->lock);
    g_hash_table_replace(l->agent->migrations, g_strdup(e->uid),
                         ferry_migration_start_local(l->agent, object, on_item, e));
    g_mutex_unlock(&l->agent->lock);
  }
  return json_pack("{s:s, s:s}", "vmID", vm, "status", "running");
}

static json_t *migrate(FerryLocal *l, const json_t *params, int *code, char **message) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) object = ferry_local_object(params, &error);
  if (!object)
    return fail(code, message, FERRY_RPC_INVALID_PARAMS, "%s", error->message);
  g_autoptr(json_t) record = ferry_host_record(l->agent->host, vm_of(params), &error);
  if (!record)
    return fail(code, message,
                g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN)
                    ? FERRY_RPC_NO_SUCH_VM
                    : FERRY_RPC_FAILED,
                "%s", error->message);
  if (is_file(params) && g_file_test(ferry_json_str(params, "dst"), G_FILE_TEST_EXISTS))
    return fail(code, message, FERRY_RPC_FAILED, "Failed: %s is there already",
                ferry_json_str(params, "dst"));
  if (is_file(params) && !keep_params(l, params, &error))
    return fail(code, message, FERRY_RPC_FAILED, "Failed: dstparams: %s", error->message);
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
  g_autoptr(json_t) fields = json_object();
  for (const Param *p = change_params; p->name; p++)
    if (p->config && json_object_get(params, p->name))
      json_object_set(fields, p->config, json_object_get(params, p->name));
  const char *technique = ferry_json_str(fields, "technique");
  if (json_object_size(fields) == 0 ||
      (technique && !g_str_equal(technique, "pre-copy") && !g_str_equal(technique, "post-copy")))
    return fail(code, message, FERRY_RPC_INVALID_PARAMS,
                technique ? "migrationTechnique: expected \"pre-copy\" or \"post-copy\""
                          : "nothing to change: give downtime, maxBandwidth, migrationTechnique or "
                            "stallingLimit");
  g_autoptr(json_t) answer = NULL;
  g_mutex_lock(&l->lock);
  Entry *e = g_hash_table_lookup(l->entries, vm_of(params));
  if (e && !e->ended && !e->file) {
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, ++e->next_change);
    g_autoptr(json_t) wish =
        json_pack("{s:{s:[{s:s, s:s, s:s, s:O}]}}", "status", "changes", "id", id, "by",
                  "the local socket", "state", "Requested", "fields", fields);
    gint64 until = g_get_monotonic_time() + CHANGE_WAIT_S * G_USEC_PER_SEC;
    gboolean waiting = put_wish(l, e, wish);
    while (waiting && g_strcmp0(ferry_json_str(e->changes, "id"), id) != 0)
      waiting = g_cond_wait_until(&l->cond, &l->lock, until) &&
                (e = g_hash_table_lookup(l->entries, vm_of(params))) != NULL;
    if (waiting)
      answer = json_incref(e->changes);
  }
  g_mutex_unlock(&l->lock);
  if (g_strcmp0(ferry_json_str(answer, "state"), "Applied") == 0)
    return json_pack("{s:s, s:s}", "vmID", vm_of(params), "message",
                     ferry_json_str(answer, "message"));
  const char *why = ferry_json_str(answer, "message");
  return fail(code, message, answer ? FERRY_RPC_FAILED : FERRY_RPC_NOT_IN_PROGRESS, "%s: %s",
              answer ? "Refused" : "NotInProgress", why ? why : "this VM does not move");
}

static json_t *cancel(FerryLocal *l, const json_t *params, int *code, char **message) {
  g_autoptr(json_t) wish =
      json_pack("{s:{s:{s:b}}}", "status", "migrationState", "abortRequested", TRUE);
  gboolean done = FALSE, post_copy = FALSE, file = FALSE;
  g_mutex_lock(&l->lock);
  Entry *e = g_hash_table_lookup(l->entries, vm_of(params));
  if (e && !e->ended) {
    post_copy = g_strcmp0(ferry_json_str(e->status, "migrationState.mode"), "PostCopy") == 0;
    file = e->file;
    done = file || (!post_copy && put_wish(l, e, wish));
  }
  g_mutex_unlock(&l->lock);
  if (file) {
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryHostJob) job = ferry_host_job_open(l->agent->host, vm_of(params), &error);
    if (!job || !ferry_host_job_abort(job, &error))
      return fail(code, message, FERRY_RPC_FAILED, "Failed: %s", error->message);
  }
  if (!done)
    return fail(code, message, FERRY_RPC_NOTHING_TO_CANCEL, "NothingToCancel: %s",
                post_copy ? "it is in post-copy, and there is no way back"
                          : "this VM does not move");
  return json_pack("{s:s}", "vmID", vm_of(params));
}

static json_t *status(FerryLocal *l, const json_t *params, int *code, char **message) {
  json_t *out = NULL;
  g_mutex_lock(&l->lock);
  Entry *e = g_hash_table_lookup(l->entries, vm_of(params));
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
    const Param *params;
    gboolean vm;
    json_t *(*run)(FerryLocal *, const json_t *, int *, char **);
  } verbs[] = {{"migrate", migrate_params, TRUE, migrate},
               {"migrateChangeParams", change_params, TRUE, change},
               {"migrateCancel", vm_params, TRUE, cancel},
               {"getMigrationStatus", vm_params, TRUE, status},
               {"restore", restore_params, FALSE, restore}};
  for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
    if (!g_str_equal(verbs[i].name, method))
      continue;
    g_autoptr(GError) error = NULL;
    if (!check_params(verbs[i].params, params, &error))
      return fail(code, message, FERRY_RPC_INVALID_PARAMS, "%s", error->message);
    const char *vm = vm_of(params);
    if (verbs[i].vm && (!vm || !g_uuid_string_is_valid(vm)))
      return fail(code, message, FERRY_RPC_INVALID_PARAMS, "vmID: expected the VM's UUID");
    return verbs[i].run(data, params, code, message);
  }
  return fail(code, message, FERRY_RPC_NO_METHOD,
              "no such method: %.100s; there are migrate, migrateChangeParams, migrateCancel, "
              "getMigrationStatus and restore",
              method);
}
