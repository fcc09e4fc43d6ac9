// SPDX-License-Identifier: Apache-2.0
// The input is a JSON list: [target, patch].
#include "base/patch/patch.h"
#include "fuzz.h"

static const char *merge_key(const char *path, gpointer data) {
  return g_str_has_suffix(path, "conditions") ? "type" : g_str_has_suffix(path, "set") ? "" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autoptr(json_t) pair = ferry_json_parse((const char *)data, size, NULL);
  const json_t *target = json_array_get(pair, 0), *patch = json_array_get(pair, 1);
  if (!target || !patch)
    return 0;
  g_autoptr(json_t) merged = ferry_patch_merge(target, patch);
  g_autoptr(json_t) patched = ferry_patch_json(target, patch, NULL);
  g_autoptr(json_t) strategic = ferry_patch_strategic(target, patch, merge_key, NULL, NULL);
  g_assert_nonnull(merged);
  return 0;
}
