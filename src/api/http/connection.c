// SPDX-License-Identifier: Apache-2.0
// Theory of operation: libmicrohttpd calls us with the header, then with pieces of the body, then
// with its end. Who asks is settled on the header, so a stranger's body is never kept beyond a
// small limit. GET is answered on the spot (reads come from memory); everything else suspends its
// connection and goes to the pool, as a commit waits for the disk. An answer that is known early is
// held back until the body has been read and thrown away, or clients would see a reset, not a
// reason.
#include "api/internal.h"
#include "api/metrics/metrics.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MEMORY_PER_CONNECTION (64 * 1024)
#define MAX_DISCARD ((guint64)64 * 1024 * 1024)
#define DEAD_PEER_MS 30000

struct FerryListener {
  FerryApi *api;
  struct MHD_Daemon *daemon;
  guint16 port;
};

/** What is known about one TCP connection. Used by one thread at a time. */
typedef struct {
  gboolean checked;
  FerryUser *user;
  GError *error;
} Peer;

static void request_free(FerryRequest *req) {
  g_free(req->method);
  g_free(req->path);
  g_strfreev(req->segments);
  g_hash_table_unref(req->query);
  g_free(req->accept);
  g_free(req->content_type);
  g_free(req->user_agent);
  g_free(req->if_none_match);
  g_free(req->traceparent);
  if (req->response)
    MHD_destroy_response(req->response);
  g_free(req->error_name);
  if (req->impersonation)
    g_ptr_array_unref(req->impersonation);
  ferry_user_unref(req->user);
  g_byte_array_unref(req->body);
  g_free(req->out_type);
  if (req->out)
    g_bytes_unref(req->out);
  g_ptr_array_unref(req->headers);
  g_free(req);
}

static void fail(FerryRequest *req, FerryErrorCode code, const char *message) {
  g_autoptr(GError) error = g_error_new_literal(FERRY_ERROR, (gint)code, message);
  ferry_respond_error(req, error);
}

static void *on_uri(void *data, const char *uri, struct MHD_Connection *connection) {
  FerryApi *api = ((FerryListener *)data)->api;
  FerryRequest *req = g_new0(FerryRequest, 1);
  req->api = api;
  req->connection = connection;
  req->query = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  req->body = g_byte_array_new();
  req->headers = g_ptr_array_new_with_free_func(g_free);
  req->epoch = -1;
  req->body_limit = FERRY_JSON_MAX_BYTES;
  if (strstr(uri, "%00"))
    fail(req, FERRY_ERROR_BAD_REQUEST, "the URL contains a NUL byte (%00)");
  return req;
}

static void on_completed(void *data, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode how) {
  FerryRequest *req = *context;
  if (req)
    request_free(req);
  *context = NULL;
}

