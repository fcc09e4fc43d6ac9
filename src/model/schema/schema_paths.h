// SPDX-License-Identifier: Apache-2.0
// Paths of the OpenAPI documents.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

/** Paths of the kinds of one group version (`group` NULL: of all). */
json_t *ferry_schema_paths(const char *group, const char *version, gboolean v3);

G_END_DECLS
