// SPDX-License-Identifier: Apache-2.0
// ferry-documents man|completion TEMPLATE: prints ferry(1) or the completion; `kind WORD` prints
// ferry-WORD(5). The build calls it.
#include "base/file.h"
#include "cli/documents.h"
#include "cli/documents_kinds.h"

#include <stdio.h>

enum { TEMPLATE_MAX = 1024 * 1024 };

static int print_kind(const char *word) {
  const FerryKind *kind = ferry_kind_by_word(word);
  if (!kind) {
    fprintf(stderr, "ferry-documents: there is no kind %s\n", word);
    return 1;
  }
  g_autofree char *text = ferry_documents_kind(kind, word);
  fputs(text, stdout);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && g_str_equal(argv[1], "kind"))
    return print_kind(argv[2]);
  gboolean man = argc == 3 && g_str_equal(argv[1], "man");
  if (!man && !(argc == 3 && g_str_equal(argv[1], "completion"))) {
    fputs("usage: ferry-documents man|completion TEMPLATE, or kind WORD\n", stderr);
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
