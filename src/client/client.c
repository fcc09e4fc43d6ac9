// SPDX-License-Identifier: Apache-2.0
// Requests over libcurl.
//
// Theory of operation: each client has one easy handle inside one multi handle. The multi handle
// keeps the connection between requests, and lets us wait for the network and for a cancel at once
// (the easy interface alone looks at its callbacks only once a second). Certificates and keys are
// given to the GnuTLS flavour of libcurl as paths only, so they are put into sealed memory files
// and named by /proc/self/fd/N: nothing secret touches a disk.
#include "client/client.h"
#include "base/limits.h"
#include "client/client_transfer.h"
#include "client/skew.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_ANSWER (64u * 1024 * 1024)
#define TICK_MS 100

static int secret_file(const char *name, const char *text, GError **error) {
  int fd = memfd_create(name, MFD_CLOEXEC);
  gsize len = strlen(text), done = 0;
  while (fd >= 0 && done < len) {
    ssize_t n = write(fd, text + done, len - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      close(fd);
      fd = -1;
    } else {
      done += (gsize)n;
    }
  }
  if (fd < 0)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "cannot hold %s in a memory file: %s",
                name, g_strerror(errno));
  return fd;
}

FerryClient *ferry_client_new(const FerryClientConfig *config, GError **error) {
  static gsize curl_ready;
  if (g_once_init_enter(&curl_ready)) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    g_once_init_leave(&curl_ready, 1);
  }
  g_autoptr(GUri) uri = config->server ? g_uri_parse(config->server, G_URI_FLAGS_NONE, NULL) : NULL;
  const char *scheme = uri ? g_uri_get_scheme(uri) : NULL;
  if (!uri || !g_uri_get_host(uri) || !*g_uri_get_host(uri) ||
      (g_strcmp0(scheme, "https") != 0 && g_strcmp0(scheme, "http") != 0) || g_uri_get_query(uri) ||
      g_uri_get_userinfo(uri)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "\"%s\" is not a server's URL: expected https://HOST:PORT, as in "
                "https://127.0.0.1:6443",
                config->server ? config->server : "");
    return NULL;
  }
  if (!config->cert_pem != !config->key_pem) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "a client certificate needs its key and a key its certificate, %s is missing%s%s",
                config->cert_pem ? "the key" : "the certificate", config->source ? " in " : "",
                config->source ? config->source : "");
    return NULL;
  }
  FerryClient *client = g_new0(FerryClient, 1);
  client->ca_fd = client->cert_fd = client->key_fd = -1;
  client->config = ferry_client_config_copy(config);
  client->base = g_strdup(config->server);
  for (gsize n = strlen(client->base); n > 0 && client->base[n - 1] == '/'; n--)
    client->base[n - 1] = '\0';
  client->warnings = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(client->warnings, NULL);
  client->easy = curl_easy_init();
  client->multi = curl_multi_init();
  if (!client->easy || !client->multi) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "libcurl could not start");
    ferry_client_free(client);
    return NULL;
  }
  if ((config->ca_pem && (client->ca_fd = secret_file("ca", config->ca_pem, error)) < 0) ||
      (config->cert_pem && (client->cert_fd = secret_file("cert", config->cert_pem, error)) < 0) ||
      (config->key_pem && (client->key_fd = secret_file("key", config->key_pem, error)) < 0)) {
    ferry_client_free(client);
    return NULL;
  }
  return client;
}

void ferry_client_free(FerryClient *client) {
  if (!client)
    return;
  if (client->easy)
    curl_easy_cleanup(client->easy);
  if (client->multi)
    curl_multi_cleanup(client->multi);
  int fds[] = {client->ca_fd, client->cert_fd, client->key_fd};
  for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
    if (fds[i] >= 0)
      close(fds[i]);
  g_clear_pointer(&client->warnings, g_ptr_array_unref);
  ferry_client_config_free(client->config);
  g_free(client->base);
  g_free(client);
}

const FerryClientConfig *ferry_client_config(const FerryClient *client) {
  return client->config;
}

const char *const *ferry_client_warnings(const FerryClient *client) {
  return (const char *const *)client->warnings->pdata;
}

/* Warning: 299 - "text" */
static void take_warning(FerryClient *client, const char *line, gsize len) {
  if (client->warnings->len > FERRY_WARNINGS_MAX)
    return;
  const char *open = memchr(line, '"', len);
  const char *close_quote = memrchr(line, '"', len);
  if (!open || close_quote <= open)
    return;
  g_autoptr(GString) text = g_string_new(NULL);
  for (const char *p = open + 1; p < close_quote; p++) {
    if (*p == '\\' && p + 1 < close_quote)
      p++;
    g_string_append_c(text, *p);
  }
  g_ptr_array_insert(client->warnings, (int)client->warnings->len - 1,
                     g_utf8_make_valid(text->str, (gssize)text->len));
}

