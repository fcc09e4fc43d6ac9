// SPDX-License-Identifier: Apache-2.0
// One bucket a kind, known by group and plural (not by the FerryKind's address: rows that came from
// the database have only these words, and objects of a kind this version does not know must stay).
// A bucket has a balanced tree ordered by (namespace, name), so a list is a walk that only takes
// references, and a namespace is a range of it. What else objects are found by (keys.c) are words:
// all entries with the same word hang in one chain, the newest first, which has the word once. An
// entry's links are one block, made anew only where its words change.
#include "store/index.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  FerryIndexBy by;
  guint n;          /* links */
  const char *word; /* what is looked for; `owned` in a chain */
  FerryIndexLink *first;
  char owned[];
} Chain;

struct FerryIndexLink {
  FerryEntry *entry;
  Chain *chain;
  FerryIndexLink *before, *after;
};

typedef struct {
  gsize n; /* entries, which point to the string */
  char ns[];
} Space;

struct FerryBucket {
  char *group, *plural;
  GTree *tree;        /* FerryEntry -> itself */
  GHashTable *spaces; /* Space.ns -> Space */
  GHashTable *chains; /* Chain -> itself */
};

struct FerryIndex {
  GHashTable *buckets; /* FerryBucket -> itself */
  gsize size;
};

static gint entry_compare(gconstpointer a, gconstpointer b, gpointer data) {
  const FerryEntry *x = a, *y = b;
  int order = strcmp(x->ns, y->ns);
  return order != 0 ? order : strcmp(x->name, y->name);
}

static void entry_free(gpointer data) {
  FerryEntry *entry = data;
  ferry_stored_unref(entry->stored);
  g_free(entry->links);
  g_free(entry->name);
  g_free(entry);
}

static guint chain_hash(gconstpointer key) {
  const Chain *chain = key;
  return g_str_hash(chain->word) * 31 + chain->by;
}

static gboolean chain_equal(gconstpointer a, gconstpointer b) {
  const Chain *x = a, *y = b;
  return x->by == y->by && strcmp(x->word, y->word) == 0;
}

static guint bucket_hash(gconstpointer key) {
  const FerryBucket *bucket = key;
  return g_str_hash(bucket->plural) * 31 + g_str_hash(bucket->group);
}

static gboolean bucket_equal(gconstpointer a, gconstpointer b) {
  const FerryBucket *x = a, *y = b;
  return strcmp(x->plural, y->plural) == 0 && strcmp(x->group, y->group) == 0;
}

static void bucket_free(gpointer data) {
  FerryBucket *bucket = data;
  g_hash_table_unref(bucket->chains);
  g_tree_unref(bucket->tree);
  g_hash_table_unref(bucket->spaces);
  g_free(bucket->group);
  g_free(bucket->plural);
  g_free(bucket);
}

static FerryBucket *bucket_find(const FerryIndex *index, const char *group, const char *plural) {
  FerryBucket probe = {.group = (char *)group, .plural = (char *)plural};
  return g_hash_table_lookup(index->buckets, &probe);
}

static FerryBucket *bucket_make(FerryIndex *index, const char *group, const char *plural) {
  FerryBucket *bucket = g_new0(FerryBucket, 1);
  bucket->group = g_strdup(group);
  bucket->plural = g_strdup(plural);
  bucket->tree = g_tree_new_full(entry_compare, NULL, NULL, entry_free);
  bucket->spaces = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
  bucket->chains = g_hash_table_new_full(chain_hash, chain_equal, g_free, NULL);
  g_hash_table_add(index->buckets, bucket);
  return bucket;
}

FerryIndex *ferry_index_new(void) {
  FerryIndex *index = g_new0(FerryIndex, 1);
  index->buckets = g_hash_table_new_full(bucket_hash, bucket_equal, NULL, bucket_free);
  return index;
}

void ferry_index_free(FerryIndex *index) {
  if (index == NULL)
    return;
  g_hash_table_unref(index->buckets);
  g_free(index);
}

static FerryEntry *tree_find(const FerryBucket *bucket, const char *ns, const char *name) {
  FerryEntry probe = {.ns = ns, .name = (char *)name};
  return g_tree_lookup(bucket->tree, &probe);
}

FerryEntry *ferry_index_find(const FerryIndex *index, const char *group, const char *plural,
                             const char *ns, const char *name) {
  FerryBucket *bucket = bucket_find(index, group, plural);
  return bucket == NULL ? NULL : tree_find(bucket, ns, name);
}

/* ---- words ---- */

static Chain *chain_find(const FerryBucket *bucket, FerryIndexBy by, const char *word) {
  Chain probe = {.by = by, .word = word};
  return bucket == NULL ? NULL : g_hash_table_lookup(bucket->chains, &probe);
}

