// SPDX-License-Identifier: Apache-2.0
// VMs and peers as Kimchi shows them. Kimchi knows no namespaces: a VM is found by its name, its
// domain's name or its UUID in all of them, and where a name fits several the answer says so.
#include "api/http/query.h"
#include "api/kimchi/kimchi.h"
#include "base/quantity.h"
#include "model/domain/domain_states.h"
#include "model/migration/phase.h"
#include "model/migration/condition.h"

#include <string.h>

const char *ferry_kimchi_vm_word(FerryKimchi *k, const json_t *vmi) {
  if (!k->names) {
    g_autoptr(GPtrArray) all = ferry_store_list(k->req->api->store, &ferry_kind_vmi, NULL, NULL);
    k->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < all->len; i++) {
      const char *name = ferry_json_str(g_ptr_array_index(all, i), "metadata.name");
      guint n = GPOINTER_TO_UINT(g_hash_table_lookup(k->names, name));
      g_hash_table_insert(k->names, g_strdup(name), GUINT_TO_POINTER(n + 1));
    }
  }
  const char *name = ferry_json_str(vmi, "metadata.name");
  return GPOINTER_TO_UINT(g_hash_table_lookup(k->names, name)) > 1
             ? ferry_json_str(vmi, "metadata.uid")
             : name;
}

/* 0: it is not meant; 3: named exactly, 2: by UUID, 1: by its domain's name. */
static int kimchi_vms_fit(const json_t *vmi, const char *word) {
  if (g_strcmp0(ferry_json_str(vmi, "metadata.name"), word) == 0)
    return 3;
  const char *uid = ferry_json_str(vmi, "metadata.uid");
  if (uid && g_ascii_strcasecmp(uid, word) == 0)
    return 2;
  return g_strcmp0(ferry_json_str(vmi, "spec.domainName"), word) == 0;
}

json_t *ferry_kimchi_find_vm(FerryKimchi *k, GError **error) {
  const char *ns = ferry_query(k->req, "namespace");
  g_autoptr(GPtrArray) all = ferry_store_list(k->req->api->store, &ferry_kind_vmi, ns, NULL);
  json_t *best = NULL;
  int best_fit = 0;
  g_autoptr(GString) places = g_string_new(NULL);
  guint n = 0;
  for (guint i = 0; i < all->len; i++) {
    json_t *vmi = g_ptr_array_index(all, i);
    int this_fit = kimchi_vms_fit(vmi, k->name);
    if (this_fit == 0 || this_fit < best_fit)
      continue;
    if (this_fit > best_fit) {
      best = vmi;
      best_fit = this_fit;
      n = 0;
      g_string_truncate(places, 0);
    }
    if (n++ < 10)
      g_string_append_printf(
          places, "%s%s/%s (%s)", n > 1 ? ", " : "", ferry_json_str(vmi, "metadata.namespace"),
          ferry_json_str(vmi, "metadata.name"), ferry_json_str(vmi, "metadata.uid"));
  }
  if (n == 1)
    return json_incref(best);
  if (n == 0)
    g_set_error(
        error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
        "there is no VM of the name, domain name or UUID \"%s\"; GET %s/vms lists what there "
        "is",
        k->name, k->prefix);
  else
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "\"%s\" means %u VMs: %s; use the UUID as the name, or add ?namespace=", k->name, n,
                places->str);
  return NULL;
}

static const char *state_of(const json_t *vmi) {
  const char *node = ferry_json_str(vmi, "status.nodeName");
  const json_t *d =
      node ? ferry_json_find(ferry_json_get(vmi, "status.domains"), "nodeName", node) : NULL;
  FerryVmState state = ferry_vm_state_of(d, "state");
  FerryPhase phase = ferry_phase_of(vmi);
  if (state != FERRY_VM_UNKNOWN && state != FERRY_VM_BLOCKED)
    return ferry_vm_state_name(state);
  if (phase == FERRY_PHASE_RUNNING)
    return ferry_vm_state_name(FERRY_VM_RUNNING);
  return ferry_vm_state_name(phase == FERRY_PHASE_PAUSED ? FERRY_VM_PAUSED : FERRY_VM_SHUTOFF);
}

static json_t *vm_json(const json_t *vmi) {
  const json_t *migratable = ferry_condition_find(vmi, FERRY_CONDITION_LIVE_MIGRATABLE);
  const char *why = ferry_json_str(migratable, "message");
  const char *domain = ferry_json_str(vmi, "spec.domainName");
  gboolean no = ferry_condition_fails(vmi, FERRY_CONDITION_LIVE_MIGRATABLE);
  return json_pack(
      "{s:s, s:s, s:s, s:s, s:s, s:s*, s:I, s:I, s:b, s:b, s:s*}", "name",
      ferry_json_str(vmi, "metadata.name"), "uuid", ferry_json_str(vmi, "metadata.uid"),
      "namespace", ferry_json_str(vmi, "metadata.namespace"), "domain",
      domain ? domain : ferry_json_str(vmi, "metadata.name"), "state", state_of(vmi), "host",
      ferry_json_str(vmi, "status.nodeName"), "memory",
      (json_int_t)(ferry_json_int(vmi, "status.guestMemoryBytes", 0) / FERRY_MIB), "cpus",
      (json_int_t)ferry_json_int(vmi, "spec.domain.cpu.cores", 0), "persistent",
      ferry_json_bool(vmi, "spec.persistent", FALSE), "migratable", !no, "reason", no ? why : NULL);
}

gboolean ferry_kimchi_list_vms(FerryKimchi *k, GError **error) {
  const char *ns = ferry_query(k->req, "namespace");
  g_autoptr(GPtrArray) all = ferry_store_list(k->req->api->store, &ferry_kind_vmi, ns, NULL);
  json_t *list = json_array();
  for (guint i = 0; i < all->len; i++)
    json_array_append_new(list, vm_json(g_ptr_array_index(all, i)));
  ferry_kimchi_respond(k, 200, list);
  return TRUE;
}

gboolean ferry_kimchi_get_vm(FerryKimchi *k, GError **error) {
  g_autoptr(json_t) vmi = ferry_kimchi_find_vm(k, error);
  if (!vmi)
    return FALSE;
  ferry_kimchi_respond(k, 200, vm_json(vmi));
  return TRUE;
}

gboolean ferry_kimchi_get_peers(FerryKimchi *k, GError **error) {
  FerryApi *api = k->req->api;
  g_auto(GStrv) peers = api->hooks.peers ? api->hooks.peers(api->hooks.data) : NULL;
  json_t *list = json_array();
  for (gsize i = 0; peers && peers[i]; i++)
    json_array_append_new(list, json_string(peers[i]));
  ferry_kimchi_respond(k, 200, list);
  return TRUE;
}
