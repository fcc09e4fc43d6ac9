// SPDX-License-Identifier: Apache-2.0
// Ends open streams when they have told all that has happened, instead of after some time that a
// slow machine may need.
#pragma once
#include "http.h"

#include "api/resource/streams.h"

/* Ends them, and waits for who reads one, and until the server has none either. */
static inline void streams_end(Server *s, GThread *reader) {
  g_atomic_int_set(&s->api->stopping, 1);
  ferry_streams_wake_all(s->api->streams);
  g_thread_join(reader);
  gint64 deadline = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
  for (guint open = 1; open && g_get_monotonic_time() < deadline;) {
    FerryStreamFigures figures;
    ferry_streams_figures(s->api->streams, &figures);
    open = figures.watches + figures.event_streams;
    ferry_streams_figures_clear(&figures);
    g_usleep(open ? 1000 : 0);
  }
  g_atomic_int_set(&s->api->stopping, 0);
}
