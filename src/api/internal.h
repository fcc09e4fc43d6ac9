// SPDX-License-Identifier: Apache-2.0
// What the files of this folder share. Not for other folders.
//
// Threads: one accepts connections and keeps their deadlines; libmicrohttpd's own parse requests,
// answer what is quick and stream watches; all else runs on a thread of its priority level while
// its connection is suspended (http/front.h). Locks, outermost first:
// migrations, networks, sessions, that of join tokens, watches, a stream's own.
#pragma once
#include "api/auth/pki.h"
#include "api/hooks.h"
#include "api/http/connections.h"
#include "api/http/flow.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "model/kinds/kind.h"
#include "model/listing/selector.h"
#include "model/listing/table.h"
#include "model/validate/validate.h"
#include "store/store.h"

#include <gnutls/gnutls.h>
#include <microhttpd.h>

G_BEGIN_DECLS

#define FERRY_API_MAX_SMALL_BODY (64 * 1024) /* of strangers */
#define FERRY_API_MAX_QUERY 64               /* parameters */
#define FERRY_API_MAX_GROUPS 32              /* of a user */
#define FERRY_API_MAX_TRIES 50               /* of a write that others come between */

typedef struct FerryFront FerryFront;
typedef struct FerryListener FerryListener;
typedef struct FerryStream FerryStream;
typedef struct FerryEventStream FerryEventStream;
typedef struct FerryMetrics FerryMetrics;
typedef struct FerryAudit FerryAudit;
typedef struct FerryRequest FerryRequest;
typedef struct FerryApiRoute FerryApiRoute;
typedef struct FerryRbac FerryRbac;
typedef struct FerryTokenFile FerryTokenFile;
typedef struct FerryJoinTokens FerryJoinTokens;
typedef struct FerryCertificates FerryCertificates;

/** Who asks. Immutable and reference counted. */
typedef struct FerryOidc FerryOidc; /* oidc/oidc.h */
typedef struct FerryUser FerryUser;
struct FerryUser {
  gint refs;
  char *name;
  char *uid; /* of the User object or the provider's subject; NULL: none */
  char **groups;
  char *node;         /* "h1" for system:node:h1 of group system:nodes, else NULL */
  gboolean admin;     /* group system:masters */
  gboolean anonymous; /* no credentials */
  gint64 expires_s;   /* of the credential, 0: never */
  gint64 begins_s;    /* of a certificate's validity, else 0 */
  gint64 generation;  /* of the User object whose groups these are, 0: none */
  char *ca;           /* hash of the CA that signed a certificate, else NULL */
  char *key;          /* what a token of tokens.json is found by; NULL: another credential */
  char *credential;   /* which one, never a secret: "certificate 4a17...", "token 3f2a..."; NULL:
                         none */
  char *session;      /* of a browser, by which it came, as "session 3f2a..."; NULL: none */
  FerryUser *impersonator; /* who really asks, NULL: the user itself */
};

/** What rooms above http do at each request, for http to call without knowing them. server.c sets
 * it before anybody is served. Any thread that works on the request. */
typedef struct {
  void (*refused)(FerryRequest *req, const GError *error); /* before the answer is made */
  /** Answers a refusal in the form of the client's own interface; FALSE: it is a Status. */
  gboolean (*respond_error)(FerryRequest *req, const GError *error);
  void (*decided)(FerryRequest *req);        /* the answer is known; headers may be added still */
  void (*answered)(const FerryRequest *req); /* the answer is about to be sent */
} FerryApiStages;

struct FerryApi {
  const FerryApiStages *stages; /* NULL in what has no server */
  FerryStore *store;
  const FerryClock *clock;
  FerryApiHooks hooks;
  char *state_dir;
  char *url;
  FerryPki *pki;
  GPtrArray *listeners; /* FerryListener */
  FerryFront *front;
  GHashTable *names; /* char*, by which clients may call this server; read only after start */
  FerryCertificates *certificates;
  FerryTokenFile *token_file;   /* STATE/tokens.json */
  FerryJoinTokens *join_tokens; /* auth/join_tokens.h */
  FerryOidc *oidc;              /* NULL: no provider */
  gint stopping;                /* atomic */
  gint requests;                /* atomic: under way on a seat */

  GMutex migrations; /* a vmim's checks and its commit are one step */
  GMutex networks;   /* a Network's as well */
  GRWLock sessions;  /* epochs of agents: written by a new session, read across an agent's commit */
  guint64 next_page;

