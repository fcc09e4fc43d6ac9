// SPDX-License-Identifier: Apache-2.0
// Whose word closes what, and how often: the host port is a table of answers in the test's hands.
#include "agent/path/half_open.h"
#include "model/migration/phase.h"
#include "model/migration/recovery.h"

#define UUID "11111111-1111-1111-1111-111111111111"

static guint calls;
static guint16 last_port;

static gboolean count_close(FerryHost *host, const char *uuid, guint16 port, guint *n,
                            GError **error) {
  g_assert_cmpstr(uuid, ==, UUID);
  calls++;
  last_port = port;
  *n = 1;
  return TRUE;
}

static const FerryHostOps ops = {.incoming_close = count_close};
static FerryHost host = {.ops = &ops, .local = TRUE};

static void see(FerryHalfOpen *h, const char *type, FerryPhase phase, const char *target,
                FerryRecoveryState state, gint64 closes) {
  FerryRecoveryWord word = {state, "words", NULL, 0, closes, 49160};
  g_autoptr(json_t) status = ferry_recovery_patch(&word);
  ferry_json_set_str(status, "phase", ferry_phase_name(phase));
  ferry_json_set_str(status, "migrationState.targetNode", target);
  ferry_json_set_str(status, "migrationState.vmiUID", UUID);
  g_autoptr(json_t) m = json_pack("{s:{s:s}, s:O}", "metadata", "uid", "m1", "status", status);
  ferry_half_open_see(h, type, m);
}

static void test_once_each(void) {
  FerryHalfOpen h = {0};
  see(&h, "ADDED", FERRY_PHASE_RUNNING, "h2", FERRY_RECOVERY_UNNOTICED, 1); /* not begun yet */
  ferry_half_open_init(&h, &host, "h2");
  calls = 0;
  see(&h, "MODIFIED", FERRY_PHASE_RUNNING, "h2", FERRY_RECOVERY_UNNOTICED, 1);
  see(&h, "MODIFIED", FERRY_PHASE_RUNNING, "h2", FERRY_RECOVERY_UNNOTICED, 1);
  g_assert_cmpuint(calls, ==, 1);
  g_assert_cmpuint(last_port, ==, 49160);
  see(&h, "MODIFIED", FERRY_PHASE_RUNNING, "h2", FERRY_RECOVERY_UNNOTICED, 2);
  g_assert_cmpuint(calls, ==, 2);
  ferry_half_open_clear(&h);
}

/* The connection that is there then is another one, or not this host's. */
static void test_not(void) {
  FerryHalfOpen h;
  ferry_half_open_init(&h, &host, "h2");
  calls = 0;
  for (guint state = FERRY_RECOVERY_STALLED; state <= FERRY_RECOVERY_GIVEN_UP; state++)
    if (state != FERRY_RECOVERY_UNNOTICED)
      see(&h, "MODIFIED", FERRY_PHASE_RUNNING, "h2", (FerryRecoveryState)state, 7);
  see(&h, "MODIFIED", FERRY_PHASE_RUNNING, "h3", FERRY_RECOVERY_UNNOTICED, 7);
  see(&h, "MODIFIED", FERRY_PHASE_FAILED, "h2", FERRY_RECOVERY_UNNOTICED, 7);
  see(&h, "DELETED", FERRY_PHASE_RUNNING, "h2", FERRY_RECOVERY_UNNOTICED, 7);
  g_assert_cmpuint(calls, ==, 0);
  see(&h, "MODIFIED", FERRY_PHASE_RUNNING, "h2", FERRY_RECOVERY_UNNOTICED, 7);
  g_assert_cmpuint(calls, ==, 1);
  ferry_half_open_clear(&h);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/agent/half_open/once", test_once_each);
  g_test_add_func("/agent/half_open/not", test_not);
  return g_test_run();
}
