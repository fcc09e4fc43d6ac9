// SPDX-License-Identifier: Apache-2.0
#include "cli/hosts/drain_watch.h"
#include "cli/core/ask.h"
#include "cli/core/watching.h"
#include "cli/view/drain_text.h"
#include "cli/view/evacuation_text.h"
#include <stdio.h>

void ferry_drain_watch_erase(FerryDrainWatch *d) {
  if (d->shown)
    fputs("\r\033[K", stdout);
  d->shown = FALSE;
}

/* How far it is, on a terminal redrawn in its place. */
static void drain_draw(FerryDrainWatch *d) {
  if (!d->live || ferry_evacuation_is_final(d->object))
    return;
  g_autofree char *progress = ferry_drain_progress(d->object);
  g_autofree char *eta = ferry_evacuation_eta_text(d->object, g_get_real_time() / 1000);
  g_autofree char *line = g_strconcat(progress, eta, NULL);
  g_autofree char *fits =
      g_utf8_substring(line, 0, MIN(g_utf8_strlen(line, -1), (glong)ferry_cli_width() - 1));
  printf("\r%s\033[K", fits);
  d->shown = TRUE;
  fflush(stdout);
}

/* What stays: how each VM ended, and what keeps one from moving. */
static void drain_say_changes(FerryDrainWatch *d) {
  size_t i;
  json_t *vm, *vms = ferry_json_get(d->object, "status.vms");
  guint over = 0;
  json_array_foreach(vms, i, vm) over +=
      ferry_drain_vm_is_over(ferry_phase_parse(ferry_json_str(vm, "phase")));
  json_array_foreach(vms, i, vm) {
    FerryPhase phase = ferry_phase_parse(ferry_json_str(vm, "phase"));
    gboolean told = ferry_drain_vm_is_over(phase) ||
                    (phase != FERRY_PHASE_QUEUED && ferry_json_str(vm, "message") != NULL);
    g_autofree char *key =
        g_strdup_printf("%s/%s", ferry_json_str(vm, "namespace"), ferry_json_str(vm, "name"));
    g_autofree char *line = ferry_drain_vm_line(vm);
    if (d->quiet || !told || g_strcmp0(g_hash_table_lookup(d->said, key), line) == 0)
      continue;
    ferry_drain_watch_erase(d);
    printf("%7.1fs  [%u/%zu] %s\n", (double)(g_get_monotonic_time() - d->began_us) / 1e6, over,
           json_array_size(vms), line);
    fflush(stdout);
    g_hash_table_replace(d->said, g_steal_pointer(&key), g_steal_pointer(&line));
  }
  drain_draw(d);
}

static void drain_take(FerryDrainWatch *d, json_t *object) {
  json_incref(object);
  json_decref(d->object);
  d->object = object;
  d->lost_us = 0;
  drain_say_changes(d);
}

static gboolean drain_on_event(const char *type, json_t *object, gpointer data) {
  FerryDrainWatch *d = data;
  if (g_str_equal(type, "BOOKMARK"))
    return TRUE;
  d->gone = g_str_equal(type, "DELETED");
  drain_take(d, object);
  return !d->gone && !ferry_evacuation_is_final(d->object);
}

gboolean ferry_drain_watch_waits(const FerryDrainWatch *d) {
  return !ferry_watching_interrupted() &&
         (d->until_us == 0 || g_get_monotonic_time() < d->until_us);
}

static gboolean drain_on_tick(gpointer data) {
  return ferry_drain_watch_waits(data);
}

/* One GET of it. FALSE where that failed, with the error; one that was deleted is `gone`. */
static gboolean drain_get(FerryCli *cli, FerryDrainWatch *d, GError **error) {
  g_autoptr(GError) local = NULL;
  g_autoptr(json_t) object = ferry_watching_get(cli, &ferry_kind_evacuation, d->object, &local);
  d->gone = g_error_matches(local, FERRY_ERROR, FERRY_ERROR_NOT_FOUND);
  if (object != NULL)
    drain_take(d, object);
  else if (!d->gone)
    g_propagate_error(error, g_steal_pointer(&local));
  return object != NULL || d->gone;
}

/* After the watch failed: FALSE where it is of no use to try again. */
static gboolean drain_recover(FerryCli *cli, FerryDrainWatch *d, const GError *why,
                              GError **error) {
  if (!g_error_matches(why, FERRY_ERROR, FERRY_ERROR_EXPIRED) &&
      !ferry_watching_passes(&d->lost_us, why)) {
    g_propagate_error(error, g_error_copy(why));
    return FALSE;
  }
  g_usleep(FERRY_CLI_RETRY_MS * 1000);
  drain_get(cli, d, NULL); /* the next try of the watch fails the same way, or not */
  return TRUE;
}

FerryDrainWatch *ferry_drain_watch_new(json_t *object, gint64 began_us, gint64 until_us) {
  FerryDrainWatch *d = g_new0(FerryDrainWatch, 1);
  *d = (FerryDrainWatch){.object = object, .began_us = began_us, .until_us = until_us};
  d->said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return d;
}

void ferry_drain_watch_free(FerryDrainWatch *d) {
  g_hash_table_unref(d->said);
  json_decref(d->object);
  g_free(d);
}

gboolean ferry_drain_watch_follow(FerryCli *cli, FerryDrainWatch *d, GError **error) {
  gboolean ok = TRUE;
  ferry_watching_begin();
  drain_say_changes(d);
  while (ok && ferry_drain_watch_waits(d) && !d->gone && !ferry_evacuation_is_final(d->object)) {
    g_autofree char *path = ferry_watching_path(&ferry_kind_evacuation, d->object);
    g_autoptr(GError) local = NULL;
    gint64 began = g_get_monotonic_time();
    if (!ferry_client_watch(cli->client, path, NULL, 0, drain_on_event, drain_on_tick, d, NULL,
                            &local))
      ok = drain_recover(cli, d, local, error);
    else if (!ferry_evacuation_is_final(d->object) &&
             g_get_monotonic_time() - began < FERRY_CLI_RETRY_MS * 1000)
      g_usleep(FERRY_CLI_RETRY_MS *
               1000); /* a server that ends each stream at once is not hammered */
  }
  ferry_watching_end();
  return ok;
}

gboolean ferry_drain_watch_look(FerryCli *cli, GPtrArray *watches, guint *open, GError **error) {
  *open = 0;
  for (guint i = 0; i < watches->len; i++) {
    FerryDrainWatch *d = watches->pdata[i];
    if (d->gone || ferry_evacuation_is_final(d->object))
      continue;
    g_autoptr(GError) local = NULL;
    if (!drain_get(cli, d, &local) && !drain_recover(cli, d, local, error))
      return FALSE;
    *open += !d->gone && !ferry_evacuation_is_final(d->object);
  }
  return TRUE;
}
