// SPDX-License-Identifier: Apache-2.0
// Ends open streams when they have told all that has happened, instead of after some time that a
// slow machine may need.
#pragma once
#include "http.h"

#include "api/internal.h"

/* Ends them, and waits for who reads one, and until the server has none either. */
static inline void streams_end(Server *s, GThread *reader) {
  g_atomic_int_set(&s->api->stopping, 1);
  g_mutex_lock(&s->api->watches);
  ferry_watches_tick(s->api, TRUE);
  ferry_event_streams_tick(s->api);
  g_mutex_unlock(&s->api->watches);
  g_thread_join(reader);
  gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
  for (guint open = 1; open && g_get_monotonic_time() < deadline;) {
    g_mutex_lock(&s->api->watches);
    open = s->api->streams->len + s->api->event_streams->len;
    g_mutex_unlock(&s->api->watches);
    g_usleep(open ? 1000 : 0);
  }
  g_atomic_int_set(&s->api->stopping, 0);
}
