// SPDX-License-Identifier: Apache-2.0
#include "agent/carry/autostart.h"
#include "model/domain/domain_states.h"

void ferry_autostart_recall(FerryAutostart *a, const json_t *migration) {
  a->on = ferry_json_bool(migration, "status.migrationState.autostart", FALSE);
}

void ferry_autostart_look(FerryAutostart *a, FerryHostJob *job) {
  gboolean on = FALSE;
  g_autoptr(GError) error = NULL;
  /* taken off by an earlier attempt that could not give it back, it is still the VM's */
  if (ferry_host_job_autostart(job, &on, &error))
    a->on = a->on || on;
}

gboolean ferry_autostart_take(const FerryAutostart *a, FerryHostJob *job, GError **error) {
  return !a->on || ferry_host_job_set_autostart(job, FALSE, error);
}

static char *autostart_advise(const char *where, const char *uuid, const char *why) {
  return g_strdup_printf("the VM was to start with its host, but %s does not have that set now "
                         "(%s): run 'virsh autostart %s' there",
                         where, why, uuid);
}

static char *give_there(const FerryAutostartPlace *place, const FerryDomainState *state) {
  g_autoptr(GError) error = NULL;
  const char *target = place->target ? place->target : "the target";
  if (!state->persistent)
    return autostart_advise(target, place->uuid, "the VM is transient there, so define it first");
  if (ferry_host_peer_set_autostart(place->host, place->peer_uri, place->uuid, TRUE, &error))
    return NULL;
  return autostart_advise(target, place->uuid, error->message);
}

static char *give_back(const FerryAutostartPlace *place) {
  g_autoptr(GError) error = NULL;
  if (ferry_host_job_set_autostart(place->job, TRUE, &error))
    return NULL;
  return autostart_advise("its host", place->uuid, error->message);
}

static gboolean is_paused_by_migration(const FerryDomainState *state) {
  return ferry_domain_state_waits(state) ||
         (state->state == FERRY_VM_PAUSED &&
          g_strcmp0(state->reason, FERRY_VM_REASON_STARTING_UP) == 0);
}

/* What a cancelled migration has at its target until libvirt there has put it away: paused, then on
 * its way to being off. */
static gboolean is_being_put_away(const FerryDomainState *here, const FerryDomainState *there) {
  return here->active && !is_paused_by_migration(here) &&
         (is_paused_by_migration(there) || there->state == FERRY_VM_SHUTDOWN);
}

char *ferry_autostart_give(FerryAutostart *a, const FerryAutostartPlace *place) {
  FerryDomainState there = {.state = FERRY_VM_GONE};
  g_autoptr(GError) error = NULL;
  if (!a->on)
    return NULL;
  a->on = FALSE;
  gboolean told = ferry_host_peer_state(place->host, place->peer_uri, place->uuid, &there, &error);
  FerryDomainState here = {.state = FERRY_VM_GONE};
  if (place->job && !ferry_host_job_state(place->job, &here, NULL))
    here.exists = FALSE;
  gboolean has_it = told && there.active && !is_being_put_away(&here, &there);
  if (has_it || (told && there.exists && !here.exists))
    return give_there(place, &there);
  gboolean left =
      here.exists && !here.active && g_strcmp0(here.reason, FERRY_VM_REASON_MIGRATED) == 0;
  if (here.exists && !left && (told || here.active))
    return give_back(place);
  /* whoever has it, it is not known here: an old copy that starts is worse than none */
  return autostart_advise(place->target ? place->target : "the target", place->uuid,
                          error  ? error->message
                          : left ? "the VM has left it since"
                                 : "the VM is on neither host");
}
