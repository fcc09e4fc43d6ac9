// SPDX-License-Identifier: Apache-2.0
// ferry-documents man|completion TEMPLATE: prints ferry(1) or the completion; the build calls it.
#include "base/file.h"
#include "cli/documents.h"

#include <stdio.h>

enum { TEMPLATE_MAX = 1024 * 1024 };

int main(int argc, char **argv) {
  gboolean man = argc == 3 && g_str_equal(argv[1], "man");
  if (!man && !(argc == 3 && g_str_equal(argv[1], "completion"))) {
    fputs("usage: ferry-documents man|completion TEMPLATE\n", stderr);
    return 2;
  }
  g_autoptr(GError) error = NULL;
  g_autofree char *template = ferry_file_read(argv[2], TEMPLATE_MAX, NULL, &error);
  g_autofree char *text = !template ? NULL
                          : man     ? ferry_documents_man(template, &error)
                                    : ferry_documents_completion(template, &error);
  if (!text) {
    fprintf(stderr, "ferry-documents: %s: %s\n", argv[2], error->message);
    return 1;
  }
  fputs(text, stdout);
  return 0;
}
