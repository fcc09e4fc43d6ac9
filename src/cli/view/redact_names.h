// SPDX-License-Identifier: Apache-2.0
// Names that are not to be shown: each becomes a word (host-1, vm-2), the same one throughout.
#pragma once
#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

typedef struct FerryRedactNames FerryRedactNames;

/** None yet. */
FerryRedactNames *ferry_redact_names_new(void);
void ferry_redact_names_free(FerryRedactNames *names); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryRedactNames, ferry_redact_names_free)

/** From now on `name` (NULL or "" does nothing) is KIND-N; of a name that was there the first word
 * stays.
 */
void ferry_redact_names_add(FerryRedactNames *names, const char *kind, const char *name);
/** `text` without the names, also as parts of longer words that '.', '-' or '/' divide
 * ("db-x7.example" with "db"); letters' case doesn't count. Free with g_free. */
char *ferry_redact_names_text(const FerryRedactNames *names, const char *text);
/** A copy of `value` whose strings and members' names are without them. New reference. */
json_t *ferry_redact_names_json(const FerryRedactNames *names, const json_t *value);

G_END_DECLS
