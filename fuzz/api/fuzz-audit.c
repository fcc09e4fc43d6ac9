// SPDX-License-Identifier: Apache-2.0
// What the audit tells of a change from one object to another, [old, new]: bounded, and no more
// than the fields' table lets out.
#include "api/auth/audit_changes.h"
#include "fuzz.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autoptr(json_t) pair = ferry_json_parse((const char *)data, size, NULL);
  const json_t *old = json_array_get(pair, 0), *object = json_array_get(pair, 1);
  if (!old || !object)
    return 0;
  gboolean cut;
  g_autoptr(json_t) changes = ferry_audit_changes(&ferry_kind_vmim, old, object, &cut);
  g_autofree char *text = ferry_json_dump(changes);
  g_assert_cmpuint(json_array_size(changes), <=, FERRY_AUDIT_MAX_CHANGES);
  g_assert_cmpuint(strlen(text), <, 64 * 1024);
  return 0;
}
