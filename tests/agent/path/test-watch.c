// SPDX-License-Identifier: Apache-2.0
// The thread that watches, over a hypervisor whose connections the test makes up.
#include "agent/path/guard.h"
#include "agent/path/watch.h"

#define DEADLINE_US (20 * G_USEC_PER_SEC)

typedef struct {
  FerryHostJob job; /* first */
  GMutex lock;
  GCond cond;
  FerryHostConnection connections[2];
  guint n, looks, closed;
  guint64 closed_ids[4];
  gint64 switchover_us;
  gboolean post_copy, blind;
  char *reason, *text;
  char *silent_text;
  guint silent_told;
  guint closed_before_found;
} Fake;

static GArray *connections(FerryHostJob *job, GError **error) {
  Fake *f = (Fake *)job;
  GArray *out = NULL;
  g_mutex_lock(&f->lock);
  f->looks++;
  if (f->blind) {
    g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_INVALID_STATE, "cannot be seen");
  } else {
    out = g_array_new(FALSE, TRUE, sizeof(FerryHostConnection));
    g_array_append_vals(out, f->connections, f->n);
  }
  g_cond_broadcast(&f->cond);
  g_mutex_unlock(&f->lock);
  return out;
}

static gboolean disconnect(FerryHostJob *job, guint64 id, GError **error) {
  Fake *f = (Fake *)job;
  g_mutex_lock(&f->lock);
  if (f->closed < G_N_ELEMENTS(f->closed_ids))
    f->closed_ids[f->closed] = id;
  f->closed++;
  f->n = 0; /* what is closed is seen no more */
  f->closed_before_found += f->reason == NULL;
  g_cond_broadcast(&f->cond);
  g_mutex_unlock(&f->lock);
  return TRUE;
}

static const FerryHostOps ops = {.job_connections = connections, .job_disconnect = disconnect};

static void stage(gpointer data, gint64 *switchover_us, gboolean *post_copy) {
  Fake *f = data;
  g_mutex_lock(&f->lock);
  *switchover_us = f->switchover_us;
  *post_copy = f->post_copy;
  g_mutex_unlock(&f->lock);
}

static void found(gpointer data, const char *reason, const char *text) {
  Fake *f = data;
  g_mutex_lock(&f->lock);
  g_free(f->reason);
  g_free(f->text);
  f->reason = g_strdup(reason);
  f->text = g_strdup(text);
  g_mutex_unlock(&f->lock);
}

static void silent(gpointer data, const char *text) {
  Fake *f = data;
  g_mutex_lock(&f->lock);
  g_free(f->silent_text);
  f->silent_text = g_strdup(text);
  f->silent_told++;
  g_cond_broadcast(&f->cond);
  g_mutex_unlock(&f->lock);
}

static Fake *fake_new(guint n, gint64 since_ack_ms) {
  Fake *f = g_new0(Fake, 1);
  f->job.ops = &ops;
  f->n = n;
  for (guint i = 0; i < n; i++)
    f->connections[i] = (FerryHostConnection){
        .id = i + 1, .port = 49152, .pending = 1, .since_ack_ms = since_ack_ms};
  return f;
}

static void fake_free(Fake *f) {
  g_free(f->reason);
  g_free(f->text);
  g_free(f->silent_text);
  g_free(f);
}

static FerryPathWatch *watch(Fake *f) {
  FerryPathWatchOwner owner = {f, stage, found, silent};
  return ferry_path_watch_new(&f->job, &owner, "h2", "10.0.0.2");
}

static void wait_until(Fake *f, const guint *counter, guint least) {
  gint64 until = g_get_monotonic_time() + DEADLINE_US;
  g_mutex_lock(&f->lock);
  while (*counter < least)
    g_assert_true(g_cond_wait_until(&f->cond, &f->lock, until));
  g_mutex_unlock(&f->lock);
}

