// SPDX-License-Identifier: Apache-2.0
// The session, and what ends the waiting for one.
#include "agent/core/session.h"
#include "base/error.h"

static int fatal;

static void on_notify(const char *what, gpointer data) {
  fatal += g_str_equal(what, "fatal");
}

static FerryClientConfig *config_of(const char *cert) {
  FerryClientConfig *config = ferry_client_config_new();
  config->server = g_strdup("https://127.0.0.1:1");
  config->ca_sha256 = g_strnfill(64, 'a');
  config->source = g_strdup(cert);
  return config;
}

static void test_alone(void) {
  FerryAgentContext *context = ferry_context_new("h1", "/nowhere", on_notify, NULL);
  FerryAgentSession *session = ferry_session_new(context, NULL);
  g_assert_null(ferry_session_config(session));
  g_assert_cmpint(ferry_session_epoch(session), ==, 1);
  ferry_session_free(session);
  ferry_context_free(context);
}

static gpointer begin_soon(gpointer session) {
  g_usleep(20000); /* long enough for the other to wait, mostly */
  ferry_session_begin(session, 7);
  return NULL;
}

static void test_epoch(void) {
  g_autoptr(FerryClientConfig) config = config_of("a");
  FerryAgentContext *context = ferry_context_new("h1", "/nowhere", on_notify, NULL);
  FerryAgentSession *session = ferry_session_new(context, config);
  g_assert_cmpint(ferry_session_epoch_now(session), ==, 0);
  GThread *thread = g_thread_new("begin", begin_soon, session);
  g_assert_cmpint(ferry_session_epoch(session), ==, 7);
  g_thread_join(thread);
  ferry_context_set_stale(context);
  ferry_context_set_stale(context);
  g_assert_cmpint(fatal, ==, 1); /* said once */
  g_assert_true(ferry_context_has_ended(context));
  g_assert_false(ferry_context_is_stopped(context));
  ferry_context_stop(context);
  g_assert_cmpint(ferry_session_epoch(session), ==, 0);
  ferry_session_free(session);
  ferry_context_free(context);
}

/* who reads the old configuration may go on to; new clients use the new one */
static void test_renewed(void) {
  g_autoptr(FerryClientConfig) config = config_of("first");
  FerryAgentContext *context = ferry_context_new("h1", "/nowhere", on_notify, NULL);
  FerryAgentSession *session = ferry_session_new(context, config);
  const FerryClientConfig *before = ferry_session_config(session);
  FerryClient *client = ferry_session_take_client(session);
  ferry_session_give_client(session, client);
  g_assert_true(ferry_session_take_client(session) == client); /* kept, with its connection */
  FerryClientConfig *renewed = config_of("second");
  renewed->token = g_strdup("t");
  ferry_session_set_config(session, renewed);
  g_assert_cmpstr(before->source, ==, "first");
  g_assert_cmpstr(ferry_session_config(session)->source, ==, "second");
  ferry_session_give_client(session, client);
  ferry_session_free(session);
  ferry_context_free(context);
}

/* who is refused asks ever more seldom, within bounds */
static void test_backoff(void) {
  g_autoptr(GError) refused =
      g_error_new_literal(FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED, "not any more");
  gint64 often = 0, seldom = 0;
  for (int i = 0; i < 20; i++) {
    gint64 pause = ferry_backoff_next(&often),
           refused_pause = ferry_backoff_after(&seldom, refused);
    g_assert_cmpint(pause, >=, 50);
    g_assert_cmpint(pause, <=, 5000);
    g_assert_cmpint(refused_pause, >=, 2500);
    g_assert_cmpint(refused_pause, <=, 60000);
  }
  g_assert_cmpint(often, ==, 5000);
  g_assert_cmpint(seldom, ==, 60000);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK);
  g_test_add_func("/agent/session/alone", test_alone);
  g_test_add_func("/agent/session/epoch", test_epoch);
  g_test_add_func("/agent/session/renewed", test_renewed);
  g_test_add_func("/agent/session/backoff", test_backoff);
  return g_test_run();
}
