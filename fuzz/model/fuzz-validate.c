// SPDX-License-Identifier: Apache-2.0
// Any object against its kind: what validates must validate again, unchanged.
#include "fuzz.h"
#include "model/validate/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autoptr(json_t) object = ferry_json_parse((const char *)data, size, NULL);
  const char *version = ferry_json_str(object, "apiVersion"),
             *name = ferry_json_str(object, "kind");
  const FerryKind *kind = version && name ? ferry_kind_by_gvk(version, name) : NULL;
  if (!kind)
    return 0;
  g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(json_t) good = ferry_validate(kind, object, NULL, FERRY_UNKNOWN_WARN, warnings, NULL);
  if (good) {
    ferry_apply_defaults(kind, good);
    g_autoptr(json_t) again = ferry_validate(kind, good, good, FERRY_UNKNOWN_STRICT, NULL, NULL);
    g_assert_true(again && json_equal(again, good));
  }
  return 0;
}
