// SPDX-License-Identifier: Apache-2.0
// Cells that are computed rather than copied from one path: a function a column, of the object as
// it is stored and the time at which it is shown. NULL where there is nothing to show; never an
// error.
// Which column has which function is in the kinds' own files.
#include "model/kinds/columns.h"
#include "base/quantity.h"
#include "base/rfc3339.h"
#include "model/migration/condition.h"
#include "model/migration/node_address.h"
#include <math.h>
#include <string.h>

/* "256Mi", "7.8Gi": kubectl's look, for people; without a space so that columns can be cut. */
static json_t *bytes_cell(gint64 bytes, const char *suffix) {
  double value = (double)bytes;
  const char *prefix = ferry_binary_scale(&value, 1024);
  gboolean whole = value >= 100 || fabs(value - round(value)) < 0.05;
  return json_sprintf(whole ? "%.0f%s%s" : "%.1f%s%s", value, prefix, suffix);
}

static json_t *ms_cell(gint64 ms) {
  if (ms < 1000)
    return json_sprintf("%dms", (int)ms);
  if (ms < 10000)
    return json_sprintf("%.1fs", (double)ms / 1000);
  g_autofree char *text = ferry_age_format(ms);
  return json_string(text);
}

/* The number at `path` through `cell`; empty where there is none. */
static json_t *bytes_at(const json_t *object, const char *path, const char *suffix) {
  gint64 value = ferry_json_int(object, path, -1);
  return value < 0 ? NULL : bytes_cell(value, suffix);
}

static gint64 quantity_at(const json_t *object, const char *path) {
  json_t *value = ferry_json_get(object, path);
  gint64 number = -1;
  if (json_is_integer(value))
    return json_integer_value(value);
  if (json_is_string(value) && !ferry_quantity_parse(json_string_value(value), &number, NULL))
    return -1;
  return number;
}

json_t *ferry_cell_node_status(const json_t *object, gint64 now_ms) {
  gboolean closed = ferry_json_bool(object, "spec.unschedulable", FALSE);
  return json_sprintf("%s%s",
                      ferry_condition_holds(object, FERRY_CONDITION_READY)
                          ? ferry_condition_name(FERRY_CONDITION_READY)
                          : "NotReady",
                      closed ? ",SchedulingDisabled" : "");
}

json_t *ferry_cell_node_cause(const json_t *object, gint64 now_ms) {
  static const FerryConditionType ending[] = {FERRY_CONDITION_CERTIFICATE_EXPIRING,
                                              FERRY_CONDITION_FERRYD_CERTIFICATE_EXPIRING};
  const json_t *why = NULL;
  if (!ferry_condition_holds(object, FERRY_CONDITION_READY))
    why = ferry_condition_find(object, FERRY_CONDITION_READY);
  for (gsize i = 0; !why && i < G_N_ELEMENTS(ending); i++)
    if (ferry_condition_holds(object, ending[i]))
      why = ferry_condition_find(object, ending[i]);
  const char *message = ferry_json_str(why, "message");
  return json_string(message ? message : "");
}

json_t *ferry_cell_node_memory(const json_t *object, gint64 now_ms) {
  g_autoptr(json_t) used = bytes_at(object, "status.memoryUsedBytes", "");
  gint64 capacity = quantity_at(object, "status.capacity.memory");
  g_autoptr(json_t) whole = capacity < 0 ? NULL : bytes_cell(capacity, "");
  if (used && whole)
    return json_sprintf("%s/%s", json_string_value(used), json_string_value(whole));
  return whole ? g_steal_pointer(&whole) : g_steal_pointer(&used);
}

json_t *ferry_cell_node_version(const json_t *object, gint64 now_ms) {
  const char *version = ferry_json_str(object, "status.agent.version");
  if (!version || !*version)
    return NULL;
  return json_sprintf("%s%s", g_ascii_isdigit(*version) ? "v" : "", version);
}

json_t *ferry_cell_node_internal_ip(const json_t *object, gint64 now_ms) {
  const char *address = ferry_json_str(
      ferry_json_find(ferry_json_get(object, "status.addresses"), "type", FERRY_ADDRESS_INTERNAL),
      "address");
  return address ? json_string(address) : NULL;
}

