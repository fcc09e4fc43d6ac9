// SPDX-License-Identifier: Apache-2.0
#include "cli/hosts/bring_back.h"
#include "model/field/object_meta.h"
#include "model/migration/evacuation.h"
#include "model/migration/migration.h"
#include "model/migration/phase.h"

#include <stdio.h>

static char *bring_back_key(const json_t *object, const char *name) {
  const char *ns = ferry_json_str(object, "metadata.namespace"), *vm = ferry_json_str(object, name);
  return g_strconcat(ns ? ns : "", "/", vm ? vm : "", NULL);
}

/* What is known of a VM's migrations. */
typedef struct {
  const json_t *last; /* the newest that succeeded, borrowed; NULL: none */
  gboolean moves;     /* one has not ended, and is not put off */
} Moves;

static const char *ended_at(const json_t *migration) {
  const char *end = ferry_json_str(migration, "status.migrationState.endTimestamp");
  return end ? end : ferry_json_str(migration, "metadata.creationTimestamp");
}

/* VM -> Moves; the list is borrowed. */
static GHashTable *moves_by_vm(const json_t *list) {
  GHashTable *by_vm = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  gsize i;
  json_t *m;
  json_array_foreach(ferry_json_get(list, "items"), i, m) {
    if (ferry_migration_is_forecast(m))
      continue;
    g_autofree char *key = bring_back_key(m, "spec.vmiName");
    Moves *moves = g_hash_table_lookup(by_vm, key);
    if (!moves)
      g_hash_table_insert(by_vm, g_strdup(key), moves = g_new0(Moves, 1));
    moves->moves |= ferry_migration_presence(m) == 2;
    if (ferry_phase_of(m) == FERRY_PHASE_SUCCEEDED &&
        (!moves->last || g_strcmp0(ended_at(m), ended_at(moves->last)) > 0))
      moves->last = m;
  }
  return by_vm;
}

static gboolean is_away(const json_t *vmi, const Moves *moves, const char *host) {
  return moves && moves->last && !moves->moves && ferry_vmi_is_active(vmi) &&
         g_strcmp0(ferry_object_annotation(moves->last, FERRY_EVACUATES_ANNOTATION), host) == 0 &&
         g_strcmp0(ferry_json_str(vmi, "status.nodeName"), host) != 0 &&
         g_strcmp0(ferry_json_str(vmi, "status.nodeName"),
                   ferry_json_str(moves->last, "status.migrationState.targetNode")) == 0;
}

static json_t *bring_back_one(FerryCli *cli, const json_t *vmi, const char *host, GError **error) {
  g_autofree char *start = g_strdup_printf("%.50s-home-", ferry_json_str(vmi, "metadata.name"));
  g_autoptr(json_t) wish =
      json_pack("{s:s, s:s, s:{s:s}, s:{s:O, s:s}}", "apiVersion", "kubevirt.io/v1", "kind",
                ferry_kind_vmim.kind, "metadata", "generateName", start, "spec", "vmiName",
                ferry_json_get(vmi, "metadata.name"), "targetNode", host);
  g_autofree char *path = ferry_resource_path(
      &ferry_kind_vmim, ferry_json_str(vmi, "metadata.namespace"), NULL, "fieldValidation=Strict");
  g_autofree char *header = ferry_cli_trace_header();
  const char *const headers[] = {header, NULL};
  return ferry_client_request(cli->client, "POST", path, wish, NULL, headers, NULL, error);
}

GPtrArray *ferry_bring_back(FerryCli *cli, const char *host, guint *refused, GError **error) {
  *refused = 0;
  g_autoptr(json_t) migrations =
      ferry_cli_list(cli, &ferry_kind_vmim, NULL, NULL, NULL, NULL, NULL, error);
  g_autoptr(json_t) vmis =
      migrations ? ferry_cli_list(cli, &ferry_kind_vmi, NULL, NULL, NULL, NULL, NULL, error) : NULL;
  if (!vmis)
    return NULL;
  g_autoptr(GHashTable) by_vm = moves_by_vm(migrations);
  GPtrArray *made = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  gsize i;
  json_t *vmi;
  json_array_foreach(ferry_json_get(vmis, "items"), i, vmi) {
    g_autofree char *key = bring_back_key(vmi, "metadata.name");
    g_autoptr(GError) why = NULL;
    if (!is_away(vmi, g_hash_table_lookup(by_vm, key), host))
      continue;
    json_t *m = bring_back_one(cli, vmi, host, &why);
    if (m) {
      g_ptr_array_add(made, m);
      continue;
    }
    *refused += 1;
    fprintf(stderr, "%s:\n", key);
    ferry_cli_fail(why, NULL);
  }
  return made;
}
