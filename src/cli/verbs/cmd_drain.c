// SPDX-License-Identifier: Apache-2.0
// drain makes an Evacuation and watches it: the server does the work and goes on without us. What
// is printed are the changes of its status.vms (hosts/drain_watch.h). Several hosts are all asked
// for before the first is waited for.
// Ctrl-C asks, on a terminal, whether to end it.
#include "base/duration.h"
#include "cli/core/ask.h"
#include "cli/hosts/drain_request.h"
#include "cli/hosts/drain_watch.h"
#include "cli/core/options.h"
#include "cli/core/several.h"
#include "cli/core/watching.h"
#include "cli/view/drain_text.h"
#include "cli/view/evacuation_text.h"
#include "cli/view/output.h"
#include <stdio.h>
#include <unistd.h>

static int drain_tell(const json_t *object, const char *host) {
  gint64 moved = ferry_json_int(object, "status.moved", 0);
  gint64 total = ferry_json_int(object, "status.total", 0);
  gint64 cancelled = ferry_json_int(object, "status.cancelled", 0);
  g_autofree char *also =
      cancelled > 0 ? g_strdup_printf(", cancelled %" G_GINT64_FORMAT " migration%s to it",
                                      cancelled, cancelled == 1 ? "" : "s")
                    : g_strdup("");
  if (ferry_phase_of(object) == FERRY_PHASE_SUCCEEDED) {
    g_autofree char *took = ferry_evacuation_took_text(object);
    printf("%s is empty: %" G_GINT64_FORMAT
           " VM%s moved%s%s. It stays cordoned; ferry undrain %s opens "
           "it again.\n",
           host, moved, moved == 1 ? "" : "s", took, also, host);
    return FERRY_EXIT_DONE;
  }
  g_autofree char *remaining = ferry_drain_remaining(object);
  fflush(stdout);
  fprintf(stderr,
          "error: %s is not empty: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " VMs have moved%s\n",
          host, moved, total, also);
  fputs(remaining, stderr);
  fprintf(stderr, "%s stays cordoned; ferry drain %s tries again, ferry undrain %s opens it.\n",
          host, host, host);
  return FERRY_EXIT_FAILED;
}

static int drain_late(const json_t *object, const char *host, const char *patience) {
  g_autofree char *remaining = ferry_drain_remaining(object);
  fflush(stdout);
  fprintf(stderr,
          "error: %s is not empty after %s: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
          " VMs have moved\n",
          host, patience, ferry_json_int(object, "status.moved", 0),
          ferry_json_int(object, "status.total", 0));
  fputs(remaining, stderr);
  fprintf(stderr, "The evacuation goes on; ferry drain %s watches it, ferry undrain %s ends it.\n",
          host, host);
  return FERRY_EXIT_FAILED;
}

static int drain_refused(const GError *error) {
  ferry_cli_fail(error, "ferry get nodes lists the hosts.");
  return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_INVALID) ||
                 g_error_matches(error, FERRY_ERROR, FERRY_ERROR_CONFLICT)
             ? FERRY_EXIT_REFUSED
             : FERRY_EXIT_FAILED;
}

/* Watches, and asks what Ctrl-C means; `code` is set where nothing more is to be said. */
static gboolean drain_attend(FerryCli *cli, FerryDrainWatch *d, const char *host, int *code,
                             GError **error) {
  while (ferry_drain_watch_follow(cli, d, error)) {
    ferry_drain_watch_erase(d);
    if (!ferry_watching_interrupted() || !d->live || !isatty(STDIN_FILENO))
      return TRUE;
    putchar('\n');
    char answer = ferry_cli_ask(
        "end the evacuation (e), leave it running (l), or go on watching (w)? ", "elw", 'l');
    guint ended = 0;
    if (answer == 'l')
      return TRUE;
    if (answer == 'e') {
      if (!ferry_drain_undo(cli, host, &ended, error))
        return FALSE;
      ferry_drain_tell_open(host, ended);
      *code = FERRY_EXIT_INTERRUPTED;
      return TRUE;
    }
  }
  ferry_drain_watch_erase(d);
  return FALSE;
}