static Chain *chain_make(FerryBucket *bucket, FerryIndexBy by, const char *word) {
  gsize size = strlen(word) + 1;
  Chain *chain = g_malloc0(sizeof *chain + size);
  memcpy(chain->owned, word, size);
  chain->by = by;
  chain->word = chain->owned;
  g_hash_table_add(bucket->chains, chain);
  return chain;
}

static void link_in(FerryEntry *entry, FerryIndexLink *link, Chain *chain) {
  *link = (FerryIndexLink){.entry = entry, .chain = chain, .after = chain->first};
  if (chain->first != NULL)
    chain->first->before = link;
  chain->first = link;
  chain->n++;
}

static void unlink_all(FerryEntry *entry) {
  for (guint i = 0; i < entry->n_links; i++) {
    FerryIndexLink *link = &entry->links[i];
    Chain *chain = link->chain;
    *(link->before != NULL ? &link->before->after : &chain->first) = link->after;
    if (link->after != NULL)
      link->after->before = link->before;
    if (--chain->n == 0)
      g_hash_table_remove(entry->bucket->chains, chain);
  }
  entry->n_links = 0;
}

/* The words of an object, each once. */
typedef struct {
  FerryBucket *bucket;
  GPtrArray *chains;
} Words;

static void words_add(FerryIndexBy by, const char *word, gpointer data) {
  Words *words = data;
  Chain *chain = chain_find(words->bucket, by, word);
  if (chain == NULL)
    chain = chain_make(words->bucket, by, word);
  if (!g_ptr_array_find(words->chains, chain, NULL))
    g_ptr_array_add(words->chains, chain);
}

static void settle_words(FerryEntry *entry, const json_t *view) {
  FerryBucket *bucket = entry->bucket;
  g_autoptr(GPtrArray) chains = g_ptr_array_sized_new(8);
  Words words = {bucket, chains};
  ferry_keys_each(bucket->group, bucket->plural, view, words_add, &words);
  gboolean same = chains->len == entry->n_links;
  for (guint i = 0; same && i < chains->len; i++)
    same = entry->links[i].chain == g_ptr_array_index(chains, i);
  if (same)
    return;
  FerryIndexLink *links = g_new(FerryIndexLink, chains->len);
  for (guint i = 0; i < chains->len; i++)
    link_in(entry, &links[i], g_ptr_array_index(chains, i));
  unlink_all(entry);
  g_free(entry->links);
  entry->links = links;
  entry->n_links = chains->len;
}

FerryStored *ferry_index_find_uid(const FerryIndex *index, const char *group, const char *plural,
                                  const char *uid) {
  Chain *chain = chain_find(bucket_find(index, group, plural), FERRY_BY_UID, uid);
  return chain == NULL ? NULL : chain->first->entry->stored;
}

FerryStored *ferry_index_find_domain(const FerryIndex *index, const char *group, const char *plural,
                                     const char *ns, const char *domain) {
  Chain *chain = chain_find(bucket_find(index, group, plural), FERRY_BY_DOMAIN, domain);
  FerryStored *found = NULL;
  for (FerryIndexLink *link = chain == NULL ? NULL : chain->first; link != NULL;
       link = link->after) {
    if (strcmp(link->entry->ns, ns) != 0)
      continue;
    if (found != NULL)
      return NULL;
    found = link->entry->stored;
  }
  return found;
}

static int by_word(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static gint by_name(gconstpointer a, gconstpointer b) {
  return entry_compare(*(gconstpointer const *)a, *(gconstpointer const *)b, NULL);
}

GPtrArray *ferry_index_select(const FerryIndex *index, const char *group, const char *plural,
                              FerryIndexBy by, const char *key) {
  GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify)ferry_stored_unref);
  g_autoptr(GPtrArray) entries = g_ptr_array_new();
  Chain *chain = chain_find(bucket_find(index, group, plural), by, key);
  for (FerryIndexLink *link = chain == NULL ? NULL : chain->first; link != NULL; link = link->after)
    g_ptr_array_add(entries, link->entry);
  g_ptr_array_sort(entries, by_name);
  for (guint i = 0; i < entries->len; i++)
    g_ptr_array_add(found, ferry_stored_ref(((FerryEntry *)entries->pdata[i])->stored));
  return found;
}

char **ferry_index_crowded(const FerryIndex *index, const char *group, const char *plural,
                           FerryIndexBy by, gsize n) {
  g_autoptr(GStrvBuilder) words = g_strv_builder_new();
  FerryBucket *bucket = bucket_find(index, group, plural);
  GHashTableIter iter;
  gpointer key;
  if (bucket == NULL)
    return g_strv_builder_end(words);
  g_hash_table_iter_init(&iter, bucket->chains);
  while (g_hash_table_iter_next(&iter, &key, NULL)) {
    const Chain *chain = key;
    if (chain->by == by && chain->n > n)
      g_strv_builder_add(words, chain->word);
  }
  char **found = g_strv_builder_end(words);
  qsort(found, g_strv_length(found), sizeof *found, by_word);
  return found;
}

