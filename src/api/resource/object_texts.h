// SPDX-License-Identifier: Apache-2.0
// The JSON text of objects that are told to watches in another spelling than they are stored in:
// made once, whoever watches.
#pragma once
#include "model/kinds/kind.h"
#include "store/stored.h"

G_BEGIN_DECLS

typedef struct FerryObjectTexts FerryObjectTexts;

/** A cache of what objects look like as text; empty. Any thread may use it. */
FerryObjectTexts *ferry_object_texts_new(void);
void ferry_object_texts_free(FerryObjectTexts *texts);

/** The text of `object` in the spelling `alias` of its kind
 * (interned). A reference of the caller's. Any thread. */
GBytes *ferry_object_texts_get(FerryObjectTexts *texts, const FerryKind *alias,
                               FerryStored *object);

/** How often a text had to be made. For tests. */
guint64 ferry_object_texts_made(FerryObjectTexts *texts);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryObjectTexts, ferry_object_texts_free)

G_END_DECLS
