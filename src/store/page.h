// SPDX-License-Identifier: Apache-2.0
// A list page by page, each as the store was at one revision.
#pragma once
#include "store/store.h"

G_BEGIN_DECLS

/** What a page is of. Strings are borrowed. */
typedef struct {
  const FerryKind *kind;
  const char *ns;                    /* NULL: all */
  const char *after_ns, *after_name; /* what it follows; NULL: the first */
  guint max;                         /* objects, at most */
  gint64 at;                         /* the revision; 0: the newest */
} FerryPageWish;

typedef struct {
  GPtrArray *objects; /* FerryStored references, by namespace and name */
  gint64 revision;
  gsize total;     /* objects of the kind (and namespace) at that revision */
  gboolean more;   /* some follow */
  char *ns, *name; /* of the last object; NULL: the page is empty */
} FerryPage;

/** Reads a page. What it costs grows with what it gives, and with the changes since its revision.
 * EXPIRED where these are not kept any more, or where the revision is to come. Any thread. */
gboolean ferry_store_page_at(FerryStore *store, const FerryPageWish *wish, FerryPage *page,
                             GError **error);
void ferry_page_clear(FerryPage *page);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryPage, ferry_page_clear)

G_END_DECLS
