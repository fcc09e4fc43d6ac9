// SPDX-License-Identifier: Apache-2.0
// Theory of operation: libmicrohttpd calls us with the header, then with pieces of the body, then
// with its end. A header that can be understood in two ways, or that isn't for us, is refused at
// once and its connection closed. Who asks is settled on the header, so a stranger's body is never
// kept beyond a small limit. Small reads are answered on the spot (they come from memory); all else
// waits for a seat of its level with its connection suspended (front.c). An answer that is known
// early is held back until the body has been read and thrown away, or clients would see a reset,
// not a reason.
#include "api/http/connection.h"
#include "api/http/front.h"
#include "api/http/origin.h"
#include "api/http/respond.h"
#include "api/http/strict.h"

#include <string.h>

#define MAX_DISCARD ((guint64)64 * 1024 * 1024)

/** What is known about one TCP connection. Used by one thread at a time. */
typedef struct {
  FerryConn *conn;
  FerryLogin login;
} Peer;

static void connection_fail(FerryRequest *req, FerryErrorCode code, const char *message) {
  g_autoptr(GError) error = g_error_new_literal(FERRY_ERROR, (gint)code, message);
  ferry_respond_error(req, error);
}

/* An answer that HTTP has a status for and Kubernetes' reasons don't; the connection ends with it.
 */
static void connection_reject(FerryRequest *req, unsigned status, const char *why) {
  g_autoptr(GError) error = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, why);
  json_t *body = ferry_status_of(req, error);
  json_object_set_new(body, "code", json_integer(status));
  if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
    ferry_respond_header(req, "Allow", "GET, POST, PUT, PATCH, DELETE");
  if (status == MHD_HTTP_FORBIDDEN || status == MHD_HTTP_METHOD_NOT_ALLOWED)
    json_object_set_new(body, "reason",
                        json_string(ferry_error_reason(status == MHD_HTTP_FORBIDDEN
                                                           ? FERRY_ERROR_FORBIDDEN
                                                           : FERRY_ERROR_METHOD_NOT_ALLOWED)));
  ferry_respond_json(req, status, body);
  ferry_connections_count_end(ferry_front_connections(req->api->front), FERRY_END_MALFORMED);
  req->reading.closes = TRUE;
}

static Peer *peer_of(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info ? info->socket_context : NULL;
}

static void connection_enter(FerryRequest *req, FerryConnPhase phase) {
  if (req->reading.conn)
    ferry_connections_phase(ferry_front_connections(req->api->front), req->reading.conn, phase,
                            g_get_monotonic_time());
}

void *ferry_connection_on_uri(void *data, const char *uri, struct MHD_Connection *connection) {
  FerryApi *api = data;
  Peer *peer = peer_of(connection);
  const char *why;
  FerryRequest *req = g_new0(FerryRequest, 1);
  ferry_request_init(req, api);
  req->connection = connection;
  req->reading.conn = peer ? peer->conn : NULL;
  req->asked.peer = req->reading.conn ? g_strdup(ferry_conn_peer(req->reading.conn)) : NULL;
  req->reading.raw_uri = uri;
  req->reading.raw_uri_len = uri ? strlen(uri) : 0;
  unsigned status = ferry_strict_uri(uri ? uri : "", &why);
  if (status)
    connection_reject(req, status, why);
  /* The library takes the parameters apart after this call, at this place in its own buffer; of
   * 1,000 their list would not fit there, and it would close the connection without a word. */
  char *parameters = status && uri ? strchr((char *)uri, '?') : NULL;
  if (parameters)
    parameters[1] = '\0';
  return req;
}

void ferry_connection_on_completed(void *data, struct MHD_Connection *connection, void **context,
                                   enum MHD_RequestTerminationCode how) {
  FerryRequest *req = *context;
  if (req) {
    ferry_front_release(req);
    connection_enter(req, FERRY_CONN_IDLE);
    ferry_request_clear(req);
    g_free(req);
  }
  *context = NULL;
}

/* The HTTP library tells of a handshake's end only by the first request. */
static int on_handshake(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                        const gnutls_datum_t *message) {
  FerryApi *api = gnutls_db_get_ptr(session);
  FerryConn *c = incoming ? ferry_connections_find(ferry_front_connections(api->front),
                                                   gnutls_transport_get_int(session))
                          : NULL;
  if (c)
    ferry_connections_phase(ferry_front_connections(api->front), c, FERRY_CONN_HEADER,
                            g_get_monotonic_time());
  return 0;
}

