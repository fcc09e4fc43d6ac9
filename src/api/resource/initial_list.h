// SPDX-License-Identifier: Apache-2.0
// What a stream tells at its beginning: the objects that are there, read in pages, so that a stream
// holds a page of them and a cursor.
#pragma once
#include "store/store.h"

G_BEGIN_DECLS

/** How many objects are held at a time. */
#define FERRY_INITIAL_PAGE 64

/** Zeroed: nothing is to be listed. One thread at a time. */
typedef struct {
  FerryStore *store;
  const FerryKind *kind;
  const char *ns;  /* NULL: all; borrowed */
  GPtrArray *page; /* what is being told */
  guint next;
  gint64 revision; /* at which the last page was read */
  gboolean more;   /* pages are to come */
  json_t *from;    /* the last object of the page before; NULL: none */
  json_t *last;    /* the last object of this page; NULL: none */
} FerryInitialList;

/** Begins a list; `ns` must live as long. What was being listed is forgotten. The caller's watch of
 * the same kind and namespace has to be open already. */
void ferry_initial_list_begin(FerryInitialList *list, FerryStore *store, const FerryKind *kind,
                              const char *ns);
/** The next object of the page, borrowed until the next call; NULL: the page is told. */
FerryStored *ferry_initial_list_next(FerryInitialList *list);
/** Reads the next page, when the changes so far have been told. FALSE: there is none. */
gboolean ferry_initial_list_turn(FerryInitialList *list);
/** Whether the pages tell, or have told, what this change made. */
gboolean ferry_initial_list_covers(const FerryInitialList *list, const FerryChange *change);
/** Forgets what it holds. */
void ferry_initial_list_clear(FerryInitialList *list);

G_END_DECLS
