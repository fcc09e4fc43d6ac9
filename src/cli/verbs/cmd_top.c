// SPDX-License-Identifier: Apache-2.0
// On a terminal: a list, then a watch that keeps a copy of every migration; drawn at most twice a
// second. Elsewhere: one table.
#include "cli/core/options.h"
#include "cli/view/output.h"
#include "cli/core/resource.h"
#include "cli/core/watching.h"
#include "cli/view/top_table.h"
#include <stdio.h>
#include <string.h>

enum { REDRAW_MS = 500 };

typedef struct {
  FerryCli *cli;
  GHashTable *objects; /* uid -> json_t* */
  char *version;
  gint64 drawn_us, lost_us;
  gboolean dirty;
} Top;

static char *table_text(FerryCli *cli, json_t *items) {
  FerryTableStyle style = {.no_headers = ferry_args_has(cli->args, "no-headers"),
                           .color = cli->color,
                           .utf8 = cli->utf8};
  g_autoptr(FerryTablePrinter) printer = ferry_table_printer_new(&style);
  g_autoptr(json_t) table = ferry_top_table(items, cli->utf8);
  ferry_table_printer_add(printer, table);
  return ferry_table_printer_text(printer);
}

static void top_draw(Top *t) {
  g_autoptr(json_t) items = json_array();
  GHashTableIter iter;
  gpointer object;
  g_hash_table_iter_init(&iter, t->objects);
  while (g_hash_table_iter_next(&iter, NULL, &object))
    json_array_append(items, object);
  g_autofree char *text = table_text(t->cli, items);
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  g_autofree char *clock = g_date_time_format(now, "%H:%M:%S");
  printf("\033[H\033[2J%s  running migrations (Ctrl-C ends)\n\n%s", clock,
         *text ? text : "None is running.\n");
  fflush(stdout);
  t->drawn_us = g_get_monotonic_time();
  t->dirty = FALSE;
}

static gboolean top_on_event(const char *type, json_t *object, gpointer data) {
  Top *t = data;
  const char *version = ferry_json_str(object, "metadata.resourceVersion");
  const char *uid = ferry_json_str(object, "metadata.uid");
  if (version != NULL) {
    g_free(t->version);
    t->version = g_strdup(version);
  }
  if (uid == NULL || g_str_equal(type, "BOOKMARK"))
    return TRUE;
  if (g_str_equal(type, "DELETED"))
    g_hash_table_remove(t->objects, uid);
  else
    g_hash_table_insert(t->objects, g_strdup(uid), json_incref(object));
  t->dirty = TRUE;
  return !ferry_watching_interrupted();
}

static gboolean top_on_tick(gpointer data) {
  Top *t = data;
  t->lost_us = 0;
  gint64 age_ms = (g_get_monotonic_time() - t->drawn_us) / 1000;
  if ((t->dirty && age_ms >= REDRAW_MS) || age_ms >= 1000)
    top_draw(t);
  return !ferry_watching_interrupted();
}

static gboolean top_list(Top *t, GError **error) {
  g_autoptr(json_t) all =
      ferry_cli_list(t->cli, &ferry_kind_vmim, NULL, NULL, NULL, NULL, NULL, error);
  if (all == NULL)
    return FALSE;
  g_hash_table_remove_all(t->objects);
  g_free(t->version);
  t->version = g_strdup(ferry_json_str(all, "metadata.resourceVersion"));
  size_t i;
  json_t *item;
  json_array_foreach(ferry_json_get(all, "items"), i, item) {
    const char *uid = ferry_json_str(item, "metadata.uid");
    if (uid != NULL)
      g_hash_table_insert(t->objects, g_strdup(uid), json_incref(item));
  }
  top_draw(t);
  return TRUE;
}

static gboolean top_watch(Top *t, GError **error) {
  g_autoptr(GString) query = g_string_new("watch=1&allowWatchBookmarks=true");
  ferry_query_add(query, "resourceVersion", t->version);
  g_autofree char *path = ferry_resource_path(&ferry_kind_vmim, NULL, NULL, query->str);
  return ferry_client_watch(t->cli->client, path, NULL, 0, top_on_event, top_on_tick, t, NULL,
                            error);
}

static int top_run(Top *t) {
  gboolean fresh = FALSE;
  while (!ferry_watching_interrupted()) {
    g_autoptr(GError) error = NULL;
    gint64 began = g_get_monotonic_time();
    if (fresh ? top_watch(t, &error) : top_list(t, &error)) {
      /* A stream that the server ends at once is not asked for again at once. */
      if (fresh && !ferry_watching_interrupted() &&
          g_get_monotonic_time() - began < FERRY_CLI_RETRY_TABLE_MS * 1000)
        g_usleep(FERRY_CLI_RETRY_TABLE_MS * 1000);
      fresh = TRUE;
      continue;
    }
    fresh = FALSE;
    if (g_error_matches(error, FERRY_ERROR, FERRY_ERROR_EXPIRED))
      continue;
    if (!ferry_watching_passes(&t->lost_us, error))
      return ferry_cli_fail(error, NULL);
    printf("\nThe server has gone, trying again: %s\n", error->message);
    fflush(stdout);
    g_usleep(FERRY_CLI_RETRY_TABLE_MS * 1000);
  }
  putchar('\n');
  return FERRY_EXIT_DONE;
}

static int cmd_top(FerryCli *cli) {
  g_autoptr(GError) error = NULL;
  if (ferry_cli_client(cli, &error) == NULL)
    return ferry_cli_fail(error, NULL);
  if (!cli->out_tty) {
    g_autoptr(json_t) all =
        ferry_cli_list(cli, &ferry_kind_vmim, NULL, NULL, NULL, NULL, NULL, &error);
    if (all == NULL)
      return ferry_cli_fail(error, NULL);
    g_autofree char *text = table_text(cli, ferry_json_get(all, "items"));
    if (*text == '\0')
      fprintf(stderr, "No migration is running.\n");
    fputs(text, stdout);
    return FERRY_EXIT_DONE;
  }
  ferry_watching_begin();
  Top top = {.cli = cli};
  top.objects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_decref);
  int code = top_run(&top);
  ferry_watching_end();
  g_hash_table_unref(top.objects);
  g_free(top.version);
  return code;
}

static const FerryCliOption options_top[] = {OPT_HEADERS, OPT_END};

const FerryVerb ferry_verb_top = {.name = "top",
                                  .synopses = LINES(""),
                                  .doc = "Show the running migrations, refreshed",
                                  .options = options_top,
                                  .run = cmd_top};
