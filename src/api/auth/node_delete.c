// SPDX-License-Identifier: Apache-2.0
// Theory of operation: deleting a Node ends what its host may do. In one batch with the object its
// certificates become void (also those without a record, by its name and the time), so that no
// process with the old key can begin a session and bring it back; its join tokens and what it said
// of VMs go with it. It is refused while that would take something away from somebody: VMs run
// there, or its agent reports. gracePeriodSeconds 0 (`--force --grace-period=0`) does it anyway.
#include "api/auth/node_delete.h"
#include "api/auth/join_tokens.h"
#include "api/nodes/trust_kept.h"
#include "store/store.h"
#include "api/auth/credentials.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "control/inventory.h"
#include "control/migration.h"
#include "control/node.h"
#include "model/domain/domain_states.h"

#include <string.h>

/* "3 virtual machines run there (default/db, default/web, ...)"; NULL: none. */
static char *what_runs(FerryStore *store, const char *node) {
  g_autoptr(GPtrArray) vmis = ferry_store_list(store, &ferry_kind_vmi, NULL, NULL);
  g_autoptr(GString) names = g_string_new(NULL);
  guint n = 0;
  for (guint i = 0; i < vmis->len; i++) {
    const json_t *vmi = g_ptr_array_index(vmis, i);
    const json_t *domain = ferry_json_find(ferry_json_get(vmi, "status.domains"), "nodeName", node);
    if (!ferry_domain_state_is_alive(ferry_vm_state_of(domain, "state")) || n++ >= FERRY_NAMED_MAX)
      continue;
    g_string_append_printf(names, "%s%s/%s", names->len ? ", " : "",
                           ferry_json_str(vmi, "metadata.namespace"),
                           ferry_json_str(vmi, "metadata.name"));
  }
  if (n == 0)
    return NULL;
  return g_strdup_printf("%u virtual machine%s there (%s%s)", n, n == 1 ? " runs" : "s run",
                         names->str, n > FERRY_NAMED_MAX ? ", ..." : "");
}

static char *what_moves(FerryStore *store, const char *node) {
  static const char *const ends[] = {"status.migrationState.sourceNode",
                                     "status.migrationState.targetNode"};
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_vmim, NULL, NULL);
  for (guint i = 0; i < all->len; i++) {
    const json_t *m = g_ptr_array_index(all, i);
    for (gsize e = 0; e < G_N_ELEMENTS(ends) && !ferry_migration_is_final(m); e++)
      if (g_strcmp0(ferry_json_str(m, ends[e]), node) == 0)
        return g_strdup_printf("migration %s/%s has it as its %s",
                               ferry_json_str(m, "metadata.namespace"),
                               ferry_json_str(m, "metadata.name"), e ? "target" : "source");
  }
  return NULL;
}

static char *who_reports(FerryApi *api, const json_t *node) {
  const char *when = ferry_json_str(node, "status.agent.lastReportTime");
  gint64 last = ferry_rfc3339_parse(when);
  if (last < 0 || ferry_clock_wall_ms(api->clock) - last >= FERRY_NODE_GRACE_MS)
    return NULL;
  return g_strdup_printf("its agent reports (last at %s): stop ferry-agentd there", when);
}

gboolean ferry_admit_node_delete(FerryRequest *req, const json_t *node, GError **error) {
  if (req->write.forced)
    return TRUE;
  const char *name = ferry_json_str(node, "metadata.name");
  g_autofree char *running = what_runs(req->api->store, name);
  g_autofree char *moving = what_moves(req->api->store, name);
  g_autofree char *reporting = who_reports(req->api, node);
  const char *reasons[] = {running, moving, reporting};
  g_autoptr(GString) text = g_string_new(NULL);
  for (gsize i = 0; i < G_N_ELEMENTS(reasons); i++)
    if (reasons[i])
      g_string_append_printf(text, "%s%s", text->len ? "; " : "", reasons[i]);
  if (text->len == 0)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
              "nodes \"%s\" cannot be deleted: %s. Drain it first (ferry drain %s), or delete it "
              "all the same with --force (kubectl: --force --grace-period=0): its certificates "
              "end, and what runs there runs on unseen",
              name, text->str, name);
  return FALSE;
}

void ferry_delete_also(FerryRequest *req, const json_t *object, GArray *writes, GPtrArray *keep) {
  const char *name = ferry_json_str(object, "metadata.name");
  g_autofree char *now = ferry_rfc3339_format(ferry_clock_wall_ms(req->api->clock));
  g_autofree char *why = NULL;
  if (req->found.kind == &ferry_kind_user) {
    why = g_strdup_printf("the user \"%s\" was deleted at %s", name, now);
    ferry_credential_revoke_writes(req->api, name, FALSE, why, writes, keep);
  } else if (req->found.kind == &ferry_kind_node) {
    g_autofree char *identity = g_strconcat("system:node:", name, NULL);
    why = g_strdup_printf("node %s was deleted at %s by %s; join again with a new token: ferryd "
                          "token create --node %s",
                          name, now, req->user->name, name);
    guint n = ferry_credential_revoke_writes(req->api, identity, TRUE, why, writes, keep);
    guint given = ferry_trust_kept_writes(req->api, object, writes, keep);
    g_autofree char *libvirt =
        given ? g_strdup_printf("; %u of libvirt's CA, which nobody can take back, are good still",
                                given)
              : g_strdup("");
    g_free(req->write.told);
    req->write.told = g_strdup_printf("its certificates are void (%u on record)%s", n, libvirt);
  }
}

void ferry_node_deleted(FerryRequest *req, const char *node) {
  g_autoptr(GError) error = NULL;
  guint tokens = ferry_join_tokens_drop(req->api->join_tokens, node);
  gboolean forgot = ferry_inventory_forget_node(req->api->store, node,
                                                ferry_clock_wall_ms(req->api->clock), &error);
  char *told = g_strdup_printf(
      "%s; %u join token%s taken back; %s; to join again it needs a new token: ferryd token create "
      "--node %s",
      req->write.told ? req->write.told : "its certificates are void", tokens,
      tokens == 1 ? " was" : "s were",
      forgot ? "what it said of virtual machines was removed" : error->message, node);
  g_free(req->write.told);
  req->write.told = told;
  ferry_info("a node was deleted", "FERRY_NODE", node, "FERRY_USER", req->user->name, "FERRY_DONE",
             told);
}
