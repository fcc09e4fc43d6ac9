// SPDX-License-Identifier: Apache-2.0
// Reading and writing oVirt's convergenceSchedule.
#include "convergence/schedule.h"
#include "base/error.h"
#include <string.h>

static const char *const schedule_action_names[] = {"setDowntime", "autoConverge", "suspend",
                                                    "postcopy", "abort"};

FerrySchedule *ferry_schedule_copy(const FerrySchedule *schedule) {
  return schedule ? g_memdup2(schedule, sizeof(*schedule)) : NULL;
}

void ferry_schedule_free(FerrySchedule *schedule) {
  g_free(schedule);
}

typedef struct {
  FerrySchedule *schedule;
  GError *error;
} Parser;

static void schedule_fault(Parser *p, const char *field, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
static void schedule_fault(Parser *p, const char *field, const char *format, ...) {
  if (!p->error)
    p->error = g_error_new(FERRY_ERROR, FERRY_ERROR_INVALID, "the convergence schedule is invalid");
  if (ferry_error_n_causes(p->error) >= 16)
    return;
  va_list ap;
  va_start(ap, format);
  g_autofree char *message = g_strdup_vprintf(format, ap);
  va_end(ap);
  ferry_error_add_cause(p->error, "FieldValueInvalid", field, "%s", message);
}

/* A whole number, as oVirt writes them: 150 or "150". */
static gboolean schedule_number(const json_t *value, gint64 min, gint64 max, gint64 *out) {
  if (json_is_integer(value)) {
    *out = json_integer_value(value);
    return *out >= min && *out <= max;
  }
  const char *text = json_string_value(value);
  return text && g_ascii_string_to_signed(text, 10, min, max, out, NULL);
}

static gboolean schedule_boolean(const json_t *value, gboolean *out) {
  const char *text = json_string_value(value);
  *out = json_is_true(value) || (text && strcmp(text, "true") == 0);
  return json_is_boolean(value) || (text && (*out || strcmp(text, "false") == 0));
}

static void known_keys(Parser *p, const json_t *object, const char *field, const char *a,
                       const char *b, const char *c) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)object, key, value) {
    if (strcmp(key, a) != 0 && strcmp(key, b) != 0 && (!c || strcmp(key, c) != 0)) {
      g_autofree char *at = g_strdup_printf("%s.%.64s", field, key);
      schedule_fault(p, at, "unknown key; known are %s, %s%s%s", a, b, c ? " and " : "",
                     c ? c : "");
    }
  }
}

/* {"name", "params"}; the only parameter, or NULL. */
static gboolean schedule_action(Parser *p, const json_t *object, const char *field, int *which,
                                const json_t **param) {
  *which = -1;
  if (!json_is_object(object)) {
    schedule_fault(p, field, "must be an object with name and params");
    return FALSE;
  }
  known_keys(p, object, field, "name", "params", NULL);
  const char *name = json_string_value(json_object_get(object, "name"));
  for (guint i = 0; name && i < G_N_ELEMENTS(schedule_action_names); i++)
    if (g_ascii_strcasecmp(name, schedule_action_names[i]) == 0)
      *which = (int)i;
  if (*which < 0) {
    schedule_fault(p, field,
                   "name must be one of setDowntime, autoConverge, suspend, postcopy and abort");
    return FALSE;
  }
  const json_t *params = json_object_get(object, "params");
  if (params && !json_is_array(params)) {
    schedule_fault(p, field, "params must be a list");
    return FALSE;
  }
  *param = json_array_get(params, 0);
  return TRUE;
}

static gboolean schedule_downtime(Parser *p, const json_t *param, const char *field, gint64 *out) {
  if (schedule_number(param, 1, FERRY_DOWNTIME_MAX_MS, out))
    return TRUE;
  schedule_fault(p, field, "setDowntime needs one parameter: 1 to %d ms", FERRY_DOWNTIME_MAX_MS);
  return FALSE;
}

static void parse_init(Parser *p, const json_t *list, const char *path) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    g_autofree char *field = g_strdup_printf("%s.init[%zu]", path, i);
    int which;
    const json_t *param;
    if (!schedule_action(p, json_array_get(list, i), field, &which, &param))
      continue;
    if (which == FERRY_STEP_SET_DOWNTIME)
      schedule_downtime(p, param, field, &p->schedule->init_downtime_ms);
    else if (which != FERRY_STEP_AUTO_CONVERGE)
      schedule_fault(p, field, "%s can't be done before the migration runs",
                     schedule_action_names[which]);
    else if (!schedule_boolean(param, &p->schedule->auto_converge))
      schedule_fault(p, field, "autoConverge needs one parameter: true or false");
  }
}