static void test_closes_all_and_says_why_first(void) {
  Fake *f = fake_new(2, FERRY_PATH_SILENT_MS);
  FerryPathWatch *w = watch(f);
  wait_until(f, &f->closed, 2);
  ferry_path_watch_free(w);
  g_assert_cmpuint(f->closed, ==, 2);
  g_assert_cmpuint(f->closed_ids[0] + f->closed_ids[1], ==, 3);
  g_assert_cmpuint(f->closed_before_found, ==, 0);
  g_assert_cmpstr(f->reason, ==, "LinkStalled");
  g_assert_nonnull(strstr(f->text, "h2 (10.0.0.2)"));
  fake_free(f);
}

static void test_leaves_what_lives(void) {
  Fake *f = fake_new(1, 100);
  FerryPathWatch *w = watch(f);
  wait_until(f, &f->looks, 3);
  ferry_path_watch_free(w);
  g_assert_cmpuint(f->closed, ==, 0);
  g_assert_null(f->reason);
  fake_free(f);
}

static void test_leaves_post_copy(void) {
  Fake *f = fake_new(1, FERRY_PATH_SILENT_MS);
  f->post_copy = TRUE;
  FerryPathWatch *w = watch(f);
  wait_until(f, &f->looks, 3);
  ferry_path_watch_free(w);
  g_assert_cmpuint(f->closed, ==, 0);
  fake_free(f);
}

/* The pause that is allowed moves the time at which a frozen guest is freed. */
static void test_allowed_pause(void) {
  Fake *f = fake_new(1, FERRY_PATH_PAUSE_SILENT_MS);
  f->switchover_us = g_get_monotonic_time() - (gint64)5 * G_USEC_PER_SEC;
  FerryPathWatch *w = watch(f);
  ferry_path_watch_allow(w, 3600 * 1000);
  wait_until(f, &f->looks, 2);
  g_mutex_lock(&f->lock);
  g_assert_cmpuint(f->closed, ==, 0);
  g_mutex_unlock(&f->lock);
  ferry_path_watch_allow(w, 1000);
  wait_until(f, &f->closed, 1);
  ferry_path_watch_free(w);
  g_assert_nonnull(strstr(f->text, "paused"));
  fake_free(f);
}

/* One between both hypervisors is told of, and never closed: others may be using it. */
static void test_tells_of_control(void) {
  Fake *f = fake_new(1, FERRY_PATH_SILENT_MS);
  f->connections[0].control = TRUE;
  FerryPathWatch *w = watch(f);
  wait_until(f, &f->silent_told, 1);
  wait_until(f, &f->looks, 3);
  g_mutex_lock(&f->lock);
  g_assert_cmpuint(f->silent_told, ==, 1);
  g_assert_nonnull(strstr(f->silent_text, "libvirtd of h2"));
  f->connections[0].since_ack_ms = 10;
  g_mutex_unlock(&f->lock);
  wait_until(f, &f->silent_told, 2);
  ferry_path_watch_free(w);
  g_assert_null(f->silent_text);
  g_assert_cmpuint(f->closed, ==, 0);
  g_assert_null(f->reason);
  fake_free(f);
}

/* Where nothing can be seen it ends by itself, and asks no more. */
static void test_blind(void) {
  Fake *f = fake_new(1, FERRY_PATH_SILENT_MS);
  f->blind = TRUE;
  FerryPathWatch *w = watch(f);
  wait_until(f, &f->looks, 1);
  ferry_path_watch_free(w);
  g_assert_cmpuint(f->looks, ==, 1);
  fake_free(f);
  ferry_path_watch_free(NULL);
  ferry_path_watch_allow(NULL, 1);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK); /* what it finds is a warning */
  g_test_add_func("/watch/closes_all_and_says_why_first", test_closes_all_and_says_why_first);
  g_test_add_func("/watch/leaves_what_lives", test_leaves_what_lives);
  g_test_add_func("/watch/leaves_post_copy", test_leaves_post_copy);
  g_test_add_func("/watch/allowed_pause", test_allowed_pause);
  g_test_add_func("/watch/tells_of_control", test_tells_of_control);
  g_test_add_func("/watch/blind", test_blind);
  return g_test_run();
}
