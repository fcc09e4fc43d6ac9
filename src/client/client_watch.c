// SPDX-License-Identifier: Apache-2.0
// Watches: a chunked answer of one JSON object a line, with heartbeat lines that are empty.
#include "client/client_private.h"
#include <string.h>

#define MAX_LINE (4u * 1024 * 1024)
#define DEFAULT_IDLE_S 30

typedef struct {
  FerryClient *client;
  FerryWatchFunc event;
  FerryTickFunc tick;
  gpointer data;
  GByteArray *line;
  GError *error;
} Watch;

/* One whole line; FALSE ends the watch (with watch->error where it is a failure). */
static gboolean take_line(Watch *w, const char *text, gsize len) {
  if (len && text[len - 1] == '\r')
    len--;
  if (!len)
    return TRUE;
  json_error_t where;
  g_autoptr(json_t) json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
  const char *type = json_string_value(json_object_get(json, "type"));
  json_t *object = json_object_get(json, "object");
  if (!type || !json_is_object(object)) {
    w->error = g_error_new(FERRY_ERROR, FERRY_ERROR_INTERNAL,
                           "a line of the watch from %s is not a watch event: %s",
                           w->client->config->server, json ? "no type or object" : where.text);
    return FALSE;
  }
  if (g_str_equal(type, "ERROR")) {
    g_autofree char *dump = ferry_json_dump(object);
    w->error = ferry_client_status_error(w->client, (unsigned)ferry_json_int(object, "code", 500),
                                         dump, strlen(dump));
    return FALSE;
  }
  return w->event(type, object, w->data);
}

static gboolean on_chunk(const char *data, gsize len, gpointer user) {
  Watch *w = user;
  while (len) {
    const char *end = memchr(data, '\n', len);
    gsize part = end ? (gsize)(end - data) : len;
    if (w->line->len + part > MAX_LINE) {
      w->error = g_error_new(FERRY_ERROR, FERRY_ERROR_TOO_LARGE,
                             "one event of the watch from %s is over %u bytes",
                             w->client->config->server, MAX_LINE);
      return FALSE;
    }
    gboolean go_on = TRUE;
    if (!end) {
      g_byte_array_append(w->line, (const guint8 *)data, (guint)part);
      return TRUE;
    }
    if (w->line->len == 0) {
      go_on = take_line(w, data, part);
    } else {
      g_byte_array_append(w->line, (const guint8 *)data, (guint)part);
      go_on = take_line(w, (const char *)w->line->data, w->line->len);
      g_byte_array_set_size(w->line, 0);
    }
    if (!go_on)
      return FALSE;
    data += part + 1;
    len -= part + 1;
  }
  return TRUE;
}

static gboolean on_tick(gpointer user) {
  Watch *w = user;
  return !w->tick || w->tick(w->data);
}

gboolean ferry_client_watch(FerryClient *client, const char *path, const char *const *headers,
                            guint idle_timeout_s, FerryWatchFunc event, FerryTickFunc tick,
                            gpointer data, GCancellable *cancellable, GError **error) {
  g_autoptr(GByteArray) line = g_byte_array_new();
  g_autoptr(GByteArray) body = g_byte_array_new();
  Watch w = {.client = client, .event = event, .tick = tick, .data = data, .line = line};
  FerryTransfer t = {.body = body,
                     .limit = MAX_LINE,
                     .chunk = on_chunk,
                     .tick = on_tick,
                     .user = &w,
                     .idle_limit_us = (gint64)(idle_timeout_s ? idle_timeout_s : DEFAULT_IDLE_S) *
                                      G_USEC_PER_SEC};
  unsigned status = 0;
  if (!ferry_client_transfer(client, &t, "GET", path, NULL, NULL, headers, 0, cancellable, &status,
                             error)) {
    g_clear_error(&w.error);
    return FALSE;
  }
  if (w.error) {
    g_propagate_error(error, w.error);
    return FALSE;
  }
  if (t.stopped || (status >= 200 && status < 300))
    return TRUE;
  g_propagate_error(error,
                    ferry_client_status_error(client, status, (const char *)body->data, body->len));
  return FALSE;
}
