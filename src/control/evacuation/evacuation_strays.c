// SPDX-License-Identifier: Apache-2.0
#include "control/evacuation/evacuation_strays.h"
#include "control/vmi_owner.h"
#include "model/migration/phase.h"

static json_t *active_twice(const json_t *vmi, const json_t *record, const char *node) {
  const char *owner = ferry_json_str(vmi, "status.nodeName");
  const char *domain = ferry_json_str(record, "claim.name");
  return json_pack(
      "{s:O, s:O, s:s, s:o}", "name", ferry_json_get(vmi, "metadata.name"), "namespace",
      ferry_json_get(vmi, "metadata.namespace"), "phase",
      ferry_phase_name(FERRY_PHASE_ON_TWO_HOSTS), "message",
      json_sprintf("domain %s is active on %s with the UUID of this VM, which is %s's, where it is "
                   "active: look at both with virsh, and stop the one that is not wanted",
                   domain ? domain : "(unnamed)", node, owner ? owner : "another host"));
}

static json_t *evacuation_strays_left_out(const json_t *entry) {
  const char *name = ferry_json_str(entry, "name"), *uuid = ferry_json_str(entry, "uuid");
  return json_pack(
      "{s:s, s:s, s:o}", "name",
      name   ? name
      : uuid ? uuid
             : "?",
      "phase", ferry_phase_name(FERRY_PHASE_INVALID_DOMAIN), "message",
      json_sprintf("what the agent reports of this domain is invalid, so nothing moves "
                   "it: %s",
                   ferry_json_str(entry, "message")));
}

guint ferry_evacuation_strays(const json_t *node, const GPtrArray *vmis,
                              gboolean (*moves)(const json_t *vmi, gpointer data), gpointer data,
                              json_t *vms) {
  const char *name = ferry_json_str(node, "metadata.name");
  guint n = 0;
  for (guint i = 0; i < vmis->len; i++) {
    const json_t *vmi = g_ptr_array_index(vmis, i);
    const json_t *here = ferry_json_find(ferry_json_get(vmi, "status.domains"), "nodeName", name);
    if (!ferry_json_bool(here, "active", FALSE) || ferry_vmi_record_receives(here) ||
        g_strcmp0(ferry_json_str(vmi, "status.nodeName"), name) == 0 || moves(vmi, data))
      continue;
    json_array_append_new(vms, active_twice(vmi, here, name));
    n++;
  }
  gsize i;
  json_t *entry;
  json_array_foreach(ferry_json_get(node, "status.invalidDomains"), i, entry) {
    if (!ferry_json_bool(entry, "active", TRUE))
      continue;
    json_array_append_new(vms, evacuation_strays_left_out(entry));
    n++;
  }
  return n;
}

gboolean ferry_evacuation_is_stray(const json_t *entry) {
  FerryPhase phase = ferry_phase_parse(ferry_json_str(entry, "phase"));
  return phase == FERRY_PHASE_ON_TWO_HOSTS || phase == FERRY_PHASE_INVALID_DOMAIN;
}
