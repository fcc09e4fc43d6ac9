// SPDX-License-Identifier: Apache-2.0
// Life of the API: files, listening sockets, start and orderly stop. The order of stopping matters:
// take no connection and no work any more, end the watches (a suspended connection would otherwise
// hang the HTTP library), wait for what is under way, then stop the daemons and the threads.
#include "api/server.h"
#include "api/auth/identify.h"
#include "api/auth/impersonate.h"
#include "api/http/origin.h"
#include "api/pki/pki_serving.h"
#include "api/resource/admission.h"
#include "api/resource/streams.h"
#include "api/router.h"
#include "api/routes.h"
#include "api/auth/audit.h"
#include "api/auth/join_tokens.h"
#include "api/oidc/oidc.h"
#include "api/auth/rbac.h"
#include "api/http/front.h"
#include "api/http/strict.h"
#include "api/auth/certificates.h"
#include "api/auth/node_join.h"
#include "api/nodes/node_trust.h"
#include "api/nodes/trust_limit.h"
#include "api/auth/token_file.h"
#include "api/http/listener.h"
#include "api/kimchi/kimchi.h"
#include "api/metrics/metrics.h"
#include "api/resource/object_texts.h"
#include "api/resource/policy_admission.h"
#include "api/rights/node_restriction.h"
#include "base/random.h"
#include "control/looks.h"
#include "base/rfc3339.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define AUDIT_LOG_MAX_BYTES (G_GINT64_CONSTANT(100) << 20)
#define BOOKMARK_MS 30000

static int open_socket(const char *where, GError **error) {
  const char *colon = strrchr(where, ':');
  g_autofree char *host = colon ? g_strndup(where, (gsize)(colon - where)) : NULL;
  gint64 port;
  if (!colon || !g_ascii_string_to_signed(colon + 1, 10, 0, 65535, &port, NULL)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "listen address \"%s\": expected ADDRESS:PORT or [IPV6]:PORT", where);
    return -1;
  }
  gsize len = strlen(host);
  if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
    host[len - 1] = '\0';
    memmove(host, host + 1, len - 1);
  }
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list = NULL;
  int rc = getaddrinfo(*host ? host : NULL, colon + 1, &hints, &list);
  if (rc != 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, "listen address \"%s\": %s", where,
                gai_strerror(rc));
    return -1;
  }
  int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
  if (fd >= 0)
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd < 0 || bind(fd, list->ai_addr, list->ai_addrlen) < 0 || listen(fd, 512) < 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "cannot listen on %s: %s", where,
                g_strerror(errno));
    if (fd >= 0)
      close(fd);
    fd = -1;
  }
  freeaddrinfo(list);
  return fd;
}

static gboolean add_listener(FerryApi *api, int fd, GError **error) {
  FerryListener *listener = ferry_listener_new(api, fd, error);
  if (!listener)
    return FALSE;
  g_ptr_array_add(api->listeners, listener);
  return TRUE;
}

/* https://HOST:PORT by which this machine reaches the first listener. */
static char *own_url(const FerryApi *api, const FerryApiConfig *config) {
  if (config->server_url)
    return g_strdup(config->server_url);
  guint16 port = ferry_api_port(api, 0);
  const char *first = config->listen && config->listen[0] ? config->listen[0] : "127.0.0.1:0";
  const char *colon = strrchr(first, ':');
  g_autofree char *host = g_strndup(first, (gsize)(colon - first));
  if (!*host || g_str_equal(host, "0.0.0.0"))
    return g_strdup_printf("https://127.0.0.1:%u", port);
  if (g_str_equal(host, "[::]"))
    return g_strdup_printf("https://[::1]:%u", port);
  return g_strdup_printf("https://%s:%u", host, port);
}

static gboolean make_namespace(FerryApi *api, const char *name, GError **error) {
  g_autoptr(json_t) there = ferry_store_get(api->store, &ferry_kind_namespace, "", name);
  if (there)
    return TRUE;
  g_autofree char *uid = ferry_random_uuid();
  g_autofree char *now = ferry_rfc3339_format(ferry_clock_wall_ms(api->clock));
  g_autoptr(json_t) object =
      json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:i, s:{s:s}}, s:{s:[]}, s:{s:s}}", "apiVersion",
                "v1", "kind", "Namespace", "metadata", "name", name, "uid", uid,
                "creationTimestamp", now, "generation", 1, "labels", "kubernetes.io/metadata.name",
                name, "spec", "finalizers", "status", "phase", "Active");
  FerryWrite write = {.op = FERRY_WRITE_CREATE,
                      .kind = &ferry_kind_namespace,
                      .ns = "",
                      .name = name,
                      .object = object};
  return ferry_store_commit(api->store, &write, 1, NULL, error);
}

/* Takes the sockets of the configuration over, those that are not served yet closed on an error. */
static gboolean open_listeners(FerryApi *api, const FerryApiConfig *config, GError **error) {
  gboolean ok = TRUE;
  for (gsize i = 0; ok && config->listen && config->listen[i]; i++) {
    int fd = open_socket(config->listen[i], error);
    ok = fd >= 0 && add_listener(api, fd, error);
  }
  for (gsize i = 0; i < config->n_fds; i++) {
    if (ok)
      ok = add_listener(api, config->fds[i], error);
    else
      close(config->fds[i]);
  }
  if (ok && api->listeners->len == 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, "no address to listen on was given");
    ok = FALSE;
  }
  return ok;
}

