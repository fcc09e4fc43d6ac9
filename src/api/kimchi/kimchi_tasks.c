// SPDX-License-Identifier: Apache-2.0
// Tasks. Each is derived from one VirtualMachineInstanceMigration whenever it is asked for, so it
// is as durable as that, and migrations that were started by other means are tasks too. A task's id
// is the migration's UID. The steps are those of Kimchi's proposal; Ferry's phases fall into them.
#include "api/http/query.h"
#include "api/resource/delete.h"
#include "api/kimchi/kimchi.h"
#include "api/kimchi/kimchi_pattern.h"
#include "model/migration/reasons.h"
#include "model/field/object_meta.h"
#include "model/kinds/policy_layers.h"
#include "model/migration/migration.h"
#include "base/quantity.h"
#include "model/domain/domain_states.h"

#include <string.h>

enum { CHECK, CONNECT, PREPARE, MIGRATE, RECOVER, FINISH, N_STEPS };

static const struct {
  const char *name, *title;
} task_steps[N_STEPS] = {
    {"check", "migration source check"},
    {"connect", "connect the destination, transfer and set up the guest's configuration"},
    {"prepare", "prepare the migration source"},
    {"migrate", "migrate"},
    {"recover", "recover"},
    {"finish", "finish"},
};

static const struct {
  FerryPhase phase;
  int step;
} task_phases[] = {
    {FERRY_PHASE_PENDING, CHECK},        {FERRY_PHASE_SCHEDULING, CHECK},
    {FERRY_PHASE_SCHEDULED, CONNECT},    {FERRY_PHASE_PREPARING_TARGET, CONNECT},
    {FERRY_PHASE_TARGET_READY, PREPARE}, {FERRY_PHASE_RUNNING, MIGRATE},
};

static int step_of_phase(FerryPhase phase) {
  for (gsize i = 0; i < G_N_ELEMENTS(task_phases); i++)
    if (phase == task_phases[i].phase)
      return task_phases[i].step;
  return -1;
}

/* The step it is in, or was in when it ended. */
static int last_step(const json_t *m) {
  int step = step_of_phase(ferry_phase_of(m));
  if (step >= 0)
    return step;
  gsize i;
  json_t *one;
  step = CHECK;
  json_array_foreach(ferry_json_get(m, "status.phaseTransitionTimestamps"), i, one) step =
      MAX(step, step_of_phase(ferry_phase_parse(ferry_json_str(one, "phase"))));
  return step;
}

static const char *task_status(const json_t *m) {
  FerryPhase phase = ferry_phase_of(m);
  if (phase == FERRY_PHASE_SUCCEEDED)
    return "finished";
  if (phase != FERRY_PHASE_FAILED)
    return "running";
  return ferry_reason_is(m, FERRY_REASON_CANCELLED) ? "killed" : "failed";
}

static const char *or_unknown(const char *text) {
  return text && *text ? text : "an unknown host";
}

/* What the target still has of the VM. */
static char *rest_on(const char *target, const char *state) {
  FerryVmState rest = ferry_vm_state_parse(state);
  if (rest == FERRY_VM_UNKNOWN)
    return g_strdup_printf("whether anything of it is left on %s is unknown: its agent does not "
                           "answer",
                           target);
  if (rest == FERRY_VM_GONE)
    return g_strdup_printf("nothing of it is left on %s", target);
  return g_strdup_printf("but %s still has a domain of it", target);
}

/* Whether a person has to look at both hosts, whatever they say. */
static gboolean is_open_end(const json_t *m) {
  switch (ferry_reason_parse(FERRY_REASONS_ENDED, ferry_json_str(m, "status.reason"))) {
  case FERRY_REASON_RUNS_ON_BOTH_HOSTS:
  case FERRY_REASON_SOURCE_HOST_LOST:
  case FERRY_REASON_VM_LOST:
  case FERRY_REASON_POST_COPY_FAILED:
  case FERRY_REASON_SUSPENDED_ON_BOTH_HOSTS:
    return TRUE;
  default:
    return FALSE;
  }
}