/* What it would do, and what keeps a VM, without doing it. */
static int drain_plan(FerryCli *cli, const char *host) {
  const char *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) object =
      ferry_cli_client(cli, &error) ? ferry_drain_post(cli, host, TRUE, &error) : NULL;
  if (object == NULL)
    return drain_refused(error);
  gint64 total = ferry_json_int(object, "status.total", 0);
  gint64 failed = ferry_json_int(object, "status.failed", 0);
  if (format != NULL)
    ferry_output_object(object, format);
  ferry_cli_warnings(cli);
  g_autofree char *text = ferry_evacuation_plan_text(object);
  if (format == NULL)
    printf("%s%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
           " VMs can leave %s. Nothing was changed.\n",
           text, total - failed, total, host);
  return failed > 0 ? FERRY_EXIT_REFUSED : FERRY_EXIT_DONE;
}

/* What it came to, once it is waited for no longer. */
static int drain_end(const FerryDrainWatch *d, const char *host, const char *format,
                     const char *patience) {
  const char *name = ferry_json_str(d->object, "metadata.name");
  if (d->gone) {
    fprintf(stderr, "error: the evacuation %s was deleted before it ended\n", name);
    return FERRY_EXIT_FAILED;
  }
  if (!ferry_evacuation_is_final(d->object) && !ferry_watching_interrupted())
    return drain_late(d->object, host, patience);
  if (!ferry_evacuation_is_final(d->object)) {
    fprintf(stderr,
            "The evacuation %s goes on. ferry get evacuation %s -w watches it, ferry undrain %s "
            "ends it.\n",
            name, name, host);
    return FERRY_EXIT_INTERRUPTED;
  }
  if (format == NULL)
    return drain_tell(d->object, host);
  return ferry_phase_of(d->object) == FERRY_PHASE_SUCCEEDED ? FERRY_EXIT_DONE : FERRY_EXIT_FAILED;
}

static int drain_one(FerryCli *cli, const char *host, gint64 began_us, gint64 until_us) {
  const char *format = ferry_cli_option(cli, "output");
  gboolean wait = !ferry_args_has(cli->args, "no-wait");
  int code = FERRY_EXIT_DONE;
  g_autoptr(GError) error = NULL;
  json_t *object = ferry_drain_begin(cli, host, &error);
  if (object == NULL)
    return drain_refused(error);
  ferry_cli_warnings(cli);
  g_autoptr(FerryDrainWatch) d = ferry_drain_watch_new(object, began_us, until_us);
  d->quiet = format != NULL;
  d->live = cli->out_tty && format == NULL;
  gboolean ok = !wait || drain_attend(cli, d, host, &code, &error);
  if (format != NULL)
    ferry_output_object(d->object, format);
  if (!ok)
    return ferry_cli_fail(error, "The evacuation goes on; ferry get evacuations shows it.");
  if (code != FERRY_EXIT_DONE)
    return code; /* ended by hand, which was said */
  if (wait)
    return drain_end(d, host, format, ferry_cli_option(cli, "timeout"));
  if (format == NULL)
    printf("%s\n", ferry_json_str(d->object, "metadata.name"));
  return FERRY_EXIT_DONE;
}

/* What each came to. Returns the worst exit code. */
static int drain_tell_all(const GPtrArray *drains, const char *patience) {
  int worst = FERRY_EXIT_DONE;
  for (guint i = 0; i < drains->len; i++) {
    const FerryDrainWatch *d = drains->pdata[i];
    const char *host = ferry_json_str(d->object, "spec.nodeName");
    int code = FERRY_EXIT_FAILED;
    if (d->gone)
      fprintf(stderr, "error: the evacuation of %s was deleted before it ended\n", host);
    else if (ferry_evacuation_is_final(d->object))
      code = drain_tell(d->object, host);
    else if (ferry_watching_interrupted())
      code = FERRY_EXIT_INTERRUPTED;
    else
      code = drain_late(d->object, host, patience);
    worst = code == FERRY_EXIT_INTERRUPTED ? code : ferry_several_worst(worst, code);
  }
  if (worst == FERRY_EXIT_INTERRUPTED)
    fprintf(stderr, "What has not ended goes on. ferry get evacuations -w watches, ferry undrain "
                    "HOST ends one.\n");
  return worst;
}

