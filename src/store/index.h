// SPDX-License-Identifier: Apache-2.0
// All objects in memory, by kind, namespace and name in order, by uid, and VMs by the names of
// their domains. No locks of its own: the store holds its state lock for writing in put and remove,
// for reading (or is the only writer) in the rest. Internal to src/store.
#pragma once
#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

typedef struct FerryIndex FerryIndex;
typedef struct FerryBucket FerryBucket;

/** One object's place. Strings and the object are owned by the entry. */
typedef struct FerryEntry FerryEntry;
struct FerryEntry {
  FerryBucket *bucket;
  const char *group;  /* of the bucket */
  const char *plural; /* of the bucket */
  char *ns, *name;
  char *uid;    /* metadata.uid, NULL where it has none */
  char *domain; /* "NAMESPACE/NAME" by spec.domainName, NULL where it has none */
  json_t *object;
  gint64 revision;
  gsize bytes;          /* of its text when it was last written, 0: not known */
  FerryEntry *uid_next; /* another object of the kind with the same uid */
};

/** Empty. */
FerryIndex *ferry_index_new(void);
void ferry_index_free(FerryIndex *index);
/** The entry, borrowed, or NULL. */
FerryEntry *ferry_index_find(const FerryIndex *index, const char *group, const char *plural,
                             const char *ns, const char *name);
/** The object with that uid, borrowed, or NULL. */
json_t *ferry_index_find_uid(const FerryIndex *index, const char *group, const char *plural,
                             const char *uid);
/** The only object of the namespace with that spec.domainName, borrowed; NULL: none, or several. */
json_t *ferry_index_find_domain(const FerryIndex *index, const char *group, const char *plural,
                                const char *ns, const char *domain);
/** Adds or replaces an object, taking a new reference to it; the reference to the one that was
 * there before goes. Returns the entry. */
FerryEntry *ferry_index_put(FerryIndex *index, const char *group, const char *plural,
                            const char *ns, const char *name, json_t *object, gint64 revision);
/** Removes and frees an entry. */
void ferry_index_remove(FerryIndex *index, FerryEntry *entry);
/** New references to all objects (of namespace `ns` where not NULL) by namespace and name; the
 * array releases them. */
GPtrArray *ferry_index_list(const FerryIndex *index, const char *group, const char *plural,
                            const char *ns);
/** The same for at most `max` objects that follow (`after_ns`, `after_name`), NULL: from the first.
 */
GPtrArray *ferry_index_page(const FerryIndex *index, const char *group, const char *plural,
                            const char *ns, const char *after_ns, const char *after_name,
                            guint max);
/** Number of objects of a kind. */
gsize ferry_index_count(const FerryIndex *index, const char *group, const char *plural);
/** Number of objects of all kinds. */
gsize ferry_index_size(const FerryIndex *index);

G_END_DECLS
