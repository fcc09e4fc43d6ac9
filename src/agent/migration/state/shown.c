// SPDX-License-Identifier: Apache-2.0
#include "agent/migration/state/shown.h"
#include "base/rfc3339.h"
#include "model/migration/phase.h"

#define REPORT_MS 300
#define COURSE_US (5 * G_USEC_PER_SEC)
#define MAX_DECISIONS 100
#define TAKE_MS 500

static json_t *array_of(const json_t *object, const char *path) {
  const json_t *found = ferry_json_get(object, path);
  return json_is_array(found) ? json_deep_copy(found) : json_array();
}

void ferry_shown_init(FerryShown *s, const FerryAsked *asked, FerryDelivery *delivery,
                      FerryLogContext *log) {
  *s = (FerryShown){.asked = asked, .delivery = delivery, .log = log};
  s->timestamps = array_of(asked->object, "status.phaseTransitionTimestamps");
  s->decisions = array_of(asked->object, "status.decisions");
  ferry_progress_set_percent(&s->progress,
                             (int)ferry_json_int(asked->object, "status.progress.percent", 0));
  ferry_course_init(&s->course,
                    asked->adopted ? ferry_json_get(asked->object, "status.course") : NULL);
}

void ferry_shown_end(FerryShown *s) {
  g_clear_pointer(&s->delivery, ferry_delivery_free);
}

void ferry_shown_clear(FerryShown *s) {
  ferry_shown_end(s);
  ferry_log_context_unref(s->log);
  json_decref(s->timestamps);
  json_decref(s->decisions);
  ferry_course_clear(&s->course);
}

void ferry_shown_accept(FerryShown *s) {
  s->accepted = TRUE;
}

json_t *ferry_shown_phase(FerryShown *s, FerryPhase phase) {
  const char *word = ferry_phase_name(phase);
  g_autofree char *now = ferry_rfc3339_format_ms(g_get_real_time() / 1000);
  json_array_append_new(s->timestamps,
                        json_pack("{s:s, s:s}", "phase", word, "phaseTransitionTimestamp", now));
  return json_pack("{s:s, s:o}", "phase", word, "phaseTransitionTimestamps",
                   json_deep_copy(s->timestamps));
}

void ferry_shown_send(FerryShown *s, json_t *status) {
  ferry_delivery_send(s->delivery, status);
}

void ferry_shown_tell(FerryShown *s, const char *type, const char *reason, const char *message) {
  ferry_delivery_tell(s->delivery, s->asked->object, type, reason, message);
}

void ferry_shown_state(FerryShown *s, const char *key, const char *value) {
  ferry_delivery_send(s->delivery, json_pack("{s:{s:s}}", "migrationState", key, value));
}

FerryDeliveryResult ferry_shown_await(FerryShown *s, FerryAgentContext *context) {
  FerryDeliveryResult delivered = FERRY_DELIVERY_PENDING;
  while (delivered == FERRY_DELIVERY_PENDING && !ferry_context_has_ended(context))
    delivered = ferry_delivery_flush(s->delivery, TAKE_MS);
  return delivered;
}

void ferry_shown_record(FerryShown *s, json_t *entry, gint64 elapsed_ms, FerryAction action,
                        gint64 value, const char *code, const char *reason) {
  g_autofree char *now = ferry_rfc3339_format_ms(g_get_real_time() / 1000);
  const char *key;
  json_t *number;
  void *next;
  /* what the model cannot say is left out: the status takes no negative numbers */
  json_object_foreach_safe(entry, next, key, number) {
    if (json_is_integer(number) && json_integer_value(number) < 0)
      json_object_del(entry, key);
  }
  ferry_json_set_str(entry, "time", now);
  ferry_json_set_int(entry, "elapsedMs", elapsed_ms);
  ferry_json_set_str(entry, "action", ferry_action_name(action));
  ferry_json_set_str(entry, "code", code);
  ferry_json_set_str(entry, "reason", reason);
  if (value >= 0)
    ferry_json_set_int(entry, "value", value);
  if (json_array_size(s->decisions) >= MAX_DECISIONS)
    json_array_remove(s->decisions, 1); /* the first says how it began */
  json_array_append_new(s->decisions, entry);
  s->reported_us = 0;
  ferry_info(reason, "FERRY_MIGRATION", s->asked->name, "FERRY_DECISION", code);
}

void ferry_shown_progress(FerryShown *s, const FerryJobStats *stats, gboolean post_copy,
                          const FerryEta *eta, gint64 elapsed_ms) {
  gint64 now = g_get_monotonic_time();
  if (now - s->reported_us < REPORT_MS * 1000)
    return;
  s->reported_us = now;
  json_t *progress = ferry_progress_update(&s->progress, stats, post_copy, eta, elapsed_ms);
  json_t *status = json_pack("{s:o}", "progress", progress);
  if (json_array_size(s->decisions))
    json_object_set_new(status, "decisions", json_deep_copy(s->decisions));
  if (now - s->course_us > COURSE_US) {
    s->course_us = now;
    json_object_set_new(status, "course", json_deep_copy(s->course.rows));
  }
  ferry_delivery_telemetry(s->delivery, status);
}