gsize ferry_index_select_count(const FerryIndex *index, const char *group, const char *plural,
                               FerryIndexBy by, const char *key) {
  Chain *chain = chain_find(bucket_find(index, group, plural), by, key);
  return chain == NULL ? 0 : chain->n;
}

/* ---- entries ---- */

/* The namespace's own string, which entries point to. */
static const char *space_enter(FerryBucket *bucket, const char *ns) {
  Space *space = g_hash_table_lookup(bucket->spaces, ns);
  if (space == NULL) {
    gsize size = strlen(ns) + 1;
    space = g_malloc0(sizeof *space + size);
    memcpy(space->ns, ns, size);
    g_hash_table_insert(bucket->spaces, space->ns, space);
  }
  space->n++;
  return space->ns;
}

static void space_leave(FerryBucket *bucket, const char *ns) {
  Space *space = g_hash_table_lookup(bucket->spaces, ns);
  if (--space->n == 0)
    g_hash_table_remove(bucket->spaces, ns);
}

FerryEntry *ferry_index_put(FerryIndex *index, const char *group, const char *plural,
                            const char *ns, const char *name, FerryStored *stored,
                            const json_t *view) {
  FerryBucket *bucket = bucket_find(index, group, plural);
  if (bucket == NULL)
    bucket = bucket_make(index, group, plural);
  FerryEntry *entry = tree_find(bucket, ns, name);
  if (entry == NULL) {
    entry = g_new0(FerryEntry, 1);
    entry->bucket = bucket;
    entry->group = bucket->group;
    entry->plural = bucket->plural;
    entry->ns = space_enter(bucket, ns);
    entry->name = g_strdup(name);
    g_tree_insert(bucket->tree, entry, entry);
    index->size++;
  }
  FerryStored *before = entry->stored;
  entry->stored = ferry_stored_ref(stored);
  ferry_stored_unref(before);
  settle_words(entry, view);
  return entry;
}

void ferry_index_remove(FerryIndex *index, FerryEntry *entry) {
  FerryBucket *bucket = entry->bucket;
  const char *ns = entry->ns;
  unlink_all(entry);
  g_tree_remove(bucket->tree, entry);
  space_leave(bucket, ns);
  index->size--;
}

/* ---- in order ---- */

GTreeNode *ferry_index_walk(const FerryIndex *index, const char *group, const char *plural,
                            const char *ns, const char *after_ns, const char *after_name) {
  FerryBucket *bucket = bucket_find(index, group, plural);
  if (bucket == NULL)
    return NULL;
  FerryEntry after = {.ns = after_ns, .name = (char *)after_name};
  FerryEntry begin = {.ns = ns, .name = (char *)""};
  return after_name != NULL ? g_tree_upper_bound(bucket->tree, &after)
         : ns != NULL       ? g_tree_lower_bound(bucket->tree, &begin)
                            : g_tree_node_first(bucket->tree);
}

GPtrArray *ferry_index_page(const FerryIndex *index, const char *group, const char *plural,
                            const char *ns, const char *after_ns, const char *after_name,
                            guint max) {
  GPtrArray *page =
      g_ptr_array_new_full((guint)MIN(max, ferry_index_count(index, group, plural, ns)),
                           (GDestroyNotify)ferry_stored_unref);
  GTreeNode *node = ferry_index_walk(index, group, plural, ns, after_ns, after_name);
  for (; node != NULL && page->len < max; node = g_tree_node_next(node)) {
    FerryEntry *entry = g_tree_node_value(node);
    if (ns != NULL && strcmp(entry->ns, ns) != 0)
      break;
    g_ptr_array_add(page, ferry_stored_ref(entry->stored));
  }
  return page;
}

GPtrArray *ferry_index_list(const FerryIndex *index, const char *group, const char *plural,
                            const char *ns) {
  return ferry_index_page(index, group, plural, ns, NULL, NULL, G_MAXUINT);
}

gsize ferry_index_count(const FerryIndex *index, const char *group, const char *plural,
                        const char *ns) {
  FerryBucket *bucket = bucket_find(index, group, plural);
  if (bucket == NULL)
    return 0;
  if (ns == NULL)
    return (gsize)g_tree_nnodes(bucket->tree);
  const Space *space = g_hash_table_lookup(bucket->spaces, ns);
  return space == NULL ? 0 : space->n;
}

gsize ferry_index_size(const FerryIndex *index) {
  return index->size;
}
