// SPDX-License-Identifier: Apache-2.0
#include "cli/core/ask.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_WIDTH 80

char ferry_cli_ask(const char *question, const char *letters, char otherwise) {
  for (;;) {
    fputs(question, stdout);
    fflush(stdout);
    char line[64];
    if (fgets(line, sizeof line, stdin) == NULL) {
      clearerr(stdin);
      putchar('\n');
      return otherwise;
    }
    char c = g_ascii_tolower(line[0]);
    if (c != '\0' && strchr(letters, c))
      return c;
  }
}

guint ferry_cli_width(void) {
  struct winsize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return size.ws_col;
  const char *columns = g_getenv("COLUMNS");
  guint64 n = columns != NULL ? g_ascii_strtoull(columns, NULL, 10) : 0;
  return n > 0 && n < 10000 ? (guint)n : DEFAULT_WIDTH;
}
