// SPDX-License-Identifier: Apache-2.0
// The XML that a migration brings along: judged, with the rules that look into it, without harm.
#include "fuzz.h"
#include "base/error.h"
#include "policy/flags/migration_flags_rules.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  json_t *text = json_stringn((const char *)data, size);
  if (!text || strlen(json_string_value(text)) != size) {
    json_decref(text);
    return 0;
  }
  g_autoptr(json_t) config =
      json_pack("{s:O, s:o, s:s, s:b, s:b}", "destinationXML", text, "persistentXML", text,
                "migrateURI", "rdma://h2", "disableTLS", TRUE, "copyStorageAll", TRUE);
  g_autoptr(json_t) vmi =
      json_pack("{s:{s:s, s:s}, s:{s:s, s:{s:{s:s}, s:{s:[{s:s, s:s, s:b}]}}}}", "metadata", "name",
                "web", "uid", "49485e48-7f4c-4aae-953d-67bbb89e2f57", "spec", "domainName", "web",
                "domain", "memory", "hardLimit", "0", "devices", "disks", "name", "vda", "source",
                "/a", "shared", TRUE);
  FerryFlagsContext context = {.config = config, .vmi = vmi};
  g_autoptr(GError) causes = g_error_new(FERRY_ERROR, FERRY_ERROR_INVALID, "x");
  ferry_migration_flags_check(&context, causes);
  ferry_migration_flags_complete(config, NULL, vmi, NULL, NULL, NULL);
  return 0;
}
