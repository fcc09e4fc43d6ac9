// SPDX-License-Identifier: Apache-2.0
// One thread, one connection: the watch's events change the object and print transitions, its
// ticks redraw the line. Whatever needs the client again (cancelling, reconnecting) first ends the
// watch, then goes on from the last resourceVersion seen; so nothing is missed and nothing sleeps
// but the pause between two tries to reach a server that is away.
#include "cli/core/follow.h"
#include "cli/core/ask.h"
#include "cli/core/watching.h"
#include "cli/view/progress.h"
#include "cli/view/summary.h"
#include "model/migration/phase.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PLAIN_EVERY_MS = 2000 };

typedef struct {
  FerryCli *cli;
  json_t *object;
  gboolean quiet;
  gboolean live;    /* a line that is redrawn */
  gboolean shown;   /* a live line stands on the terminal */
  gboolean gone;    /* DELETED was seen */
  gboolean routed;  /* the way was printed */
  char *phase;      /* last printed */
  char *queue;      /* last printed */
  size_t decisions; /* printed so far */
  gint64 began_us, plain_us, lost_us;
} Follow;

static gint64 follow_elapsed_ms(const Follow *f) {
  return (g_get_monotonic_time() - f->began_us) / 1000;
}

static void erase_line(Follow *f) {
  if (f->shown)
    fputs("\r\033[K", stdout);
  f->shown = FALSE;
}

static void follow_draw(Follow *f) {
  if (f->quiet || ferry_migration_is_final(f->object))
    return;
  FerryProgress progress;
  ferry_progress_read(&progress, f->object, follow_elapsed_ms(f));
  if (f->live) {
    g_autofree char *line =
        ferry_progress_line(&progress, ferry_cli_width(), f->cli->utf8, f->cli->color);
    printf("\r%s\033[K", line);
    f->shown = TRUE;
    fflush(stdout);
  } else if (g_get_monotonic_time() - f->plain_us >= PLAIN_EVERY_MS * 1000LL) {
    f->plain_us = g_get_monotonic_time();
    g_autofree char *line = ferry_progress_plain(&progress);
    puts(line);
    fflush(stdout);
  }
  ferry_progress_clear(&progress);
}

/* A line that stays, above the live one. */
static void follow_say(Follow *f, const char *text) {
  if (f->quiet)
    return;
  erase_line(f);
  printf("%7.1fs  %s\n", (double)follow_elapsed_ms(f) / 1000, text);
  f->plain_us = g_get_monotonic_time();
  fflush(stdout);
}

static void follow_say_changes(Follow *f) {
  const char *phase = ferry_phase_word(f->object);
  gboolean ended = ferry_migration_is_final(f->object);
  gboolean known = ferry_json_str(f->object, "status.migrationState.sourceNode") != NULL &&
                   ferry_json_str(f->object, "status.migrationState.targetNode") != NULL;
  if (!ended && g_strcmp0(phase, f->phase) != 0) {
    g_autofree char *line = ferry_summary_transition(f->object, known && !f->routed, f->cli->utf8);
    follow_say(f, line);
    f->routed |= known;
    g_free(f->phase);
    f->phase = g_strdup(phase);
  }
  g_autofree char *queue =
      ferry_phase_parse(phase) <= FERRY_PHASE_SCHEDULING ? ferry_progress_waits(f->object) : NULL;
  if (queue != NULL && g_strcmp0(queue, f->queue) != 0) {
    g_autofree char *line = g_strconcat("waiting: ", queue, NULL);
    follow_say(f, line);
    g_free(f->queue);
    f->queue = g_steal_pointer(&queue);
  }
  json_t *decisions = ferry_json_get(f->object, "status.decisions");
  for (; f->decisions < json_array_size(decisions); f->decisions++) {
    g_autofree char *line = ferry_summary_decision(json_array_get(decisions, f->decisions));
    follow_say(f, line);
  }
}

static void follow_take(Follow *f, json_t *object) {
  json_incref(object);
  json_decref(f->object);
  f->object = object;
  f->lost_us = 0;
  follow_say_changes(f);
}

static gboolean follow_on_event(const char *type, json_t *object, gpointer data) {
  Follow *f = data;
  if (g_str_equal(type, "BOOKMARK")) {
    const char *version = ferry_json_str(object, "metadata.resourceVersion");
    if (version != NULL)
      ferry_json_set_str(f->object, "metadata.resourceVersion", version);
    return TRUE;
  }
  /* A migration deleted while it ran has ended all the same: its last state says how. */
  f->gone = g_str_equal(type, "DELETED");
  follow_take(f, object);
  follow_draw(f);
  return !f->gone && !ferry_migration_is_final(f->object);
}

static gboolean follow_on_tick(gpointer data) {
  Follow *f = data;
  follow_draw(f);
  return !ferry_watching_interrupted();
}

