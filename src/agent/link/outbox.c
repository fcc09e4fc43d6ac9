// SPDX-License-Identifier: Apache-2.0
#include "agent/link/outbox.h"

/* The lists that others write to as well, and the key of their entries. */
static const struct {
  const char *list, *key;
} keyed_members[] = {{"changes", "id"}, {"conditions", "type"}};

void ferry_outbox_init(FerryOutbox *box) {
  *box = (FerryOutbox){0};
  g_queue_init(&box->must);
  g_queue_init(&box->events);
}

void ferry_outbox_clear(FerryOutbox *box) {
  g_queue_clear_full(&box->must, (GDestroyNotify)json_decref);
  g_queue_clear_full(&box->events, (GDestroyNotify)json_decref);
  g_clear_pointer(&box->telemetry, json_decref);
}

gboolean ferry_outbox_is_keyed(const json_t *status) {
  gboolean is = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(keyed_members); i++)
    is = is || json_object_get(status, keyed_members[i].list);
  return is;
}

/* Two merge patches as the one that does what they do after each other (RFC 7396). */
static void compose_merge(json_t *into, const json_t *patch) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)patch, key, value) {
    json_t *old = json_object_get(into, key);
    if (json_is_object(old) && json_is_object(value))
      compose_merge(old, value);
    else
      json_object_set_new(into, key, json_deep_copy(value));
  }
}

/* The same of patches whose lists are merged by key: entries of one key become one. */
static void compose_keyed(json_t *into, const json_t *patch) {
  for (gsize k = 0; k < G_N_ELEMENTS(keyed_members); k++) {
    const json_t *more = json_object_get(patch, keyed_members[k].list);
    json_t *list = json_object_get(into, keyed_members[k].list), *entry;
    gsize i;
    if (more && !list)
      json_object_set_new(into, keyed_members[k].list, list = json_array());
    json_array_foreach((json_t *)more, i, entry) {
      const char *key = ferry_json_str(entry, keyed_members[k].key);
      json_t *old = key ? ferry_json_find(list, keyed_members[k].key, key) : NULL;
      if (old)
        json_object_update(old, entry);
      else
        json_array_append_new(list, json_deep_copy(entry));
    }
  }
}

/* The last patch of the same kind that is not on its way, so that what is merged into it arrives no
 * later than it would have. The two kinds write to different fields, so they may pass each other.
 */
static json_t *outbox_mergeable(const FerryOutbox *box, gboolean is_keyed) {
  for (GList *at = box->must.tail; at; at = at->prev) {
    if (at == box->must.head && box->in_flight)
      return NULL;
    if (ferry_outbox_is_keyed(at->data) == is_keyed)
      return at->data;
  }
  return NULL;
}

void ferry_outbox_put(FerryOutbox *box, json_t *status) {
  gboolean is_keyed = ferry_outbox_is_keyed(status);
  json_t *last = box->must.length < FERRY_OUTBOX_MUST ? NULL : outbox_mergeable(box, is_keyed);
  g_clear_pointer(&box->telemetry, json_decref);
  if (!last) {
    g_queue_push_tail(&box->must, status);
    return;
  }
  if (is_keyed)
    compose_keyed(last, status);
  else
    compose_merge(last, status);
  json_decref(status);
}

void ferry_outbox_put_telemetry(FerryOutbox *box, json_t *status) {
  g_clear_pointer(&box->telemetry, json_decref);
  box->telemetry = status;
}

gboolean ferry_outbox_put_event(FerryOutbox *box, json_t *event) {
  if (box->events.length >= FERRY_OUTBOX_EVENTS) {
    json_decref(event);
    return FALSE;
  }
  g_queue_push_tail(&box->events, event);
  return TRUE;
}

FerryOutboxKind ferry_outbox_next(FerryOutbox *box, json_t **item) {
  if (box->must.length) {
    *item = g_queue_peek_head(&box->must);
    box->in_flight = TRUE;
    return FERRY_OUTBOX_PATCH;
  }
  if (box->telemetry) {
    *item = g_steal_pointer(&box->telemetry);
    return FERRY_OUTBOX_TELEMETRY;
  }
  *item = g_queue_pop_head(&box->events);
  return *item ? FERRY_OUTBOX_EVENT : FERRY_OUTBOX_NOTHING;
}

void ferry_outbox_sent(FerryOutbox *box, gboolean arrived) {
  box->in_flight = FALSE;
  if (arrived)
    json_decref(g_queue_pop_head(&box->must));
}

void ferry_outbox_give_up(FerryOutbox *box) {
  box->in_flight = FALSE;
  g_queue_clear_full(&box->must, (GDestroyNotify)json_decref);
}
