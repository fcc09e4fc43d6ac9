// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the HTTP library asks for bytes; with none there the connection is suspended
// until somebody wakes it. A wake between the look and the suspension must not be lost: `woken`
// tells of it. Where all that was looked at in a turn is nothing to tell, it is suspended and woken
// at once, which puts it behind the other connections of its thread.
#include "api/http/stream.h"
#include "base/error.h"

#include <string.h>

/* What the HTTP library has for each stream to copy through, for clients of HTTP/1.0 alone: others
 * get chunks, which are made in the connection's memory. */
#define BLOCK 1024

void ferry_stream_init(FerryStream *s, struct MHD_Connection *connection, FerryUser *user,
                       const FerryStreamType *type) {
  g_mutex_init(&s->lock);
  s->connection = connection;
  s->type = type;
  s->user = ferry_user_ref(user);
  s->out = g_string_new(NULL);
  MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, FERRY_STREAM_STALL_S);
}

void ferry_stream_clear(FerryStream *s) {
  g_string_free(s->out, TRUE);
  ferry_user_unref(s->user);
  g_mutex_clear(&s->lock);
}

GError *ferry_stream_farewell(const FerryStream *s) {
  switch ((FerryStreamRevoked)g_atomic_int_get(&s->revoked)) {
  case FERRY_STREAM_CREDENTIAL_ENDED:
    return g_error_new_literal(FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
                               "the credential of this stream has been revoked or has expired");
  case FERRY_STREAM_RIGHT_LOST:
    return g_error_new_literal(FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
                               "the right to what this stream shows has been taken away");
  case FERRY_STREAM_CROWDED:
    return g_error_new_literal(FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS,
                               "all streams that are served are taken, most of them by this user: "
                               "this one ends for another user's; watch again later");
  case FERRY_STREAM_HOLDS:
    break;
  }
  return NULL;
}

gsize ferry_stream_pending(const FerryStream *s) {
  return s->out->len - s->sent;
}

void ferry_stream_wake(FerryStream *s) {
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

static ssize_t stream_read(void *data, uint64_t pos, char *buf, size_t max) {
  FerryStream *s = data;
  g_mutex_lock(&s->lock);
  s->woken = FALSE;
  g_mutex_unlock(&s->lock);
  if (s->sent >= s->out->len) {
    /* A large object was in it: what an idle stream holds is small. */
    if (s->out->allocated_len > 2 * FERRY_STREAM_BUFFER) {
      g_string_free(s->out, TRUE);
      s->out = g_string_new(NULL);
    }
    g_string_truncate(s->out, 0);
    s->sent = 0;
  }
  s->more = FALSE;
  s->type->fill(s);
  g_atomic_int_set(&s->buffered, (gint)MIN(s->out->allocated_len, G_MAXINT));
  gsize n = MIN(ferry_stream_pending(s), max);
  if (n > 0) {
    memcpy(buf, s->out->str + s->sent, n);
    s->sent += n;
    return (ssize_t)n;
  }
  if (s->ended)
    return MHD_CONTENT_READER_END_OF_STREAM;
  g_mutex_lock(&s->lock);
  if (s->more) {
    MHD_suspend_connection(s->connection);
    MHD_resume_connection(s->connection);
  } else if (!s->woken) {
    s->suspended = TRUE;
    MHD_suspend_connection(s->connection);
  }
  g_mutex_unlock(&s->lock);
  return 0;
}

static void on_stream_freed(void *data) {
  ferry_stream_discard(data);
}

void ferry_stream_discard(FerryStream *s) {
  s->type->free(s);
}

struct MHD_Response *ferry_stream_response(FerryStream *s) {
  struct MHD_Response *response =
      MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, stream_read, s, on_stream_freed);
  if (!response)
    ferry_stream_discard(s);
  return response;
}
