// SPDX-License-Identifier: Apache-2.0
#include "base/settings/settings_doc.h"
#include "base/file.h"
#include <stdio.h>
#include <string.h>

#define MARK ".\\\" @options@\n"
#define TEMPLATE_MAX (1024 * 1024)

static int doc_manual(const FerrySetting *table, const char *path) {
  g_autoptr(GError) error = NULL;
  g_autofree char *template = ferry_file_read(path, TEMPLATE_MAX, NULL, &error);
  const char *mark = template ? strstr(template, MARK) : NULL;
  if (!mark) {
    fprintf(stderr, "%s: %s\n", path, error ? error->message : "it has no line .\\\" @options@");
    return 1;
  }
  g_autofree char *options = ferry_settings_manual(table);
  printf("%.*s%s%s", (int)(mark - template), template, options, mark + strlen(MARK));
  return 0;
}

int ferry_settings_doc(const FerrySetting *table, const char *program, int argc, char **argv) {
  if (argc == 3 && g_str_equal(argv[1], "man"))
    return doc_manual(table, argv[2]);
  if (argc == 3 && g_str_equal(argv[1], "conf-man")) {
    g_autofree char *page = ferry_settings_file_manual(table, program, argv[2]);
    fputs(page, stdout);
    return 0;
  }
  if (argc != 2 || !g_str_equal(argv[1], "conf")) {
    fputs("usage: conf, conf-man FILE, or man TEMPLATE\n", stderr);
    return 2;
  }
  g_autofree char *sample = ferry_settings_sample(table, program);
  fputs(sample, stdout);
  return 0;
}