  GMutex watches; /* `streams`, `event_streams`, `stop` */
  GCond watch_stop;
  gboolean stop;
  GPtrArray *streams;       /* FerryStream, borrowed */
  GPtrArray *event_streams; /* FerryEventStream, borrowed */
  guint64 streams_refused, streams_revoked;
  struct FerryObjectTexts *texts;
  GThread *ticker;
  gint64 bookmark_us; /* between a watch's bookmarks */

  FerryRbac *rbac;
  FerryMetrics *metrics;
  FerryAudit *audit;
};

typedef enum { FERRY_FORMAT_JSON, FERRY_FORMAT_TABLE, FERRY_FORMAT_PARTIAL } FerryFormat;

/** One HTTP request from the header to the answer. */
struct FerryRequest {
  FerryApi *api;
  struct MHD_Connection *connection;
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
  FerryUser *user;
  GByteArray *body;
  gsize body_limit;
  guint64 discarded;
  gboolean started, closes;
  char *peer;          /* "ADDR:PORT" of the client, the real one where a proxy tells it */
  FerryConn *conn;     /* borrowed */
  const char *raw_uri; /* where it was parsed, by address only: it doesn't stay */
  gsize raw_uri_len;

  /* How it is served (http/front.c). */
  FerryLevel level;
  char *flow; /* whose allowance it takes */
  double cost;
  gboolean quick, wide, admitted;
  gsize unread;        /* bytes of the answer, counted until it is written */
  guint retry_after_s; /* of a 429; 0: 1 */

  /* What the router found. */
  const FerryApiRoute *route;
  const FerryKind *kind;
  const char *ns, *name, *subresource; /* NULL where absent */
  const FerryKind *alias;              /* the spelling or version to answer in; NULL: its own */
  const FerryKind *refused_kind;       /* has no such verb; NULL: it is not that */
  const char *verb;                    /* get, list, watch, create, update, patch, delete, ... */
  gboolean refused;                    /* a rule said no: do not try again on CONFLICT */
  gboolean forced;                     /* DELETE with gracePeriodSeconds 0 */
  char *told;                          /* what a deletion did, for its answer */
  gboolean pins_revision;              /* the client named a resourceVersion: no second try */
  gboolean waits_in_words;             /* a 429 names no time: the client is to print why */
  char *error_name;                    /* of an object that was to be created, for the Status */
  const FerryKind *error_kind;         /* not NULL: the Status is about error_name of this kind */
  FerryFormat format;
  const char *table_version; /* "v1" or "v1beta1" */
  gboolean yaml;

  json_t *audit; /* what auth/audit.c has noted, NULL: nothing yet */

  /* The answer. */
  unsigned status;
  char *out_type;
  GBytes *out;
  GPtrArray *headers; /* name, value, name, value ... */
  FerryStream *stream;
  struct MHD_Response *response; /* in place of `out` and `stream` */
};

/** Answers a request; FALSE with a FERRY_ERROR becomes a Status. */
typedef gboolean (*FerryHandler)(FerryRequest *req, GError **error);

/* listener.c */
FerryListener *ferry_listener_new(FerryApi *api, int fd, GError **error); /* takes fd */
void ferry_listener_free(FerryListener *listener);
guint16 ferry_listener_port(const FerryListener *listener);

/* auth.c */
FerryUser *ferry_user_new(const char *name, const char *const *groups);
FerryUser *ferry_user_ref(FerryUser *user);
void ferry_user_unref(FerryUser *user);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryUser, ferry_user_unref)
/** The user of a verified client certificate; NULL with no error: none was sent; with UNAUTHORIZED:
 * one that is not good. */
FerryUser *ferry_auth_certificate(FerryApi *api, gnutls_session_t session, GError **error);
FerryUser *ferry_auth_bearer(FerryApi *api, const char *authorization, GError **error);
/** Whether the credential behind `user` still holds now: neither expired nor revoked. Cheap: asked
 * at each request of a kept connection, and several times a second for each open stream. Any
 * thread; UNAUTHORIZED with the reason. */
gboolean ferry_auth_is_valid(FerryApi *api, const FerryUser *user, GError **error);

/* sessions.c */
/** Who comes with the cookie of a session. NULL without an error: nobody does, the cookie is no
 * good or another site's page sent it; NULL with FORBIDDEN: a write without the session's
 * Ferry-CSRF. */
FerryUser *ferry_auth_cookie(FerryRequest *req, GError **error);
/** Whether the session by which `user` came has neither ended nor been revoked; UNAUTHORIZED. Any
 * thread. */
