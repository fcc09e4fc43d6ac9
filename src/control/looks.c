// SPDX-License-Identifier: Apache-2.0
// Every agent looks for the same things, its own VMs' too: what is gathered once serves them all,
// and is sent only to those whose list differs. A thousand agents that report every few seconds
// cost no more than one look at the Nodes a second.
#include "control/looks.h"
#include "base/random.h"
#include "model/domain/domain_needs.h"
#include "model/kinds/kind.h"
#include <string.h>

#define FRESH_MS 1000
#define NAME_MAX_BYTES 512
#define MAX_BYTES (32 * 1024) /* of all names: each agent has them, and answers with as much */

struct FerryLooks {
  FerryStore *store;
  GMutex lock; /* guards what follows */
  gint64 gathered_ms;
  json_t *gathered; /* NULL: nothing yet */
  char *hash;
};

FerryLooks *ferry_looks_new(FerryStore *store) {
  FerryLooks *looks = g_new0(FerryLooks, 1);
  looks->store = store;
  g_mutex_init(&looks->lock);
  return looks;
}

void ferry_looks_free(FerryLooks *looks) {
  if (!looks)
    return;
  json_decref(looks->gathered);
  g_free(looks->hash);
  g_mutex_clear(&looks->lock);
  g_free(looks);
}

/* A host's key is worth its host: what it has others look for is of a kind that takes a look, and
 * short. Which paths nobody looks at is each agent's own to say (host/machine/looks.h). */
static gboolean may_be_asked(const json_t *look) {
  const char *name = ferry_json_str(look, "name");
  FerryNeed need = ferry_need_of_word(ferry_json_str(look, "kind"));
  if (need == FERRY_NEEDS || !ferry_need_takes_look(need) || !name || strlen(name) > NAME_MAX_BYTES)
    return FALSE;
  for (const char *c = name; *c; c++)
    if (g_ascii_iscntrl(*c))
      return FALSE;
  return TRUE;
}

/* Adds one; its bytes, 0: it was there already. */
static gsize looks_add(GTree *found, json_t *look) {
  const char *kind = ferry_json_str(look, "kind"), *name = ferry_json_str(look, "name");
  g_autofree char *key = g_strdup_printf("%s %s", kind, name);
  if (g_tree_lookup(found, key))
    return 0;
  gsize bytes = strlen(key);
  g_tree_insert(found, g_steal_pointer(&key), json_pack("{ss,ss}", "kind", kind, "name", name));
  return bytes;
}

static json_t *looks_of_all(FerryStore *store) {
  GTree *found = ferry_looks_tree_new();
  g_autoptr(GPtrArray) nodes = ferry_store_list(store, &ferry_kind_node, NULL, NULL);
  gsize bytes = 0;
  gboolean more = TRUE;
  /* one of each host after the other, so that no host has the others' left out */
  for (gsize turn = 0; more && turn < FERRY_LOOKS_MAX; turn++) {
    more = FALSE;
    for (guint i = 0; i < nodes->len; i++) {
      json_t *look = json_array_get(ferry_json_get(nodes->pdata[i], "status.looks"), turn);
      more |= look != NULL;
      if (look && may_be_asked(look) && (gsize)g_tree_nnodes(found) < FERRY_LOOKS_MAX &&
          bytes < MAX_BYTES)
        bytes += looks_add(found, look);
    }
  }
  json_t *list = ferry_looks_tree_list(found, FERRY_LOOKS_MAX);
  g_tree_unref(found);
  return list;
}

/* With the lock. A clock that is set back is no reason to wait. */
static void looks_gather(FerryLooks *looks, gint64 now_ms) {
  gint64 age = now_ms - looks->gathered_ms;
  if (looks->gathered && age >= 0 && age < FRESH_MS)
    return;
  json_decref(looks->gathered);
  looks->gathered = looks_of_all(looks->store);
  looks->gathered_ms = now_ms;
  g_autofree char *text = json_dumps(looks->gathered, JSON_COMPACT | JSON_SORT_KEYS);
  g_free(looks->hash);
  looks->hash = ferry_sha256_hex(text, strlen(text));
}

void ferry_looks_answer(FerryLooks *looks, gint64 now_ms, const char *have, json_t *answer) {
  g_mutex_lock(&looks->lock);
  looks_gather(looks, now_ms);
  if (g_strcmp0(have, looks->hash) != 0) {
    ferry_json_set(answer, "looks", json_deep_copy(looks->gathered));
    ferry_json_set_str(answer, "looksHash", looks->hash);
  }
  g_mutex_unlock(&looks->lock);
}
