// SPDX-License-Identifier: Apache-2.0
// How far two words are apart, for "did you mean".
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** How many letters must be added, taken away or replaced to make `b` of `a`, in bytes; G_MAXUINT
 * where it is more than `limit` or a word has more than 253 bytes. Pure. */
guint ferry_edit_distance(const char *a, const char *b, guint limit);
/** The candidate nearest to `word` (a third of its letters wrong at most, two where it is short,
 * one below four letters), or NULL. */
const char *ferry_nearest(const char *word, const char *const *candidates);

G_END_DECLS
