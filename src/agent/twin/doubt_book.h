// SPDX-License-Identifier: Apache-2.0
// Which copies of VMs this host's agent has suspended since it is not known whether they may run:
// in the agent's state directory, so that the next agent goes on with them though ferryd was not
// heard when they were suspended. Keyed by the migration's UID; its two hosts have a book each, and
// whoever works on a migration here sees to its entry alone.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Notes that the copy of the domain `uuid` was suspended; `ran_ms` as in FerryAmbiguity. */
void ferry_doubt_book_note(const char *state_dir, const char *uid, const char *uuid, gint64 ran_ms);
/** It is known what becomes of it. */
void ferry_doubt_book_forget(const char *state_dir, const char *uid);
/** Whether it is noted; `ran_ms` gets what was. */
gboolean ferry_doubt_book_find(const char *state_dir, const char *uid, gint64 *ran_ms);
/** Whether a copy of the domain `uuid` is noted by another migration than `but_uid`. */
gboolean ferry_doubt_book_has_domain(const char *state_dir, const char *uuid, const char *but_uid);
/** It is known what becomes of that copy: forgets all that other migrations than `but_uid` noted.
 */
void ferry_doubt_book_forget_domain(const char *state_dir, const char *uuid, const char *but_uid);

G_END_DECLS
