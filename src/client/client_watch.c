// SPDX-License-Identifier: Apache-2.0
// Watches: a chunked answer that is read line by line as it comes (watch_lines.c).
#include "client/client.h"
#include "client/client_transfer.h"
#include "client/watch_lines.h"

#define DEFAULT_IDLE_S 30

typedef struct {
  FerryWatchLines lines;
  FerryTickFunc tick;
  gpointer data;
} Watch;

static void watch_clear(Watch *w) {
  ferry_watch_lines_clear(&w->lines);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Watch, watch_clear)

static gboolean on_chunk(const char *bytes, gsize len, gpointer user) {
  Watch *w = user;
  return ferry_watch_lines_take(&w->lines, bytes, len);
}

static gboolean client_watch_on_tick(gpointer user) {
  Watch *w = user;
  return !w->tick || w->tick(w->data);
}

gboolean ferry_client_watch(FerryClient *client, const char *path, const char *const *headers,
                            guint idle_timeout_s, FerryWatchFunc event, FerryTickFunc tick,
                            gpointer data, GCancellable *cancellable, GError **error) {
  g_autoptr(GByteArray) body = g_byte_array_new();
  g_auto(Watch) w = {.tick = tick, .data = data};
  ferry_watch_lines_init(&w.lines, client->base, event, data);
  FerryTransfer t = {.body = body,
                     .limit = FERRY_WATCH_MAX_LINE,
                     .chunk = on_chunk,
                     .tick = client_watch_on_tick,
                     .user = &w,
                     .idle_limit_us = (gint64)(idle_timeout_s ? idle_timeout_s : DEFAULT_IDLE_S) *
                                      G_USEC_PER_SEC};
  unsigned status = 0;
  if (!ferry_client_transfer(client, &t, "GET", path, NULL, NULL, headers, 0, cancellable, &status,
                             error))
    return FALSE;
  if (w.lines.error) {
    g_propagate_error(error, g_steal_pointer(&w.lines.error));
    return FALSE;
  }
  if (t.stopped || (status >= 200 && status < 300))
    return TRUE;
  g_propagate_error(
      error, ferry_client_status_error(client->base, status, (const char *)body->data, body->len));
  return FALSE;
}
