// SPDX-License-Identifier: Apache-2.0
#include "cli/view/drain_text.h"
#include "cli/view/text.h"

gboolean ferry_drain_vm_is_over(FerryPhase phase) {
  return phase == FERRY_PHASE_MOVED || phase == FERRY_PHASE_STOPPED || phase == FERRY_PHASE_FAILED;
}

char *ferry_drain_vm_line(const json_t *vm) {
  const char *migration = ferry_json_str(vm, "migration"), *message = ferry_json_str(vm, "message");
  const char *name = ferry_json_str(vm, "name"), *phase = ferry_json_str(vm, "phase");
  gboolean moves = ferry_phase_parse(phase) != FERRY_PHASE_MOVED && migration != NULL;
  g_autofree char *text = g_strdup_printf(
      "%s: %s%s%s%s%s%s", name ? name : "?", phase ? phase : "?", moves ? " (" : "",
      moves ? migration : "", moves ? ")" : "", message ? ": " : "", message ? message : "");
  return ferry_text_clean(text);
}

char *ferry_drain_progress(const json_t *evacuation) {
  json_t *vms = ferry_json_get(evacuation, "status.vms"), *vm;
  guint waiting = 0, moving = 0;
  size_t i;
  json_array_foreach(vms, i, vm) {
    FerryPhase phase = ferry_phase_parse(ferry_json_str(vm, "phase"));
    waiting += phase == FERRY_PHASE_QUEUED;
    moving += phase != FERRY_PHASE_QUEUED && !ferry_drain_vm_is_over(phase);
  }
  /* those that wait for their turn are numbers only, but for a plan */
  gint64 total = ferry_json_int(evacuation, "status.total", (gint64)json_array_size(vms));
  gint64 remaining = ferry_json_int(evacuation, "status.remaining", (gint64)moving + waiting);
  return g_strdup_printf("%s: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                         " moved, %u moving, %" G_GINT64_FORMAT " waiting",
                         ferry_json_str(evacuation, "spec.nodeName"),
                         ferry_json_int(evacuation, "status.moved", 0), total, moving,
                         MAX(0, remaining - moving));
}

char *ferry_drain_remaining(const json_t *evacuation) {
  GString *lines = g_string_new(NULL);
  size_t i;
  json_t *vm;
  json_array_foreach(ferry_json_get(evacuation, "status.vms"), i, vm) {
    FerryPhase phase = ferry_phase_parse(ferry_json_str(vm, "phase"));
    if (phase == FERRY_PHASE_MOVED || phase == FERRY_PHASE_STOPPED)
      continue;
    g_autofree char *line = ferry_drain_vm_line(vm);
    g_string_append_printf(lines, "  * %s\n", line);
  }
  return g_string_free(lines, FALSE);
}
