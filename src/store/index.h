// SPDX-License-Identifier: Apache-2.0
// All objects in memory: by kind, namespace and name in order, and by what else is asked for
// (FerryIndexBy). No locks of its own: the store holds its state lock for writing in put and
// remove, for reading (or is the only writer) in the rest. Internal to src/store.
#pragma once
#include "store/keys.h"
#include "store/stored.h"

G_BEGIN_DECLS

typedef struct FerryIndex FerryIndex;
typedef struct FerryBucket FerryBucket;
typedef struct FerryIndexLink FerryIndexLink;

/** One object's place. Strings and the object are owned by the entry. */
typedef struct FerryEntry FerryEntry;
struct FerryEntry {
  FerryBucket *bucket;
  const char *group;  /* of the bucket */
  const char *plural; /* of the bucket */
  const char *ns;     /* of the bucket */
  char *name;
  FerryStored *stored;
  FerryIndexLink *links; /* its places in the chains of what it is found by */
  guint n_links;
};

/** Empty. */
FerryIndex *ferry_index_new(void);
void ferry_index_free(FerryIndex *index);
/** The entry, borrowed, or NULL. */
FerryEntry *ferry_index_find(const FerryIndex *index, const char *group, const char *plural,
                             const char *ns, const char *name);
/** The object with that uid (the newest, of several), borrowed, or NULL. */
FerryStored *ferry_index_find_uid(const FerryIndex *index, const char *group, const char *plural,
                                  const char *uid);
/** The only object of the namespace with that spec.domainName, borrowed; NULL: none, or several. */
FerryStored *ferry_index_find_domain(const FerryIndex *index, const char *group, const char *plural,
                                     const char *ns, const char *domain);
/** Adds or replaces an object, taking a new reference to it; the reference to the one that was
 * there before goes. `view` is the same object. Returns the entry. */
FerryEntry *ferry_index_put(FerryIndex *index, const char *group, const char *plural,
                            const char *ns, const char *name, FerryStored *stored,
                            const json_t *view);
/** Removes and frees an entry. */
void ferry_index_remove(FerryIndex *index, FerryEntry *entry);
/** New references to all objects (of namespace `ns` where not NULL) by namespace and name; the
 * array releases them. */
GPtrArray *ferry_index_list(const FerryIndex *index, const char *group, const char *plural,
                            const char *ns);
/** The same for those that are found by a key. What it costs grows with what it finds. */
GPtrArray *ferry_index_select(const FerryIndex *index, const char *group, const char *plural,
                              FerryIndexBy by, const char *key);
/** The words that more than `n` objects have. Free with g_strfreev. */
char **ferry_index_crowded(const FerryIndex *index, const char *group, const char *plural,
                           FerryIndexBy by, gsize n);
/** How many ferry_index_select finds. */
gsize ferry_index_select_count(const FerryIndex *index, const char *group, const char *plural,
                               FerryIndexBy by, const char *key);
/** The entry that follows (`after_ns`, `after_name`; NULL: the first, of namespace `ns` where not
 * NULL), or NULL; and the one after an entry. Borrowed. */
GTreeNode *ferry_index_walk(const FerryIndex *index, const char *group, const char *plural,
                            const char *ns, const char *after_ns, const char *after_name);
/** The same as ferry_index_list for at most `max` objects that follow. */
GPtrArray *ferry_index_page(const FerryIndex *index, const char *group, const char *plural,
                            const char *ns, const char *after_ns, const char *after_name,
                            guint max);
/** Number of objects of a kind, of a namespace where `ns` is not NULL. */
gsize ferry_index_count(const FerryIndex *index, const char *group, const char *plural,
                        const char *ns);
/** Number of objects of all kinds. */
gsize ferry_index_size(const FerryIndex *index);

G_END_DECLS
