// SPDX-License-Identifier: Apache-2.0
// However the bytes of a watch are cut, the same events come out of them.
#include "base/error.h"
#include "client/watch_lines.h"
#include <string.h>

/* What was heard: type and name of each event, in one line. */
static gboolean hear(const char *type, json_t *object, gpointer data) {
  g_string_append_printf(data, "%s %s;", type, ferry_json_str(object, "metadata.name"));
  return !g_str_equal(type, "DELETED");
}

#define ADDED "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}"
#define DELETED "{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"b\"}}}"

static void test_cuts(void) {
  static const char text[] = "\n" ADDED "\r\n\r\n" ADDED "\n\n" DELETED "\n" ADDED "\n";
  for (gsize piece = 1; piece < sizeof text; piece++) {
    g_autoptr(GString) heard = g_string_new(NULL);
    g_auto(FerryWatchLines) lines;
    ferry_watch_lines_init(&lines, "https://s", hear, heard);
    gboolean more = TRUE;
    for (gsize at = 0; more && at < sizeof text - 1; at += piece)
      more = ferry_watch_lines_take(&lines, text + at, MIN(piece, sizeof text - 1 - at));
    g_assert_false(more);
    g_assert_no_error(lines.error);
    g_assert_cmpstr(heard->str, ==, "ADDED a;ADDED a;DELETED b;");
  }
}

static void test_ends(void) {
  static const struct {
    const char *line;
    int code;
    const char *words;
  } bad[] = {
      {"[]\n", FERRY_ERROR_INTERNAL, "https://s"},
      {"{\"type\":\"ADDED\"}\n", FERRY_ERROR_INTERNAL, "no type or object"},
      {"{\"type\":7,\"object\":{}}\n", FERRY_ERROR_INTERNAL, "no type or object"},
      {"{\"type\":\"ADDED\",\"type\":\"ADDED\",\"object\":{}}\n", FERRY_ERROR_INTERNAL,
       "duplicate"},
      {"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\","
       "\"message\":\"too old\"}}\n",
       FERRY_ERROR_EXPIRED, "too old"},
      {"{\"type\":\"ERROR\",\"object\":{}}\n", FERRY_ERROR_INTERNAL, "500"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GString) heard = g_string_new(NULL);
    g_auto(FerryWatchLines) lines;
    ferry_watch_lines_init(&lines, "https://s", hear, heard);
    g_assert_false(ferry_watch_lines_take(&lines, bad[i].line, strlen(bad[i].line)));
    g_assert_error(lines.error, FERRY_ERROR, bad[i].code);
    g_assert_nonnull(strstr(lines.error->message, bad[i].words));
    g_assert_cmpstr(heard->str, ==, "");
  }
}

/* The limit is on a line, whether its end came or not, and not on what all lines have together. */
static void test_long(void) {
  gsize most = FERRY_WATCH_MAX_LINE;
  g_autofree char *blanks = g_malloc(most + 2);
  memset(blanks, ' ', most + 2);
  memcpy(blanks, ADDED, strlen(ADDED));
  blanks[most] = '\n';
  g_autoptr(GString) heard = g_string_new(NULL);
  g_auto(FerryWatchLines) lines;
  ferry_watch_lines_init(&lines, "https://s", hear, heard);
  for (int i = 0; i < 2; i++)
    g_assert_true(ferry_watch_lines_take(&lines, blanks, most + 1));
  g_assert_cmpstr(heard->str, ==, "ADDED a;ADDED a;");
  blanks[most] = ' ';
  g_assert_true(ferry_watch_lines_take(&lines, blanks, most));
  g_assert_false(ferry_watch_lines_take(&lines, blanks + most, 1));
  g_assert_error(lines.error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/client/watch_lines/cuts", test_cuts);
  g_test_add_func("/client/watch_lines/ends", test_ends);
  g_test_add_func("/client/watch_lines/long", test_long);
  return g_test_run();
}
