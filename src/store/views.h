// SPDX-License-Identifier: Apache-2.0
// The parsed views of stored objects that are hot, and how stored objects are made. Internal to
// src/store and its tests.
#pragma once
#include "store/stored.h"
#include "store/text.h"

G_BEGIN_DECLS

/** About how many bytes of heap a view takes for each byte of its text. */
#define FERRY_VIEW_FACTOR 10

/** A bounded set of views, the coldest of which go first. Reference counted. Any thread. */
typedef struct FerryViews FerryViews;

/** `max_bytes`: of memory, about, that the views may take. */
FerryViews *ferry_views_new(gsize max_bytes);
void ferry_views_unref(FerryViews *views);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryViews, ferry_views_unref)
/** For tests: of the looks at hot views every n-th one (0: none) asserts that the view still is
 * what its text says, as nobody may change it in place. */
void ferry_views_verify_every(guint n);
/** About the bytes that its views take, and how often one was parsed since the beginning. */
void ferry_views_stats(FerryViews *views, gsize *bytes, guint64 *parsed);

/** A stored object of a text; the view (may be NULL) must be what the text says with this revision,
 * and is taken. One reference. */
FerryStored *ferry_stored_new(FerryViews *views, const FerryText *text, gint64 revision,
                              json_t *view);
/** Whether it is this text, whatever the revisions. */
gboolean ferry_stored_is_text(const FerryStored *stored, const FerryText *text);
/** Whether it has as many bytes as this text, whatever the revisions. */
gboolean ferry_stored_is_as_long(const FerryStored *stored, const FerryText *text);
/** The object with metadata.resourceVersion set: a copy that shares all else. */
json_t *ferry_view_with_revision(const json_t *object, gint64 revision);
/** Bytes of heap that it takes, without its view. */
gsize ferry_stored_size(const FerryStored *stored);

G_END_DECLS
