// SPDX-License-Identifier: Apache-2.0
// How far something is: the phases of a migration, of a VM, of an Evacuation and a Rollout (and of
// the VMs and hosts that these list), how memory is moved, and what became of a cancel or a change.
// Their words are in phase.c and nowhere else (tests/tree/check-words). Pure; any thread.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Every word that stands in a field `phase`. Those of a migration come in the order of its life.
 */
typedef enum {
  FERRY_PHASE_NONE, /* no phase yet, or a word of another version's */
  FERRY_PHASE_PENDING,
  FERRY_PHASE_SCHEDULING,
  FERRY_PHASE_SCHEDULED,
  FERRY_PHASE_PREPARING_TARGET,
  FERRY_PHASE_TARGET_READY,
  FERRY_PHASE_RUNNING, /* of a VM, an Evacuation and a Pod, too */
  FERRY_PHASE_SUCCEEDED,
  FERRY_PHASE_FAILED,
  /* of a VM */
  FERRY_PHASE_PAUSED,
  FERRY_PHASE_STOPPED,
  FERRY_PHASE_CRASHED,
  FERRY_PHASE_UNKNOWN,
  /* of a VM that an Evacuation lists; besides, its migration's */
  FERRY_PHASE_QUEUED,
  FERRY_PHASE_RETRYING,
  FERRY_PHASE_MOVED,
  FERRY_PHASE_CANCELLING,
  FERRY_PHASE_ARRIVING,
  FERRY_PHASE_ON_TWO_HOSTS,
  FERRY_PHASE_INVALID_DOMAIN,
  /* of a host that a Rollout lists; besides QUEUED, PAUSED, SUCCEEDED and FAILED */
  FERRY_PHASE_EMPTYING,
  FERRY_PHASE_BLOCKED,
  FERRY_PHASE_EMPTY,
  FERRY_PHASE_VERIFYING,
  FERRY_PHASE_LAST
} FerryPhase;

/** The number of a migration's phases; they are 1 to this. */
#define FERRY_MIGRATION_PHASES FERRY_PHASE_FAILED

/** Values of status.phase of a migration, a VM and an Evacuation; each ends with NULL. */
extern const char *const ferry_migration_phases[];
extern const char *const ferry_vmi_phases[];
extern const char *const ferry_evacuation_phases[];
/** Those of a Rollout, and of the hosts that it lists; each ends with NULL. */
extern const char *const ferry_rollout_phases[];
extern const char *const ferry_rollout_host_phases[];
/** The same of the VMs that an Evacuation lists, which may be those of their migrations, and of a
 * pod. */
extern const char *const ferry_listed_phases[];
extern const char *const ferry_pod_phases[];

/** The word of a phase; NULL for NONE. Static. */
const char *ferry_phase_name(FerryPhase phase);
/** The phase of a word; NONE for NULL and for one that is not known. */
FerryPhase ferry_phase_parse(const char *name);
/** status.phase of a migration, VM or Evacuation; NONE where `object` is NULL. */
FerryPhase ferry_phase_of(const json_t *object);
/** The word in status.phase, one of another version's too; "Pending" where there is none. Borrowed.
 */
const char *ferry_phase_word(const json_t *object);
/** Whether a migration, an Evacuation or a Rollout (or its host) in that phase has ended. */
gboolean ferry_phase_is_final(FerryPhase phase);
/** Whether a migration in that phase has no host yet: before Scheduled. */
gboolean ferry_phase_is_waiting(FerryPhase phase);
/** Whether a VM is there as a machine, running or paused; FALSE for NULL. */
gboolean ferry_vmi_is_active(const json_t *vmi);

/** How memory is moved: status.migrationState.mode. */
typedef enum {
  FERRY_MODE_NONE,
  FERRY_MODE_PRE_COPY,
  FERRY_MODE_POST_COPY,
  FERRY_MODE_PAUSED, /* Ferry holds the guest */
} FerryMode;

extern const char *const ferry_migration_modes[]; /* ends with NULL */
/** The word of a mode; NULL for NONE. Static. */
const char *ferry_mode_name(FerryMode mode);
/** That of a migration; NONE for none and for a word that is not known. */
FerryMode ferry_mode_of(const json_t *migration);

/** The same as a person asks for it: fields.technique of a change. The words are no others'. */
typedef enum {
  FERRY_TECHNIQUE_NONE,
  FERRY_TECHNIQUE_PRE_COPY,  /* to stay in it */
  FERRY_TECHNIQUE_POST_COPY, /* to switch to it now */
} FerryTechnique;

extern const char *const ferry_techniques[]; /* ends with NULL */
/** The word of a technique; NULL for NONE. Static. */
const char *ferry_technique_name(FerryTechnique technique);
/** That of the fields of a change; NONE for none and for a word that is not known. */
FerryTechnique ferry_technique_of(const json_t *fields);

/** What became of a cancel: status.migrationState.abortStatus. */
typedef enum {
  FERRY_ABORT_NONE,
  FERRY_ABORT_ABORTING,
  FERRY_ABORT_SUCCEEDED,
  FERRY_ABORT_FAILED,
} FerryAbort;

extern const char *const ferry_abort_states[]; /* ends with NULL */
/** The word of a cancel's state; NULL for NONE. Static. */
const char *ferry_abort_name(FerryAbort state);

/** What became of a change of a running migration: status.changes[].state. */
typedef enum {
  FERRY_CHANGE_NONE,
  FERRY_CHANGE_REQUESTED,
  FERRY_CHANGE_APPLIED,
  FERRY_CHANGE_REFUSED,
} FerryChangeState;

extern const char *const ferry_change_states[]; /* ends with NULL */
/** The word of a change's state; NULL for NONE. Static. */
const char *ferry_change_state_name(FerryChangeState state);
/** That of one of status.changes; NONE for none and for a word that is not known. */
FerryChangeState ferry_change_state_of(const json_t *change);

G_END_DECLS
