// SPDX-License-Identifier: Apache-2.0
#include "model/migration/recovery.h"

#define RECOVERY "status.migrationState.recovery."

const char *const ferry_recovery_states[] = {"NothingMoves",    "TargetSilent", "PathDown",
                                             "TargetUnnoticed", "NextTry",      "Resuming",
                                             "Recovered",       "GivenUp",      NULL};

FerryRecoveryState ferry_recovery_of(const json_t *migration) {
  const char *word = ferry_json_str(migration, RECOVERY "state");
  guint state = word ? FERRY_RECOVERY_GIVEN_UP : FERRY_RECOVERY_NONE;
  while (state > FERRY_RECOVERY_NONE && !g_str_equal(word, ferry_recovery_states[state - 1]))
    state--;
  return (FerryRecoveryState)state;
}

gboolean ferry_recovery_is_open(const json_t *migration) {
  FerryRecoveryState state = ferry_recovery_of(migration);
  return state >= FERRY_RECOVERY_STALLED && state <= FERRY_RECOVERY_RESUMING;
}

const char *ferry_recovery_message(const json_t *migration) {
  return ferry_json_str(migration, RECOVERY "message");
}

gint64 ferry_recovery_tries(const json_t *migration) {
  return ferry_json_int(migration, RECOVERY "tries", 0);
}

gint64 ferry_recovery_close_request(const json_t *migration) {
  return ferry_recovery_of(migration) == FERRY_RECOVERY_UNNOTICED
             ? ferry_json_int(migration, RECOVERY "closeRequests", 0)
             : 0;
}

guint16 ferry_recovery_port(const json_t *migration) {
  return (guint16)CLAMP(ferry_json_int(migration, RECOVERY "port", 0), 0, G_MAXUINT16);
}

json_t *ferry_recovery_patch(const FerryRecoveryWord *w) {
  json_t *entry =
      json_pack("{s:s, s:s*, s:s*, s:I, s:I}", "state", ferry_recovery_states[w->state - 1],
                "message", w->message, "since", w->since, "tries", (json_int_t)w->tries,
                "closeRequests", (json_int_t)w->closes);
  if (w->port)
    ferry_json_set_int(entry, "port", w->port);
  return json_pack("{s:{s:o}}", "migrationState", "recovery", entry);
}
