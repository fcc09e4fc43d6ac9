// SPDX-License-Identifier: Apache-2.0
// A whole request behind the HTTP library: "ROLE METHOD PATH?QUERY", header lines, an empty line, a
// body. Routed, authorised, negotiated and carried out against a store in memory: paths, queries,
// Accept and Content-Type, every kind of patch, server-side apply, delete options, join and session
// bodies, reports, reviews, Kimchi's REST. Streams are left out: they belong to a connection.
#include "api/internal.h"
#include "control/inventory.h"
#include "fuzz.h"
#include <glib/gstdio.h>
#include <string.h>

#define OBJECTS 300

static FerryStore *store;
static FerryApi *api;

static gboolean on_report(gpointer data, const char *node, const json_t *body, GError **error) {
  return ferry_inventory_report(store, node, body, g_get_real_time() / 1000, error);
}

static void start(void) {
  static const char *const listen[] = {"127.0.0.1:0", NULL};
  static char *dir;
  dir = g_dir_make_tmp("ferry-fuzz-XXXXXX", NULL);
  store = ferry_store_open(NULL, NULL, NULL);
  FerryApiConfig config = {
      .store = store, .state_dir = dir, .listen = listen, .hooks = {.report = on_report}};
  api = ferry_api_new(&config, NULL);
  g_assert_nonnull(api);
}

static FerryUser *user_of(const char *role) {
  static const char *const admin[] = {"system:masters", "system:authenticated", NULL};
  static const char *const viewer[] = {"ferry:viewers", "system:authenticated", NULL};
  static const char *const node[] = {"system:nodes", "system:authenticated", NULL};
  static const char *const nobody[] = {"system:unauthenticated", NULL};
  if (g_str_equal(role, "admin"))
    return ferry_user_new("admin", admin);
  if (g_str_equal(role, "viewer"))
    return ferry_user_new("vera", viewer);
  if (g_str_equal(role, "h1"))
    return ferry_user_new("system:node:h1", node);
  return ferry_user_new("system:anonymous", nobody);
}

static void take_query(FerryRequest *req, const char *text) {
  g_auto(GStrv) pairs = g_strsplit(text, "&", FERRY_API_MAX_QUERY);
  for (gsize i = 0; pairs[i]; i++) {
    char *value = strchr(pairs[i], '=');
    if (value)
      *value++ = '\0';
    char *key = g_uri_unescape_string(pairs[i], NULL);
    char *plain = g_uri_unescape_string(value ? value : "", NULL);
    if (key && plain && !g_str_equal(key, "watch"))
      g_hash_table_insert(req->query, key, plain);
    else
      g_free(key), g_free(plain);
  }
}

static void take_header(FerryRequest *req, char *line) {
  char *value = strchr(line, ':');
  if (!value)
    return;
  *value++ = '\0';
  const struct {
    const char *name;
    char **slot;
  } slots[] = {{"Accept", &req->accept},
               {"Content-Type", &req->content_type},
               {"If-None-Match", &req->if_none_match},
               {"traceparent", &req->traceparent}};
  for (gsize i = 0; i < G_N_ELEMENTS(slots); i++)
    if (g_ascii_strcasecmp(line, slots[i].name) == 0 && !*slots[i].slot)
      *slots[i].slot = g_strdup(g_strstrip(value));
  if (g_ascii_strcasecmp(line, "Ferry-Agent-Epoch") == 0)
    req->epoch = ferry_node_epoch(api, "h1");
}

/* FALSE: the first line is none. */
static gboolean take_head(FerryRequest *req, char *head) {
  g_auto(GStrv) lines = g_strsplit(head, "\n", 12);
  g_auto(GStrv) words = g_strsplit(lines[0] ? lines[0] : "", " ", 3);
  if (g_strv_length(words) != 3 || !g_utf8_validate(words[2], -1, NULL))
    return FALSE;
  char *query = strchr(words[2], '?');
  if (query)
    *query++ = '\0';
  if (strstr(words[2], "stream"))
    return FALSE;
  req->user = user_of(words[0]);
  req->method = g_strdup(words[1]);
  req->path = g_strdup(words[2]);
  req->segments = g_strsplit(*words[2] == '/' ? words[2] + 1 : words[2], "/", 16);
  take_query(req, query ? query : "");
  for (gsize i = 1; lines[i]; i++)
    take_header(req, lines[i]);
  return TRUE;
}

static void request_clear(FerryRequest *req) {
  g_clear_pointer(&req->user, ferry_user_unref);
  g_free(req->method);
  g_free(req->path);
  g_strfreev(req->segments);
  g_hash_table_unref(req->query);
  g_free(req->accept);
  g_free(req->content_type);
  g_free(req->if_none_match);
  g_free(req->traceparent);
  g_free(req->error_name);
  json_decref(req->audit);
  g_byte_array_unref(req->body);
  g_free(req->out_type);
  g_clear_pointer(&req->out, g_bytes_unref);
  g_ptr_array_unref(req->headers);
  if (req->response)
    MHD_destroy_response(req->response);
}

/* What earlier inputs left behind goes, so that the store does not grow without end. */
static void sweep(void) {
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  for (gsize i = 0; i < n; i++) {
    g_autoptr(GPtrArray) all = ferry_store_list(store, kinds[i], NULL, NULL);
    for (guint j = OBJECTS; j < all->len; j++) {
      const char *ns = ferry_json_str(all->pdata[j], "metadata.namespace");
      FerryWrite write = {.op = FERRY_WRITE_DELETE,
                          .kind = kinds[i],
                          .ns = ns ? ns : "",
                          .name = ferry_json_str(all->pdata[j], "metadata.name")};
      ferry_store_commit(store, &write, 1, NULL, NULL);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static guint turn;
  if (!api)
    start();
  g_autofree char *text = g_strndup((const char *)data, size);
  char *body = strstr(text, "\n\n");
  gsize skip = body ? (gsize)(body + 2 - text) : strlen(text);
  if (body)
    *body = '\0';
  FerryRequest req = {.api = api, .epoch = -1, .body_limit = FERRY_JSON_MAX_BYTES};
  req.query = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  req.headers = g_ptr_array_new_with_free_func(g_free);
  req.body = g_byte_array_new();
  if (take_head(&req, text)) {
    if (skip < size)
      g_byte_array_append(req.body, data + skip, (guint)(size - skip));
    ferry_route(&req);
    g_assert_true(req.out || req.response);
    g_assert_cmpuint(req.status, !=, 500);
  }
  request_clear(&req);
  if (++turn % 1000 == 0)
    sweep();
  return 0;
}