/* What became of the VM after a failure; `recovered` (may be NULL): whether it is safe. */
static char *kimchi_tasks_recovery(const json_t *m, gboolean *recovered) {
  const char *source = ferry_json_str(m, "status.migrationState.sourceNode");
  const char *target = ferry_json_str(m, "status.migrationState.targetNode");
  const char *at_source = ferry_json_str(m, "status.migrationState.sourceDomainState");
  const char *at_target = ferry_json_str(m, "status.migrationState.targetDomainState");
  gboolean safe = TRUE;
  char *text;
  if (last_step(m) <= CONNECT && !at_source) {
    text = g_strdup("nothing was begun, so there is nothing to recover: the VM was not touched");
  } else if (is_open_end(m) || !ferry_domain_state_is_alive(ferry_vm_state_parse(at_source))) {
    safe = FALSE;
    text = g_strdup_printf("NOT recovered by itself: %s says %s, %s says %s; look at the domain on "
                           "both hosts with virsh before you start it anywhere",
                           or_unknown(source), at_source ? at_source : "nothing",
                           or_unknown(target), at_target ? at_target : "nothing");
  } else if (!ferry_migration_state_is_kept(m, at_source)) {
    const char *before = ferry_json_str(m, "status.migrationState.sourceDomainStateBefore");
    safe = FALSE;
    text = g_strdup_printf("NOT recovered by itself: the VM is %s on %s and was %s before; look at "
                           "the domain on both hosts with virsh before you resume it",
                           at_source, or_unknown(source), before ? before : "in an unknown state");
  } else {
    g_autofree char *rest = rest_on(or_unknown(target), at_target);
    text = g_strdup_printf("recovered: the VM is %s on %s as before, %s", at_source,
                           or_unknown(source), rest);
  }
  if (recovered)
    *recovered = safe;
  return text;
}

static void append_progress(GString *out, const json_t *m) {
  const json_t *p = ferry_json_get(m, "status.progress");
  gint64 percent = ferry_json_int(p, "percent", 0),
         left = ferry_json_int(p, "dataRemainingBytes", -1);
  g_string_append_printf(out, "%" G_GINT64_FORMAT " %%", percent);
  if (left > 0) {
    g_autofree char *bytes = ferry_bytes_format((double)left);
    g_string_append_printf(out, ", %s remain", bytes);
  }
  gint64 seconds = ferry_json_int(p, "remainingSeconds", -1);
  if (seconds > 0)
    g_string_append_printf(out, ", about %" G_GINT64_FORMAT " s", seconds);
}

static void append_waiting(GString *out, const json_t *m) {
  const json_t *queue = ferry_json_get(m, "status.queue");
  const char *why = ferry_json_str(queue, "message");
  if (queue)
    g_string_append_printf(out, ": waits, place %" G_GINT64_FORMAT "%s%s",
                           ferry_json_int(queue, "position", 0), why ? ": " : "", why ? why : "");
}

static char *task_message(const json_t *m) {
  const char *status = task_status(m);
  const char *said = ferry_json_str(m, "status.message");
  int step = last_step(m);
  GString *out = g_string_new(NULL);
  if (g_str_equal(status, "finished")) {
    g_string_printf(out, "step 6 of 6, finish: %s", said ? said : "the VM was moved");
    return g_string_free(out, FALSE);
  }
  g_string_printf(out, "step %d of 6, %s", step + 1, task_steps[step].title);
  if (g_str_equal(status, "running")) {
    if (step == MIGRATE) {
      g_string_append(out, ": ");
      append_progress(out, m);
    } else if (step == CHECK) {
      append_waiting(out, m);
    }
    if (ferry_json_bool(m, "status.migrationState.abortRequested", FALSE))
      g_string_append(out, "; it is being cancelled");
    else if (said && *said)
      g_string_append_printf(out, "; %s", said);
    return g_string_free(out, FALSE);
  }
  g_autofree char *after = kimchi_tasks_recovery(m, NULL);
  if (g_str_equal(status, "killed")) {
    const char *by = ferry_json_str(m, "status.migrationState.abortRequestedBy");
    g_string_append_printf(out, ": cancelled%s%s", by ? " by " : "", by ? by : "");
  } else {
    const char *cause = ferry_json_str(m, "status.migrationState.agentResult.error");
    g_string_append_printf(out, ": failed: %s",
                           cause && *cause ? cause
                           : said          ? said
                                           : "no reason");
  }
  g_string_append_printf(out, "; step 5 of 6, recover: %s", after);
  return g_string_free(out, FALSE);
}

