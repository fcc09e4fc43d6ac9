// SPDX-License-Identifier: Apache-2.0
// The Swagger 2.0 document of all kinds.
#include "model/schema/schema.h"
#include "model/schema/schema_parts.h"
#include "model/schema/schema_paths.h"

json_t *ferry_schema_openapi_v2(void) {
  return json_pack("{s:s, s:{s:s, s:s}, s:o, s:o}", "swagger", "2.0", "info", "title", "Ferry",
                   "version", "v1", "paths", ferry_schema_paths(NULL, NULL, FALSE), "definitions",
                   ferry_schema_definitions(NULL, NULL, FALSE));
}
