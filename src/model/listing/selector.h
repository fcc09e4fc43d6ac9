// SPDX-License-Identifier: Apache-2.0
// Label and field selectors.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

typedef struct FerrySelector FerrySelector;

/** Parses `a=b,a==b,a!=b,a in (x,y),a notin (x),a,!a`; NULL or "" selects everything. BAD_REQUEST
 * names the place. At most 100 terms. */
FerrySelector *ferry_selector_parse_labels(const char *text, GError **error);
/** Parses `path=value,path!=value` for a kind; an unknown path is BAD_REQUEST. A field that is a
 * list of words equals each of them. */
FerrySelector *ferry_selector_parse_fields(const FerryKind *kind, const char *text, GError **error);
void ferry_selector_free(FerrySelector *selector);
/** Whether a whole object matches; a NULL selector matches. */
gboolean ferry_selector_matches(const FerrySelector *selector, const json_t *object);
/** The value that the selector demands for field `path` with "=", or NULL: for authorisation. */
const char *ferry_selector_required(const FerrySelector *selector, const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerrySelector, ferry_selector_free)

G_END_DECLS
