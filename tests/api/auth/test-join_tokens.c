// SPDX-License-Identifier: Apache-2.0
// The file of join tokens: what strangers show costs no read of it, and what it says holds at once.
#include "api/auth/join_tokens.h"
#include "base/error.h"
#include "base/file.h"

#include <glib/gstdio.h>
#include <string.h>

#define HOUR_MS ((gint64)3600 * 1000)

typedef struct {
  char *dir, *path;
  gint64 now_ms;
  FerryClock clock;
  FerryJoinTokens *tokens;
} Fixture;

static gint64 wall(gpointer data) {
  return ((Fixture *)data)->now_ms;
}

static gint64 monotonic(gpointer data) {
  return ((Fixture *)data)->now_ms * 1000;
}

static void up(Fixture *f, gconstpointer data) {
  f->dir = g_dir_make_tmp("ferry-join-XXXXXX", NULL);
  f->path = g_build_filename(f->dir, "join-tokens.json", NULL);
  f->now_ms = g_get_real_time() / 1000;
  f->clock = (FerryClock){monotonic, wall, f};
  f->tokens = ferry_join_tokens_open(f->dir, &f->clock);
}

static void down(Fixture *f, gconstpointer data) {
  ferry_join_tokens_free(f->tokens);
  g_unlink(f->path);
  g_rmdir(f->dir);
  g_free(f->dir);
  g_free(f->path);
}

static char *make(Fixture *f, const char *node) {
  g_autoptr(GError) error = NULL;
  g_autofree char *secret = ferry_join_tokens_new(f->tokens, node, FALSE, &error);
  g_assert_no_error(error);
  return g_strdup_printf("ferry.0.%s.%s", node, secret);
}

static gboolean is_good(Fixture *f, const char *token, const char *node, gboolean take) {
  g_autoptr(GError) error = NULL;
  gboolean ok = ferry_join_tokens_check(f->tokens, token, node, take, &error);
  if (!ok)
    g_assert_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED);
  return ok;
}

/* Until what was written is old enough to be held by what stat says of it. */
static void wait_till_held(Fixture *f) {
  gint64 until = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
  guint64 before;
  do {
    before = ferry_join_tokens_reads(f->tokens);
    g_usleep(10000);
    is_good(f, "ferry.0.h1.x", "h1", FALSE);
  } while (ferry_join_tokens_reads(f->tokens) != before && g_get_monotonic_time() < until);
  g_assert_cmpuint(ferry_join_tokens_reads(f->tokens), ==, before);
}

static void tries_read_nothing(Fixture *f, gconstpointer data) {
  g_autofree char *good = make(f, "h1");
  g_autofree char *other = make(f, "h2");
  wait_till_held(f);
  guint64 before = ferry_join_tokens_reads(f->tokens);
  for (int i = 0; i < 1000; i++) {
    g_autofree char *wrong = g_strdup_printf("ferry.0.h1.%d", i);
    g_assert_false(is_good(f, wrong, "h1", i % 2));
    g_assert_false(is_good(f, other, "h1", FALSE));
    g_assert_true(is_good(f, good, "h1", FALSE));
  }
  g_assert_cmpuint(ferry_join_tokens_reads(f->tokens), ==, before);
  g_assert_true(is_good(f, good, "h1", TRUE));
  g_assert_false(is_good(f, good, "h1", FALSE));
  g_assert_true(is_good(f, other, "h2", TRUE));
}

/* Somebody takes a line out, or the whole file away, or it is another ferryd's that wrote it. */
static void edits_hold_at_once(Fixture *f, gconstpointer data) {
  g_autofree char *token = make(f, "h1");
  wait_till_held(f);
  g_autofree char *text = ferry_file_read(f->path, 65536, NULL, NULL);
  g_assert_true(g_file_set_contents(f->path, "{}", 2, NULL));
  g_assert_false(is_good(f, token, "h1", FALSE));
  g_assert_true(g_file_set_contents(f->path, text, -1, NULL));
  g_assert_true(is_good(f, token, "h1", FALSE));
  wait_till_held(f);
  g_unlink(f->path);
  g_assert_false(is_good(f, token, "h1", FALSE));
  g_assert_true(g_file_set_contents(f->path, "{\"x\":", -1, NULL));
  g_autoptr(GError) error = NULL;
  g_assert_false(ferry_join_tokens_check(f->tokens, token, "h1", FALSE, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL);
}

static void ends_by_itself(Fixture *f, gconstpointer data) {
  g_autofree char *token = make(f, "h1");
  wait_till_held(f);
  f->now_ms += 23 * HOUR_MS;
  g_assert_true(is_good(f, token, "h1", FALSE));
  f->now_ms += 2 * HOUR_MS;
  g_assert_false(is_good(f, token, "h1", FALSE));
  g_assert_cmpuint(ferry_join_tokens_drop(f->tokens, NULL), ==, 0); /* none that was good */
  g_autofree char *next = make(f, "h2");
  g_autofree char *text = ferry_file_read(f->path, 65536, NULL, NULL);
  g_assert_null(strstr(text, "h1")); /* what has ended goes with the next write */
  g_assert_true(is_good(f, next, "h2", FALSE));
  g_assert_cmpuint(ferry_join_tokens_drop(f->tokens, "h1"), ==, 0);
  g_assert_cmpuint(ferry_join_tokens_drop(f->tokens, "h2"), ==, 1);
  g_assert_false(is_good(f, next, "h2", FALSE));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define ADD(path, test) g_test_add("/join-tokens/" path, Fixture, NULL, up, test, down)
  ADD("tries", tries_read_nothing);
  ADD("edits", edits_hold_at_once);
  ADD("end", ends_by_itself);
  return g_test_run();
}
