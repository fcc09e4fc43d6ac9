// SPDX-License-Identifier: Apache-2.0
// One HTTP request from the header to the answer.
#pragma once
#include "api/http/api.h"
#include "api/http/body.h"
#include "api/http/connections.h"
#include "api/http/flow.h"
#include "api/http/stream.h"

G_BEGIN_DECLS

#define FERRY_API_MAX_SMALL_BODY (64 * 1024) /* of strangers */
#define FERRY_API_MAX_QUERY 64               /* parameters */
#define FERRY_API_MAX_GROUPS 32              /* of a user */
#define FERRY_API_MAX_TRIES 50               /* of a write that others come between */

typedef enum { FERRY_FORMAT_JSON, FERRY_FORMAT_TABLE, FERRY_FORMAT_PARTIAL } FerryFormat;

/** What the client sent. Written by connection.c while it comes in. */
typedef struct {
  char *method, *path; /* path as the client sent it, without the query, decoded */
  char **segments;
  GHashTable *query; /* the first value of each parameter */
  char *accept, *content_type, *user_agent;
  gint64 epoch;             /* Ferry-Agent-Epoch, -1: none */
  gboolean telemetry;       /* Ferry-Telemetry: 1 */
  GPtrArray *impersonation; /* Impersonate- headers: name, value, name, value ...; NULL: none */
  char *if_none_match;
  char *traceparent; /* as it was sent, or NULL */
  gint64 begun_us;   /* monotonic, when the header was there */
  char *peer;        /* "ADDR:PORT" of the client, the real one where a proxy tells it */
  GByteArray *body;
} FerryRequestAsked;

/** How far it is read. For connection.c. */
typedef struct {
  gsize body_limit;
  guint64 discarded;
  gboolean started, closes;
  FerryConn *conn;     /* borrowed */
  const char *raw_uri; /* where it was parsed, by address only: it doesn't stay */
  gsize raw_uri_len;
} FerryRequestReading;

/** How it is served. Written by front.c (`waits_in_words` by who answers). */
typedef struct {
  FerryLevel level;
  char *flow; /* whose allowance it takes */
  double cost;
  gboolean quick, wide, admitted;
  gsize unread;            /* bytes of the answer, counted until it is written */
  guint retry_after_s;     /* of a 429; 0: 1 */
  gboolean waits_in_words; /* a 429 names no time: the client is to print why */
} FerryRequestSeat;

/** What it is about. Written by the router and authz.c; by interfaces whose paths name things in
 * words of their own (kube/, kimchi/); and by the deletion of a collection, which is about one
 * object after another. */
typedef struct {
  const FerryApiRoute *route;
  const FerryKind *kind;
  const char *ns, *name, *subresource; /* NULL where absent */
  const FerryKind *alias;              /* the spelling or version to answer in; NULL: its own */
  const FerryKind *refused_kind;       /* has no such verb; NULL: it is not that */
  const char *verb;                    /* get, list, watch, create, update, patch, delete, ... */
} FerryRequestFound;

/** What a write notes as it goes. Written by resource/ and auth/. */
typedef struct {
  gboolean refused;       /* a rule said no: do not try again on CONFLICT */
  gboolean forced;        /* DELETE with gracePeriodSeconds 0 */
  gboolean pins_revision; /* the client named a resourceVersion: no second try */
  char *told;             /* what a deletion did, for its answer */
} FerryRequestWrite;

/** The form of the answer. Written by negotiate.c; by respond.c for an error and by the deletion of
 * a collection, which have one form; the error's object by who makes it. */
typedef struct {
  FerryFormat format;
  const char *table_version; /* "v1" or "v1beta1" */
  gboolean yaml;
  char *error_name;            /* of an object that was to be created, for the Status */
  const FerryKind *error_kind; /* not NULL: the Status is about error_name of this kind */
} FerryRequestForm;

/** The answer. Written by respond.c and the streams. */
typedef struct {
  unsigned status;
  char *out_type;
  GBytes *out;
  GPtrArray *headers;  /* name, value, name, value ... */
  FerryBody *body;     /* in place of `out` */
  FerryStream *stream; /* in place of both */
} FerryRequestAnswer;

/** One HTTP request from the header to the answer: a part for each of its stations, written there
 * and read by those after it. One thread works on it at a time. */
struct FerryRequest {
  FerryApi *api;
  struct MHD_Connection *connection;
  FerryRequestAsked asked;
  FerryRequestReading reading;
  FerryUser *user; /* who asks (auth/identify.c), or is acted as (auth/impersonate.c) */
  FerryRequestSeat seat;
  FerryRequestFound found;
  FerryRequestForm form;
  FerryRequestWrite write;
  FerryRequestAnswer answer;
  json_t *audit; /* what auth/audit.c has noted, NULL: nothing yet */
};

/** Nothing is asked yet. `api` is borrowed. */
void ferry_request_init(FerryRequest *req, FerryApi *api);
/** Frees what it owns, the answer that was not sent included; not the memory of `req`. */
void ferry_request_clear(FerryRequest *req);

/** Answers a request; FALSE with a FERRY_ERROR becomes a Status. */
typedef gboolean (*FerryHandler)(FerryRequest *req, GError **error);

G_END_DECLS
