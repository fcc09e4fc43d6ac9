// SPDX-License-Identifier: Apache-2.0
// Reading a store, from memory.
#pragma once
#include "store/types.h"

G_BEGIN_DECLS

/** New reference or NULL. Any thread. */
json_t *ferry_store_get(FerryStore *store, const FerryKind *kind, const char *ns, const char *name);
/** The object of that metadata.uid: new reference or NULL. Any thread. */
json_t *ferry_store_get_by_uid(FerryStore *store, const FerryKind *kind, const char *uid);
/** The same for the only object of a namespace with that spec.domainName. */
json_t *ferry_store_get_by_domain(FerryStore *store, const FerryKind *kind, const char *ns,
                                  const char *domain);
/** All objects of a kind (of a namespace where `ns` is not NULL) ordered by namespace and name: one
 * snapshot; `*revision` (may be NULL) is its revision. Elements are references that the array owns.
 */
GPtrArray *ferry_store_list(FerryStore *store, const FerryKind *kind, const char *ns,
                            gint64 *revision);
/** Those of them that have a word (FerryIndexBy), in the same order. What it costs grows with what
 * it finds. */
GPtrArray *ferry_store_select(FerryStore *store, const FerryKind *kind, FerryIndexBy by,
                              const char *word);
/** The words, in order, that more than `n` objects of a kind have. Looks at each word and at no
 * object. Free with g_strfreev. */
char **ferry_store_crowded(FerryStore *store, const FerryKind *kind, FerryIndexBy by, gsize n);
/** How many objects of a kind have the word. */
gsize ferry_store_select_count(FerryStore *store, const FerryKind *kind, FerryIndexBy by,
                               const char *word);
/** Number of objects of a kind (of a namespace where `ns` is not NULL). */
gsize ferry_store_count(FerryStore *store, const FerryKind *kind, const char *ns);
/** At most `max` of them, those that follow (`after_ns`, `after_name`; NULL: from the first), as
 * they are at `*revision`. A list that is read page by page changes meanwhile: the changes of what
 * was read are in the log. */
GPtrArray *ferry_store_page(FerryStore *store, const FerryKind *kind, const char *ns,
                            const char *after_ns, const char *after_name, guint max,
                            gint64 *revision);
/** The same as they are kept: an array of FerryStored references. For who needs their text. */
GPtrArray *ferry_store_texts(FerryStore *store, const FerryKind *kind, const char *ns,
                             const char *after_ns, const char *after_name, guint max,
                             gint64 *revision);
/** The newest revision shown to readers; 1 for a new store. After a crash it jumps ahead, so that
 * no number that anyone may have seen is used again. */
gint64 ferry_store_revision(FerryStore *store);

/** Figures of the store now. Any thread. */
void ferry_store_stats(FerryStore *store, FerryStoreStats *stats);

G_END_DECLS
