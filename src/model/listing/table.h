// SPDX-License-Identifier: Apache-2.0
// Objects printed as meta.k8s.io Tables.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

typedef enum { FERRY_INCLUDE_METADATA, FERRY_INCLUDE_OBJECT, FERRY_INCLUDE_NONE } FerryInclude;

/** A Table of `objects` (json_t*, borrowed). `version` is "v1" or "v1beta1". `columns` FALSE leaves
 * the column definitions empty (later events of a watch). Times are against `now_ms` (epoch). */
json_t *ferry_table_new(const FerryKind *kind, json_t *const *objects, gsize n, const char *version,
                        FerryInclude include, gboolean columns, gint64 now_ms);

G_END_DECLS
