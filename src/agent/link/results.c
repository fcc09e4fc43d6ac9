// SPDX-License-Identifier: Apache-2.0
// How a migration ended must reach ferryd even if ferryd is away now and this agent is restarted
// meanwhile: what could not be delivered at once lies in state_dir/results, one file a migration.
#include "agent/core/records.h"
#include "base/log.h"
#include "base/trace.h"
#include "model/migration/migration_log.h"

static const FerryRecords results = {"results", "a stored result", 256 * 1024, 1000};

void ferry_result_store(FerryAgent *agent, const json_t *m, const json_t *status) {
  const char *uid = ferry_json_str(m, "metadata.uid"), *trace = ferry_object_trace(m);
  if (!g_uuid_string_is_valid(uid))
    return;
  g_autoptr(json_t) record =
      json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:O}", "uid", uid, "namespace",
                ferry_json_str(m, "metadata.namespace"), "name", ferry_json_str(m, "metadata.name"),
                "vmiName", ferry_json_str(m, "spec.vmiName"), "trace", trace, "status", status);
  ferry_record_write(agent, &results, uid, record);
}

void ferry_result_remove(FerryAgent *agent, const char *uid) {
  ferry_record_remove(agent, &results, uid);
  g_mutex_lock(&agent->lock);
  g_hash_table_remove(agent->undelivered, uid);
  g_mutex_unlock(&agent->lock);
}

typedef struct {
  FerryAgent *agent;
  json_t *record;
} Resume;

static gpointer resume_thread(gpointer data) {
  Resume *r = data;
  const char *uid = ferry_json_str(r->record, "uid");
  const char *ns = ferry_json_str(r->record, "namespace");
  const char *name = ferry_json_str(r->record, "name");
  const char *vmi = ferry_json_str(r->record, "vmiName");
  const char *trace = ferry_json_str(r->record, "trace");
  g_autofree char *id = g_strdup_printf("%s/%s", ns, name);
  g_autofree char *vm = vmi ? g_strdup_printf("%s/%s", ns, vmi) : NULL;
  g_autoptr(FerryLogContext) log =
      ferry_log_context_new(id, vm, r->agent->node, ferry_trace_is_valid(trace) ? trace : NULL);
  ferry_log_scope(log);
  FerryDelivery *d = ferry_delivery_new(r->agent, ns, name, log);
  ferry_delivery_send(d, json_incref(json_object_get(r->record, "status")));
  if (ferry_delivery_flush(d, -1) != FERRY_DELIVERY_STOPPED)
    ferry_result_remove(r->agent, uid);
  ferry_delivery_free(d);
  json_decref(r->record);
  g_free(r);
  return NULL;
}

static gboolean take(FerryAgent *agent, const char *name, json_t *record, gpointer data) {
  const char *uid = ferry_json_str(record, "uid");
  if (!uid || !ferry_json_str(record, "namespace") || !ferry_json_str(record, "name") ||
      !json_is_object(json_object_get(record, "status")))
    return FALSE;
  g_hash_table_add(agent->undelivered, g_strdup(uid));
  Resume *r = g_new(Resume, 1);
  *r = (Resume){agent, json_incref(record)};
  g_ptr_array_add(agent->resumers, g_thread_new("resume", resume_thread, r));
  return TRUE;
}

void ferry_results_resume(FerryAgent *agent) {
  ferry_records_each(agent, &results, take, NULL);
}
