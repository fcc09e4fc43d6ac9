// SPDX-License-Identifier: Apache-2.0
// A whole request behind the HTTP library: "ROLE METHOD PATH?QUERY", header lines, an empty line, a
// body. Routed, authorised, negotiated and carried out against a store in memory: paths, queries,
// Accept and Content-Type, every kind of patch, server-side apply, delete options, join and session
// bodies, reports, reviews, Kimchi's REST. Streams are left out: they belong to a connection.
#include "api_request.h"
#include "api/auth/node_join.h"
#include "fuzz.h"
#include <string.h>

#define OBJECTS 300

static void take_query(FerryRequest *req, const char *text) {
  g_auto(GStrv) pairs = g_strsplit(text, "&", FERRY_API_MAX_QUERY);
  for (gsize i = 0; pairs[i]; i++) {
    char *value = strchr(pairs[i], '=');
    if (value)
      *value++ = '\0';
    char *key = g_uri_unescape_string(pairs[i], NULL);
    char *plain = g_uri_unescape_string(value ? value : "", NULL);
    if (key && plain && !g_str_equal(key, "watch"))
      g_hash_table_insert(req->asked.query, key, plain);
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
  } slots[] = {{"Accept", &req->asked.accept},
               {"Content-Type", &req->asked.content_type},
               {"If-None-Match", &req->asked.if_none_match},
               {"traceparent", &req->asked.traceparent}};
  for (gsize i = 0; i < G_N_ELEMENTS(slots); i++)
    if (g_ascii_strcasecmp(line, slots[i].name) == 0 && !*slots[i].slot)
      *slots[i].slot = g_strdup(g_strstrip(value));
  if (g_ascii_strcasecmp(line, "Ferry-Agent-Epoch") == 0)
    req->asked.epoch = ferry_node_epoch(req->api, "h1");
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
  fuzz_request_address(req, words[0], words[1], words[2]);
  take_query(req, query ? query : "");
  for (gsize i = 1; lines[i]; i++)
    take_header(req, lines[i]);
  return TRUE;
}

/* What earlier inputs left behind goes, so that the store does not grow without end. */
static void sweep(void) {
  FerryStore *store = fuzz_api()->store;
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
  g_autofree char *text = g_strndup((const char *)data, size);
  char *body = strstr(text, "\n\n");
  gsize skip = body ? (gsize)(body + 2 - text) : strlen(text);
  if (body)
    *body = '\0';
  g_auto(FerryRequest) req;
  fuzz_request_init(&req);
  if (take_head(&req, text)) {
    if (skip < size)
      g_byte_array_append(req.asked.body, data + skip, (guint)(size - skip));
    fuzz_request_serve(&req);
    g_assert_cmpuint(req.answer.status, !=, 500);
  }
  if (++turn % 1000 == 0)
    sweep();
  return 0;
}