/* What the task works on; its name is good even where the VM has gone. Below /plugins/kimchi it is
 * as Kimchi makes it and its web code looks for it, else the VM itself. */
static char *target_uri(FerryKimchi *k, const json_t *m, gboolean plugin) {
  const char *name = ferry_json_str(m, "spec.vmiName"),
             *ns = ferry_json_str(m, "metadata.namespace");
  g_autoptr(json_t) vmi =
      name && ns ? ferry_store_get(k->req->api->store, &ferry_kind_vmi, ns, name) : NULL;
  const char *word = vmi ? ferry_kimchi_vm_word(k, vmi) : name;
  const char *renamed =
      ferry_json_str(m, "status.migrationState.migrationConfiguration.destinationName");
  /* it is known by the domain's new name, too, unless another VM is called so */
  if (renamed && g_strcmp0(ferry_json_str(vmi, "spec.domainName"), renamed) == 0 &&
      !g_hash_table_contains(k->names, renamed))
    word = renamed;
  g_autofree char *escaped = g_uri_escape_string(word ? word : "", NULL, FALSE);
  return plugin ? g_strdup_printf("/plugins/kimchi/vms/%s/migrate", escaped)
                : g_strdup_printf("/vms/%s", escaped);
}

json_t *ferry_kimchi_task(FerryKimchi *k, const json_t *m) {
  g_autofree char *message = task_message(m);
  g_autofree char *uri = target_uri(k, m, *k->prefix != '\0');
  json_t *task = json_pack("{s:s, s:s, s:s, s:s}", "id", ferry_json_str(m, "metadata.uid"),
                           "status", task_status(m), "message", message, "target_uri", uri);
  const char *notes = ferry_object_annotation(m, FERRY_KIMCHI_NOTES);
  if (notes && *notes) {
    g_auto(GStrv) lines = g_strsplit(notes, "\n", 16);
    json_t *list = json_array();
    for (gsize i = 0; lines[i]; i++)
      json_array_append_new(list, json_string(lines[i]));
    json_object_set_new(task, "warnings", list);
  }
  return task;
}

/* When a step began: the first of its phases. */
static const char *kimchi_tasks_began(const json_t *m, int step) {
  gsize i;
  json_t *one;
  json_array_foreach(ferry_json_get(m, "status.phaseTransitionTimestamps"), i, one) {
    FerryPhase phase = ferry_phase_parse(ferry_json_str(one, "phase"));
    int at = phase == FERRY_PHASE_FAILED      ? RECOVER
             : phase == FERRY_PHASE_SUCCEEDED ? FINISH
                                              : step_of_phase(phase);
    if (at == step)
      return ferry_json_str(one, "phaseTransitionTimestamp");
  }
  return NULL;
}

static json_t *steps_of(const json_t *m) {
  const char *status = task_status(m);
  gboolean over = !g_str_equal(status, "running"), good = g_str_equal(status, "finished"),
           safe = TRUE;
  int at = last_step(m);
  g_autofree char *after = over && !good ? kimchi_tasks_recovery(m, &safe) : NULL;
  json_t *list = json_array();
  for (int i = 0; i < N_STEPS; i++) {
    const char *state;
    if (i == RECOVER)
      state = !over ? "pending" : good ? "skipped" : safe ? "done" : "failed";
    else if (i == FINISH)
      state = !over ? "pending" : good ? "done" : "skipped";
    else if (i < at || good)
      state = "done";
    else if (i == at)
      state = over ? status : "running";
    else
      state = over ? "skipped" : "pending";
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "name", task_steps[i].name,
                                          "title", task_steps[i].title, "status", state, "started",
                                          kimchi_tasks_began(m, i), "message",
                                          i == RECOVER ? after : NULL));
  }
  return list;
}