static size_t client_on_header(char *data, size_t size, size_t n, void *user) {
  FerryTransfer *t = user;
  gsize len = size * n;
  t->last_byte_us = g_get_monotonic_time();
  if (len > 8 && g_ascii_strncasecmp(data, "warning:", 8) == 0)
    take_warning(t->client, data + 8, len - 8);
  return len;
}

static size_t on_body(char *data, size_t size, size_t n, void *user) {
  FerryTransfer *t = user;
  gsize len = size * n;
  t->last_byte_us = g_get_monotonic_time();
  long code = 0;
  curl_easy_getinfo(t->client->easy, CURLINFO_RESPONSE_CODE, &code);
  if (t->chunk && code >= 200 && code < 300) {
    if (t->stopped || !t->chunk(data, len, t->user)) {
      t->stopped = TRUE;
      return 0;
    }
    return len;
  }
  if (t->body->len + len > t->limit) {
    t->too_large = TRUE;
    return 0;
  }
  g_byte_array_append(t->body, (const guint8 *)data, (guint)len);
  return len;
}

static GError *curl_error(const FerryClient *client, CURLcode rc) {
  const char *detail = *client->error_text ? client->error_text : curl_easy_strerror(rc);
  const char *server = client->base;
  const char *source = client->config->source;
  g_autofree char *origin = source ? g_strdup_printf(" (from %s)", source) : g_strdup("");
  switch (rc) {
  case CURLE_COULDNT_CONNECT:
    return g_error_new(FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                       "cannot reach the server %s%s: %s; check that ferryd runs there and that "
                       "the address and port are right",
                       server, origin, detail);
  case CURLE_COULDNT_RESOLVE_HOST:
    return g_error_new(FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                       "the name in the server's address %s%s is unknown: %s; check its spelling "
                       "or use an IP address",
                       server, origin, detail);
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CACERT_BADFILE:
    return g_error_new(FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                       "the server %s%s has a certificate that can't be trusted: %s; use the "
                       "kubeconfig that this ferryd wrote, and an address its certificate names "
                       "(ferryd --tls-san adds one)",
                       server, origin, detail);
  case CURLE_SSL_CERTPROBLEM:
    return g_error_new(FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED,
                       "the client certificate%s can't be used: %s", origin, detail);
  case CURLE_OPERATION_TIMEDOUT:
    return g_error_new(FERRY_ERROR, FERRY_ERROR_TIMEOUT,
                       "the server %s%s did not answer in time: %s; try again, and look at "
                       "ferryd's log if it stays so",
                       server, origin, detail);
  default:
    return g_error_new(FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                       "the connection to the server %s%s failed: %s", server, origin, detail);
  }
}

static gboolean client_pin(FerryClient *client, GError **error) {
  if (!client->config->ca_sha256 || client->config->ca_pem)
    return TRUE;
  g_autofree char *pem = ferry_client_fetch_pinned_ca(client->config, error);
  if (!pem || (client->ca_fd = secret_file("ca", pem, error)) < 0)
    return FALSE;
  client->config->ca_pem = g_steal_pointer(&pem);
  return TRUE;
}