void ferry_connection_on_change(void *data, struct MHD_Connection *connection, void **context,
                                enum MHD_ConnectionNotificationCode what) {
  FerryApi *api = data;
  FerryConnections *all = ferry_front_connections(api->front);
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    Peer *peer = *context = g_new0(Peer, 1);
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    peer->conn = fd ? ferry_connections_take(all, fd->connect_fd) : NULL;
    const union MHD_ConnectionInfo *tls =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (tls && tls->tls_session) {
      /* The session's database is not used; its pointer is what the library leaves free. */
      gnutls_db_set_ptr(tls->tls_session, api);
      gnutls_handshake_set_hook_function(tls->tls_session, GNUTLS_HANDSHAKE_FINISHED,
                                         GNUTLS_HOOK_POST, on_handshake);
    }
  } else if (*context) {
    Peer *peer = *context;
    if (peer->conn)
      ferry_connections_remove(all, peer->conn);
    ferry_user_unref(peer->login.user);
    g_clear_error(&peer->login.error);
    g_free(peer);
    *context = NULL;
  }
}

static enum MHD_Result on_query(void *data, enum MHD_ValueKind kind, const char *key,
                                const char *value) {
  FerryRequest *req = data;
  if (key && !g_hash_table_contains(req->asked.query, key))
    g_hash_table_insert(req->asked.query, g_strdup(key), g_strdup(value ? value : ""));
  return MHD_YES;
}

static enum MHD_Result on_header(void *data, enum MHD_ValueKind kind, const char *key,
                                 const char *value) {
  FerryRequest *req = data;
  if (!key || !value)
    return MHD_YES;
  if (g_ascii_strcasecmp(key, "Accept") == 0) {
    /* Several Accept headers are one list. */
    char *all =
        req->asked.accept ? g_strconcat(req->asked.accept, ",", value, NULL) : g_strdup(value);
    g_free(req->asked.accept);
    req->asked.accept = all;
  } else if (g_ascii_strncasecmp(key, "Impersonate-", 12) == 0) {
    if (!req->asked.impersonation)
      req->asked.impersonation = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(req->asked.impersonation, g_strdup(key));
    g_ptr_array_add(req->asked.impersonation, g_strdup(value));
  }
  return MHD_YES;
}

static char *header_of(FerryRequest *req, const char *name) {
  return g_strdup(MHD_lookup_connection_value(req->connection, MHD_HEADER_KIND, name));
}

/* Who asks, and whether he may ask for more. */
static void settle_user(FerryRequest *req) {
  g_autoptr(GError) error = NULL;
  Peer *peer = peer_of(req->connection);
  req->user = req->api->stages->identify(req, peer ? &peer->login : NULL, &error);
  if (!req->user) {
    if (ferry_front_admit_stranger(req))
      ferry_respond_error(req, error);
    return;
  }
  if (req->reading.conn && !req->user->anonymous &&
      !ferry_connections_identify(ferry_front_connections(req->api->front), req->reading.conn,
                                  req->user->name)) {
    connection_fail(
        req, FERRY_ERROR_TOO_MANY_REQUESTS,
        "too many connections: close some that are open, or use one for several requests");
    req->reading.closes = TRUE;
    return;
  }
  if (req->user->anonymous)
    req->reading.body_limit = FERRY_API_MAX_SMALL_BODY;
  if (ferry_front_admit(req) && !req->api->stages->act_as(req, &error))
    ferry_respond_error(req, error);
}

static void read_header(FerryRequest *req, const char *url) {
  req->asked.user_agent = header_of(req, "User-Agent");
  req->asked.content_type = header_of(req, "Content-Type");
  req->asked.if_none_match = header_of(req, "If-None-Match");
  req->asked.traceparent = header_of(req, "traceparent");
  MHD_get_connection_values(req->connection, MHD_GET_ARGUMENT_KIND, on_query, req);
  MHD_get_connection_values(req->connection, MHD_HEADER_KIND, on_header, req);
  g_autofree char *epoch = header_of(req, "Ferry-Agent-Epoch");
  if (epoch && !g_ascii_string_to_signed(epoch, 10, 1, G_MAXINT64, &req->asked.epoch, NULL) &&
      !req->answer.out)
    connection_fail(req, FERRY_ERROR_BAD_REQUEST, "Ferry-Agent-Epoch: expected a positive integer");
  g_autofree char *telemetry = header_of(req, "Ferry-Telemetry");
  req->asked.telemetry = g_strcmp0(telemetry, "1") == 0;
  if (!req->answer.out && !g_utf8_validate(url, -1, NULL)) {
    g_clear_pointer(&req->asked.segments, g_strfreev);
    req->asked.segments = g_strsplit("", "/", 1);
    connection_fail(req, FERRY_ERROR_BAD_REQUEST, "the URL's path is not UTF-8");
  }
}

