// SPDX-License-Identifier: Apache-2.0
// A response that goes on: watches and server-sent events. The owner writes text into a buffer when
// asked to; the HTTP library takes it from there, and its connection sleeps while there is none.
#pragma once
#include "api/http/user.h"

#include <microhttpd.h>

G_BEGIN_DECLS

typedef struct FerryStream FerryStream;

/** What differs between the kinds of streams. */
typedef struct {
  void (*fill)(FerryStream *self); /* appends what there is to `out`, or sets `ended` */
  void (*free)(FerryStream *self); /* with all that is around it, by ferry_stream_clear too */
  /** Whether the stream is to look at the time now; any thread. NULL: always. */
  gboolean (*is_due)(FerryStream *self, gint64 now_us);
  gboolean events; /* it is counted as an event stream, else as a watch */
} FerryStreamType;

/** The first member of a stream of some kind. `lock` guards `suspended` and `woken`; everything
 * else belongs to the HTTP library's thread of this connection, which never runs two of our
 * functions at once. */
struct FerryStream {
  const FerryStreamType *type;
  GString *out;
  gsize sent;     /* how much of `out` the HTTP library has */
  gboolean ended; /* the response ends after what is in `out` */
  gboolean more;  /* `fill` has not looked at all there is: its turn is over */
  struct MHD_Connection *connection;
  FerryUser *user;              /* whose stream it is; owned */
  struct FerryKeptRight *right; /* by which it was opened; the owner's to free */
  gint revoked;                 /* atomic, FerryStreamRevoked: what does not hold any more */
  gint buffered;                /* atomic: memory of `out` */

  GMutex lock;
  gboolean suspended, woken;
};

/** Why a stream ends before its time. */
typedef enum {
  FERRY_STREAM_HOLDS = 0,
  FERRY_STREAM_CREDENTIAL_ENDED,
  FERRY_STREAM_RIGHT_LOST,
  FERRY_STREAM_CROWDED, /* it gave way to another user's */
} FerryStreamRevoked;

/** What its reader is told then, in a FERRY_ERROR; NULL: it goes on. */
GError *ferry_stream_farewell(const FerryStream *s);

/** A reader that takes nothing for so long is sent away. */
#define FERRY_STREAM_STALL_S 60
/** A reader is told that often that the stream goes on, where there is nothing else to tell. */
#define FERRY_STREAM_HEARTBEAT_US (10 * G_USEC_PER_SEC)
/** A stream's buffer is filled up to about here. */
#define FERRY_STREAM_BUFFER (16 * 1024)
/** So many objects or changes are looked at in one turn, whether they are told or not: the HTTP
 * library's thread has others to serve. */
#define FERRY_STREAM_TURN 64
/** Makes the members; takes a reference to `user`; `type` is borrowed, its `fill` is called in the
 * connection's thread whenever `out` is wanted. */
void ferry_stream_init(FerryStream *s, struct MHD_Connection *connection, FerryUser *user,
                       const FerryStreamType *type);
/** The response that a stream becomes, which takes it; NULL where there is no memory for one. */
struct MHD_Response *ferry_stream_response(FerryStream *s);
/** Ends a stream whose client went away before it was answered. */
void ferry_stream_discard(FerryStream *s);
void ferry_stream_clear(FerryStream *s);
/** Bytes in `out` that are still to be sent. */
gsize ferry_stream_pending(const FerryStream *s);
/** Has `fill` called soon. Any thread, as long as the stream lives. */
void ferry_stream_wake(FerryStream *s);
/** The same, as what the store calls on a change; data is a FerryStream. */
void ferry_stream_on_change(gpointer data);
G_END_DECLS