static void client_setup(FerryClient *client, FerryTransfer *t, gint64 timeout_ms) {
  CURL *c = client->easy;
  const FerryClientConfig *cfg = client->config;
  curl_easy_reset(c);
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_PROXY, "");
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(c, CURLOPT_TCP_KEEPIDLE, 15L);
  curl_easy_setopt(c, CURLOPT_TCP_KEEPINTVL, 5L);
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, client->error_text);
  curl_easy_setopt(c, CURLOPT_USERAGENT,
                   cfg->user_agent ? cfg->user_agent : "ferry/" FERRY_VERSION);
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
                   (long)(cfg->connect_timeout_ms ? cfg->connect_timeout_ms : 5000));
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, client_on_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
  char path[64];
  if (client->ca_fd >= 0) {
    g_snprintf(path, sizeof path, "/proc/self/fd/%d", client->ca_fd);
    curl_easy_setopt(c, CURLOPT_CAINFO, path);
    curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
  }
  if (client->cert_fd >= 0) {
    g_snprintf(path, sizeof path, "/proc/self/fd/%d", client->cert_fd);
    curl_easy_setopt(c, CURLOPT_SSLCERT, path);
    g_snprintf(path, sizeof path, "/proc/self/fd/%d", client->key_fd);
    curl_easy_setopt(c, CURLOPT_SSLKEY, path);
  }
  if (cfg->insecure) {
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

/* The transfer's own loop, until it is done, stopped, idle for too long or cancelled. */
static CURLcode client_run(FerryClient *client, FerryTransfer *t, GCancellable *cancellable) {
  CURLcode rc = CURLE_OK;
  for (int running = 1; running;) {
    if (curl_multi_perform(client->multi, &running) != CURLM_OK)
      return CURLE_FAILED_INIT;
    int queued;
    for (CURLMsg *m; (m = curl_multi_info_read(client->multi, &queued));)
      if (m->msg == CURLMSG_DONE)
        rc = m->data.result;
    if (!running || t->stopped || g_cancellable_is_cancelled(cancellable))
      break;
    gint64 now = g_get_monotonic_time();
    if (t->idle_limit_us && now - t->last_byte_us > t->idle_limit_us) {
      t->idle = TRUE;
      break;
    }
    if (t->tick && !t->tick(t->user)) {
      t->stopped = TRUE;
      break;
    }
    if (curl_multi_poll(client->multi, NULL, 0, TICK_MS, NULL) != CURLM_OK)
      return CURLE_FAILED_INIT;
  }
  return rc;
}

static void wake_up(GCancellable *cancellable, gpointer multi) {
  curl_multi_wakeup(multi);
}

/* What is sent beside the client's own: `headers`, a token, `text` and its type. The list is the
 * caller's. */
static struct curl_slist *set_request(FerryClient *client, const char *method, const char *text,
                                      const char *content_type, const char *const *headers) {
  CURL *c = client->easy;
  struct curl_slist *list = NULL;
  gboolean accepts = FALSE;
  for (guint i = 0; headers && headers[i]; i++) {
    list = curl_slist_append(list, headers[i]);
    accepts = accepts || g_ascii_strncasecmp(headers[i], "accept:", 7) == 0;
  }
  if (!accepts)
    list = curl_slist_append(list, "Accept: application/json");
  list = curl_slist_append(list, "Expect:");
  if (client->config->token) {
    g_autofree char *auth = g_strdup_printf("Authorization: Bearer %s", client->config->token);
    list = curl_slist_append(list, auth);
  }
  if (text) {
    g_autofree char *type =
        g_strdup_printf("Content-Type: %s", content_type ? content_type : FERRY_CONTENT_JSON);
    list = curl_slist_append(list, type);
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, text);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(text));
  } else if (g_str_equal(method, "POST") || g_str_equal(method, "PUT")) {
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, 0L);
  }
  curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
  return list;
}

/* Runs what is set up and forgets it. Gives the answer's status, 0 where none came. */
static CURLcode run_request(FerryClient *client, FerryTransfer *t, GCancellable *cancellable,
                            long *code) {
  CURL *c = client->easy;
  gulong watch_id =
      cancellable ? g_cancellable_connect(cancellable, G_CALLBACK(wake_up), client->multi, NULL)
                  : 0;
  curl_multi_add_handle(client->multi, c);
  CURLcode rc = client_run(client, t, cancellable);
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, code);
  curl_multi_remove_handle(client->multi, c);
  if (cancellable)
    g_cancellable_disconnect(cancellable, watch_id);
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, NULL);
  curl_easy_setopt(c, CURLOPT_POSTFIELDS, NULL);
  return rc;
}

/* Whether an exchange that nobody cancelled brought the whole answer. */
static gboolean is_whole(const FerryClient *client, const FerryTransfer *t, CURLcode rc,
                         const char *method, const char *path, GError **error) {
  if (t->stopped)
    return TRUE;
  if (t->too_large)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE,
                "the answer of %s to %s %s is over %" G_GSIZE_FORMAT
                " bytes; ask for less (limit=, a selector)",
                client->base, method, path, t->limit);
  else if (t->idle)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                "the server %s has been silent for %d s in the middle of a watch; it or the "
                "network is down",
                client->base, (int)(t->idle_limit_us / G_USEC_PER_SEC));
  else if (rc != CURLE_OK)
    g_propagate_error(error, curl_error(client, rc));
  else
    return TRUE;
  return FALSE;
}

gboolean ferry_client_transfer(FerryClient *client, FerryTransfer *t, const char *method,
                               const char *path, const json_t *body, const char *content_type,
                               const char *const *headers, gint64 timeout_ms,
                               GCancellable *cancellable, unsigned *status, GError **error) {
  if (status)
    *status = 0;
  if (g_cancellable_set_error_if_cancelled(cancellable, error) || !client_pin(client, error))
    return FALSE;
  t->client = client;
  t->last_byte_us = g_get_monotonic_time();
  g_ptr_array_set_size(client->warnings, 0);
  g_ptr_array_add(client->warnings, NULL);
  client->error_text[0] = '\0';
  client_setup(client, t, timeout_ms);
  g_autofree char *url = g_strconcat(client->base, path, NULL);
  g_autofree char *text = body ? ferry_json_dump(body) : NULL;
  curl_easy_setopt(client->easy, CURLOPT_URL, url);
  struct curl_slist *list = set_request(client, method, text, content_type, headers);
  long code = 0;
  CURLcode rc = run_request(client, t, cancellable, &code);
  curl_slist_free_all(list);
  if (status)
    *status = (unsigned)code;
  if (g_cancellable_set_error_if_cancelled(cancellable, error))
    return FALSE;
  return is_whole(client, t, rc, method, path, error);
}