static void connection_start(FerryRequest *req, const char *method, const char *url,
                             const char *version) {
  const FerryRequestLine line = {.method = method,
                                 .uri = req->reading.raw_uri,
                                 .uri_len = req->reading.raw_uri_len,
                                 .version = version};
  const char *why;
  unsigned status;
  req->asked.begun_us = g_get_monotonic_time();
  req->asked.method = g_strdup(g_str_equal(method, "HEAD") ? "GET" : method);
  req->asked.path = g_strdup(url);
  req->asked.segments = g_strsplit(*url == '/' ? url + 1 : url, "/", 16);
  connection_enter(req, FERRY_CONN_BODY);
  if (!req->answer.out && ((status = ferry_strict_header(req, &line, url, &why)) ||
                           (status = ferry_origin_check(req, &why))))
    connection_reject(req, status, why);
  if (!req->answer.out)
    read_header(req, url);
  if (!req->answer.out)
    settle_user(req);
}

static enum MHD_Result connection_answer(FerryRequest *req) {
  struct MHD_Response *response;
  gboolean streams = req->answer.stream != NULL;
  req->api->stages->decided(req);
  if (req->answer.stream) {
    response = ferry_stream_response(g_steal_pointer(&req->answer.stream));
  } else if (req->answer.body) {
    response = ferry_body_response(g_steal_pointer(&req->answer.body));
  } else {
    gsize len;
    const void *data = g_bytes_get_data(req->answer.out, &len);
    response = MHD_create_response_from_buffer_with_free_callback_cls(
        len, (void *)data, (MHD_ContentReaderFreeCallback)g_bytes_unref,
        g_bytes_ref(req->answer.out));
  }
  if (!response)
    return MHD_NO;
  if (req->answer.out_type && *req->answer.out_type)
    MHD_add_response_header(response, "Content-Type", req->answer.out_type);
  MHD_add_response_header(response, "Cache-Control", "no-cache, private");
  for (guint i = 0; i + 1 < req->answer.headers->len; i += 2)
    MHD_add_response_header(response, g_ptr_array_index(req->answer.headers, i),
                            g_ptr_array_index(req->answer.headers, i + 1));
  if (req->reading.closes)
    MHD_add_response_header(response, "Connection", "close");
  if (streams) /* streams are counted and limited as such */
    ferry_front_release(req);
  connection_enter(req, streams ? FERRY_CONN_STREAM : FERRY_CONN_ANSWER);
  req->api->stages->answered(req);
  enum MHD_Result result = MHD_queue_response(req->connection, req->answer.status, response);
  MHD_destroy_response(response);
  return result;
}

static gboolean too_long_to_discard(FerryRequest *req) {
  g_autofree char *length = header_of(req, "Content-Length");
  return length && g_ascii_strtoull(length, NULL, 10) > MAX_DISCARD;
}

static void fail_too_large(FerryRequest *req) {
  g_autofree char *message =
      g_strdup_printf("the body is larger than the limit of %zu bytes", req->reading.body_limit);
  connection_fail(req, FERRY_ERROR_TOO_LARGE, message);
}

/* A piece of the body; FALSE: too much was thrown away already. */
static gboolean take_upload(FerryRequest *req, const char *upload, size_t size) {
  if (!req->answer.out && req->asked.body->len + size > req->reading.body_limit) {
    fail_too_large(req);
    g_byte_array_set_size(req->asked.body, 0);
  }
  if (!req->answer.out)
    g_byte_array_append(req->asked.body, (const guint8 *)upload, (guint)size);
  else if ((req->reading.discarded += size) > MAX_DISCARD)
    return FALSE;
  return TRUE;
}

enum MHD_Result ferry_connection_on_request(void *data, struct MHD_Connection *connection,
                                            const char *url, const char *method,
                                            const char *version, const char *upload,
                                            size_t *upload_size, void **context) {
  FerryRequest *req = *context;
  if (!req)
    return MHD_NO;
  if (!req->reading.started) {
    req->reading.started = TRUE;
    connection_start(req, method, url, version);
    if (!req->reading.closes && too_long_to_discard(req)) {
      fail_too_large(req);
      return connection_answer(req);
    }
    return req->reading.closes ? connection_answer(req) : MHD_YES;
  }
  if (*upload_size) {
    if (!take_upload(req, upload, *upload_size))
      return MHD_NO;
    *upload_size = 0;
    return MHD_YES;
  }
  if (ferry_respond_is_done(req))
    return connection_answer(req);
  connection_enter(req, FERRY_CONN_WORK);
  return ferry_front_answer(req) ? connection_answer(req) : MHD_YES;
}
