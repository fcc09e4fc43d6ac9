// SPDX-License-Identifier: Apache-2.0
// A server of another version than this program: by what it is noticed, and what people are told.
// Versions are alike where the first two of their numbers are; next to each other where the second
// differs by one.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Whether an answer with HTTP status `status` and the error `error` made of it says that the
 * server knows no such path, method, form or field; an object that is not there is another thing.
 * Pure. */
gboolean ferry_skew_is_not_understood(unsigned status, const GError *error);
/** Whether one of the server's warnings (NULL-ended) says that it left a field out. Pure. */
gboolean ferry_skew_is_warned_of(const char *const *warnings);
/** What a person is told of a server `theirs` ("v0.2.0") that did not understand this program
 * `ours`; NULL where both are alike or a version can't be read. Free with g_free. Pure. */
char *ferry_skew_note(const char *ours, const char *theirs);

G_END_DECLS
