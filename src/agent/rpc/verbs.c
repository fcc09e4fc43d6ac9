// SPDX-License-Identifier: Apache-2.0
// migrate, migrateChangeParams, migrateCancel, getMigrationStatus; and restore, the way back from
// mode=file. What is under way is in entries.h; a verb only looks it up, or begins it, and puts a
// wish to the worker as if it had come from the server.
#include "agent/rpc/verbs.h"
#include "model/migration/reasons.h"
#include "agent/rpc/params.h"
#include "base/error.h"
#include "base/file.h"
#include "model/migration/phase.h"
#include <string.h>

#define MAX_ENTRIES 256
#define CHANGE_WAIT_S 5

static json_t *fail_call(int *code, char **message, int number, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
static json_t *fail_call(int *code, char **message, int number, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  *code = number;
  *message = g_strdup_vprintf(format, ap);
  va_end(ap);
  return NULL;
}

/* FALSE with *message: the parameters cannot be kept. */
static gboolean keep_params(FerryLocal *l, const json_t *params, GError **error) {
  const char *path = ferry_json_str(params, "dstparams");
  if (!path)
    return TRUE;
  g_autoptr(json_t) record =
      ferry_host_record(l->ports.migration.host, ferry_local_vm_of(params), error);
  g_autofree char *text = record ? json_dumps(record, JSON_INDENT(2)) : NULL;
  return text && ferry_file_write(path, text, strlen(text), 0600, error);
}

/* The lock is held. */
static json_t *begin_move(FerryLocal *l, const json_t *params, const json_t *object, int *code,
                          char **message) {
  const char *vm = ferry_local_vm_of(params);
  FerryLocalEntry *old = g_hash_table_lookup(l->entries, vm);
  guint limit = (guint)ferry_json_int(params, "outgoingLimit", FERRY_LOCAL_MAX_RUNNING);
  if ((old && !old->ended) || ferry_workers_has_domain(l->ports.workers, vm))
    return fail_call(code, message, FERRY_RPC_IN_PROGRESS, "MigrationInProgress: %s moves already",
                     vm);
  if (ferry_local_running(l) >= limit)
    return fail_call(code, message, FERRY_RPC_LIMIT_REACHED,
                     "LimitReached: %u migrations run already; try again later",
                     ferry_local_running(l));
  if (!old && g_hash_table_size(l->entries) >= MAX_ENTRIES)
    return fail_call(code, message, FERRY_RPC_LIMIT_REACHED,
                     "LimitReached: too many VMs were moved since the agent began; restart it");
  FerryLocalEntry *e = ferry_local_entry_new(l, vm);
  if (ferry_local_is_file(params))
    ferry_local_entry_save(e, ferry_json_str(params, "dst"));
  else
    ferry_local_entry_move(e, object);
  return json_pack("{s:s, s:s}", "vmID", vm, "status", "running");
}

static json_t *call_migrate(FerryLocal *l, const json_t *params, int *code, char **message) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) object = ferry_local_object(params, l->ports.progress_timeout_s, &error);
  if (!object)
    return fail_call(code, message, FERRY_RPC_INVALID_PARAMS, "%s", error->message);
  g_autoptr(json_t) record =
      ferry_host_record(l->ports.migration.host, ferry_local_vm_of(params), &error);
  if (!record)
    return fail_call(code, message,
                     g_error_matches(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN)
                         ? FERRY_RPC_NO_SUCH_VM
                         : FERRY_RPC_FAILED,
                     "%s", error->message);
  if (ferry_local_is_file(params) && g_file_test(ferry_json_str(params, "dst"), G_FILE_TEST_EXISTS))
    return fail_call(code, message, FERRY_RPC_FAILED, "Failed: %s is there already",
                     ferry_json_str(params, "dst"));
  if (ferry_local_is_file(params) && !keep_params(l, params, &error))
    return fail_call(code, message, FERRY_RPC_FAILED, "Failed: dstparams: %s", error->message);
  gint64 limit = ferry_json_int(params, "incomingLimit", 0), arriving = 0;
  const char *uri = ferry_json_str(object, "status.migrationState.targetURI");
  if (limit > 0 && !ferry_local_is_file(params)) {
    if (!ferry_host_peer_incoming(l->ports.migration.host, uri, &arriving, &error))
      return fail_call(code, message, FERRY_RPC_FAILED, "Failed: %s", error->message);
    if (arriving >= limit)
      return fail_call(code, message, FERRY_RPC_LIMIT_REACHED,
                       "LimitReached: %" G_GINT64_FORMAT
                       " migrations arrive at %s, incomingLimit is %" G_GINT64_FORMAT
                       "; try again later",
                       arriving, uri, limit);
  }
  g_mutex_lock(&l->lock);
  json_t *result = begin_move(l, params, object, code, message);
  g_mutex_unlock(&l->lock);
  return result;
}

