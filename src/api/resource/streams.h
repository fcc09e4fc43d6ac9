// SPDX-License-Identifier: Apache-2.0
// All open streams of a server, watches and event streams alike. Any thread.
#pragma once
#include "api/http/request.h"
#include "api/http/stream.h"

G_BEGIN_DECLS

/** The thread begins that looks after streams: credentials, rights, limits of time. */
FerryStreams *ferry_streams_start(FerryApi *api);
/** The thread ends, and all streams are told to. NULL is allowed. */
void ferry_streams_stop(FerryStreams *streams);
/** After ferry_streams_stop and the end of all streams. NULL is allowed. */
void ferry_streams_free(FerryStreams *streams);

/** Enters the stream that answers req among all that are open; it gets the right by which it goes
 * on. Where there are as many as are served, one of the user who has most ends, if he has more than
 * this one's user then has. TOO_MANY_REQUESTS where that is not so, or where there are too many of
 * its user; FORBIDDEN where the right was taken away meanwhile. */
gboolean ferry_streams_enter(FerryRequest *req, FerryStream *stream, GError **error);
/** Takes it out, if it was entered, and its right from it; before it is freed. */
void ferry_streams_leave(FerryStreams *streams, FerryStream *stream);
/** Has every stream look at the time. */
void ferry_streams_wake_all(FerryStreams *streams);

/** Of one user. */
typedef struct {
  guint count, stay; /* that are open, and those of them that are not told to end */
  guint64 buffered;  /* bytes of text that wait for their readers */
} FerryUserStreams;
typedef struct {
  guint watches, event_streams;
  guint64 buffered;         /* bytes of text that wait for their readers */
  guint64 refused, revoked; /* since the start */
  GHashTable *users;        /* name -> FerryUserStreams, of those who have any */
} FerryStreamFigures;
/** What streams there are now, to be cleared with ferry_streams_figures_clear. */
void ferry_streams_figures(FerryStreams *streams, FerryStreamFigures *figures);
void ferry_streams_figures_clear(FerryStreamFigures *figures);

G_END_DECLS
