// SPDX-License-Identifier: Apache-2.0
// Whatever waits, and however much of it: what the server holds in the end is what was written.
#include "agent/link/outbox.h"
#include "base/patch/patch.h"

/* What ferryd would hold. */
static void apply(json_t **stored, const json_t *patch) {
  if (!ferry_outbox_is_keyed(patch)) {
    json_t *merged = ferry_patch_merge(*stored, patch);
    json_decref(*stored);
    *stored = merged;
    return;
  }
  static const char *const lists[] = {"changes", "conditions"}, *const keys[] = {"id", "type"};
  for (int k = 0; k < 2; k++) {
    json_t *entry, *list = json_object_get(*stored, lists[k]);
    gsize i;
    if (!list)
      json_object_set_new(*stored, lists[k], list = json_array());
    json_array_foreach(json_object_get(patch, lists[k]), i, entry) {
      json_t *old = ferry_json_find(list, keys[k], ferry_json_str(entry, keys[k]));
      if (old)
        json_object_update(old, entry);
      else
        json_array_append_new(list, json_deep_copy(entry));
    }
  }
}

static json_t *made_up(int i) {
  g_autofree char *id = g_strdup_printf("%d", i / 3);
  switch (i % 5) {
  case 0:
    return json_pack("{s:{s:s, s:i}}", "migrationState", "mode", i % 2 ? "PostCopy" : "Paused", "n",
                     i);
  case 1:
    return json_pack("{s:[{s:s, s:s}]}", "changes", "id", id, "state",
                     i % 2 ? "Applied" : "Refused");
  case 2:
    return json_pack("{s:[{s:s, s:s}]}", "conditions", "type", "Stalling", "status",
                     i % 2 ? "True" : "False");
  case 3:
    return json_pack("{s:s, s:[i, i]}", "phase", i % 2 ? "Running" : "TargetReady", "decisions", i,
                     i + 1);
  default:
    return json_pack("{s:{s:i}, s:{s:{s:i}}}", "forecast", "totalMs", i, "migrationState",
                     "agentResult", "attempt", i);
  }
}

/* `sent_every`: how often one gets through; 0: only at the end */
static void check(int writes, int sent_every) {
  FerryOutbox box;
  g_autoptr(json_t) stored = json_object();
  g_autoptr(json_t) wanted = json_object();
  json_t *item = NULL;
  guint most = 0;
  ferry_outbox_init(&box);
  for (int i = 0; i < writes; i++) {
    g_autoptr(json_t) patch = made_up(i);
    apply(&wanted, patch);
    ferry_outbox_put(&box, json_incref(patch));
    most = MAX(most, box.must.length);
    if (sent_every && i % sent_every == 0 && ferry_outbox_next(&box, &item) == FERRY_OUTBOX_PATCH) {
      g_autoptr(json_t) in_flight = json_deep_copy(item);
      g_autoptr(json_t) meanwhile = made_up(i + 1000);
      apply(&wanted, meanwhile);
      ferry_outbox_put(&box, json_incref(meanwhile));
      g_assert_true(json_equal(item, in_flight)); /* what is on its way stays as it is */
      if (i % 2)
        apply(&stored, item);
      ferry_outbox_sent(&box, i % 2);
    }
  }
  while (ferry_outbox_next(&box, &item) == FERRY_OUTBOX_PATCH) {
    apply(&stored, item);
    ferry_outbox_sent(&box, TRUE);
  }
  g_assert_cmpuint(most, <=, FERRY_OUTBOX_MUST + 2);
  g_assert_true(json_equal(stored, wanted));
  ferry_outbox_clear(&box);
}

static void test_nothing_is_lost(void) {
  check(10, 0);
  check(2000, 0);
  check(2000, 1);
  check(2000, 7);
}

static void test_progress(void) {
  FerryOutbox box;
  json_t *item = NULL;
  ferry_outbox_init(&box);
  ferry_outbox_put_telemetry(&box, json_pack("{s:i}", "progress", 1));
  ferry_outbox_put_telemetry(&box, json_pack("{s:i}", "progress", 2));
  g_assert_cmpint(ferry_outbox_next(&box, &item), ==, FERRY_OUTBOX_TELEMETRY);
  g_assert_cmpint(ferry_json_int(item, "progress", 0), ==, 2); /* the newest */
  json_decref(item);
  ferry_outbox_put_telemetry(&box, json_pack("{s:i}", "progress", 3));
  ferry_outbox_put(&box, json_pack("{s:s}", "phase", "Running"));
  g_assert_cmpint(ferry_outbox_next(&box, &item), ==, FERRY_OUTBOX_PATCH); /* includes it */
  ferry_outbox_sent(&box, TRUE);
  g_assert_cmpint(ferry_outbox_next(&box, &item), ==, FERRY_OUTBOX_NOTHING);
  ferry_outbox_clear(&box);
}

static void test_events(void) {
  FerryOutbox box;
  json_t *item = NULL;
  ferry_outbox_init(&box);
  for (int i = 0; i < FERRY_OUTBOX_EVENTS; i++)
    g_assert_true(ferry_outbox_put_event(&box, json_integer(i)));
  g_assert_false(ferry_outbox_put_event(&box, json_integer(99)));
  g_assert_cmpint(ferry_outbox_next(&box, &item), ==, FERRY_OUTBOX_EVENT);
  g_assert_cmpint(json_integer_value(item), ==, 0);
  json_decref(item);
  ferry_outbox_put(&box, json_object());
  ferry_outbox_give_up(&box);
  g_assert_cmpint(ferry_outbox_next(&box, &item), ==, FERRY_OUTBOX_EVENT);
  json_decref(item);
  ferry_outbox_clear(&box);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/agent/outbox/nothing-is-lost", test_nothing_is_lost);
  g_test_add_func("/agent/outbox/progress", test_progress);
  g_test_add_func("/agent/outbox/events", test_events);
  return g_test_run();
}
