// SPDX-License-Identifier: Apache-2.0
// What a migration's record says of two copies of one VM: status.migrationState.doubt, in which
// each host's agent says what became of the copy on its own host, keepNode, a person's word which
// of them goes on, and onAmbiguity, the policy's. Pure; any thread.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

typedef enum { FERRY_SIDE_SOURCE, FERRY_SIDE_TARGET } FerrySide;
/** The other one. */
FerrySide ferry_side_other(FerrySide side);
/** The name of its node in the migration; NULL: not known (yet). Borrowed. */
const char *ferry_side_node(const json_t *migration, FerrySide side);

/** What the agent of a host did about its copy. */
typedef enum {
  FERRY_DOUBT_NONE,      /* nothing: it never was in doubt */
  FERRY_DOUBT_SUSPENDED, /* it waits for what becomes of the other one */
  FERRY_DOUBT_GOES_ON,   /* it is this one that goes on */
  FERRY_DOUBT_GONE,      /* it was destroyed, or is not there any more */
} FerryDoubtState;
extern const char *const ferry_doubt_states[]; /* ends with NULL */

/** What `side` says in the migration's record; NONE for nothing and for a word that is not known.
 */
FerryDoubtState ferry_doubt_of(const json_t *migration, FerrySide side);
/** For how long it says that its copy ran between the switch-over and its suspension, in ms; -1:
 * not said. */
gint64 ferry_doubt_ran_ms(const json_t *migration, FerrySide side);
/** A patch of status by which `side` says so: {migrationState: {doubt: {SIDE: ...}}}. `since`: an
 * RFC 3339 time; `ran_ms` < 0: not known. New reference. */
json_t *ferry_doubt_patch(FerrySide side, FerryDoubtState state, const char *since, gint64 ran_ms);
/** A copy that was suspended within so long after libvirt had resumed it was held: what it did is
 * not worth more than what the other one has. */
#define FERRY_DOUBT_HELD_MS 500
/** Whether the source's copy was held, so that the target's may go on: its agent lets it go on only
 * once the target's is gone. */
gboolean ferry_doubt_source_is_held(const json_t *migration);
/** Whether a copy waits, on either host, for somebody's word. */
gboolean ferry_doubt_is_open(const json_t *migration);

/** The node whose copy goes on by a person's word; NULL: nobody said so. Borrowed. */
const char *ferry_doubt_kept(const json_t *migration);
/** Whether a person's word is still to be carried out by `side`. */
gboolean ferry_doubt_keep_is_due(const json_t *migration, FerrySide side);

/** Which copy may go on unproven: `onAmbiguity` of the resolved configuration. */
typedef enum {
  FERRY_ON_AMBIGUITY_PAUSE, /* none */
  FERRY_ON_AMBIGUITY_SOURCE,
  FERRY_ON_AMBIGUITY_TARGET,
} FerryOnAmbiguity;
/** That of a migration; PAUSE for none and for a word that is not known. */
FerryOnAmbiguity ferry_on_ambiguity(const json_t *migration);

G_END_DECLS