GError *ferry_client_status_error(const char *server, unsigned status, const char *body,
                                  gsize len) {
  g_autoptr(json_t) json = len ? ferry_json_parse(body, len, NULL) : NULL;
  const char *message = ferry_json_str(json, "message");
  if (g_strcmp0(ferry_json_str(json, "kind"), "Status") != 0 || !message) {
    g_autofree char *valid = g_utf8_make_valid(body ? body : "", (gssize)MIN(len, 200));
    g_strstrip(valid);
    return g_error_new(FERRY_ERROR, (gint)ferry_error_code_from_http(status, NULL),
                       "the server %s answered HTTP %u%s%s", server, status, *valid ? ": " : "",
                       valid);
  }
  GError *error = g_error_new(
      FERRY_ERROR, (gint)ferry_error_code_from_http(status, ferry_json_str(json, "reason")), "%s",
      message);
  ferry_error_set_about(error, ferry_json_str(json, "details.group"),
                        ferry_json_str(json, "details.kind"), ferry_json_str(json, "details.name"));
  json_t *causes = ferry_json_get(json, "details.causes"), *cause;
  size_t i;
  json_array_foreach(causes, i, cause) {
    const char *text = ferry_json_str(cause, "message");
    ferry_error_add_cause(error, ferry_json_str(cause, "reason"), ferry_json_str(cause, "field"),
                          "%s", text ? text : "");
  }
  return error;
}

static gboolean client_exchange(FerryClient *client, const char *method, const char *path,
                                const json_t *body, const char *content_type,
                                const char *const *headers, GCancellable *cancellable,
                                GByteArray *answer, unsigned *status, GError **error) {
  FerryTransfer t = {.body = answer, .limit = MAX_ANSWER};
  unsigned code = 0;
  guint timeout = client->config->timeout_ms ? client->config->timeout_ms : 60000;
  gboolean ok = ferry_client_transfer(client, &t, method, path, body, content_type, headers,
                                      timeout, cancellable, &code, error);
  if (status)
    *status = code;
  if (!ok)
    return FALSE;
  if (code >= 200 && code < 300)
    return TRUE;
  GError *said =
      ferry_client_status_error(client->base, code, (const char *)answer->data, answer->len);
  if (ferry_skew_is_not_understood(code, said))
    client->not_understood = TRUE;
  g_propagate_error(error, said);
  return FALSE;
}

gboolean ferry_client_was_not_understood(const FerryClient *client) {
  return client->not_understood;
}

json_t *ferry_client_request_full(FerryClient *client, const char *method, const char *path,
                                  const json_t *body, const char *content_type,
                                  const char *const *headers, GCancellable *cancellable,
                                  unsigned *status, GError **error) {
  g_autoptr(GByteArray) answer = g_byte_array_new();
  if (!client_exchange(client, method, path, body, content_type, headers, cancellable, answer,
                       status, error))
    return NULL;
  if (answer->len == 0)
    return json_null();
  /* Our own server is the only writer of this; lists may be larger than a request may. */
  json_error_t where;
  json_t *json = json_loadb((const char *)answer->data, answer->len,
                            JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
  if (!json)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "the answer of %s to %s %s is not JSON: %s (line %d); is a Ferry API at this "
                "address?",
                client->base, method, path, where.text, where.line);
  return json;
}

json_t *ferry_client_request(FerryClient *client, const char *method, const char *path,
                             const json_t *body, const char *content_type,
                             const char *const *headers, unsigned *status, GError **error) {
  return ferry_client_request_full(client, method, path, body, content_type, headers, NULL, status,
                                   error);
}

char *ferry_client_path(const char *group, const char *version, const char *ns, const char *plural,
                        const char *name, const char *sub) {
  GString *path = g_string_new(group && *group ? "/apis" : "/api");
  const char *parts[] = {group && *group ? group : NULL,
                         version,
                         ns ? "namespaces" : NULL,
                         ns,
                         plural,
                         name,
                         name ? sub : NULL};
  for (guint i = 0; i < G_N_ELEMENTS(parts); i++) {
    if (!parts[i])
      continue;
    g_string_append_c(path, '/');
    g_string_append_uri_escaped(path, parts[i], NULL, FALSE);
  }
  return g_string_free(path, FALSE);
}