json_t *ferry_follow_cancel(FerryCli *cli, const json_t *object, GError **error) {
  g_autofree char *path = ferry_client_path(
      ferry_kind_vmim.group, ferry_kind_vmim.version, ferry_json_str(object, "metadata.namespace"),
      ferry_kind_vmim.plural, ferry_json_str(object, "metadata.name"), "cancel");
  g_autoptr(json_t) body = json_object();
  return ferry_client_request(cli->client, "PUT", path, body, NULL, NULL, NULL, error);
}

/* TRUE: go on; FALSE: `*end` says how it ended. */
static gboolean on_ctrl_c(Follow *f, FerryFollowEnd *end) {
  erase_line(f);
  ferry_watching_forget();
  if (!f->live || !isatty(STDIN_FILENO)) {
    *end = FERRY_FOLLOW_INTERRUPTED;
    return FALSE;
  }
  putchar('\n');
  char answer = ferry_cli_ask("cancel the migration (c), leave it running (l), or go on watching "
                              "(w)? ",
                              "clw", 'l');
  ferry_watching_forget();
  if (answer == 'l') {
    *end = FERRY_FOLLOW_LEFT;
    return FALSE;
  }
  if (answer == 'c') {
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) after = ferry_follow_cancel(f->cli, f->object, &error);
    if (after == NULL)
      ferry_cli_fail(error, "It goes on; watching.");
    else
      follow_say(f, "cancelling");
  }
  return TRUE;
}

/* After an error of the watch: gets the object anew where that may help. FALSE: `*end` is set. */
static gboolean follow_recover(Follow *f, GError *why, FerryFollowEnd *end, GError **error) {
  *end = FERRY_FOLLOW_ERROR;
  if (!g_error_matches(why, FERRY_ERROR, FERRY_ERROR_EXPIRED)) {
    gboolean first = f->lost_us == 0;
    if (!ferry_watching_passes(&f->lost_us, why)) {
      g_propagate_error(error, g_error_copy(why));
      return FALSE;
    }
    if (first) {
      erase_line(f);
      fprintf(stderr,
              "lost the server, trying again for %d s; the migration goes on meanwhile: %s\n",
              FERRY_CLI_RETRY_LIMIT_MS / 1000, why->message);
    }
    g_usleep(FERRY_CLI_RETRY_MS * 1000);
  }
  g_autoptr(GError) local = NULL;
  gboolean was_lost = f->lost_us != 0;
  g_autoptr(json_t) object = ferry_watching_get(f->cli, &ferry_kind_vmim, f->object, &local);
  if (object != NULL) {
    follow_take(f, object);
    if (was_lost)
      fprintf(stderr, "the server is back\n");
    return TRUE;
  }
  if (g_error_matches(local, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)) {
    *end = FERRY_FOLLOW_GONE;
    return FALSE;
  }
  return TRUE; /* the next try of the watch fails the same way, or not */
}

static FerryFollowEnd follow_loop(Follow *f, GError **error) {
  FerryFollowEnd end = FERRY_FOLLOW_ENDED;
  guint empty = 0;
  for (;;) {
    if (ferry_migration_is_final(f->object))
      return FERRY_FOLLOW_ENDED;
    if (f->gone)
      return FERRY_FOLLOW_GONE;
    g_autoptr(GError) local = NULL;
    g_autofree char *path = ferry_watching_path(&ferry_kind_vmim, f->object);
    gint64 began = g_get_monotonic_time();
    gboolean ok = ferry_client_watch(f->cli->client, path, NULL, 0, follow_on_event, follow_on_tick,
                                     f, NULL, &local);
    if (ferry_watching_interrupted()) {
      if (!on_ctrl_c(f, &end))
        return end;
      continue;
    }
    if (ok) {
      /* A server that ends each stream at once is not hammered. */
      empty = g_get_monotonic_time() - began < FERRY_CLI_RETRY_MS * 1000 ? empty + 1 : 0;
      if (empty > 3 && !ferry_migration_is_final(f->object) && !f->gone)
        g_usleep(FERRY_CLI_RETRY_MS * 1000);
      continue;
    }
    if (!follow_recover(f, local, &end, error))
      return end;
    if (ferry_watching_interrupted() && !on_ctrl_c(f, &end))
      return end;
  }
}

FerryFollowEnd ferry_follow(FerryCli *cli, json_t **object, gboolean quiet, GError **error) {
  Follow f = {.cli = cli, .object = *object, .quiet = quiet, .live = cli->out_tty && !quiet};
  f.began_us = f.plain_us = g_get_monotonic_time();
  ferry_watching_begin();
  follow_say_changes(&f);
  follow_draw(&f);
  FerryFollowEnd end = follow_loop(&f, error);
  erase_line(&f);
  fflush(stdout);
  ferry_watching_end();
  g_free(f.phase);
  g_free(f.queue);
  *object = f.object;
  return end;
}
