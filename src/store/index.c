// SPDX-License-Identifier: Apache-2.0
// One bucket a kind, known by group and plural (not by the FerryKind's address: rows that came from
// the database have only these words, and objects of a kind this version does not know must stay).
// A bucket has a balanced tree ordered by (namespace, name), so a list is a walk that only takes
// references, and a namespace is a range of it; and a table by uid. Two objects of a kind may share
// a uid (nothing here forbids it): they are chained, the newest first.
#include "store/index.h"

#include <string.h>

struct FerryBucket {
  char *group, *plural;
  GTree *tree;           /* FerryEntry -> itself */
  GHashTable *by_uid;    /* uid (of the first entry of the chain) -> FerryEntry */
  GHashTable *by_domain; /* FerryEntry.domain -> set of FerryEntry */
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
  json_decref(entry->object);
  g_free(entry->ns);
  g_free(entry->name);
  g_free(entry->uid);
  g_free(entry->domain);
  g_free(entry);
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
  g_hash_table_unref(bucket->by_uid);
  g_hash_table_unref(bucket->by_domain);
  g_tree_unref(bucket->tree);
  g_free(bucket->group);
  g_free(bucket->plural);
  g_free(bucket);
}

static FerryBucket *bucket_find(const FerryIndex *index, const char *group, const char *plural) {
  FerryBucket probe = {.group = (char *)group, .plural = (char *)plural};
  return g_hash_table_lookup(index->buckets, &probe);
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
  FerryEntry probe = {.ns = (char *)ns, .name = (char *)name};
  return g_tree_lookup(bucket->tree, &probe);
}

FerryEntry *ferry_index_find(const FerryIndex *index, const char *group, const char *plural,
                             const char *ns, const char *name) {
  FerryBucket *bucket = bucket_find(index, group, plural);
  return bucket == NULL ? NULL : tree_find(bucket, ns, name);
}

json_t *ferry_index_find_uid(const FerryIndex *index, const char *group, const char *plural,
                             const char *uid) {
  FerryBucket *bucket = bucket_find(index, group, plural);
  FerryEntry *entry = bucket == NULL ? NULL : g_hash_table_lookup(bucket->by_uid, uid);
  return entry == NULL ? NULL : entry->object;
}

static void uid_link(FerryBucket *bucket, FerryEntry *entry) {
  if (entry->uid == NULL)
    return;
  entry->uid_next = g_hash_table_lookup(bucket->by_uid, entry->uid);
  /* replace, not insert: the key must be the string of the entry that is now first */
  g_hash_table_replace(bucket->by_uid, entry->uid, entry);
}

static void uid_unlink(FerryBucket *bucket, FerryEntry *entry) {
  if (entry->uid == NULL)
    return;
  FerryEntry *first = g_hash_table_lookup(bucket->by_uid, entry->uid);
  if (first == entry) {
    if (entry->uid_next != NULL)
      g_hash_table_replace(bucket->by_uid, entry->uid_next->uid, entry->uid_next);
    else
      g_hash_table_remove(bucket->by_uid, entry->uid);
  } else {
    while (first != NULL && first->uid_next != entry)
      first = first->uid_next;
    if (first != NULL)
      first->uid_next = entry->uid_next;
  }
  entry->uid_next = NULL;
}

json_t *ferry_index_find_domain(const FerryIndex *index, const char *group, const char *plural,
                                const char *ns, const char *domain) {
  FerryBucket *bucket = bucket_find(index, group, plural);
  g_autofree char *key = g_strconcat(ns, "/", domain, NULL);
  GHashTable *all = bucket == NULL ? NULL : g_hash_table_lookup(bucket->by_domain, key);
  GHashTableIter iter;
  gpointer entry;
  if (all == NULL || g_hash_table_size(all) != 1)
    return NULL;
  g_hash_table_iter_init(&iter, all);
  return g_hash_table_iter_next(&iter, &entry, NULL) ? ((FerryEntry *)entry)->object : NULL;
}

static void domain_unlink(FerryBucket *bucket, FerryEntry *entry) {
  GHashTable *all =
      entry->domain == NULL ? NULL : g_hash_table_lookup(bucket->by_domain, entry->domain);
  if (all == NULL)
    return;
  g_hash_table_remove(all, entry);
  if (g_hash_table_size(all) == 0)
    g_hash_table_remove(bucket->by_domain, entry->domain);
}

static void domain_link(FerryBucket *bucket, FerryEntry *entry) {
  if (entry->domain == NULL)
    return;
  GHashTable *all = g_hash_table_lookup(bucket->by_domain, entry->domain);
  if (all == NULL) {
    all = g_hash_table_new(NULL, NULL);
    g_hash_table_insert(bucket->by_domain, g_strdup(entry->domain), all);
  }
  g_hash_table_add(all, entry);
}

