// SPDX-License-Identifier: Apache-2.0
// What a migration's record says of a post-copy that broke: status.migrationState.recovery, in
// which the source's agent says how it makes the VM whole again. Pure; any thread.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** How far it is. */
typedef enum {
  FERRY_RECOVERY_NONE,      /* nothing is broken, or nothing is said */
  FERRY_RECOVERY_STALLED,   /* nothing moves; the link may come back, and both QEMUs go on then */
  FERRY_RECOVERY_SILENT,    /* the target's libvirtd cannot be asked */
  FERRY_RECOVERY_PATH_DOWN, /* the way to the target is closed */
  FERRY_RECOVERY_UNNOTICED, /* the target's QEMU waits on a connection that is dead */
  FERRY_RECOVERY_WAITING,   /* for the next try */
  FERRY_RECOVERY_RESUMING,  /* libvirt resumes it just now */
  FERRY_RECOVERY_RECOVERED, /* it goes on */
  FERRY_RECOVERY_GIVEN_UP,  /* it is not tried (any more) */
} FerryRecoveryState;
extern const char *const ferry_recovery_states[]; /* ends with NULL */

/** What the record says; NONE for nothing and for a word that is not known. */
FerryRecoveryState ferry_recovery_of(const json_t *migration);
/** Whether it is being recovered: then, in post-copy, a cancel has something to end. */
gboolean ferry_recovery_is_open(const json_t *migration);
/** Why it is in that state, in words, borrowed; NULL: not said. */
const char *ferry_recovery_message(const json_t *migration);
/** How often it was tried to resume it. */
gint64 ferry_recovery_tries(const json_t *migration);
/** The number of the last request to the target's agent to close a connection that leads nowhere
 * any more, while that is asked for; 0: it is not. */
gint64 ferry_recovery_close_request(const json_t *migration);

/** The target's port of that connection; 0: not known. */
guint16 ferry_recovery_port(const json_t *migration);

/** One word of the source's agent. */
typedef struct {
  FerryRecoveryState state;
  const char *message;  /* why, in words */
  const char *since;    /* when it broke, RFC 3339; NULL: not said */
  gint64 tries, closes; /* so far */
  guint16 port;         /* of the target, to which the data goes; 0: not known */
} FerryRecoveryWord;
/** A patch of status that says so. New reference. */
json_t *ferry_recovery_patch(const FerryRecoveryWord *word);

G_END_DECLS
