// SPDX-License-Identifier: Apache-2.0
// May the copy that has just been resumed on the target run? Judged at that moment by what the
// target's agent has heard of the source's, through ferryd: a hand-over between two hosts whose
// agents are both heard, and of which none reports a failure, needs no proof.
//
// A source's agent that says that it held its copy at once (ferry_doubt_source_is_held) has proven
// enough as well: that copy can't go on before this one is gone.
#pragma once
#include "base/json.h"
#include "model/migration/doubt.h"

G_BEGIN_DECLS

/** After so long without a word of it the source's agent counts as not heard. It says something at
 * least every FERRY_ARRIVAL_WORD_MS while a migration runs. */
#define FERRY_ARRIVAL_SILENCE_MS 3000
#define FERRY_ARRIVAL_WORD_MS 1000

/** What was heard of the source so far; zero-initialised at first. */
typedef struct {
  gint64 heard_us; /* monotonic; 0: never */
  json_t *word;    /* what it said last, owned */
  gboolean failed; /* the migration, by its agent's result */
  gboolean held;   /* its copy is, until this one's fate is known */
  FerryOnAmbiguity rule;
} FerryArrival;

/** The migration as ferryd has it at `now_us`. */
void ferry_arrival_see(FerryArrival *arrival, const json_t *migration, gint64 now_us);
void ferry_arrival_clear(FerryArrival *arrival);

/** Why the copy must not run, static words for people; NULL: it may. */
const char *ferry_arrival_obstacle(const FerryArrival *arrival, gint64 now_us);

G_END_DECLS