json_t *ferry_cell_vmi_phase(const json_t *object, gint64 now_ms) {
  const char *phase = ferry_json_str(object, "status.phase");
  const json_t *owner = ferry_json_find(ferry_json_get(object, "status.domains"), "nodeName",
                                        ferry_json_str(object, "status.nodeName"));
  if (!phase)
    return NULL;
  return json_sprintf("%s%s", phase, ferry_json_bool(owner, "silent", FALSE) ? ",Silent" : "");
}

json_t *ferry_cell_vmi_memory(const json_t *object, gint64 now_ms) {
  gint64 bytes = ferry_json_int(object, "status.guestMemoryBytes", -1);
  if (bytes <= 0)
    bytes = quantity_at(object, "spec.domain.memory.guest");
  return bytes < 0 ? NULL : bytes_cell(bytes, "");
}

json_t *ferry_cell_vmi_migrating(const json_t *object, gint64 now_ms) {
  json_t *state = ferry_json_get(object, "status.migrationState");
  const char *target = ferry_json_str(state, "targetNode");
  gboolean over = ferry_json_bool(state, "completed", FALSE) ||
                  ferry_json_bool(state, "failed", FALSE) ||
                  ferry_json_str(state, "endTimestamp") != NULL;
  if (!state || over || !target || !*target)
    return NULL;
  gint64 percent = ferry_json_int(object, "status.migrationProgress.percent", -1);
  return percent < 0 ? json_sprintf("→ %s", target)
                     : json_sprintf("→ %s %d%%", target, (int)percent);
}

json_t *ferry_cell_vmi_live_migratable(const json_t *object, gint64 now_ms) {
  const char *status = ferry_condition_status(object, FERRY_CONDITION_LIVE_MIGRATABLE);
  return status ? json_string(status) : NULL;
}

json_t *ferry_cell_vmim_progress(const json_t *object, gint64 now_ms) {
  gint64 percent = ferry_json_int(object, "status.progress.percent", -1);
  return percent < 0 ? NULL : json_sprintf("%d%%", (int)percent);
}

json_t *ferry_cell_vmi_node(const json_t *object, gint64 now_ms) {
  const char *node = ferry_json_str(object, "status.nodeName");
  if (!node || (!ferry_condition_holds(object, FERRY_CONDITION_RUNNING_ON_TWO_HOSTS) &&
                !ferry_condition_holds(object, FERRY_CONDITION_CLAIMED_BY_ANOTHER_HOST)))
    return node ? json_string(node) : NULL;
  g_autoptr(GString) text = g_string_new(node);
  gsize i;
  json_t *d;
  json_array_foreach(ferry_json_get(object, "status.domains"), i, d) {
    const char *other = ferry_json_str(d, "nodeName");
    if (other && !g_str_equal(other, node) && ferry_json_bool(d, "active", FALSE))
      g_string_append_printf(text, " and %s", other);
  }
  return json_string(text->str);
}

json_t *ferry_cell_vmim_target(const json_t *object, gint64 now_ms) {
  const char *target = ferry_json_str(object, "status.migrationState.targetNode");
  if (!target || !*target)
    target = ferry_json_str(object, "spec.targetNode");
  return target ? json_string(target) : NULL;
}

json_t *ferry_cell_vmim_remaining(const json_t *object, gint64 now_ms) {
  return bytes_at(object, "status.progress.dataRemainingBytes", "");
}

json_t *ferry_cell_vmim_rate(const json_t *object, gint64 now_ms) {
  json_t *average = bytes_at(object, "status.summary.averageRateBytesPerSecond", "/s");
  return average ? average
                 : bytes_at(object, "status.progress.memoryTransferRateBytesPerSecond", "/s");
}

json_t *ferry_cell_vmim_dirty_rate(const json_t *object, gint64 now_ms) {
  return bytes_at(object, "status.progress.dirtyRateBytesPerSecond", "/s");
}

json_t *ferry_cell_vmim_elapsed(const json_t *object, gint64 now_ms) {
  gint64 ms = ferry_json_int(object, "status.summary.totalMs", -1);
  if (ms < 0)
    ms = ferry_json_int(object, "status.progress.elapsedMs", -1);
  return ms < 0 ? NULL : ms_cell(ms);
}