static void add_step(Parser *p, const json_t *object, const char *field, gint64 limit) {
  FerrySchedule *s = p->schedule;
  FerryScheduleStep step = {.limit = limit};
  int which;
  const json_t *param;
  if (!schedule_action(p, object, field, &which, &param))
    return;
  step.action = (FerryStepAction)which;
  if (which == FERRY_STEP_SET_DOWNTIME && !schedule_downtime(p, param, field, &step.value))
    return;
  if (s->n_steps > 0) {
    gint64 before = s->steps[s->n_steps - 1].limit;
    if (limit >= 0 && (before < 0 || limit < before)) {
      schedule_fault(p, field,
                     "limit %" G_GINT64_FORMAT " follows %" G_GINT64_FORMAT ": limits must not "
                     "fall, and -1 stands last",
                     limit, before);
      return;
    }
  }
  if (s->n_steps == FERRY_SCHEDULE_MAX_STEPS) {
    schedule_fault(p, field, "more than %d steps", FERRY_SCHEDULE_MAX_STEPS);
    return;
  }
  s->steps[s->n_steps++] = step;
}

static void parse_stalling(Parser *p, const json_t *list, const char *path) {
  for (size_t i = 0; i < json_array_size(list) && i <= FERRY_SCHEDULE_MAX_STEPS; i++) {
    g_autofree char *field = g_strdup_printf("%s.stalling[%zu]", path, i);
    const json_t *item = json_array_get(list, i);
    gint64 limit;
    if (!json_is_object(item)) {
      schedule_fault(p, field, "must be an object with limit and action");
      continue;
    }
    known_keys(p, item, field, "limit", "action", NULL);
    if (!schedule_number(json_object_get(item, "limit"), -1, 1000000, &limit))
      schedule_fault(p, field, "limit must be a number of passes, or -1 for a last item");
    else
      add_step(p, json_object_get(item, "action"), field, limit);
  }
}

static void parse_last(Parser *p, const json_t *list, const char *path) {
  for (size_t i = 0; i < json_array_size(list) && i <= FERRY_SCHEDULE_MAX_STEPS; i++) {
    g_autofree char *field = g_strdup_printf("%s.lastItems[%zu]", path, i);
    const json_t *item = json_array_get(list, i), *inner = json_object_get(item, "action");
    add_step(p, inner ? inner : item, field, -1);
  }
}

FerrySchedule *ferry_schedule_parse(const json_t *object, const char *path, GError **error) {
  g_autoptr(FerrySchedule) schedule = g_new0(FerrySchedule, 1);
  Parser p = {.schedule = schedule};
  static const char *const lists[] = {"init", "stalling", "lastItems"};
  if (!json_is_object(object)) {
    schedule_fault(&p, path, "must be an object with init and stalling");
    g_propagate_error(error, p.error);
    return NULL;
  }
  schedule->tick_ms = 500;
  known_keys(&p, object, path, lists[0], lists[1], lists[2]);
  for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
    const json_t *list = json_object_get(object, lists[i]);
    if (list && !json_is_array(list)) {
      g_autofree char *field = g_strdup_printf("%s.%s", path, lists[i]);
      schedule_fault(&p, field, "must be a list");
    }
  }
  parse_init(&p, json_object_get(object, "init"), path);
  parse_stalling(&p, json_object_get(object, "stalling"), path);
  parse_last(&p, json_object_get(object, "lastItems"), path);
  if (!p.error) {
    FerryStepAction last =
        schedule->n_steps ? schedule->steps[schedule->n_steps - 1].action : FERRY_STEP_SET_DOWNTIME;
    if (last != FERRY_STEP_ABORT && last != FERRY_STEP_POSTCOPY && last != FERRY_STEP_SUSPEND)
      schedule_fault(&p, path, "must end in abort, postcopy or suspend, or it may never end");
  }
  if (p.error) {
    g_propagate_error(error, p.error);
    return NULL;
  }
  return g_steal_pointer(&schedule);
}

static json_t *action_json(const char *name, const char *param) {
  json_t *params = json_array();
  if (param)
    json_array_append_new(params, json_string(param));
  json_t *o = json_object();
  ferry_json_set_str(o, "name", name);
  ferry_json_set(o, "params", params);
  return o;
}

gboolean ferry_schedule_has(const FerrySchedule *s, FerryStepAction action) {
  for (guint i = 0; s && i < s->n_steps; i++)
    if (s->steps[i].action == action)
      return TRUE;
  return FALSE;
}

json_t *ferry_schedule_to_json(const FerrySchedule *s) {
  json_t *init = json_array(), *stalling = json_array(), *o = json_object();
  if (s->init_downtime_ms > 0) {
    g_autofree char *ms = g_strdup_printf("%" G_GINT64_FORMAT, s->init_downtime_ms);
    json_array_append_new(init, action_json(schedule_action_names[FERRY_STEP_SET_DOWNTIME], ms));
  }
  if (s->auto_converge)
    json_array_append_new(init,
                          action_json(schedule_action_names[FERRY_STEP_AUTO_CONVERGE], "true"));
  for (guint i = 0; i < s->n_steps; i++) {
    const FerryScheduleStep *step = &s->steps[i];
    g_autofree char *value = step->action == FERRY_STEP_SET_DOWNTIME
                                 ? g_strdup_printf("%" G_GINT64_FORMAT, step->value)
                                 : NULL;
    json_t *item = json_object();
    ferry_json_set_int(item, "limit", step->limit);
    ferry_json_set(item, "action", action_json(schedule_action_names[step->action], value));
    json_array_append_new(stalling, item);
  }
  ferry_json_set(o, "init", init);
  ferry_json_set(o, "stalling", stalling);
  return o;
}
