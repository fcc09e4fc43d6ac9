// SPDX-License-Identifier: Apache-2.0
#include "cli/core/several.h"
#include "cli/core/watching.h"
#include "cli/view/summary.h"
#include "cli/view/text.h"
#include "model/migration/phase.h"

#include <stdio.h>

GPtrArray *ferry_several_vms(FerryCli *cli, gboolean active, GError **error) {
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; ferry_cli_word(cli, i); i++)
    g_ptr_array_add(names, g_strdup(ferry_cli_word(cli, i)));
  if (names->len > 0 || !ferry_cli_client(cli, error))
    return names->len > 0 ? g_steal_pointer(&names) : NULL;
  const char *from = ferry_cli_option(cli, "from");
  g_autofree char *field = from ? g_strconcat("status.nodeName=", from, NULL) : NULL;
  g_autoptr(json_t) list =
      ferry_cli_list(cli, &ferry_kind_vmi, ferry_cli_namespace(cli),
                     ferry_cli_option(cli, "selector"), field, NULL, NULL, error);
  gsize i;
  json_t *one;
  json_array_foreach(json_object_get(list, "items"), i, one) {
    const char *name = ferry_json_str(one, "metadata.name");
    if (name && (!active || ferry_vmi_is_active(one)))
      g_ptr_array_add(names, g_strdup(name));
  }
  return list ? g_steal_pointer(&names) : NULL;
}

gboolean ferry_several_check(FerryCli *cli, const GPtrArray *names, GError **error) {
  if (!ferry_cli_client(cli, error))
    return FALSE;
  for (guint i = 0; i < names->len; i++) {
    g_autoptr(json_t) vmi =
        ferry_cli_get(cli, &ferry_kind_vmi, ferry_cli_namespace(cli), names->pdata[i], NULL, error);
    if (!vmi)
      return FALSE;
  }
  return TRUE;
}

int ferry_several_worst(int worst, int code) {
  return worst == FERRY_EXIT_DONE || code == FERRY_EXIT_FAILED
             ? (code != FERRY_EXIT_DONE ? code : worst)
             : worst;
}

/* What it is now; the old one where the server can't say. FALSE with an error: for too long. */
static gboolean several_look(FerryCli *cli, json_t **migration, gint64 *lost_us, GError **error) {
  g_autoptr(GError) local = NULL;
  json_t *now = ferry_watching_get(cli, &ferry_kind_vmim, *migration, &local);
  if (now) {
    json_decref(*migration);
    *migration = now;
    *lost_us = 0;
    return TRUE;
  }
  if (ferry_watching_passes(lost_us, local))
    return TRUE;
  g_propagate_error(error, g_steal_pointer(&local));
  return FALSE;
}

static void several_print(FerryCli *cli, const json_t *migration) {
  const char *why = ferry_json_str(migration, "status.message");
  gboolean ok = ferry_migration_succeeded(migration);
  g_autofree char *line = ferry_summary_transition(migration, TRUE, cli->utf8);
  g_autofree char *text = g_strdup_printf("%s: %s%s%s", ferry_json_str(migration, "spec.vmiName"),
                                          line, ok || !why ? "" : ": ", ok || !why ? "" : why);
  g_autofree char *clean = ferry_text_clean(text);
  printf("%s\n", clean);
  fflush(stdout);
}

/* Those that have not ended. FALSE with an error: the server is away, or one was deleted. */
static gboolean several_round(FerryCli *cli, GPtrArray *migrations, guint *open, gint64 *lost_us,
                              GError **error) {
  *open = 0;
  for (guint i = 0; i < migrations->len && !ferry_watching_interrupted(); i++) {
    json_t **one = (json_t **)&migrations->pdata[i];
    if (ferry_migration_is_final(*one))
      continue;
    if (!several_look(cli, one, lost_us, error))
      return FALSE;
    if (ferry_migration_is_final(*one))
      several_print(cli, *one);
    else
      *open += 1;
  }
  return TRUE;
}

int ferry_several_follow(FerryCli *cli, GPtrArray *migrations, guint *moved) {
  g_autoptr(GError) error = NULL;
  guint open = migrations->len;
  gint64 lost_us = 0;
  gboolean ok = TRUE;
  ferry_watching_begin();
  while (ok && open > 0 && !ferry_watching_interrupted()) {
    ok = several_round(cli, migrations, &open, &lost_us, &error);
    if (ok && open > 0 && !ferry_watching_interrupted())
      g_usleep(FERRY_CLI_RETRY_TABLE_MS * 1000);
  }
  ferry_watching_end();
  int code = FERRY_EXIT_DONE;
  *moved = 0;
  for (guint i = 0; i < migrations->len; i++) {
    gboolean done = ferry_migration_succeeded(migrations->pdata[i]);
    *moved += done;
    if (ferry_migration_is_final(migrations->pdata[i]) && !done)
      code = FERRY_EXIT_FAILED;
  }
  if (!ok)
    return ferry_cli_fail(error, "The migrations go on; ferry get vmim shows them.");
  if (!ferry_watching_interrupted())
    return code;
  fprintf(stderr, "What has not ended goes on; ferry get vmim -w watches, ferry cancel cancels.\n");
  return FERRY_EXIT_INTERRUPTED;
}
