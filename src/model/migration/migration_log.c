// SPDX-License-Identifier: Apache-2.0
#include "model/migration/migration_log.h"
#include "base/trace.h"
#include "model/field/object_meta.h"

const char *ferry_object_trace(const json_t *object) {
  const char *trace = ferry_object_annotation(object, FERRY_TRACE_ANNOTATION);
  return ferry_trace_is_valid(trace) ? trace : NULL;
}

FerryLogContext *ferry_migration_log_context(const json_t *m, const char *node) {
  const char *ns = ferry_json_str(m, "metadata.namespace");
  const char *name = ferry_json_str(m, "metadata.name");
  const char *vmi = ferry_json_str(m, "spec.vmiName");
  g_autofree char *id = name ? g_strdup_printf("%s/%s", ns ? ns : "", name) : NULL;
  g_autofree char *vm = vmi ? g_strdup_printf("%s/%s", ns ? ns : "", vmi) : NULL;
  if (!node)
    node = ferry_json_str(m, "status.migrationState.sourceNode");
  return ferry_log_context_new(id, vm, node, ferry_object_trace(m));
}
