// SPDX-License-Identifier: Apache-2.0
#include "agent/twin/arrival.h"
#include "model/migration/migration.h"

/* Of all that its agent writes, what changes as long as it lives. */
static json_t *arrival_word(const json_t *migration) {
  return json_pack("{s:O*, s:O*, s:O*}", "phase", ferry_json_get(migration, "status.phase"),
                   "progress", ferry_json_get(migration, "status.progress"), "epoch",
                   ferry_json_get(migration, FERRY_STATE "agentEpoch"));
}

static gboolean arrival_failed(const json_t *migration) {
  const json_t *result = ferry_json_get(migration, FERRY_STATE "agentResult");
  const char *error = ferry_json_str(result, "error");
  return ferry_json_int(result, "attempt", 0) ==
             ferry_json_int(migration, FERRY_STATE "attempt", 0) &&
         ((error && *error) || ferry_json_int(result, "errorCode", 0) ||
          (result && !ferry_json_bool(result, "returned", TRUE)));
}

void ferry_arrival_see(FerryArrival *a, const json_t *migration, gint64 now_us) {
  json_t *word = arrival_word(migration);
  if (!a->word || !json_equal(a->word, word))
    a->heard_us = now_us;
  json_decref(a->word);
  a->word = word;
  a->failed = arrival_failed(migration);
  a->held = ferry_doubt_source_is_held(migration);
  a->rule = ferry_on_ambiguity(migration);
}

void ferry_arrival_clear(FerryArrival *a) {
  g_clear_pointer(&a->word, json_decref);
}

const char *ferry_arrival_obstacle(const FerryArrival *a, gint64 now_us) {
  if (a->rule == FERRY_ON_AMBIGUITY_TARGET || a->held)
    return NULL;
  if (a->failed)
    return "the agent of the source had reported that the migration failed";
  if (!a->heard_us || now_us - a->heard_us > FERRY_ARRIVAL_SILENCE_MS * 1000)
    return "the agent of the source had not been heard for more than 3 s";
  return NULL;
}
