// SPDX-License-Identifier: Apache-2.0
// Domains of a host that are left out because what its agent says of them is invalid. Reports tell
// of changes only, so the list of them is kept with the Node: an entry goes when a report has the
// domain as a valid one, as removed, or is full and no longer has it. What was known of such a
// domain before stays as it was last said.
#include "control/conditions.h"
#include "model/migration/reasons.h"
#include "control/inventory_left_out.h"

#define LIST "status.invalidDomains"
#define MESSAGE_MAX 16384 /* characters of the condition's */

/* What an entry is known by, borrowed. */
static const char *key_of(const json_t *entry) {
  const char *uuid = ferry_json_str(entry, "uuid"), *name = ferry_json_str(entry, "name");
  return uuid ? uuid : name ? name : "";
}

gboolean ferry_inventory_has_nameless(const json_t *body) {
  gsize i;
  json_t *one;
  json_array_foreach(json_object_get(body, "leftOut"), i,
                     one) if (!ferry_json_str(one, "uuid")) return TRUE;
  return FALSE;
}

static void inventory_left_out_add_words(GHashTable *set, const json_t *list) {
  gsize i;
  json_t *one;
  json_array_foreach((json_t *)list, i, one)
      g_hash_table_add(set, (gpointer)json_string_value(one));
}

/* UUIDs that the report has an end for: valid now, or gone. Borrowed. */
static GHashTable *settled_by(const json_t *body) {
  GHashTable *set = g_hash_table_new(g_str_hash, g_str_equal);
  gsize i;
  json_t *one;
  json_array_foreach(json_object_get(body, "domains"), i, one)
      g_hash_table_add(set, (gpointer)ferry_json_str(one, "uuid"));
  inventory_left_out_add_words(set, json_object_get(body, "removed"));
  return set;
}

/* Key -> entry of the report, borrowed. */
static GHashTable *told_by(const json_t *body) {
  GHashTable *told = g_hash_table_new(g_str_hash, g_str_equal);
  gsize i;
  json_t *one;
  json_array_foreach(json_object_get(body, "leftOut"), i, one)
      g_hash_table_insert(told, (gpointer)key_of(one), one);
  return told;
}

/* The list after the report; `fresh` gets whether an entry is new or differs. */
static json_t *next_list(const json_t *before, const json_t *body, gboolean *fresh) {
  g_autoptr(GHashTable) settled = settled_by(body);
  g_autoptr(GHashTable) told = told_by(body);
  g_autoptr(GHashTable) present = g_hash_table_new(g_str_hash, g_str_equal);
  gboolean full = ferry_json_bool(body, "full", FALSE);
  inventory_left_out_add_words(present, json_object_get(body, "present"));
  json_t *next = json_array(), *one;
  gsize i;
  json_array_foreach((json_t *)before, i, one) {
    json_t *again = g_hash_table_lookup(told, key_of(one));
    if (again) {
      *fresh |= !json_equal(one, again);
      json_array_append(next, again);
      g_hash_table_remove(told, key_of(one));
    } else if (!g_hash_table_contains(settled, key_of(one)) &&
               (!full || g_hash_table_contains(present, key_of(one)))) {
      json_array_append(next, one);
    }
  }
  json_array_foreach(json_object_get(body, "leftOut"), i, one) {
    if (json_array_size(next) >= FERRY_REPORT_MAX_LEFT_OUT)
      break;
    if (g_hash_table_lookup(told, key_of(one)) != one)
      continue; /* told already, or by a later one of the same key */
    *fresh = TRUE;
    json_array_append(next, one);
  }
  return next;
}

static char *message_of(const json_t *list) {
  gsize n = json_array_size(list), i;
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_printf(text,
                  "%s%zu of this host's domains %s left out, for what its agent says of them is "
                  "invalid; what was known of them before stays as it was: ",
                  n >= FERRY_REPORT_MAX_LEFT_OUT ? "at least " : "", n, n == 1 ? "is" : "are");
  json_t *one;
  json_array_foreach((json_t *)list, i, one) {
    const char *uuid = ferry_json_str(one, "uuid"), *name = ferry_json_str(one, "name");
    g_string_append_printf(text, "%s%s (%s): %s", i ? "; " : "", name ? name : "no name",
                           uuid ? uuid : "no UUID", ferry_json_str(one, "message"));
  }
  if (g_utf8_strlen(text->str, -1) <= MESSAGE_MAX)
    return g_string_free(g_steal_pointer(&text), FALSE);
  g_autofree char *first = g_utf8_substring(text->str, 0, MESSAGE_MAX);
  return g_strconcat(first, "… (all: status.invalidDomains)", NULL);
}

void ferry_inventory_note_left_out(FerryPlan *plan, json_t *node, const json_t *body,
                                   gint64 now_ms) {
  json_t *before = ferry_json_get(node, LIST);
  if (json_array_size(before) == 0 && json_array_size(json_object_get(body, "leftOut")) == 0)
    return;
  gboolean fresh = FALSE;
  json_t *next = next_list(before, body, &fresh);
  if (json_array_size(next) == 0) {
    json_decref(next);
    ferry_json_set(node, LIST, NULL);
    ferry_condition_remove(node, FERRY_CONDITION_INVALID_DOMAINS);
    return;
  }
  g_autofree char *text = message_of(next);
  ferry_json_set(node, LIST, next);
  ferry_condition_set(node, FERRY_CONDITION_INVALID_DOMAINS, "True",
                      ferry_reason_name(FERRY_REASON_LEFT_OUT), text, now_ms);
  if (fresh)
    ferry_plan_event(plan, node, "Warning", ferry_reason_name(FERRY_REASON_INVALID_DOMAINS), text,
                     now_ms);
}
