// SPDX-License-Identifier: Apache-2.0
#include "cli/view/evacuation_text.h"
#include "base/quantity.h"
#include "base/rfc3339.h"
#include "cli/view/text.h"
#include "model/migration/phase.h"

static char *evacuation_text_time(gint64 ms) {
  return ms < 60000 ? g_strdup_printf("%.1f s", (double)ms / 1000) : ferry_age_format(ms);
}

static void add_vm(GString *out, const json_t *vm) {
  const char *name = ferry_json_str(vm, "name"), *target = ferry_json_str(vm, "target");
  const char *message = ferry_json_str(vm, "message");
  FerryPhase phase = ferry_phase_parse(ferry_json_str(vm, "phase"));
  gboolean stays = phase == FERRY_PHASE_FAILED || (!target && message);
  gint64 ends = ferry_json_int(vm, "forecastMs", -1);
  g_autofree char *bytes = ferry_bytes_format((double)ferry_json_int(vm, "bytes", 0));
  g_autofree char *by = ends >= 0 ? evacuation_text_time(ends) : NULL;
  g_autoptr(GString) line = g_string_new(NULL);
  g_string_append_printf(line, "%s %s %s", name ? name : "?", stays ? "stays:" : "->",
                         stays || !target ? "" : target);
  if (!stays && by)
    g_string_append_printf(line, " (%s, by %s)", bytes, by);
  if (message)
    g_string_append_printf(line, "%s%s", stays ? "" : ": ", message);
  g_autofree char *text = ferry_text_clean(line->str);
  g_string_append_printf(out, "  %s\n", text);
}

static void add_time(GString *out, const json_t *plan) {
  gint64 bound = ferry_json_int(plan, "boundMs", -1);
  gint64 forecast = ferry_json_int(plan, "forecastMs", -1);
  g_autofree char *bytes = ferry_bytes_format((double)ferry_json_int(plan, "bytes", 0));
  const char *said = ferry_json_str(plan, "boundBy");
  g_autofree char *by = ferry_text_clean(said ? said : "");
  g_autofree char *least = evacuation_text_time(bound), *expected = evacuation_text_time(forecast);
  if (forecast >= 0)
    g_string_append_printf(out, "%s to move, in about %s", bytes, expected);
  else
    g_string_append_printf(out, "%s to move; the speed of a link is not known", bytes);
  if (bound >= 0)
    g_string_append_printf(out, "; no order takes less than %s (%s)", least, by);
  g_string_append(out, ".\n");
}

char *ferry_evacuation_plan_text(const json_t *evacuation) {
  const json_t *plan = ferry_json_get(evacuation, "status.plan");
  GString *out = g_string_new(NULL);
  gsize i;
  json_t *vm;
  json_array_foreach(ferry_json_get(evacuation, "status.vms"), i, vm) add_vm(out, vm);
  if (ferry_json_int(plan, "bytes", 0) > 0)
    add_time(out, plan);
  return g_string_free(out, FALSE);
}

char *ferry_evacuation_eta_text(const json_t *evacuation, gint64 now_ms) {
  gint64 end = ferry_rfc3339_parse(ferry_json_str(evacuation, "status.expectedEnd"));
  if (end < 0)
    return g_strdup("");
  g_autofree char *in = ferry_age_format(MAX(0, end - now_ms));
  return g_strdup_printf(", ends in about %s", in);
}

char *ferry_evacuation_took_text(const json_t *evacuation) {
  gint64 took = ferry_json_int(evacuation, "status.tookMs", -1);
  gint64 bound = ferry_json_int(evacuation, "status.plan.boundMs", -1);
  gint64 forecast = ferry_json_int(evacuation, "status.plan.forecastMs", -1);
  if (took < 0)
    return g_strdup("");
  g_autofree char *all = evacuation_text_time(took), *expected = evacuation_text_time(forecast),
                  *least = evacuation_text_time(bound);
  GString *out = g_string_new(NULL);
  g_string_append_printf(out, " in %s", all);
  if (forecast >= 0)
    g_string_append_printf(out, " (%s were expected", expected);
  if (bound >= 0)
    g_string_append_printf(out, "%s%s are the least", forecast >= 0 ? ", " : " (", least);
  if (forecast >= 0 || bound >= 0)
    g_string_append_c(out, ')');
  return g_string_free(out, FALSE);
}
