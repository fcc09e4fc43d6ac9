// SPDX-License-Identifier: Apache-2.0
// The OpenAPI 3.0 document of one group version.
#include "model/schema/schema.h"
#include "model/schema/schema_parts.h"
#include "model/schema/schema_paths.h"

json_t *ferry_schema_openapi_v3(const char *group, const char *version) {
  if (!group || !version)
    return NULL;
  g_autoptr(json_t) paths = ferry_schema_paths(group, version, TRUE);
  if (json_object_size(paths) == 0)
    return NULL;
  return json_pack("{s:s, s:{s:s, s:s}, s:O, s:{s:o}}", "openapi", "3.0.0", "info", "title",
                   "Ferry", "version", "v1", "paths", paths, "components", "schemas",
                   ferry_schema_definitions(group, version, TRUE));
}