gboolean ferry_web_session_is_open(FerryApi *api, const FerryUser *user, GError **error);

/* authz.c */
typedef struct {
  const char *verb, *group, *resource, *subresource, *ns, *name;
  const char *path;            /* non-resource requests, else NULL */
  const FerrySelector *fields; /* of a list or watch */
} FerryAccess;
/** Whether a rule gives it to `user`, who need not be the one who asks. Any thread. */
gboolean ferry_authz_allows(FerryApi *api, const FerryUser *user, const FerryAccess *access);
/** Checks what the router found for req: FORBIDDEN or UNAUTHORIZED. */
gboolean ferry_authz_check(FerryRequest *req, GError **error);
/** What the rule of req's route, which is of resources, asks for. `own` and `fields` (both NULL
 * before) own what `access` points at besides req's own; free them with g_free and
 * ferry_selector_free. */
void ferry_authz_access_of(FerryRequest *req, FerryAccess *access, char **own,
                           FerrySelector **fields);
/** Checks one thing more that req's user must be allowed to do. */
gboolean ferry_authz_require(FerryRequest *req, const FerryAccess *access, GError **error);

/* own_rules.c */
/** The rules of a user in a namespace (NULL: everywhere) for SelfSubjectRulesReview: a new list of
 * resourceRules, or of nonResourceRules. */
json_t *ferry_authz_rules(FerryApi *api, const FerryUser *user, const char *ns, gboolean urls);
/** Whether such a resource is in a namespace (a Namespace is in itself); TRUE where nobody knows
 * it: what is not is asked for everywhere, whatever namespace is named with it. */
gboolean ferry_authz_in_namespaces(const char *group, const char *resource);

/* node_rules.c: what an agent may do by itself, besides what bindings give to it */
gboolean ferry_node_rules_allow(FerryApi *api, const char *node, const FerryAccess *access);
/** The same as rules of a role. New reference. */
json_t *ferry_node_rules_list(void);

/* impersonate.c */
/** Puts who is to be acted as in req's user's place, if the headers ask for it and the user may:
 * FORBIDDEN. */
gboolean ferry_impersonate(FerryRequest *req, GError **error);

/* rbac_grant.c */
/** Whether `granter` holds every right that a user of that name and groups has: nobody hands out a
 * credential that can do more than he can. FORBIDDEN naming what is missing. Any thread. */
gboolean ferry_rbac_user_covered(FerryApi *api, const FerryUser *granter, const char *name,
                                 const char *const *groups, GError **error);

/* router.c */
void ferry_route(FerryRequest *req);
/** Finds req's route and authorises what was found, without running it: what of req is needed is
 * api, method, path, segments, query, headers and user. */
gboolean ferry_route_judge(FerryRequest *req, GError **error);
/* query.c */
/** The first value of a parameter, NULL where it is not there. */
const char *ferry_query(const FerryRequest *req, const char *name);
/** A boolean parameter as Kubernetes reads it: of what is there, "false" and "0" alone are false.
 */
gboolean ferry_query_bool(const FerryRequest *req, const char *name);
/** The integer parameter or `fallback`; FALSE and BAD_REQUEST for something else than 0..2^62. */
gboolean ferry_query_int(const FerryRequest *req, const char *name, gint64 fallback, gint64 *value,
                         GError **error);
/** Whether each parameter that is known says what it may say; BAD_REQUEST with its name. */
gboolean ferry_query_check(const FerryRequest *req, GError **error);

/* negotiate.c */
/** Chooses req->format and req->yaml from Accept; `tables`: whether Table and PartialObjectMetadata
 * are offered. */
gboolean ferry_negotiate(FerryRequest *req, gboolean tables, GError **error);
/** "v2" or "v2beta1" where aggregated discovery is the first acceptable clause, else NULL. */
const char *ferry_negotiate_aggregated(const FerryRequest *req);
/** The body as one JSON value by its Content-Type (JSON, YAML, protobuf of a few kinds). */
json_t *ferry_request_body(FerryRequest *req, GError **error);
/** The media type of a header value without its parameters, lower case. Free with g_free. */
char *ferry_media_type(const char *header);