static void on_connection(void *data, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what) {
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    *context = g_new0(Peer, 1);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info) {
      unsigned ms = DEAD_PEER_MS;
      int on = 1;
      setsockopt(info->connect_fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
      setsockopt(info->connect_fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
  } else if (*context) {
    Peer *peer = *context;
    ferry_user_unref(peer->user);
    g_clear_error(&peer->error);
    g_free(peer);
    *context = NULL;
  }
}

static enum MHD_Result on_query(void *data, enum MHD_ValueKind kind, const char *key,
                                const char *value) {
  FerryRequest *req = data;
  if (g_hash_table_size(req->query) >= FERRY_API_MAX_QUERY) {
    if (!req->out)
      fail(req, FERRY_ERROR_BAD_REQUEST, "the URL has more than 64 parameters");
    return MHD_NO;
  }
  if (key && !g_hash_table_contains(req->query, key))
    g_hash_table_insert(req->query, g_strdup(key), g_strdup(value ? value : ""));
  return MHD_YES;
}

static enum MHD_Result on_header(void *data, enum MHD_ValueKind kind, const char *key,
                                 const char *value) {
  FerryRequest *req = data;
  if (!key || !value)
    return MHD_YES;
  if (g_ascii_strcasecmp(key, "Accept") == 0) {
    /* Several Accept headers are one list. */
    char *all = req->accept ? g_strconcat(req->accept, ",", value, NULL) : g_strdup(value);
    g_free(req->accept);
    req->accept = all;
  } else if (g_ascii_strncasecmp(key, "Impersonate-", 12) == 0) {
    if (!req->impersonation)
      req->impersonation = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(req->impersonation, g_strdup(key));
    g_ptr_array_add(req->impersonation, g_strdup(value));
  }
  return MHD_YES;
}

/* The connection's certificate first, else a bearer token, else nobody. */
static FerryUser *authenticate(FerryRequest *req, GError **error) {
  struct MHD_Connection *c = req->connection;
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  Peer *peer = info ? info->socket_context : NULL;
  if (peer && !peer->checked) {
    const union MHD_ConnectionInfo *tls =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (tls)
      peer->user =
          ferry_auth_certificate(req->api, (gnutls_session_t)tls->tls_session, &peer->error);
    peer->checked = TRUE;
  }
  if (peer && peer->error) {
    if (error)
      *error = g_error_copy(peer->error);
    return NULL;
  }
  if (peer && peer->user) {
    if (!ferry_auth_is_valid(req->api, peer->user, error))
      return NULL;
    return ferry_user_ref(peer->user);
  }
  const char *authorization = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
  if (authorization)
    return ferry_auth_bearer(req->api, authorization, error);
  const char *const groups[] = {"system:unauthenticated", NULL};
  return ferry_user_new("system:anonymous", groups);
}

static char *header_of(FerryRequest *req, const char *name) {
  return g_strdup(MHD_lookup_connection_value(req->connection, MHD_HEADER_KIND, name));
}

static void start(FerryRequest *req, const char *method, const char *url) {
  req->begun_us = g_get_monotonic_time();
  req->method = g_strdup(g_str_equal(method, "HEAD") ? "GET" : method);
  req->path = g_strdup(url);
  req->segments = g_strsplit(*url == '/' ? url + 1 : url, "/", 16);
  req->user_agent = header_of(req, "User-Agent");
  req->content_type = header_of(req, "Content-Type");
  req->if_none_match = header_of(req, "If-None-Match");
  req->traceparent = header_of(req, "traceparent");
  MHD_get_connection_values(req->connection, MHD_GET_ARGUMENT_KIND, on_query, req);
  MHD_get_connection_values(req->connection, MHD_HEADER_KIND, on_header, req);
  g_autofree char *epoch = header_of(req, "Ferry-Agent-Epoch");
  if (epoch && !g_ascii_string_to_signed(epoch, 10, 1, G_MAXINT64, &req->epoch, NULL) && !req->out)
    fail(req, FERRY_ERROR_BAD_REQUEST, "Ferry-Agent-Epoch: expected a positive integer");
  g_autofree char *telemetry = header_of(req, "Ferry-Telemetry");
  req->telemetry = g_strcmp0(telemetry, "1") == 0;
  if (req->out)
    return;
  if (!g_utf8_validate(url, -1, NULL)) {
    g_clear_pointer(&req->segments, g_strfreev);
    req->segments = g_strsplit("", "/", 1);
    fail(req, FERRY_ERROR_BAD_REQUEST, "the URL's path is not UTF-8");
    return;
  }
  g_autoptr(GError) error = NULL;
  req->user = authenticate(req, &error);
  if (!req->user) {
    ferry_respond_error(req, error);
    return;
  }
  if (req->user->anonymous)
    req->body_limit = FERRY_API_MAX_SMALL_BODY;
  if (!ferry_impersonate(req, &error))
    ferry_respond_error(req, error);
}

static enum MHD_Result answer(FerryRequest *req) {
  struct MHD_Response *response;
  if (req->response) {
    response = g_steal_pointer(&req->response);
  } else if (req->stream) {
    response = ferry_stream_response(g_steal_pointer(&req->stream));
  } else {
    gsize len;
    const void *data = g_bytes_get_data(req->out, &len);
    response = MHD_create_response_from_buffer(len, (void *)data, MHD_RESPMEM_MUST_COPY);
  }
  if (!response)
    return MHD_NO;
  if (req->out_type && *req->out_type)
    MHD_add_response_header(response, "Content-Type", req->out_type);
  MHD_add_response_header(response, "Cache-Control", "no-cache, private");
  for (guint i = 0; i + 1 < req->headers->len; i += 2)
    MHD_add_response_header(response, g_ptr_array_index(req->headers, i),
                            g_ptr_array_index(req->headers, i + 1));
  ferry_metrics_request(req->api->metrics, req);
  enum MHD_Result result = MHD_queue_response(req->connection, req->status, response);
  MHD_destroy_response(response);
  return result;
}

void ferry_connection_work(gpointer data, gpointer user_data) {
  FerryRequest *req = data;
  FerryApi *api = user_data;
  struct MHD_Connection *connection = req->connection;
  ferry_route(req);
  MHD_resume_connection(connection); /* req may be gone from here on */
  g_atomic_int_dec_and_test(&api->requests);
}

static gboolean too_long_to_discard(FerryRequest *req) {
  g_autofree char *length = header_of(req, "Content-Length");
  return length && g_ascii_strtoull(length, NULL, 10) > MAX_DISCARD;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **context) {
  FerryRequest *req = *context;
  if (!req)
    return MHD_NO;
  if (!req->started) {
    req->started = TRUE;
    start(req, method, url);
    if (too_long_to_discard(req)) {
      fail(req, FERRY_ERROR_TOO_LARGE, "the body is larger than the limit of 3145728 bytes");
      return answer(req);
    }
    return MHD_YES;
  }
  if (*upload_size) {
    if (!req->out && req->body->len + *upload_size > req->body_limit) {
      g_autofree char *message =
          g_strdup_printf("the body is larger than the limit of %zu bytes", req->body_limit);
      fail(req, FERRY_ERROR_TOO_LARGE, message);
      g_byte_array_set_size(req->body, 0);
    }
    if (!req->out)
      g_byte_array_append(req->body, (const guint8 *)upload, (guint)*upload_size);
    else if ((req->discarded += *upload_size) > MAX_DISCARD)
      return MHD_NO;
    *upload_size = 0;
    return MHD_YES;
  }
  if (req->out || req->stream || req->response)
    return answer(req);
  if (g_str_equal(req->method, "GET")) {
    ferry_route(req);
    return answer(req);
  }
  FerryApi *api = req->api;
  g_atomic_int_inc(&api->requests);
  if (g_atomic_int_get(&api->stopping)) {
    g_atomic_int_dec_and_test(&api->requests);
    fail(req, FERRY_ERROR_UNAVAILABLE, "the server is shutting down");
    return answer(req);
  }
  MHD_suspend_connection(connection);
  g_thread_pool_push(api->pool, req, NULL);
  return MHD_YES;
}

static void on_log(void *data, const char *format, va_list ap) {
  g_logv("ferry", G_LOG_LEVEL_DEBUG, format, ap);
}

FerryListener *ferry_listener_new(FerryApi *api, int fd, GError **error) {
  FerryListener *listener = g_new0(FerryListener, 1);
  listener->api = api;
  struct sockaddr_storage address = {0};
  socklen_t len = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &len) == 0)
    listener->port =
        ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                            : ((struct sockaddr_in *)&address)->sin_port);
  unsigned flags =
      MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
  if (address.ss_family == AF_INET6)
    flags |= MHD_USE_IPv6;
  /* The CA goes along, so that an agent that knows only its hash can pin it. */
  g_autofree char *chain =
      g_strconcat(ferry_pki_server_cert(api->pki), ferry_pki_ca(api->pki), NULL);
  listener->daemon = MHD_start_daemon(
      flags, 0, NULL, NULL, on_request, listener, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
      MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_HTTPS_MEM_KEY, ferry_pki_server_key(api->pki),
      MHD_OPTION_HTTPS_MEM_CERT, chain, MHD_OPTION_HTTPS_MEM_TRUST, ferry_pki_ca(api->pki),
      MHD_OPTION_HTTPS_PRIORITIES, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2",
      MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)FERRY_API_TIMEOUT_S, MHD_OPTION_CONNECTION_LIMIT,
      (unsigned)FERRY_API_MAX_CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
      (unsigned)FERRY_API_MAX_PER_ADDRESS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      (size_t)MEMORY_PER_CONNECTION, MHD_OPTION_THREAD_POOL_SIZE, 2u, MHD_OPTION_URI_LOG_CALLBACK,
      on_uri, listener, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
      MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL, MHD_OPTION_END);
  if (!listener->daemon) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "cannot serve HTTPS on port %u: the HTTP library gave no reason; see the log at "
                "level debug",
                listener->port);
    close(fd);
    g_free(listener);
    return NULL;
  }
  return listener;
}

guint16 ferry_listener_port(const FerryListener *listener) {
  return listener->port;
}

void ferry_listener_free(FerryListener *listener) {
  if (!listener)
    return;
  MHD_stop_daemon(listener->daemon);
  g_free(listener);
}
