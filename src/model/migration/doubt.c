// SPDX-License-Identifier: Apache-2.0
#include "model/migration/doubt.h"
#include "model/migration/migration.h"

const char *const ferry_doubt_states[] = {"Suspended", "GoesOn", "Destroyed", NULL};

static const char *const side_names[] = {"source", "target"};

FerrySide ferry_side_other(FerrySide side) {
  return side == FERRY_SIDE_SOURCE ? FERRY_SIDE_TARGET : FERRY_SIDE_SOURCE;
}

const char *ferry_side_node(const json_t *migration, FerrySide side) {
  return ferry_json_str(migration, side == FERRY_SIDE_SOURCE ? FERRY_STATE "sourceNode"
                                                             : FERRY_STATE "targetNode");
}

static const json_t *doubt_entry(const json_t *migration, FerrySide side) {
  return json_object_get(ferry_json_get(migration, FERRY_STATE "doubt"), side_names[side]);
}

FerryDoubtState ferry_doubt_of(const json_t *migration, FerrySide side) {
  const char *word = ferry_json_str(doubt_entry(migration, side), "state");
  guint state = word ? FERRY_DOUBT_GONE : FERRY_DOUBT_NONE;
  while (state > FERRY_DOUBT_NONE && !g_str_equal(word, ferry_doubt_states[state - 1]))
    state--;
  return (FerryDoubtState)state;
}

gint64 ferry_doubt_ran_ms(const json_t *migration, FerrySide side) {
  return ferry_json_int(doubt_entry(migration, side), "ranMs", -1);
}

json_t *ferry_doubt_patch(FerrySide side, FerryDoubtState state, const char *since, gint64 ran_ms) {
  json_t *entry = json_pack("{s:s, s:s}", "state", ferry_doubt_states[state - 1], "since", since);
  if (ran_ms >= 0)
    ferry_json_set_int(entry, "ranMs", ran_ms);
  return json_pack("{s:{s:{s:o}}}", "migrationState", "doubt", side_names[side], entry);
}

gboolean ferry_doubt_source_is_held(const json_t *migration) {
  gint64 ran_ms = ferry_doubt_ran_ms(migration, FERRY_SIDE_SOURCE);
  return ferry_doubt_of(migration, FERRY_SIDE_SOURCE) == FERRY_DOUBT_SUSPENDED && ran_ms >= 0 &&
         ran_ms <= FERRY_DOUBT_HELD_MS;
}

gboolean ferry_doubt_is_open(const json_t *migration) {
  return ferry_doubt_of(migration, FERRY_SIDE_SOURCE) == FERRY_DOUBT_SUSPENDED ||
         ferry_doubt_of(migration, FERRY_SIDE_TARGET) == FERRY_DOUBT_SUSPENDED;
}

const char *ferry_doubt_kept(const json_t *migration) {
  return ferry_json_str(migration, FERRY_STATE "keepNode");
}

gboolean ferry_doubt_keep_is_due(const json_t *migration, FerrySide side) {
  FerryDoubtState state = ferry_doubt_of(migration, side);
  const char *kept = ferry_doubt_kept(migration);
  if (!kept)
    return FALSE;
  /* which of the two it must come to */
  FerryDoubtState end = g_strcmp0(kept, ferry_side_node(migration, side)) == 0 ? FERRY_DOUBT_GOES_ON
                                                                               : FERRY_DOUBT_GONE;
  return state != end;
}

FerryOnAmbiguity ferry_on_ambiguity(const json_t *migration) {
  const char *word = ferry_json_str(migration, FERRY_STATE "migrationConfiguration.onAmbiguity");
  return g_strcmp0(word, "source") == 0   ? FERRY_ON_AMBIGUITY_SOURCE
         : g_strcmp0(word, "target") == 0 ? FERRY_ON_AMBIGUITY_TARGET
                                          : FERRY_ON_AMBIGUITY_PAUSE;
}