/* All are asked for before any is waited for, so that no VM goes from one of them to another. */
static int drain_many(FerryCli *cli, gint64 until_us, const char *patience) {
  g_autoptr(GPtrArray) drains =
      g_ptr_array_new_with_free_func((GDestroyNotify)ferry_drain_watch_free);
  g_autoptr(GError) error = NULL;
  gint64 began_us = g_get_monotonic_time();
  for (guint i = 0; ferry_cli_word(cli, i) != NULL; i++) {
    json_t *object = ferry_drain_begin(cli, ferry_cli_word(cli, i), &error);
    if (object == NULL)
      return drain_refused(error);
    g_ptr_array_add(drains, ferry_drain_watch_new(object, began_us, until_us));
    if (ferry_args_has(cli->args, "no-wait"))
      printf("%s\n", ferry_json_str(object, "metadata.name"));
  }
  if (ferry_args_has(cli->args, "no-wait"))
    return FERRY_EXIT_DONE;
  guint open = drains->len;
  gboolean ok = TRUE;
  ferry_watching_begin();
  while (ok && open > 0 && ferry_drain_watch_waits(drains->pdata[0])) {
    ok = ferry_drain_watch_look(cli, drains, &open, &error);
    if (ok && open > 0)
      g_usleep(FERRY_CLI_RETRY_TABLE_MS * 1000);
  }
  ferry_watching_end();
  return ok ? drain_tell_all(drains, patience)
            : ferry_cli_fail(error, "The evacuations go on; ferry get evacuations shows them.");
}

static int cmd_drain(FerryCli *cli) {
  gint64 began_us = g_get_monotonic_time();
  const char *host = ferry_cli_word(cli, 0), *format = ferry_cli_option(cli, "output");
  const char *patience = ferry_cli_option(cli, "timeout");
  gint64 patience_ms = 0;
  gboolean many = ferry_cli_word(cli, 1) != NULL;
  if (many && (format != NULL || ferry_args_has(cli->args, "dry-run")))
    return ferry_cli_usage(cli, "--dry-run and -o take one host only");
  if (ferry_drain_deadline_bad(cli))
    return FERRY_EXIT_USAGE;
  if (ferry_args_has(cli->args, "dry-run"))
    return drain_plan(cli, host);
  if (patience != NULL && !ferry_duration_parse(patience, &patience_ms))
    return ferry_cli_usage(cli, "--timeout %s: expected a time such as 90s, 10m or 1h30m",
                           patience);
  gint64 until_us = patience != NULL ? began_us + patience_ms * 1000 : 0;
  return many ? drain_many(cli, until_us, patience) : drain_one(cli, host, began_us, until_us);
}

static const FerryCliOption options_drain[] = {
    {"dry-run", 0, NULL, "Say which VM would go where, and all reasons of those that stay",
     .more = "Nothing is changed; the exit code is 3 where a VM would stay."},
    {"deadline", 0, "TIME", "When the host is to be empty: 10m from now, 02:00, or a full time",
     .more = "What is not expected to be met is said beforehand; it goes on after it."},
    {"no-wait", 0, NULL, "Return as soon as the evacuation is accepted",
     .more = "It prints the name of the Evacuation."},
    {"timeout", 0, "TIME", "Wait at most this long, such as 90s, 10m or 1h30m",
     .more = "The evacuation then goes on; what is left is shown, and the exit code is 1."},
    OPT_OUTPUT(ferry_formats_final, "Print only the final Evacuation: json or yaml"),
    OPT_END};

const FerryVerb ferry_verb_drain = {
    .name = "drain",
    .synopses = LINES("HOST..."),
    .doc = "Move every running VM off hosts and keep new ones away",
    .details =
        "Cordons the host and shows each VM's move until all have ended; a move that fails "
        "is tried\n"
        "again. Ctrl-C asks whether the evacuation is to end; away from a terminal it leaves it\n"
        "running, with exit code 130.",
    .options = options_drain,
    .min_words = 1,
    .max_words = 1000,
    .words_of = "node",
    .run = cmd_drain};
