// SPDX-License-Identifier: Apache-2.0
// An object as compact JSON text, with the place of its resourceVersion known: the revision is
// given by the writer thread, the text is made by whoever commits. Internal to src/store.
#pragma once
#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/** Text in two parts, between which metadata.resourceVersion's digits go. */
typedef struct {
  GString *bytes;
  gsize slot; /* where the digits are to stand; what follows begins with a quotation mark */
} FerryText;

/** Writes an object (borrowed) as text without its resourceVersion's value; an object that has no
 * metadata gets some. FALSE where it can't be written: a string that is not UTF-8, or an object
 * within itself. Any thread. */
gboolean ferry_text_init(FerryText *text, const json_t *object);
void ferry_text_clear(FerryText *text);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryText, ferry_text_clear)

G_END_DECLS
