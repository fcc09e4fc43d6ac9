// SPDX-License-Identifier: Apache-2.0
// The HTTP client of the API that the agent and the command line share: JSON requests and watches
// over HTTP/1.1 and TLS, on one kept-alive connection a client. client.c sends requests,
// client_watch.c watches, client_pin.c fetches a CA by its digest.
#pragma once
#include "client/client_config.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/** The CA (PEM) whose certificate has the hash config->ca_sha256, from the chain that the server
 * presents; nothing else is sent or believed. UNAVAILABLE where the server can't be reached,
 * UNAUTHORIZED where its chain does not hold that CA. Free with g_free. Blocks; any thread. */
char *ferry_client_fetch_pinned_ca(const FerryClientConfig *config, GError **error);

/** A client: one connection, used by one thread at a time. */
typedef struct _FerryClient FerryClient;

/** Connects lazily. With ca_sha256 and no ca_pem the CA is fetched and pinned at the first request.
 * INVALID for a server URL that is not https:// or http:// with a host. */
FerryClient *ferry_client_new(const FerryClientConfig *config, GError **error);
void ferry_client_free(FerryClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryClient, ferry_client_free)
/** The configuration in use, owned by the client. */
const FerryClientConfig *ferry_client_config(const FerryClient *client);

#define FERRY_CONTENT_JSON "application/json"
#define FERRY_CONTENT_MERGE_PATCH "application/merge-patch+json"
#define FERRY_CONTENT_STRATEGIC_PATCH "application/strategic-merge-patch+json"
#define FERRY_CONTENT_JSON_PATCH "application/json-patch+json"
#define FERRY_CONTENT_APPLY_PATCH "application/apply-patch+yaml"

/** Sent as `Accept` (one of the extra headers) this asks for a server-side table. */
#define FERRY_ACCEPT_TABLE "Accept: application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

/** One request, blocking. `path` begins with '/' and is already escaped (ferry_client_path,
 * g_uri_*); `body` may be NULL; `content_type` NULL means JSON; `headers` is NULL or a NULL-ended
 * list of "Name: value". `status` (may be NULL) gets the HTTP status, 0 where none came. Returns a
 * new reference (JSON null for an empty answer), or NULL with an error of FERRY_ERROR: what the
 * server's Status says, causes included; UNAVAILABLE with advice where the server can't be reached
 * or trusted; TIMEOUT. Answers over 64 MiB are TOO_LARGE. A GET, PUT or DELETE on a kept-alive
 * connection that the server had just closed is repeated once; nothing else is. */
json_t *ferry_client_request(FerryClient *client, const char *method, const char *path,
                             const json_t *body, const char *content_type,
                             const char *const *headers, unsigned *status, GError **error);
/** The same, cancellable from another thread (CANCELLED is G_IO_ERROR_CANCELLED). */
json_t *ferry_client_request_full(FerryClient *client, const char *method, const char *path,
                                  const json_t *body, const char *content_type,
                                  const char *const *headers, GCancellable *cancellable,
                                  unsigned *status, GError **error);

/** Text that the server sent in Warning headers with the last answer (NULL-ended, owned by the
 * client, valid until the next call); empty list where none. */
const char *const *ferry_client_warnings(const FerryClient *client);

/** Whether the server has refused a request because it knows no such path, method or field, as one
 * of another version does (client/skew.h). */
gboolean ferry_client_was_not_understood(const FerryClient *client);

/** One watch event: `type` is ADDED, MODIFIED, DELETED or BOOKMARK (ERROR ends the watch and is
 * returned as an error); `object` is borrowed. FALSE ends the watch. */
typedef gboolean (*FerryWatchFunc)(const char *type, json_t *object, gpointer data);
/** Called in the watching thread at least every 100 ms, also while nothing comes, and once when the
 * answer's header has come. FALSE ends the watch. */
typedef gboolean (*FerryTickFunc)(gpointer data);

/** GET of `path`, which must ask for watch=1 itself, calling `event` for each line until `event` or
 * `tick` (may be NULL) returns FALSE (TRUE), the server ends the stream (TRUE; watch again from the
 * last resourceVersion), `cancellable` (may be NULL) is cancelled (FALSE, G_IO_ERROR_CANCELLED) or
 * something fails (FALSE; EXPIRED: list again). Lines over 4 MiB are TOO_LARGE. A server silent for
 * `idle_timeout_s` seconds (0: 30; it sends a heartbeat every 10) counts as gone: UNAVAILABLE.
 * Ending a watch early closes the connection. Callbacks must not use the client. */
gboolean ferry_client_watch(FerryClient *client, const char *path, const char *const *headers,
                            guint idle_timeout_s, FerryWatchFunc event, FerryTickFunc tick,
                            gpointer data, GCancellable *cancellable, GError **error);

/** "/apis/GROUP/VERSION/namespaces/NS/PLURAL/NAME/SUB" with each part escaped; `group` NULL or ""
 * is the core ("/api/v1/..."); `ns`, `name` and `sub` may be NULL. Free with g_free. */
char *ferry_client_path(const char *group, const char *version, const char *ns, const char *plural,
                        const char *name, const char *sub);

G_END_DECLS