/* respond.c */
void ferry_respond_json(FerryRequest *req, unsigned status, json_t *value); /* takes value */
/** Whether that writes JSON without indents. */
gboolean ferry_respond_is_compact(const FerryRequest *req);
void ferry_respond_text(FerryRequest *req, unsigned status, const char *type, const char *text);
void ferry_respond_bytes(FerryRequest *req, unsigned status, const char *type, GBytes *bytes);
/** With an ETag, or 304 where the client has these bytes (borrowed) already. */
void ferry_respond_cached(FerryRequest *req, GBytes *bytes, const char *type);
/** An object in the negotiated form (borrowed). */
void ferry_respond_object(FerryRequest *req, unsigned status, const FerryKind *kind,
                          json_t *object);
void ferry_respond_error(FerryRequest *req, const GError *error);
void ferry_respond_header(FerryRequest *req, const char *name, const char *value);
/** A Warning header; text longer than 256 bytes is cut. */
void ferry_respond_warning(FerryRequest *req, const char *text);
json_t *ferry_status_of(const FerryRequest *req, const GError *error);
/** "virtualmachineinstances.kubevirt.io" or "nodes". Free with g_free. */
char *ferry_qualified(const FerryKind *kind);
void ferry_set_not_found(GError **error, const FerryKind *kind, const char *name);
/** Turns the store's error about one object into Kubernetes' text. */
void ferry_store_error(GError **error, const FerryKind *kind, const char *name);
json_t *ferry_partial_metadata(const json_t *object);

/* kube/discovery.c, kube/openapi.c, kube/reviews.c, http/health.c */
gboolean ferry_serve_discovery(FerryRequest *req, GError **error);
gboolean ferry_serve_openapi(FerryRequest *req, GError **error);
gboolean ferry_serve_review(FerryRequest *req, GError **error);
gboolean ferry_serve_health(FerryRequest *req, GError **error);

/* metrics/metrics.c */
gboolean ferry_serve_metrics(FerryRequest *req, GError **error);

/* events/events_stream.c */
gboolean ferry_serve_events_stream(FerryRequest *req, GError **error);
/** Lets all event streams look at the time; `watches` is held. */
void ferry_event_streams_tick(FerryApi *api);
/** eviction.c: the eviction of a pod, which moves its VM. */
gboolean ferry_serve_eviction(FerryRequest *req, GError **error);
/** migrate_subresource.c: what virtctl sends. */
gboolean ferry_serve_migrate_subresource(FerryRequest *req, GError **error);

/* http/protobuf.c */
/** Decodes protobuf's Unknown envelope of the kinds that kubectl sends so; new reference. */
json_t *ferry_protobuf_decode(const guint8 *data, gsize len, GError **error);

/* resource/: read.c, list.c, write.c, delete.c, patch.c */
gboolean ferry_resource_get(FerryRequest *req, GError **error);
gboolean ferry_resource_list(FerryRequest *req, GError **error);
gboolean ferry_resource_create(FerryRequest *req, GError **error);
/** Creates req->kind's object `body` (borrowed, may be changed) in req->ns, validated, admitted and
 * committed, without answering but for warnings. New reference to what is stored. */
json_t *ferry_resource_make(FerryRequest *req, json_t *body, GError **error);
gboolean ferry_resource_update(FerryRequest *req, GError **error);
gboolean ferry_resource_patch(FerryRequest *req, GError **error);
gboolean ferry_resource_delete(FerryRequest *req, GError **error);
gboolean ferry_resource_delete_collection(FerryRequest *req, GError **error);
gboolean ferry_resource_cancel(FerryRequest *req, GError **error);
/** Finds req's object by name, for a VMI also by domain name or UUID; NOT_FOUND. New reference. */
json_t *ferry_resource_find(FerryRequest *req, GError **error);
/** TIMEOUT: a revision was asked for that is to come. Always FALSE. */
gboolean ferry_set_too_new(gint64 wanted, gint64 now, GError **error);
/** The selectors of a request; both may become NULL. */
gboolean ferry_request_selectors(FerryRequest *req, FerrySelector **labels, FerrySelector **fields,
                                 GError **error);
/** Applies the body of a PATCH to `old` (borrowed); NULL `old`: only an apply patch can create. */
json_t *ferry_patch_apply(FerryRequest *req, const json_t *old, json_t *patch, GError **error);
/** What a write is to do: makes the new object from the stored one. NULL with an error: refuse. */
typedef json_t *(*FerryChangeFunc)(FerryRequest *req, const json_t *old, gpointer data,
                                   GError **error);
/** Whether DeleteOptions (NULL: none) have the types they must have; BAD_REQUEST. Pure. */
gboolean ferry_check_delete_options(const json_t *options, GError **error);
/** Whether `object` is the one that DeleteOptions (NULL: none) mean; CONFLICT. */
gboolean ferry_check_preconditions(FerryRequest *req, const json_t *options, const json_t *object,
                                   GError **error);