static void settle_domain(FerryBucket *bucket, FerryEntry *entry) {
  const char *name =
      json_string_value(json_object_get(json_object_get(entry->object, "spec"), "domainName"));
  g_autofree char *domain = name == NULL ? NULL : g_strconcat(entry->ns, "/", name, NULL);
  if (g_strcmp0(domain, entry->domain) == 0)
    return;
  domain_unlink(bucket, entry);
  g_free(entry->domain);
  entry->domain = g_steal_pointer(&domain);
  domain_link(bucket, entry);
}

FerryEntry *ferry_index_put(FerryIndex *index, const char *group, const char *plural,
                            const char *ns, const char *name, json_t *object, gint64 revision) {
  FerryBucket *bucket = bucket_find(index, group, plural);
  if (bucket == NULL) {
    bucket = g_new0(FerryBucket, 1);
    bucket->group = g_strdup(group);
    bucket->plural = g_strdup(plural);
    bucket->tree = g_tree_new_full(entry_compare, NULL, NULL, entry_free);
    bucket->by_uid = g_hash_table_new(g_str_hash, g_str_equal);
    bucket->by_domain =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_hash_table_unref);
    g_hash_table_add(index->buckets, bucket);
  }
  FerryEntry *entry = tree_find(bucket, ns, name);
  if (entry == NULL) {
    entry = g_new0(FerryEntry, 1);
    entry->bucket = bucket;
    entry->group = bucket->group;
    entry->plural = bucket->plural;
    entry->ns = g_strdup(ns);
    entry->name = g_strdup(name);
    g_tree_insert(bucket->tree, entry, entry);
    index->size++;
  }
  json_t *before = entry->object;
  entry->object = json_incref(object);
  entry->revision = revision;
  json_decref(before);
  const char *uid = json_string_value(json_object_get(json_object_get(object, "metadata"), "uid"));
  if (uid != NULL && *uid == '\0')
    uid = NULL;
  if (g_strcmp0(uid, entry->uid) != 0) {
    uid_unlink(bucket, entry);
    g_free(entry->uid);
    entry->uid = g_strdup(uid);
    uid_link(bucket, entry);
  }
  settle_domain(bucket, entry);
  return entry;
}

void ferry_index_remove(FerryIndex *index, FerryEntry *entry) {
  uid_unlink(entry->bucket, entry);
  domain_unlink(entry->bucket, entry);
  g_tree_remove(entry->bucket->tree, entry);
  index->size--;
}

GPtrArray *ferry_index_list(const FerryIndex *index, const char *group, const char *plural,
                            const char *ns) {
  FerryBucket *bucket = bucket_find(index, group, plural);
  if (bucket == NULL)
    return g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  guint room = ns == NULL ? (guint)g_tree_nnodes(bucket->tree) : 16;
  GPtrArray *list = g_ptr_array_new_full(room, (GDestroyNotify)json_decref);
  FerryEntry probe = {.ns = (char *)ns, .name = (char *)""};
  GTreeNode *node =
      ns == NULL ? g_tree_node_first(bucket->tree) : g_tree_lower_bound(bucket->tree, &probe);
  for (; node != NULL; node = g_tree_node_next(node)) {
    FerryEntry *entry = g_tree_node_value(node);
    if (ns != NULL && strcmp(entry->ns, ns) != 0)
      break;
    g_ptr_array_add(list, json_incref(entry->object));
  }
  return list;
}

GPtrArray *ferry_index_page(const FerryIndex *index, const char *group, const char *plural,
                            const char *ns, const char *after_ns, const char *after_name,
                            guint max) {
  GPtrArray *page = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  FerryBucket *bucket = bucket_find(index, group, plural);
  if (bucket == NULL)
    return page;
  FerryEntry after = {.ns = (char *)after_ns, .name = (char *)after_name};
  FerryEntry begin = {.ns = (char *)ns, .name = (char *)""};
  GTreeNode *node = after_name != NULL ? g_tree_upper_bound(bucket->tree, &after)
                    : ns != NULL       ? g_tree_lower_bound(bucket->tree, &begin)
                                       : g_tree_node_first(bucket->tree);
  for (; node != NULL && page->len < max; node = g_tree_node_next(node)) {
    FerryEntry *entry = g_tree_node_value(node);
    if (ns != NULL && strcmp(entry->ns, ns) != 0)
      break;
    g_ptr_array_add(page, json_incref(entry->object));
  }
  return page;
}

gsize ferry_index_count(const FerryIndex *index, const char *group, const char *plural) {
  FerryBucket *bucket = bucket_find(index, group, plural);
  return bucket == NULL ? 0 : (gsize)g_tree_nnodes(bucket->tree);
}

gsize ferry_index_size(const FerryIndex *index) {
  return index->size;
}
