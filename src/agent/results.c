// SPDX-License-Identifier: Apache-2.0
// How a migration ended must reach ferryd even if ferryd is away now and this agent is restarted
// meanwhile: what could not be delivered at once lies in state_dir/results, one file a migration.
#include "agent/agent_private.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/trace.h"
#include "model/migration_log.h"
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_RESULT (256 * 1024)
#define MAX_RESULTS 1000

static char *path_of(FerryAgent *agent, const char *uid) {
  g_autofree char *file = g_strdup_printf("%s.json", uid);
  return g_build_filename(agent->state_dir, "results", file, NULL);
}

void ferry_result_store(FerryAgent *agent, const json_t *m, const json_t *status) {
  const char *uid = ferry_json_str(m, "metadata.uid"), *trace = ferry_object_trace(m);
  if (!g_uuid_string_is_valid(uid))
    return;
  g_autofree char *dir = g_build_filename(agent->state_dir, "results", NULL);
  g_autofree char *path = path_of(agent, uid);
  g_mkdir_with_parents(dir, 0700);
  g_autoptr(json_t) record =
      json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:O}", "uid", uid, "namespace",
                ferry_json_str(m, "metadata.namespace"), "name", ferry_json_str(m, "metadata.name"),
                "vmiName", ferry_json_str(m, "spec.vmiName"), "trace", trace, "status", status);
  g_autofree char *text = ferry_json_dump(record);
  g_autoptr(GError) error = NULL;
  if (!ferry_file_write(path, text, strlen(text), 0600, &error))
    ferry_warning(error->message, "FERRY_FILE", path);
}

void ferry_result_remove(FerryAgent *agent, const char *uid) {
  g_autofree char *path = path_of(agent, uid);
  unlink(path);
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

void ferry_results_resume(FerryAgent *agent) {
  g_autofree char *dir_path = g_build_filename(agent->state_dir, "results", NULL);
  g_autoptr(GDir) dir = g_dir_open(dir_path, 0, NULL);
  const char *file;
  for (guint n = 0; dir && n < MAX_RESULTS && (file = g_dir_read_name(dir)); n++) {
    if (!g_str_has_suffix(file, ".json"))
      continue;
    g_autofree char *path = g_build_filename(dir_path, file, NULL);
    gsize len = 0;
    g_autofree char *text = ferry_file_read(path, MAX_RESULT, &len, NULL);
    json_t *record = text ? ferry_json_parse(text, len, NULL) : NULL;
    const char *uid = ferry_json_str(record, "uid");
    if (!uid || !ferry_json_str(record, "namespace") || !ferry_json_str(record, "name") ||
        !json_is_object(json_object_get(record, "status"))) {
      ferry_warning("a stored result can't be read and is left alone", "FERRY_FILE", path);
      json_decref(record);
      continue;
    }
    g_hash_table_add(agent->undelivered, g_strdup(uid));
    Resume *r = g_new(Resume, 1);
    *r = (Resume){agent, record};
    g_ptr_array_add(agent->resumers, g_thread_new("resume", resume_thread, r));
  }
}
