// SPDX-License-Identifier: Apache-2.0
#include "model/migration/phase.h"

#define RUNNING "Running"
#define PENDING "Pending"
#define SUCCEEDED "Succeeded"
#define FAILED "Failed"
#define PAUSED_WORD "Paused"
#define QUEUED_WORD "Queued"

/* A migration's, in the order of its life. */
#define MIGRATION_PHASES(ROW)                                                                      \
  ROW(PENDING, PENDING)                                                                            \
  ROW(SCHEDULING, "Scheduling")                                                                    \
  ROW(SCHEDULED, "Scheduled")                                                                      \
  ROW(PREPARING_TARGET, "PreparingTarget")                                                         \
  ROW(TARGET_READY, "TargetReady")                                                                 \
  ROW(RUNNING, RUNNING)                                                                            \
  ROW(SUCCEEDED, SUCCEEDED)                                                                        \
  ROW(FAILED, FAILED)
/* A VM's, besides Running. */
#define VMI_PHASES(ROW)                                                                            \
  ROW(PAUSED, PAUSED_WORD)                                                                         \
  ROW(STOPPED, "Stopped")                                                                          \
  ROW(CRASHED, "Crashed")                                                                          \
  ROW(UNKNOWN, "Unknown")
/* Of the hosts that a Rollout lists, besides Queued, Paused, Succeeded and Failed. */
#define HOST_PHASES(ROW)                                                                           \
  ROW(EMPTYING, "Emptying")                                                                        \
  ROW(BLOCKED, "Blocked")                                                                          \
  ROW(EMPTY, "Empty")                                                                              \
  ROW(VERIFYING, "Verifying")
/* Of the VMs that an Evacuation lists, besides their migrations'. */
#define LISTED_PHASES(ROW)                                                                         \
  ROW(QUEUED, QUEUED_WORD)                                                                         \
  ROW(RETRYING, "Retrying")                                                                        \
  ROW(MOVED, "Moved")                                                                              \
  ROW(CANCELLING, "Cancelling")                                                                    \
  ROW(ARRIVING, "Arriving")                                                                        \
  ROW(ON_TWO_HOSTS, "OnTwoHosts")                                                                  \
  ROW(INVALID_DOMAIN, "InvalidDomain")

#define AS_NAME(phase, word) [FERRY_PHASE_##phase] = word,
#define AS_WORD(phase, word) word,

static const char *const phase_names[FERRY_PHASE_LAST] = {
    MIGRATION_PHASES(AS_NAME) VMI_PHASES(AS_NAME) LISTED_PHASES(AS_NAME) HOST_PHASES(AS_NAME)};

const char *const ferry_migration_phases[] = {MIGRATION_PHASES(AS_WORD) NULL};
const char *const ferry_vmi_phases[] = {RUNNING, VMI_PHASES(AS_WORD) NULL};
const char *const ferry_evacuation_phases[] = {PENDING, RUNNING, SUCCEEDED, FAILED, NULL};
const char *const ferry_rollout_phases[] = {PENDING, RUNNING, PAUSED_WORD, SUCCEEDED, FAILED, NULL};
const char *const ferry_rollout_host_phases[] = {QUEUED_WORD, HOST_PHASES(AS_WORD) PAUSED_WORD,
                                                 SUCCEEDED, FAILED, NULL};

const char *const ferry_listed_phases[] = {MIGRATION_PHASES(AS_WORD) VMI_PHASES(AS_WORD)
                                               LISTED_PHASES(AS_WORD) NULL};
const char *const ferry_pod_phases[] = {RUNNING, NULL};

const char *ferry_phase_name(FerryPhase phase) {
  return phase_names[phase];
}

FerryPhase ferry_phase_parse(const char *name) {
  guint phase = name ? FERRY_PHASE_LAST - 1 : FERRY_PHASE_NONE;
  while (phase > FERRY_PHASE_NONE && !g_str_equal(name, phase_names[phase]))
    phase--;
  return (FerryPhase)phase;
}

FerryPhase ferry_phase_of(const json_t *object) {
  return ferry_phase_parse(ferry_json_str(object, "status.phase"));
}

const char *ferry_phase_word(const json_t *object) {
  const char *word = ferry_json_str(object, "status.phase");
  return word ? word : PENDING;
}

gboolean ferry_phase_is_final(FerryPhase phase) {
  return phase == FERRY_PHASE_SUCCEEDED || phase == FERRY_PHASE_FAILED;
}

gboolean ferry_phase_is_waiting(FerryPhase phase) {
  return phase < FERRY_PHASE_SCHEDULED;
}

gboolean ferry_vmi_is_active(const json_t *vmi) {
  FerryPhase phase = ferry_phase_of(vmi);
  return phase == FERRY_PHASE_RUNNING || phase == FERRY_PHASE_PAUSED;
}

/* From 1; 0: it is no such word. */
static guint word_place(const char *word, const char *const *words) {
  for (guint i = 0; word && words[i]; i++)
    if (g_str_equal(word, words[i]))
      return i + 1;
  return 0;
}

const char *const ferry_migration_modes[] = {"PreCopy", "PostCopy", PAUSED_WORD, NULL};

const char *ferry_mode_name(FerryMode mode) {
  return mode == FERRY_MODE_NONE ? NULL : ferry_migration_modes[mode - 1];
}

FerryMode ferry_mode_of(const json_t *migration) {
  const char *name = ferry_json_str(migration, "status.migrationState.mode");
  return (FerryMode)word_place(name, ferry_migration_modes);
}

const char *const ferry_techniques[] = {"pre-copy", "post-copy", NULL};

const char *ferry_technique_name(FerryTechnique technique) {
  return technique == FERRY_TECHNIQUE_NONE ? NULL : ferry_techniques[technique - 1];
}

FerryTechnique ferry_technique_of(const json_t *fields) {
  return (FerryTechnique)word_place(ferry_json_str(fields, "technique"), ferry_techniques);
}

const char *const ferry_abort_states[] = {"Aborting", SUCCEEDED, FAILED, NULL};

const char *ferry_abort_name(FerryAbort state) {
  return state == FERRY_ABORT_NONE ? NULL : ferry_abort_states[state - 1];
}

const char *const ferry_change_states[] = {"Requested", "Applied", "Refused", NULL};

const char *ferry_change_state_name(FerryChangeState state) {
  return state == FERRY_CHANGE_NONE ? NULL : ferry_change_states[state - 1];
}

FerryChangeState ferry_change_state_of(const json_t *change) {
  return (FerryChangeState)word_place(ferry_json_str(change, "state"), ferry_change_states);
}
