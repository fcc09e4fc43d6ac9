// SPDX-License-Identifier: Apache-2.0
// The manual of a kind (section 5), made of the tables that the server itself goes by.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

/** The page ferry-`word`(5) of `kind` as mdoc: what it is, who may do what with it, each field with
 * its type, unit, limits and default, and the columns of tables. Free with g_free. */
char *ferry_documents_kind(const FerryKind *kind, const char *word);

G_END_DECLS
