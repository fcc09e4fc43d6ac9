// SPDX-License-Identifier: Apache-2.0
#include "agent/link/results.h"
#include "agent/core/records.h"
#include "agent/link/delivery_server.h"
#include "base/trace.h"
#include "model/migration/migration_log.h"

static const FerryRecords stored_results = {"results", "a stored result", 256 * 1024, 1000};

struct _FerryResults {
  FerryAgentContext *context;
  FerryAgentSession *session;
  GPtrArray *resumers; /* GThread*, which deliver what was found */
  GMutex lock;         /* guards the set; taken last */
  GHashTable *waiting; /* set of UIDs, of what was found */
};

static void join_thread(gpointer thread) {
  g_thread_join(thread);
}

FerryResults *ferry_results_new(FerryAgentContext *context, FerryAgentSession *session) {
  FerryResults *r = g_new0(FerryResults, 1);
  r->context = context;
  r->session = session;
  r->resumers = g_ptr_array_new_with_free_func(join_thread);
  r->waiting = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_mutex_init(&r->lock);
  return r;
}

void ferry_results_free(FerryResults *r) {
  g_ptr_array_unref(r->resumers);
  g_hash_table_unref(r->waiting);
  g_mutex_clear(&r->lock);
  g_free(r);
}

gboolean ferry_results_has(FerryResults *r, const char *uid) {
  g_mutex_lock(&r->lock);
  gboolean has = g_hash_table_contains(r->waiting, uid);
  g_mutex_unlock(&r->lock);
  return has;
}

void ferry_results_store(FerryResults *r, const json_t *m, const json_t *status) {
  const char *uid = ferry_json_str(m, "metadata.uid"), *trace = ferry_object_trace(m);
  if (!g_uuid_string_is_valid(uid))
    return;
  g_autoptr(json_t) record =
      json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:O}", "uid", uid, "namespace",
                ferry_json_str(m, "metadata.namespace"), "name", ferry_json_str(m, "metadata.name"),
                "vmiName", ferry_json_str(m, "spec.vmiName"), "trace", trace, "status", status);
  ferry_record_write(ferry_context_state_dir(r->context), &stored_results, uid, record);
}

void ferry_results_remove(FerryResults *r, const char *uid) {
  ferry_record_remove(ferry_context_state_dir(r->context), &stored_results, uid);
  g_mutex_lock(&r->lock);
  g_hash_table_remove(r->waiting, uid);
  g_mutex_unlock(&r->lock);
}

typedef struct {
  FerryResults *results;
  json_t *record;
} Resume;

static gpointer resume_thread(gpointer data) {
  Resume *r = data;
  FerryAgentContext *context = r->results->context;
  const char *uid = ferry_json_str(r->record, "uid");
  const char *ns = ferry_json_str(r->record, "namespace");
  const char *name = ferry_json_str(r->record, "name");
  const char *vmi = ferry_json_str(r->record, "vmiName");
  const char *trace = ferry_json_str(r->record, "trace");
  g_autofree char *id = g_strdup_printf("%s/%s", ns, name);
  g_autofree char *vm = vmi ? g_strdup_printf("%s/%s", ns, vmi) : NULL;
  g_autoptr(FerryLogContext) log = ferry_log_context_new(
      id, vm, ferry_context_node(context), ferry_trace_is_valid(trace) ? trace : NULL);
  ferry_log_scope(log);
  FerryDelivery *d = ferry_delivery_server_new(context, r->results->session, ns, name, log);
  ferry_delivery_send(d, json_incref(json_object_get(r->record, "status")));
  if (ferry_delivery_flush(d, -1) != FERRY_DELIVERY_STOPPED)
    ferry_results_remove(r->results, uid);
  ferry_delivery_free(d);
  json_decref(r->record);
  g_free(r);
  return NULL;
}

static gboolean resume_record(const char *name, json_t *record, gpointer data) {
  FerryResults *results = data;
  const char *uid = ferry_json_str(record, "uid");
  if (!uid || !ferry_json_str(record, "namespace") || !ferry_json_str(record, "name") ||
      !json_is_object(json_object_get(record, "status")))
    return FALSE;
  g_mutex_lock(&results->lock);
  g_hash_table_add(results->waiting, g_strdup(uid));
  g_mutex_unlock(&results->lock);
  Resume *r = g_new(Resume, 1);
  *r = (Resume){results, json_incref(record)};
  g_ptr_array_add(results->resumers, g_thread_new("resume", resume_thread, r));
  return TRUE;
}

void ferry_results_resume(FerryResults *r) {
  ferry_records_each(ferry_context_state_dir(r->context), &stored_results, resume_record, r);
}
