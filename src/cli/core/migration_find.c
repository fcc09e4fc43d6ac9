// SPDX-License-Identifier: Apache-2.0
// The word is a migration's name or a VM's (object, domain or UUID): one list answers both.
#include "cli/core/migration_find.h"
#include "model/migration/migration.h"
#include "cli/core/resource.h"

#define FIND_POLL_US 50000

/* What is meant rather: what runs, then what is put off, then what is named, then the newest. */
static gboolean is_better(const json_t *item, const json_t *best, const char *word) {
  guint presence = ferry_migration_presence(item);
  if (best == NULL || presence != ferry_migration_presence(best))
    return best == NULL || presence > ferry_migration_presence(best);
  gboolean named = g_strcmp0(ferry_json_str(item, "metadata.name"), word) == 0;
  gboolean best_named = g_strcmp0(ferry_json_str(best, "metadata.name"), word) == 0;
  if (named != best_named)
    return named;
  return g_strcmp0(ferry_json_str(item, "metadata.creationTimestamp"),
                   ferry_json_str(best, "metadata.creationTimestamp")) > 0;
}

/* The migration meant by `word`. Borrowed from `list`. */
static json_t *find_in_list(json_t *list, const char *word, const char *vmi) {
  json_t *best = NULL;
  size_t i;
  json_t *item;
  json_array_foreach(ferry_json_get(list, "items"), i, item) {
    gboolean named = g_strcmp0(ferry_json_str(item, "metadata.name"), word) == 0;
    gboolean of_vm = vmi != NULL && g_strcmp0(ferry_json_str(item, "spec.vmiName"), vmi) == 0;
    if ((named || of_vm) && is_better(item, best, word))
      best = item;
  }
  return best;
}

json_t *ferry_migration_find(FerryCli *cli, const char *word, const char *without, GError **error) {
  if (ferry_cli_client(cli, error) == NULL)
    return NULL;
  const char *ns = ferry_cli_namespace(cli);
  g_autoptr(json_t) list = ferry_cli_list(cli, &ferry_kind_vmim, ns, NULL, NULL, NULL, NULL, error);
  if (list == NULL)
    return NULL;
  json_t *found = find_in_list(list, word, word);
  if (found == NULL) {
    g_autoptr(GError) local = NULL;
    g_autoptr(json_t) vmi = ferry_cli_get(cli, &ferry_kind_vmi, ns, word, NULL, &local);
    if (vmi == NULL && !g_error_matches(local, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)) {
      g_propagate_error(error, g_steal_pointer(&local));
      return NULL;
    }
    if (vmi != NULL)
      found = find_in_list(list, word, ferry_json_str(vmi, "metadata.name"));
    if (found == NULL) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND, "%s \"%s\" in namespace %s%s",
                  vmi != NULL ? "there is no migration of VM" : "there is no VM or migration", word,
                  ns, vmi != NULL ? without : "");
      return NULL;
    }
  }
  return json_incref(found);
}

json_t *ferry_migration_put(FerryCli *cli, const json_t *migration, const char *subresource,
                            const json_t *body, GError **error) {
  g_autofree char *path =
      ferry_client_path(ferry_kind_vmim.group, ferry_kind_vmim.version,
                        ferry_json_str(migration, "metadata.namespace"), ferry_kind_vmim.plural,
                        ferry_json_str(migration, "metadata.name"), subresource);
  return ferry_client_request(cli->client, "PUT", path, body, NULL, NULL, NULL, error);
}

gboolean ferry_migration_await(FerryCli *cli, json_t **migration, gint64 ms,
                               gboolean (*done)(const json_t *migration, gconstpointer data),
                               gconstpointer data, GError **error) {
  gint64 until = g_get_monotonic_time() + ms * 1000;
  while (!done(*migration, data) && g_get_monotonic_time() < until) {
    g_usleep(FIND_POLL_US);
    json_t *now =
        ferry_cli_get(cli, &ferry_kind_vmim, ferry_json_str(*migration, "metadata.namespace"),
                      ferry_json_str(*migration, "metadata.name"), NULL, error);
    if (now == NULL)
      return FALSE;
    json_decref(*migration);
    *migration = now;
  }
  return TRUE;
}
