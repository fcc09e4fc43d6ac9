// SPDX-License-Identifier: Apache-2.0
// A server on a free port with a seeded store in memory, and requests to it through libcurl.
#pragma once
#include "api/server.h"
#include "seed.h"
#include "store/views.h"

#include <curl/curl.h>
#include <glib/gstdio.h>
#include <stdio.h>

typedef struct {
  FerryStore *store;
  FerryApi *api;
  char *dir;
  guint reports; /* how often the report hook ran */
} Server;

typedef struct {
  long status;
  json_t *json; /* the body, NULL where it is no JSON */
  char *body, *headers;
} Answer;

static inline void answer_free(Answer *a) {
  if (a->json)
    json_decref(a->json);
  g_free(a->body);
  g_free(a->headers);
  g_free(a);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Answer, answer_free)

static inline gboolean on_report(gpointer data, const char *node, const json_t *body,
                                 GError **error) {
  ((Server *)data)->reports++;
  return TRUE;
}

/* `data`: FerryHttpLimits, or NULL for the defaults. 127.0.0.9 speaks for others by the PROXY
 * protocol. */
static inline void server_up(Server *s, gconstpointer data) {
  ferry_views_verify_every(1); /* nobody may change in place what the store gave out */
  g_autoptr(GError) error = NULL;
  static const char *const proxies[] = {"127.0.0.9", NULL};
  static const char *const listen[] = {"127.0.0.1:0", NULL};
  s->dir = g_dir_make_tmp("ferry-api-XXXXXX", NULL);
  s->store = ferry_store_open(NULL, NULL, &error);
  g_assert_no_error(error);
  FerryApiConfig config = {.store = s->store,
                           .state_dir = s->dir,
                           .listen = listen,
                           .limits = data,
                           .proxies = proxies,
                           .hooks = {.report = on_report, .data = s}};
  s->api = ferry_api_new(&config, &error);
  g_assert_no_error(error);
  seed_all(s->store);
}

static inline void server_down(Server *s, gconstpointer data) {
  ferry_api_free(s->api);
  ferry_store_free(s->store);
  GDir *dir = g_dir_open(s->dir, 0, NULL);
  const char *name;
  while ((name = g_dir_read_name(dir))) {
    g_autofree char *path = g_build_filename(s->dir, name, NULL);
    g_remove(path);
  }
  g_dir_close(dir);
  g_rmdir(s->dir);
  g_free(s->dir);
}

/* Events of streams that have arrived, by their ids; atomic. */
static gint http_events_seen;

static inline size_t http_append(char *data, size_t size, size_t n, void *out) {
  static const char id[] = "\nid: ";
  g_string_append_len(out, data, (gssize)(size * n));
  if (memmem(data, size * n, id, sizeof id - 1))
    g_atomic_int_inc(&http_events_seen);
  return size * n;
}

/* Requests of one thread that share connections: a handshake costs twenty times what most requests
 * do. Tests of what holds for a connection, or with several threads, have one for each request. */
static CURL *http_kept;

static inline void http_keep_connections(void) {
  http_kept = curl_easy_init();
}

/* `who`: the stem of a certificate and key in the state directory ("admin", "h1"), NULL: nobody.
 * `headers`: lines separated by '\n', NULL: none. `body` NULL: none; `len` -1: to its NUL. */
static inline Answer *http_full(Server *s, const char *who, const char *method, const char *path,
                                const char *headers, const char *body, gssize len) {
  CURL *c = http_kept ? http_kept : curl_easy_init();
  curl_easy_reset(c);
  g_autofree char *url = g_strconcat(ferry_api_url(s->api), path, NULL);
  g_autofree char *ca = g_build_filename(s->dir, "ca.crt", NULL);
  g_autofree char *crt = g_strdup_printf("%s/%s.crt", s->dir, who ? who : "");
  g_autofree char *key = g_strdup_printf("%s/%s.key", s->dir, who ? who : "");
  g_autoptr(GString) out = g_string_new(NULL);
  g_autoptr(GString) head = g_string_new(NULL);
  curl_easy_setopt(c, CURLOPT_URL, url);
  curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(c, CURLOPT_CAINFO, ca);
  curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
  curl_easy_setopt(c, CURLOPT_TIMEOUT, 20L);
  curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, http_append);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, out);
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, http_append);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, head);
  if (who) {
    curl_easy_setopt(c, CURLOPT_SSLCERT, crt);
    curl_easy_setopt(c, CURLOPT_SSLKEY, key);
  }
  struct curl_slist *list = curl_slist_append(NULL, "Expect:");
  g_auto(GStrv) lines = g_strsplit(headers ? headers : "", "\n", -1);
  for (gsize i = 0; lines[i]; i++)
    if (*lines[i])
      list = curl_slist_append(list, lines[i]);
  if (body && (!headers || !strstr(headers, "Content-Type")))
    list = curl_slist_append(list, "Content-Type: application/json");
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
  if (body) {
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, len < 0 ? (long)strlen(body) : (long)len);
  }
  Answer *a = g_new0(Answer, 1);
  CURLcode rc = curl_easy_perform(c);
  if (rc != CURLE_OK)
    g_test_message("%s %s: %s", method, path, curl_easy_strerror(rc));
  else
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &a->status);
  a->json = json_loadb(out->str, out->len, JSON_DECODE_ANY, NULL);
  a->body = g_strdup(out->str);
  a->headers = g_strdup(head->str);
  curl_slist_free_all(list);
  if (!http_kept)
    curl_easy_cleanup(c);
  return a;
}

static inline Answer *http(Server *s, const char *method, const char *path, const char *body) {
  return http_full(s, "admin", method, path, NULL, body, body ? (gssize)strlen(body) : 0);
}

#define MERGE "Content-Type: application/merge-patch+json"
#define VMIM "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations"
#define VMI "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances"
#define MIGRATION(name, vm)                                                                        \
  "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachineInstanceMigration\","               \
  "\"metadata\":{\"name\":\"" name "\"},\"spec\":{\"vmiName\":\"" vm "\"}}"
#define expect(a, code)                                                                            \
  do {                                                                                             \
    if ((a)->status != (code))                                                                     \
      g_test_message("%s", (a)->body);                                                             \
    g_assert_cmpint((a)->status, ==, (code));                                                      \
  } while (0)