/** Read, change, validate, admit, commit; again on a conflict where the change names no revision.
 */
gboolean ferry_resource_modify(FerryRequest *req, FerryChangeFunc change, gpointer data,
                               GError **error);
/** The server's own change of req's object, without admission, again while somebody writes in
 * between; answers 200 with what is stored, or with what would be (`dry`). Where `change` gives
 * `old` itself there is nothing to write. CONFLICT after many tries. */
gboolean ferry_resource_replace(FerryRequest *req, FerryChangeFunc change, gpointer data,
                                gboolean dry, GError **error);
gint64 ferry_object_revision(const json_t *object);

/* made.c: objects that are made of others (FerryKind.made_of) */
/** What is shown of a stored object: itself, or what is made of it, or NULL. New reference. */
json_t *ferry_made_of(const FerryKind *kind, json_t *source);
/** The stored object of which the one with this name is made; NOT_FOUND. New reference. */
json_t *ferry_made_source(FerryRequest *req, const FerryKind *kind, const char *ns,
                          const char *name, GError **error);

/* end.c */
/** Commits the end of `object` (the stored state): `write` deletes it, or marks it where it waits
 * for finalizers, and what goes with it goes in the same commit. `*stored` gets a new reference to
 * the last, or the marked, state. Takes the sessions' lock for a Node, so not from under it.
 * CONFLICT: somebody wrote in between. */
gboolean ferry_resource_end(FerryRequest *req, const json_t *object, const FerryWrite *write,
                            json_t **stored, GError **error);

/* write_options.c */
/** `options`: DeleteOptions, or NULL. */
gboolean ferry_request_dry_run(FerryRequest *req, const json_t *options, gboolean *dry,
                               GError **error);
/** Checks fieldManager, reads fieldValidation. */
gboolean ferry_request_write_options(FerryRequest *req, FerryUnknown *mode, GError **error);

/* field_rights.c */
/** Whether req's user has the rights that the fields need which `object` sets and `old` (NULL: it
 * is new) does not; FORBIDDEN with a cause for each field. */
gboolean ferry_check_field_rights(FerryRequest *req, const json_t *old, const json_t *object,
                                  GError **error);

/* change.c: a migration's parameters while it runs */
/** PUT .../change */
gboolean ferry_resource_change(FerryRequest *req, GError **error);
/** Whether a write of a migration's spec touches nothing but what can be changed while it runs.
 * Such a write is no breach of the spec's immutability but a wish for a change. */
gboolean ferry_change_is_tuning(const FerryRequest *req, const json_t *old, const json_t *object);
/** Notes that wish in `object`'s status (after ferry_change_is_tuning). CONFLICT where it cannot be
 * done any more. */
gboolean ferry_change_tune(FerryRequest *req, const json_t *old, json_t *object, GError **error);

/* resolve.c */
/** PUT .../resolve: a person's word which of two copies of a VM goes on. */
gboolean ferry_resource_resolve(FerryRequest *req, GError **error);

/* trace.c */
/** Sees to it that a new object carries a trace id in its annotation. */
void ferry_trace_object(FerryRequest *req, json_t *object);

/* admission.c */
/** Where a wish for `old`'s change says the same in other words (a VM by its domain's name or
 * UUID), puts the stored words into `wanted`, in place. */
void ferry_admit_resolve(FerryRequest *req, const json_t *old, json_t *wanted);
/** What a write of req's kind holds from its admission to its commit, where that looks at other
 * objects and both are one step; `creates`: of a new object. NULL: nothing. */
GMutex *ferry_admit_lock(const FerryRequest *req, gboolean creates);
/** Kind-specific rules for a create; may change `object`. */
gboolean ferry_admit_create(FerryRequest *req, json_t *object, GError **error);
gboolean ferry_admit_update(FerryRequest *req, const json_t *old, json_t *object, GError **error);
/** Before a delete; may give a changed object to store instead (in `*instead`, a new reference). */
gboolean ferry_admit_delete(FerryRequest *req, const json_t *object, json_t **instead,
                            GError **error);

/* watch.c */
gboolean ferry_resource_watch(FerryRequest *req, GError **error);
struct MHD_Response *ferry_stream_response(FerryStream *stream); /* takes stream */
/** Ends a watch whose client went away before it was answered. */
void ferry_stream_discard(FerryStream *stream);
/** Wakes the watches for which it is time, or all; `watches` is held. */
void ferry_watches_tick(FerryApi *api, gboolean all);

