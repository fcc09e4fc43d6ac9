// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the HTTP library asks for bytes; with none there the connection is suspended
// until somebody wakes it. A wake between the look and the suspension must not be lost: `woken`
// tells of it.
#include "api/http/stream.h"

#include <string.h>

void ferry_stream_init(FerryStreamBase *s, struct MHD_Connection *connection,
                       void (*fill)(FerryStreamBase *)) {
  g_mutex_init(&s->lock);
  s->connection = connection;
  s->fill = fill;
  s->out = g_string_new(NULL);
}

void ferry_stream_clear(FerryStreamBase *s) {
  g_string_free(s->out, TRUE);
  g_mutex_clear(&s->lock);
}

gsize ferry_stream_pending(const FerryStreamBase *s) {
  return s->out->len - s->sent;
}

void ferry_stream_wake(FerryStreamBase *s) {
  g_mutex_lock(&s->lock);
  s->woken = TRUE;
  if (s->suspended) {
    s->suspended = FALSE;
    MHD_resume_connection(s->connection);
  }
  g_mutex_unlock(&s->lock);
}

void ferry_stream_on_change(gpointer data) {
  ferry_stream_wake(data);
}

ssize_t ferry_stream_read(void *data, uint64_t pos, char *buf, size_t max) {
  FerryStreamBase *s = data;
  g_mutex_lock(&s->lock);
  s->woken = FALSE;
  g_mutex_unlock(&s->lock);
  if (s->sent >= s->out->len) {
    g_string_truncate(s->out, 0);
    s->sent = 0;
  }
  s->fill(s);
  gsize n = MIN(ferry_stream_pending(s), max);
  if (n > 0) {
    memcpy(buf, s->out->str + s->sent, n);
    s->sent += n;
    return (ssize_t)n;
  }
  if (s->ended)
    return MHD_CONTENT_READER_END_OF_STREAM;
  g_mutex_lock(&s->lock);
  if (!s->woken) {
    s->suspended = TRUE;
    MHD_suspend_connection(s->connection);
  }
  g_mutex_unlock(&s->lock);
  return 0;
}
