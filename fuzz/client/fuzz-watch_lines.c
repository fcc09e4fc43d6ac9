// SPDX-License-Identifier: Apache-2.0
// A watch's answer as agents and the command line read it. The first byte says how long the pieces
// are that it comes in; however it is cut, the same is heard and it ends the same way.
#include "client/watch_lines.h"
#include "fuzz.h"

typedef struct {
  guint events, hash;
} Heard;

static gboolean hear(const char *type, json_t *object, gpointer data) {
  Heard *heard = data;
  g_autofree char *text = ferry_json_dump(object);
  heard->events++;
  heard->hash = (heard->hash * 31 + g_str_hash(type)) * 31 + g_str_hash(text);
  return !g_str_equal(type, "DELETED");
}

/* -1: it has not ended; 0: the listener ended it; else 1 + the error's code. */
static int listen_to(const uint8_t *data, size_t size, size_t piece, Heard *heard) {
  g_auto(FerryWatchLines) lines;
  ferry_watch_lines_init(&lines, "https://127.0.0.1:7443", hear, heard);
  for (size_t at = 0; at < size; at += piece) {
    size_t n = MIN(piece, size - at);
    g_autofree char *bytes = g_memdup2(data + at, n);
    if (!ferry_watch_lines_take(&lines, bytes, n))
      return lines.error ? lines.error->code + 1 : 0;
  }
  return -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2)
    return 0;
  Heard whole = {0}, pieces = {0};
  int end = listen_to(data + 1, size - 1, size - 1, &whole);
  g_assert_cmpint(listen_to(data + 1, size - 1, (size_t)*data + 1, &pieces), ==, end);
  g_assert_cmpuint(whole.events, ==, pieces.events);
  g_assert_cmpuint(whole.hash, ==, pieces.hash);
  return 0;
}