/* streams.c */
struct FerryStreamBase;
/** Enters the stream that answers req into `list` (streams or event_streams) of all that are open;
 * it gets the right by which it goes on. Where there are as many as are served, one of the user who
 * has most ends, if he has more than this one's user then has. TOO_MANY_REQUESTS where that is not
 * so, or where there are too many of its user; FORBIDDEN where the right was taken away meanwhile.
 */
gboolean ferry_streams_enter(FerryRequest *req, GPtrArray *list, struct FerryStreamBase *stream,
                             GError **error);
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
/** What streams there are now, to be cleared with ferry_streams_figures_clear. Any thread. */
void ferry_streams_figures(FerryApi *api, FerryStreamFigures *figures);
void ferry_streams_figures_clear(FerryStreamFigures *figures);
/** The thread begins that looks after streams (credentials, limits of time); when it is stopped,
 * all of them are closed. */
void ferry_watch_start(FerryApi *api);
void ferry_watch_stop_all(FerryApi *api);

/* resource/watch.c */
/** One line of a watch: {"type":...,"object":...}\n */
void ferry_watch_line(GString *out, const char *type, const json_t *object);

/* token_file.c: STATE/tokens.json */
/** Reads it where it is there; the error names it and the entry. */
FerryTokenFile *ferry_token_file_open(const char *state_dir, GError **error);
void ferry_token_file_free(FerryTokenFile *file);
/** The user of the token with this SHA-256 (hexadecimal), by what the file says now, to half a
 * second. NULL: none. New reference; any thread. */
FerryUser *ferry_token_file_find(FerryTokenFile *file, const char *hash);

/* users.c */
/** POST .../users/NAME/(token|certificate|revoke) */
gboolean ferry_serve_user_action(FerryRequest *req, GError **error);
/** The user of a bearer token that users/token made; NULL with UNAUTHORIZED, or without an error
 * where `token` has not the form of one. */
FerryUser *ferry_user_of_token(FerryApi *api, const char *token, GError **error);
/** Groups and User of a certificate's name, where its record says that it was given to a User. */
FerryUser *ferry_user_of_record(FerryApi *api, const json_t *record, GError **error);
gboolean ferry_admit_user(FerryRequest *req, const json_t *old, json_t *object, GError **error);

/* node_delete.c */
/** Whether a Node may go: nothing runs there and its agent is silent, or `req` forces it. */
gboolean ferry_admit_node_delete(FerryRequest *req, const json_t *node, GError **error);
/** Writes that go with the deletion of `object`, of any kind: what it was given is void. `keep`
 * gets arrays that own what the writes point at. */
void ferry_delete_also(FerryRequest *req, const json_t *object, GArray *writes, GPtrArray *keep);
/** After a Node has gone: its join tokens and its records in VMs go, too. What became of all of it
 * is appended to req->told. */
void ferry_node_deleted(FerryRequest *req, const char *node);

/* certificates.c */
/** Begins to look after the certificates, once a minute. */
FerryCertificates *ferry_certificates_start(FerryApi *api);
void ferry_certificates_stop(FerryCertificates *certificates); /* NULL is allowed */
/** One look: renews, forgets, warns. */
void ferry_certificates_look(FerryCertificates *certificates);
/** The agent of `node` came with a certificate of the CA with this hash (may be NULL). */
void ferry_certificates_seen(FerryCertificates *certificates, const char *node, const char *ca);
/** Writes STATE/admin.kubeconfig where it is not as it should be. */
gboolean ferry_certificates_write_kubeconfig(FerryApi *api, GError **error);
void ferry_certificates_metrics(FerryApi *api, GString *out);
/** GET .../certificates, GET .../ca, POST .../ca/(begin|finish) */
gboolean ferry_serve_certificates(FerryRequest *req, GError **error);

/* node_join.c */
/** A one-time join token for an agent of `node`, as ferry_api_token_new says. */
char *ferry_join_token_new(FerryApi *api, const char *node, GError **error);
/** Takes back the join tokens of `node` (NULL: of all) that wait to be used; how many. */
guint ferry_join_tokens_forget(FerryApi *api, const char *node);
gboolean ferry_serve_node_route(FerryRequest *req, GError **error);
/** The epoch that node's agent has now, -1: none. */
gint64 ferry_node_epoch(FerryApi *api, const char *node);

G_END_DECLS
