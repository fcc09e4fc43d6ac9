// SPDX-License-Identifier: Apache-2.0
// One state of one object, as the store keeps it: its JSON text, which never changes. A json_t view
// of it is parsed when somebody looks, and kept while it is hot. The functions are in views.c.
#pragma once
#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/** One state of an object; reference counted, immutable. */
typedef struct FerryStored FerryStored;

/** NULL gives NULL. Any thread, as all below. */
FerryStored *ferry_stored_ref(FerryStored *stored);
void ferry_stored_unref(FerryStored *stored);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryStored, ferry_stored_unref)

/** The compact JSON text with the right resourceVersion, `*len` bytes (may be NULL), NUL
 * terminated. Borrowed. */
const char *ferry_stored_text(const FerryStored *stored, gsize *len);
/** The resourceVersion that the object has in this state. */
gint64 ferry_stored_revision(const FerryStored *stored);
/** The object, which must not be changed: a new reference; NULL gives NULL. */
json_t *ferry_stored_view(FerryStored *stored);
/** The view where it is at hand, NULL where it would have to be parsed. New reference. */
json_t *ferry_stored_hot_view(FerryStored *stored);
/** The same state under another revision. One reference. */
FerryStored *ferry_stored_with_revision(FerryStored *stored, gint64 revision);

G_END_DECLS
