// SPDX-License-Identifier: Apache-2.0
// Compares text with a file in tests/cli/golden; FERRY_GOLDEN_UPDATE=1 rewrites the file instead.
#pragma once
#include <glib.h>

static inline void golden_check(const char *name, const char *text) {
  g_autofree char *path = g_build_filename(GOLDEN_DIR, name, NULL);
  g_autoptr(GError) error = NULL;
  if (g_getenv("FERRY_GOLDEN_UPDATE") != NULL) {
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
    return;
  }
  g_autofree char *wanted = NULL;
  g_file_get_contents(path, &wanted, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(text, ==, wanted);
}