static json_t *call_change(FerryLocal *l, const json_t *params, int *code, char **message) {
  g_autoptr(json_t) fields = ferry_local_change_fields(params);
  const char *technique = ferry_json_str(fields, "technique");
  if (json_object_size(fields) == 0 ||
      (technique && ferry_technique_of(fields) == FERRY_TECHNIQUE_NONE))
    return fail_call(code, message, FERRY_RPC_INVALID_PARAMS,
                     technique
                         ? "migrationTechnique: expected \"pre-copy\" or \"post-copy\""
                         : "nothing to change: give downtime, maxBandwidth, migrationTechnique or "
                           "stallingLimit");
  g_autoptr(json_t) answer = NULL;
  gboolean pending = FALSE;
  g_mutex_lock(&l->lock);
  FerryLocalEntry *e = g_hash_table_lookup(l->entries, ferry_local_vm_of(params));
  if (e && !e->ended && !e->file) {
    g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, ++e->next_change);
    g_autoptr(json_t) wish = json_pack(
        "{s:{s:[{s:s, s:s, s:s, s:O}]}}", "status", "changes", "id", id, "by", "the local socket",
        "state", ferry_change_state_name(FERRY_CHANGE_REQUESTED), "fields", fields);
    gint64 until = g_get_monotonic_time() + CHANGE_WAIT_S * G_USEC_PER_SEC;
    json_decref(e->wish);
    e->wish = json_incref(fields);
    gboolean waiting = ferry_workers_update(l->ports.workers, e->uid, wish);
    while (waiting && g_strcmp0(ferry_json_str(e->changes, "id"), id) != 0)
      waiting = g_cond_wait_until(&l->cond, &l->lock, until) &&
                (e = g_hash_table_lookup(l->entries, ferry_local_vm_of(params))) != NULL;
    if (waiting)
      answer = json_incref(e->changes);
    pending = !waiting && e && !e->ended && g_get_monotonic_time() >= until;
  }
  g_mutex_unlock(&l->lock);
  if (ferry_change_state_of(answer) == FERRY_CHANGE_APPLIED)
    return json_pack("{s:s, s:s}", "vmID", ferry_local_vm_of(params), "message",
                     ferry_json_str(answer, "message"));
  if (pending)
    return fail_call(
        code, message, FERRY_RPC_FAILED,
        "Pending: not carried out within %d s, and it may still be; getMigrationStatus tells",
        CHANGE_WAIT_S);
  const char *why = ferry_json_str(answer, "message");
  return fail_call(code, message, answer ? FERRY_RPC_FAILED : FERRY_RPC_NOT_IN_PROGRESS, "%s: %s",
                   ferry_reason_name(answer ? FERRY_REASON_REFUSED : FERRY_REASON_NOT_IN_PROGRESS),
                   why ? why : "this VM does not move");
}

static json_t *call_cancel(FerryLocal *l, const json_t *params, int *code, char **message) {
  g_autoptr(json_t) wish =
      json_pack("{s:{s:{s:b}}}", "status", "migrationState", "abortRequested", TRUE);
  gboolean done = FALSE, post_copy = FALSE, file = FALSE;
  g_mutex_lock(&l->lock);
  FerryLocalEntry *e = g_hash_table_lookup(l->entries, ferry_local_vm_of(params));
  if (e && !e->ended) {
    post_copy = g_strcmp0(ferry_json_str(e->status, "migrationState.mode"),
                          ferry_mode_name(FERRY_MODE_POST_COPY)) == 0;
    file = e->file;
    done = file || (!post_copy && ferry_workers_update(l->ports.workers, e->uid, wish));
  }
  g_mutex_unlock(&l->lock);
  if (file) {
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryHostJob) job =
        ferry_host_job_open(l->ports.migration.host, ferry_local_vm_of(params), &error);
    if (!job || !ferry_host_job_abort(job, &error))
      return fail_call(code, message, FERRY_RPC_FAILED, "Failed: %s", error->message);
  }
  if (!done)
    return fail_call(code, message, FERRY_RPC_NOTHING_TO_CANCEL, "NothingToCancel: %s",
                     post_copy ? "it is in post-copy, and there is no way back"
                               : "this VM does not move");
  return json_pack("{s:s}", "vmID", ferry_local_vm_of(params));
}

static json_t *call_status(FerryLocal *l, const json_t *params, int *code, char **message) {
  json_t *out = NULL;
  g_mutex_lock(&l->lock);
  FerryLocalEntry *e = g_hash_table_lookup(l->entries, ferry_local_vm_of(params));
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
             : fail_call(code, message, FERRY_RPC_NOT_IN_PROGRESS,
                         "NotInProgress: this agent has not moved that VM by its local socket");
}

static json_t *call_restore(FerryLocal *l, const json_t *params, int *code, char **message) {
  const char *path = ferry_json_str(params, "dst");
  g_autoptr(GError) error = NULL;
  if (!path || !g_path_is_absolute(path))
    return fail_call(code, message, FERRY_RPC_INVALID_PARAMS, "dst: expected an absolute path");
  if (!ferry_host_restore(l->ports.migration.host, path, &error))
    return fail_call(code, message, FERRY_RPC_FAILED, "Failed: %s", error->message);
  return json_pack("{s:s}", "dst", path);
}

json_t *ferry_local_call(const char *method, const json_t *params, int *code, char **message,
                         gpointer data) {
  static const struct {
    const char *name;
    gboolean vm;
    json_t *(*call)(FerryLocal *, const json_t *, int *, char **);
  } verbs[] = {{"migrate", TRUE, call_migrate},
               {"migrateChangeParams", TRUE, call_change},
               {"migrateCancel", TRUE, call_cancel},
               {"getMigrationStatus", TRUE, call_status},
               {"restore", FALSE, call_restore}};
  for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
    if (!g_str_equal(verbs[i].name, method))
      continue;
    g_autoptr(GError) error = NULL;
    if (!ferry_local_check(method, params, &error))
      return fail_call(code, message, FERRY_RPC_INVALID_PARAMS, "%s", error->message);
    const char *vm = ferry_local_vm_of(params);
    if (verbs[i].vm && (!vm || !g_uuid_string_is_valid(vm)))
      return fail_call(code, message, FERRY_RPC_INVALID_PARAMS, "vmID: expected the VM's UUID");
    return verbs[i].call(data, params, code, message);
  }
  return fail_call(code, message, FERRY_RPC_NO_METHOD,
                   "no such method: %.100s; there are migrate, migrateChangeParams, migrateCancel, "
                   "getMigrationStatus and restore",
                   method);
}