/* What people changed while it ran and is in force. */
static void add_changes(FerryKimchiSettings *settings, const json_t *m) {
  gsize i;
  json_t *change;
  json_array_foreach(ferry_json_get(m, "status.changes"), i, change) {
    gboolean whole = ferry_change_state_of(change) == FERRY_CHANGE_APPLIED;
    const json_t *fields = json_object_get(change, whole ? "fields" : "inForce");
    settings->downtime_ms = ferry_json_int(fields, "downtimeMs", settings->downtime_ms);
    settings->bandwidth_mib = ferry_json_int(fields, "bandwidthMiBps", settings->bandwidth_mib);
  }
}

/* The settings it runs with (resolved when it was scheduled) or was asked for with. */
static json_t *settings_of(const json_t *m) {
  const json_t *config = ferry_json_get(m, "status.migrationState.migrationConfiguration");
  if (!config)
    config = json_object_get(m, "spec");
  gint64 bytes = ferry_json_int(config, "bandwidthPerMigration", -1);
  FerryKimchiSettings settings = {
      .timeout_s = ferry_json_int(config, "completionTimeoutSeconds", -1),
      .bandwidth_mib = bytes > 0 ? MAX(bytes >> 20, 1) : bytes,
      .downtime_ms = ferry_json_int(config, FERRY_FIELD_MAX_DOWNTIME, -1),
  };
  add_changes(&settings, m);
  json_t *out = json_object();
  ferry_kimchi_settings_print(&settings, out);
  return out;
}

/* What the hosts were refused for. Those that the request itself left out by naming another are no
 * news to the one who asks. NULL: nothing. */
static json_t *refusals_of(const json_t *m) {
  const char *target = ferry_json_str(m, "spec.targetNode");
  json_t *list = NULL;
  gsize i;
  json_t *one;
  json_array_foreach(ferry_json_get(m, "status.refusals"), i, one) {
    if (target && g_strcmp0(ferry_json_str(one, "nodeName"), target) != 0)
      continue;
    list = list ? list : json_array();
    json_array_append(list, one);
  }
  return list;
}

json_t *ferry_kimchi_monitor(FerryKimchi *k, const json_t *m) {
  static const char *const parts[] = {"progress", "summary"};
  json_t *out = ferry_kimchi_task(k, m);
  static const struct {
    const char *name, *path;
  } texts[] = {{"vm", "spec.vmiName"},
               {"migration", "metadata.name"},
               {"namespace", "metadata.namespace"},
               {"source", "status.migrationState.sourceNode"},
               {"destination", "status.migrationState.targetNode"},
               {"mode", "status.migrationState.mode"}};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    const char *text = ferry_json_str(m, texts[i].path);
    if (text)
      json_object_set_new(out, texts[i].name, json_string(text));
  }
  json_object_set_new(
      out, "step",
      json_string(
          task_steps[g_str_equal(task_status(m), "finished") ? FINISH : last_step(m)].name));
  json_object_set_new(out, "steps", steps_of(m));
  json_object_set_new(out, "settings", settings_of(m));
  for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
    json_t *part = json_object_get(json_object_get(m, "status"), parts[i]);
    if (part)
      json_object_set(out, parts[i], part);
  }
  json_t *refusals = refusals_of(m);
  if (refusals)
    json_object_set_new(out, "refusals", refusals);
  return out;
}

static int by_creation(gconstpointer a, gconstpointer b) {
  const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
  int order = g_strcmp0(ferry_json_str(x, "metadata.creationTimestamp"),
                        ferry_json_str(y, "metadata.creationTimestamp"));
  return order ? order
               : g_strcmp0(ferry_json_str(x, "metadata.uid"), ferry_json_str(y, "metadata.uid"));
}

/* ---- finding ---- */

