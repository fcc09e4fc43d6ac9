// SPDX-License-Identifier: Apache-2.0
// OpenAPI documents of all kinds, derived from their tables. schema.c has what all share; the
// documents are schema_v2.c, schema_v2_proto.c (the same in protobuf) and schema_v3.c.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

/** Swagger 2.0 as JSON. */
json_t *ferry_schema_openapi_v2(void);
/** The same as gnostic's protobuf Document, which kubectl 1.20 needs. */
GBytes *ferry_schema_openapi_v2_protobuf(void);
/** OpenAPI 3.0 of one group version, e.g. ("kubevirt.io", "v1"); NULL for an unknown one. */
json_t *ferry_schema_openapi_v3(const char *group, const char *version);
/** A field's line of documentation with its unit, limits and default, which a schema's types do not
 * show, or not all of them. Free with g_free. */
char *ferry_schema_description(const FerryField *field);

G_END_DECLS