json_t *ferry_cell_vmim_downtime(const json_t *object, gint64 now_ms) {
  gint64 ms = ferry_json_int(object, "status.summary.downtimeMs", -1);
  return ms < 0 ? NULL : ms_cell(ms);
}

json_t *ferry_cell_vmim_reason(const json_t *object, gint64 now_ms) {
  const char *message = ferry_json_str(object, "status.message");
  const char *reason = ferry_json_str(object, "status.reason");
  if (!message || !*message)
    message = ferry_json_str(object, "status.queue.message");
  if (reason && *reason && message && *message)
    return json_sprintf("%s: %s", reason, message);
  const char *text = message && *message ? message : reason;
  return text ? json_string(text) : NULL;
}

static json_t *age_cell(const char *time, gint64 now_ms) {
  gint64 then = ferry_rfc3339_parse(time);
  if (then < 0)
    return json_string("<unknown>");
  g_autofree char *text = ferry_age_format(now_ms - then);
  return json_string(text);
}

json_t *ferry_cell_event_first_seen(const json_t *object, gint64 now_ms) {
  const char *time = ferry_json_str(object, "firstTimestamp");
  return age_cell(time ? time : ferry_json_str(object, "eventTime"), now_ms);
}

json_t *ferry_cell_event_last_seen(const json_t *object, gint64 now_ms) {
  const char *time = ferry_json_str(object, "series.lastObservedTime");
  if (!time)
    time = ferry_json_str(object, "lastTimestamp");
  return time ? age_cell(time, now_ms) : ferry_cell_event_first_seen(object, now_ms);
}

json_t *ferry_cell_event_object(const json_t *object, gint64 now_ms) {
  const char *kind = ferry_json_str(object, "involvedObject.kind");
  const char *name = ferry_json_str(object, "involvedObject.name");
  g_autofree char *lower = g_ascii_strdown(kind ? kind : "", -1);
  return json_sprintf("%s/%s", lower, name ? name : "");
}

json_t *ferry_cell_event_source(const json_t *object, gint64 now_ms) {
  const char *component = ferry_json_str(object, "source.component");
  const char *host = ferry_json_str(object, "source.host");
  if (!component || !*component)
    component = ferry_json_str(object, "reportingComponent");
  if (!component || !*component)
    return NULL;
  return host && *host ? json_sprintf("%s, %s", component, host) : json_string(component);
}

json_t *ferry_cell_network_nodes(const json_t *object, gint64 now_ms) {
  json_t *nodes = ferry_json_get(object, "status.nodes"), *node;
  int n = 0;
  gsize i;
  json_array_foreach(nodes, i, node) {
    const char *address = ferry_json_str(node, "address");
    if (address && *address)
      n++;
  }
  return json_integer(n);
}

json_t *ferry_cell_binding_role(const json_t *object, gint64 now_ms) {
  const char *kind = ferry_json_str(object, "roleRef.kind");
  const char *name = ferry_json_str(object, "roleRef.name");
  return kind && name ? json_sprintf("%s/%s", kind, name) : NULL;
}

static json_t *subjects_of(const json_t *object, const char *kind) {
  g_autoptr(GString) out = g_string_new(NULL);
  gsize i;
  json_t *one;
  json_array_foreach(ferry_json_get(object, "subjects"), i, one) {
    const char *name = ferry_json_str(one, "name");
    if (name && g_strcmp0(ferry_json_str(one, "kind"), kind) == 0)
      g_string_append_printf(out, "%s%s", out->len ? ", " : "", name);
  }
  return json_string(out->str);
}

json_t *ferry_cell_binding_users(const json_t *object, gint64 now_ms) {
  return subjects_of(object, "User");
}

json_t *ferry_cell_binding_groups(const json_t *object, gint64 now_ms) {
  return subjects_of(object, "Group");
}

json_t *ferry_cell_user_credentials(const json_t *object, gint64 now_ms) {
  return json_integer((json_int_t)json_array_size(ferry_json_get(object, "status.credentials")));
}
