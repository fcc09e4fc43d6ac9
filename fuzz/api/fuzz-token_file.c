// SPDX-License-Identifier: Apache-2.0
// A tokens.json that somebody wrote by hand: refused as a whole, or each of its tokens is found by
// its hash and means a user with a name.
#include "api/auth/token_file.h"
#include "fuzz.h"
#include "scratch.h"

static void check_found(FerryTokenFile *file, const json_t *root) {
  gsize i;
  json_t *entry;
  json_array_foreach(ferry_json_get(root, "tokens"), i, entry) {
    g_autofree char *hash = g_ascii_strdown(ferry_json_str(entry, "hash"), -1);
    g_autoptr(FerryUser) user = ferry_token_file_find(file, hash);
    g_assert_nonnull(user);
    g_assert_cmpstr(user->key, ==, hash);
    g_assert_cmpstr(user->name, !=, "");
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_scratch_write("tokens.json", data, size);
  FerryTokenFile *file = ferry_token_file_open(fuzz_scratch(), NULL);
  g_autoptr(json_t) root = file ? ferry_json_parse((const char *)data, size, NULL) : NULL;
  if (file)
    check_found(file, root);
  ferry_token_file_free(file);
  return 0;
}