static void write_audit(FerryRequest *req) {
  ferry_audit_request(req->api, req);
}

static void count_request(const FerryRequest *req) {
  ferry_metrics_request(req->api->metrics, req);
}

static gboolean respond_error(FerryRequest *req, const GError *error) {
  if (!ferry_kimchi_owns(req->asked.path))
    return FALSE;
  ferry_kimchi_respond_error(req, error);
  return TRUE;
}

static void serve_certificate(FerryApi *api, gnutls_pcert_st **chain, unsigned *n,
                              gnutls_privkey_t *key) {
  ferry_pki_serve(api->pki, chain, n, key);
}

static const char *trusted_cas(FerryApi *api) {
  return ferry_pki_ca(api->pki);
}

static const FerryApiStages server_stages = {.certificate = serve_certificate,
                                             .trusted = trusted_cas,
                                             .identify = ferry_auth_identify,
                                             .act_as = ferry_impersonate,
                                             .route = ferry_route,
                                             .refused = ferry_audit_refused,
                                             .respond_error = respond_error,
                                             .decided = write_audit,
                                             .answered = count_request};

FerryApi *ferry_api_new(const FerryApiConfig *config, GError **error) {
  g_autoptr(FerryApi) api = g_new0(FerryApi, 1);
  api->stages = &server_stages;
  api->routes = ferry_routes(&api->n_routes);
  api->store = config->store;
  api->clock = config->clock ? config->clock : ferry_clock_system();
  api->hooks = config->hooks;
  api->bookmark_us = G_GINT64_CONSTANT(1000) *
                     (config->watch_bookmark_ms ? config->watch_bookmark_ms : BOOKMARK_MS);
  api->state_dir = g_strdup(config->state_dir);
  api->listeners = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_listener_free);
  api->texts = ferry_object_texts_new();
  api->admission = ferry_admission_new();
  api->looks = ferry_looks_new(api->store);
  api->node_accounts = ferry_node_accounts_new();
  g_rw_lock_init(&api->sessions);
  api->trust_limit = ferry_trust_limit_new(api->clock);
  api->join_tokens = ferry_join_tokens_open(api->state_dir, api->clock);
  api->front = ferry_front_new(api, config->limits, config->proxies, ferry_listener_hand, error);
  if (!api->front)
    return NULL;
  api->pki =
      ferry_pki_open(api->state_dir, config->tls_sans, ferry_clock_wall_ms(api->clock), error);
  if (!api->pki || !(api->token_file = ferry_token_file_open(api->state_dir, error)) ||
      !make_namespace(api, "default", error) || !make_namespace(api, "kubevirt", error) ||
      !ferry_api_make_presets(api, error) || !ferry_rbac_ship(api, error))
    return NULL;
  if (config->oidc && !(api->oidc = ferry_oidc_new(config->oidc, error)))
    return NULL;
  ferry_rbac_start(api);
  api->audit = ferry_audit_start(api->clock, config->audit_log,
                                 config->audit_log_max_bytes ? config->audit_log_max_bytes
                                                             : AUDIT_LOG_MAX_BYTES,
                                 config->audit_log_keep, error);
  if (!api->audit)
    return NULL;
  api->metrics = ferry_metrics_start(api->store, api->clock);
  api->streams = ferry_streams_start(api);
  if (!open_listeners(api, config, error))
    return NULL;
  api->url = own_url(api, config);
  api->names = ferry_origin_names(ferry_pki_server_cert(api->pki), api->url);
  if (!ferry_certificates_write_kubeconfig(api, error))
    return NULL;
  ferry_front_start(api->front);
  api->certificates = ferry_certificates_start(api);
  return g_steal_pointer(&api);
}

void ferry_api_free(FerryApi *api) {
  if (!api)
    return;
  g_atomic_int_set(&api->stopping, 1);
  if (api->front)
    ferry_front_stop(api->front);
  ferry_streams_stop(api->streams);
  while (g_atomic_int_get(&api->requests) > 0)
    g_usleep(1000);
  g_ptr_array_unref(api->listeners);
  ferry_certificates_stop(api->certificates);
  ferry_front_free(api->front);
  g_clear_pointer(&api->names, g_hash_table_unref);
  ferry_metrics_stop(api->metrics);
  ferry_rbac_stop(api);
  ferry_audit_stop(api->audit);
  ferry_object_texts_free(api->texts);
  ferry_streams_free(api->streams);
  ferry_oidc_free(api->oidc);
  ferry_token_file_free(api->token_file);
  ferry_join_tokens_free(api->join_tokens);
  ferry_trust_limit_free(api->trust_limit);
  ferry_pki_free(api->pki);
  ferry_admission_free(api->admission);
  ferry_looks_free(api->looks);
  ferry_node_accounts_free(api->node_accounts);
  g_rw_lock_clear(&api->sessions);
  g_free(api->state_dir);
  g_free(api->url);
  g_free(api);
}

guint16 ferry_api_port(const FerryApi *api, gsize i) {
  return i < api->listeners->len ? ferry_listener_port(g_ptr_array_index(api->listeners, i)) : 0;
}

char *ferry_api_token_new(FerryApi *api, const char *node, GError **error) {
  return ferry_join_token_new(api, node, ferry_node_trust_wanted(api, node), error);
}

const char *ferry_api_url(const FerryApi *api) {
  return api->url;
}