static const char *const task_filters[] = {"id", "status", "target_uri"};
typedef struct {
  FerryKimchiPattern *patterns[G_N_ELEMENTS(task_filters)]; /* NULL: any */
} TaskFilter;

static void task_filter_clear(TaskFilter *wanted) {
  for (gsize f = 0; f < G_N_ELEMENTS(task_filters); f++)
    g_clear_pointer(&wanted->patterns[f], ferry_kimchi_pattern_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TaskFilter, task_filter_clear)

static gboolean read_filters(FerryKimchi *k, TaskFilter *wanted, GError **error) {
  for (gsize f = 0; f < G_N_ELEMENTS(task_filters); f++) {
    const char *text = ferry_query(k->req, task_filters[f]);
    if (text && !(wanted->patterns[f] = ferry_kimchi_pattern_new(task_filters[f], text, error)))
      return FALSE;
  }
  return TRUE;
}

/* A target is found by either form of its URI, whichever the caller knows. */
static gboolean task_is_wanted(FerryKimchi *k, const TaskFilter *wanted, const json_t *m,
                               const json_t *task) {
  for (gsize f = 0; f < G_N_ELEMENTS(task_filters); f++) {
    const FerryKimchiPattern *pattern = wanted->patterns[f];
    const char *value = ferry_json_str(task, task_filters[f]);
    if (!pattern || (value && ferry_kimchi_pattern_fits(pattern, value)))
      continue;
    g_autofree char *other =
        g_str_equal(task_filters[f], "target_uri") ? target_uri(k, m, *k->prefix == '\0') : NULL;
    if (!other || !ferry_kimchi_pattern_fits(pattern, other))
      return FALSE;
  }
  return TRUE;
}

gboolean ferry_kimchi_list_tasks(FerryKimchi *k, GError **error) {
  g_auto(TaskFilter) wanted = {0};
  if (!read_filters(k, &wanted, error))
    return FALSE;
  g_autoptr(GPtrArray) all = ferry_store_list(k->req->api->store, &ferry_kind_vmim, NULL, NULL);
  g_ptr_array_sort(all, by_creation);
  json_t *list = json_array();
  for (guint i = 0; i < all->len; i++) {
    const json_t *m = g_ptr_array_index(all, i);
    if (ferry_migration_is_forecast(m))
      continue;
    g_autoptr(json_t) task = ferry_kimchi_task(k, m);
    if (task_is_wanted(k, &wanted, m, task))
      json_array_append(list, task);
  }
  ferry_kimchi_respond(k, 200, list);
  return TRUE;
}

static json_t *find_task(FerryKimchi *k, GError **error) {
  json_t *m = ferry_store_get_by_uid(k->req->api->store, &ferry_kind_vmim, k->name);
  if (ferry_migration_is_forecast(m))
    g_clear_pointer(&m, json_decref);
  if (!m)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
                "there is no task \"%s\"; GET %s/tasks lists what there is", k->name, k->prefix);
  return m;
}

gboolean ferry_kimchi_get_task(FerryKimchi *k, GError **error) {
  g_autoptr(json_t) m = find_task(k, error);
  if (!m)
    return FALSE;
  ferry_kimchi_respond(k, 200, ferry_kimchi_task(k, m));
  return TRUE;
}

gboolean ferry_kimchi_cancel(FerryKimchi *k, const json_t *migration, GError **error) {
  const char *ns = ferry_json_str(migration, "metadata.namespace");
  const char *name = ferry_json_str(migration, "metadata.name");
  if (!ferry_kimchi_authorise(k, &ferry_kind_vmim, "update", "cancel", ns, name, error) ||
      !ferry_resource_cancel(k->req, error))
    return FALSE;
  g_autoptr(json_t) now = ferry_store_get(k->req->api->store, &ferry_kind_vmim, ns, name);
  ferry_kimchi_respond(k, 202, ferry_kimchi_task(k, now ? now : migration));
  return TRUE;
}

gboolean ferry_kimchi_cancel_task(FerryKimchi *k, GError **error) {
  g_autoptr(json_t) m = find_task(k, error);
  return m && ferry_kimchi_cancel(k, m, error);
}
