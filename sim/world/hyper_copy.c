// SPDX-License-Identifier: Apache-2.0
// One host's copy of a VM as its libvirtd says it is.
#include "sim/world/hyper_job.h"
#include "model/domain/domain_states.h"

void ferry_copy_stop(FerryWorldCopy *copy, const char *reason, gboolean undefine) {
  FerryWorldHost *host = copy->host;
  const char *uuid = copy->vm->uuid;
  copy->qemu = copy->runs = copy->whole = copy->stuck = copy->incoming = FALSE;
  copy->id = -1;
  if (copy->persistent && !undefine)
    ferry_copy_set(copy, FERRY_VM_SHUTOFF, reason);
  else
    g_hash_table_remove(host->copies, uuid);
  ferry_hyper_changed(host->hyper);
  ferry_hyper_tell_state(host, uuid, FERRY_HOST_PAUSE_NONE);
}

void ferry_copy_state(const FerryWorldCopy *copy, FerryDomainState *out) {
  *out = (FerryDomainState){.state = FERRY_VM_GONE, .reason = FERRY_VM_REASON_UNKNOWN, .id = -1};
  if (copy)
    *out = (FerryDomainState){TRUE,     copy->state,   copy->reason,
                              copy->id, copy->id >= 0, copy->persistent};
}
