// SPDX-License-Identifier: Apache-2.0
// Every agent looks for the same things, its own VMs' too: what is gathered once serves them all,
// and is sent only to whom has another list. A thousand agents that report every few seconds cost
// no more than one look at the Nodes a second.
#include "control/looks.h"
#include "base/random.h"
#include "model/domain/domain_needs.h"
#include "model/kinds/kind.h"
#include <string.h>

#define FRESH_US G_USEC_PER_SEC

static GMutex lock; /* guards what follows */
static FerryStore *gathered_of;
static gint64 gathered_us;
static json_t *gathered;
static char *gathered_hash;

static gint looks_compare(gconstpointer a, gconstpointer b, gpointer data) {
  return strcmp(a, b);
}

static gboolean looks_append(gpointer key, gpointer look, gpointer list) {
  json_array_append(list, look);
  return json_array_size(list) >= FERRY_LOOKS_MAX;
}

static json_t *looks_of_all(FerryStore *store) {
  GTree *found = g_tree_new_full(looks_compare, NULL, g_free, (GDestroyNotify)json_decref);
  g_autoptr(GPtrArray) nodes = ferry_store_list(store, &ferry_kind_node, NULL, NULL);
  json_t *list = json_array();
  for (guint i = 0; i < nodes->len; i++) {
    gsize k;
    json_t *look;
    json_array_foreach(ferry_json_get(nodes->pdata[i], "status.looks"), k, look) {
      char *key =
          g_strdup_printf("%s %s", ferry_json_str(look, "kind"), ferry_json_str(look, "name"));
      g_tree_insert(found, key, json_incref(look));
    }
  }
  g_tree_foreach(found, looks_append, list);
  g_tree_unref(found);
  return list;
}

/* With the lock. */
static void looks_gather(FerryStore *store) {
  gint64 now = g_get_monotonic_time();
  if (gathered && gathered_of == store && now - gathered_us < FRESH_US)
    return;
  json_decref(gathered);
  gathered = looks_of_all(store);
  gathered_of = store;
  gathered_us = now;
  g_autofree char *text = json_dumps(gathered, JSON_COMPACT | JSON_SORT_KEYS);
  g_free(gathered_hash);
  gathered_hash = ferry_sha256_hex(text, strlen(text));
}

void ferry_looks_answer(FerryStore *store, const char *have, json_t *answer) {
  g_mutex_lock(&lock);
  looks_gather(store);
  if (g_strcmp0(have, gathered_hash) != 0) {
    ferry_json_set(answer, "looks", json_deep_copy(gathered));
    ferry_json_set_str(answer, "looksHash", gathered_hash);
  }
  g_mutex_unlock(&lock);
}
