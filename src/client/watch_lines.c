// SPDX-License-Identifier: Apache-2.0
// A line that came whole in one piece is read where it is; else its pieces are put together first.
#include "client/watch_lines.h"
#include "client/client_transfer.h"
#include <string.h>

void ferry_watch_lines_init(FerryWatchLines *lines, const char *server, FerryWatchFunc event,
                            gpointer data) {
  *lines =
      (FerryWatchLines){.server = server, .event = event, .data = data, .line = g_byte_array_new()};
}

void ferry_watch_lines_clear(FerryWatchLines *lines) {
  g_byte_array_unref(lines->line);
  g_clear_error(&lines->error);
}

/* One whole line. */
static gboolean take_line(FerryWatchLines *w, const char *text, gsize len) {
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
                           "a line of the watch from %s is not a watch event: %s", w->server,
                           json ? "no type or object" : where.text);
    return FALSE;
  }
  if (g_str_equal(type, "ERROR")) {
    g_autofree char *dump = ferry_json_dump(object);
    w->error = ferry_client_status_error(w->server, (unsigned)ferry_json_int(object, "code", 500),
                                         dump, strlen(dump));
    return FALSE;
  }
  return w->event(type, object, w->data);
}

gboolean ferry_watch_lines_take(FerryWatchLines *w, const char *bytes, gsize len) {
  while (len) {
    const char *end = memchr(bytes, '\n', len);
    gsize part = end ? (gsize)(end - bytes) : len;
    if (w->line->len + part > FERRY_WATCH_MAX_LINE) {
      w->error = g_error_new(FERRY_ERROR, FERRY_ERROR_TOO_LARGE,
                             "one event of the watch from %s is over %u bytes", w->server,
                             FERRY_WATCH_MAX_LINE);
      return FALSE;
    }
    gboolean go_on = TRUE;
    if (!end) {
      g_byte_array_append(w->line, (const guint8 *)bytes, (guint)part);
      return TRUE;
    }
    if (w->line->len == 0) {
      go_on = take_line(w, bytes, part);
    } else {
      g_byte_array_append(w->line, (const guint8 *)bytes, (guint)part);
      go_on = take_line(w, (const char *)w->line->data, w->line->len);
      g_byte_array_set_size(w->line, 0);
    }
    if (!go_on)
      return FALSE;
    bytes += part + 1;
    len -= part + 1;
  }
  return TRUE;
}
