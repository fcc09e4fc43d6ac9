// SPDX-License-Identifier: Apache-2.0
// drain makes an Evacuation and watches it: the server does the work and goes on without us. What
// is printed are the changes of its status.vms. undrain takes the evacuations of the host away and
// opens the host again.
#include "base/duration.h"
#include "cli/core/ask.h"
#include "cli/core/bring_back.h"
#include "cli/core/several.h"
#include "cli/core/options.h"
#include "model/migration/evacuation.h"
#include "cli/view/output.h"
#include "cli/core/resource.h"
#include "cli/view/text.h"
#include "model/migration/phase.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signo) {
  interrupted = 1;
}

typedef struct {
  json_t *object;
  gboolean quiet, gone;
  gboolean live, shown; /* a line is redrawn; it stands on the terminal */
  GHashTable *said;     /* "ns/name" -> what was printed last */
  gint64 began_us, lost_us;
  gint64 until_us; /* 0: for as long as it takes */
} Drain;

static gboolean drain_is_over(FerryPhase phase) {
  return phase == FERRY_PHASE_MOVED || phase == FERRY_PHASE_STOPPED || phase == FERRY_PHASE_FAILED;
}

/* "db: Running (db-evacuation-1f2e3d4c-1)" */
static char *vm_line(const json_t *vm) {
  const char *migration = ferry_json_str(vm, "migration"), *message = ferry_json_str(vm, "message");
  const char *name = ferry_json_str(vm, "name"), *phase = ferry_json_str(vm, "phase");
  gboolean moves = ferry_phase_parse(phase) != FERRY_PHASE_MOVED && migration != NULL;
  g_autofree char *text = g_strdup_printf(
      "%s: %s%s%s%s%s%s", name ? name : "?", phase ? phase : "?", moves ? " (" : "",
      moves ? migration : "", moves ? ")" : "", message ? ": " : "", message ? message : "");
  return ferry_text_clean(text);
}

static void drain_erase(Drain *d) {
  if (d->shown)
    fputs("\r\033[K", stdout);
  d->shown = FALSE;
}

/* "h1: 3 of 40 moved, 2 moving, 35 waiting", on a terminal redrawn in its place. */
static void drain_draw(Drain *d) {
  if (!d->live || ferry_evacuation_is_final(d->object))
    return;
  json_t *vms = ferry_json_get(d->object, "status.vms"), *vm;
  guint waiting = 0, moving = 0;
  size_t i;
  json_array_foreach(vms, i, vm) {
    FerryPhase phase = ferry_phase_parse(ferry_json_str(vm, "phase"));
    waiting += phase == FERRY_PHASE_QUEUED;
    moving += phase != FERRY_PHASE_QUEUED && !drain_is_over(phase);
  }
  g_autofree char *line = g_strdup_printf(
      "%s: %" G_GINT64_FORMAT " of %zu moved, %u moving, %u waiting",
      ferry_json_str(d->object, "spec.nodeName"), ferry_json_int(d->object, "status.moved", 0),
      json_array_size(vms), moving, waiting);
  g_autofree char *fits =
      g_utf8_substring(line, 0, MIN(g_utf8_strlen(line, -1), (glong)ferry_cli_width() - 1));
  printf("\r%s\033[K", fits);
  d->shown = TRUE;
  fflush(stdout);
}

/* What stays: how each VM ended, and what keeps one from moving. */
static void say_changes(Drain *d) {
  size_t i;
  json_t *vm, *vms = ferry_json_get(d->object, "status.vms");
  guint over = 0;
  json_array_foreach(vms, i, vm) over +=
      drain_is_over(ferry_phase_parse(ferry_json_str(vm, "phase")));
  json_array_foreach(vms, i, vm) {
    FerryPhase phase = ferry_phase_parse(ferry_json_str(vm, "phase"));
    gboolean told = drain_is_over(phase) ||
                    (phase != FERRY_PHASE_QUEUED && ferry_json_str(vm, "message") != NULL);
    g_autofree char *key =
        g_strdup_printf("%s/%s", ferry_json_str(vm, "namespace"), ferry_json_str(vm, "name"));
    g_autofree char *line = vm_line(vm);
    if (d->quiet || !told || g_strcmp0(g_hash_table_lookup(d->said, key), line) == 0)
      continue;
    drain_erase(d);
    printf("%7.1fs  [%u/%zu] %s\n", (double)(g_get_monotonic_time() - d->began_us) / 1e6, over,
           json_array_size(vms), line);
    fflush(stdout);
    g_hash_table_replace(d->said, g_steal_pointer(&key), g_steal_pointer(&line));
  }
  drain_draw(d);
}

static void drain_take(Drain *d, json_t *object) {
  json_incref(object);
  json_decref(d->object);
  d->object = object;
  d->lost_us = 0;
  say_changes(d);
}

static gboolean on_event(const char *type, json_t *object, gpointer data) {
  Drain *d = data;
  if (g_str_equal(type, "BOOKMARK"))
    return TRUE;
  d->gone = g_str_equal(type, "DELETED");
  drain_take(d, object);
  return !d->gone && !ferry_evacuation_is_final(d->object);
}

static gboolean drain_waits(const Drain *d) {
  return !interrupted && (d->until_us == 0 || g_get_monotonic_time() < d->until_us);
}

static gboolean drain_on_tick(gpointer data) {
  return drain_waits(data);
}

/* After the watch failed: FALSE where it is of no use to try again. */
static gboolean drain_recover(FerryCli *cli, Drain *d, const GError *why, GError **error) {
  if (!g_error_matches(why, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE) &&
      !g_error_matches(why, FERRY_ERROR, FERRY_ERROR_TIMEOUT) &&
      !g_error_matches(why, FERRY_ERROR, FERRY_ERROR_EXPIRED)) {
    g_propagate_error(error, g_error_copy(why));
    return FALSE;
  }
  if (d->lost_us == 0) {
    d->lost_us = g_get_monotonic_time();
  } else if (g_get_monotonic_time() - d->lost_us > FERRY_CLI_RETRY_LIMIT_MS * 1000LL) {
    g_propagate_error(error, g_error_copy(why));
    return FALSE;
  }
  g_usleep(FERRY_CLI_RETRY_MS * 1000);
  g_autofree char *path = ferry_resource_path(&ferry_kind_evacuation, NULL,
                                              ferry_json_str(d->object, "metadata.name"), NULL);
  g_autoptr(GError) local = NULL;
  g_autoptr(json_t) object =
      ferry_client_request(cli->client, "GET", path, NULL, NULL, NULL, NULL, &local);
  if (object != NULL)
    drain_take(d, object);
  else if (g_error_matches(local, FERRY_ERROR, FERRY_ERROR_NOT_FOUND))
    d->gone = TRUE;
  return TRUE;
}

static gboolean drain_follow(FerryCli *cli, Drain *d, GError **error) {
  struct sigaction act = {.sa_handler = on_interrupt}, old;
  interrupted = 0;
  sigaction(SIGINT, &act, &old);
  gboolean ok = TRUE;
  say_changes(d);
  while (ok && drain_waits(d) && !d->gone && !ferry_evacuation_is_final(d->object)) {
    g_autoptr(GString) query = g_string_new("watch=1");
    g_autofree char *field =
        g_strconcat("metadata.name=", ferry_json_str(d->object, "metadata.name"), NULL);
    ferry_query_add(query, "fieldSelector", field);
    ferry_query_add(query, "resourceVersion",
                    ferry_json_str(d->object, "metadata.resourceVersion"));
    g_autofree char *path = ferry_resource_path(&ferry_kind_evacuation, NULL, NULL, query->str);
    g_autoptr(GError) local = NULL;
    gint64 began = g_get_monotonic_time();
    if (!ferry_client_watch(cli->client, path, NULL, 0, on_event, drain_on_tick, d, NULL, &local))
      ok = drain_recover(cli, d, local, error);
    else if (!ferry_evacuation_is_final(d->object) &&
             g_get_monotonic_time() - began < FERRY_CLI_RETRY_MS * 1000)
      g_usleep(FERRY_CLI_RETRY_MS *
               1000); /* a server that ends each stream at once is not hammered */
  }
  sigaction(SIGINT, &old, NULL);
  return ok;
}

/* The evacuations of a host. New reference. */
static json_t *list_of(FerryCli *cli, const char *host, GError **error) {
  g_autofree char *field = g_strconcat("spec.nodeName=", host, NULL);
  return ferry_cli_list(cli, &ferry_kind_evacuation, NULL, NULL, field, NULL, NULL, error);
}

/* A new one; with `dry` what it would be. New reference. */
static json_t *drain_post(FerryCli *cli, const char *host, gboolean dry, GError **error) {
  g_autoptr(json_t) wish =
      json_pack("{s:s, s:s, s:{s:s}, s:{s:s}}", "apiVersion", "ferry.migration/v1", "kind",
                "Evacuation", "metadata", "generateName", "drain-", "spec", "nodeName", host);
  g_autofree char *path =
      ferry_resource_path(&ferry_kind_evacuation, NULL, NULL,
                          dry ? "fieldValidation=Strict&dryRun=All" : "fieldValidation=Strict");
  g_autofree char *header = ferry_cli_trace_header();
  const char *const headers[] = {header, NULL};
  return ferry_client_request(cli->client, "POST", path, wish, NULL, headers, NULL, error);
}

/* The one that is under way, else a new one. New reference. */
static json_t *drain_begin(FerryCli *cli, const char *host, GError **error) {
  if (ferry_cli_client(cli, error) == NULL)
    return NULL;
  g_autoptr(json_t) list = list_of(cli, host, error);
  if (list == NULL)
    return NULL;
  size_t i;
  json_t *item;
  json_array_foreach(ferry_json_get(list, "items"), i, item) {
    if (!ferry_evacuation_is_final(item) &&
        ferry_json_str(item, "metadata.deletionTimestamp") == NULL)
      return json_incref(item);
  }
  return drain_post(cli, host, FALSE, error);
}

/* What is there yet: VMs that could not be moved, and domains that nothing moves. */
static void print_remaining(const json_t *object) {
  size_t i;
  json_t *vm;
  json_array_foreach(ferry_json_get(object, "status.vms"), i, vm) {
    FerryPhase phase = ferry_phase_parse(ferry_json_str(vm, "phase"));
    if (phase == FERRY_PHASE_MOVED || phase == FERRY_PHASE_STOPPED)
      continue;
    g_autofree char *line = vm_line(vm);
    fprintf(stderr, "  * %s\n", line);
  }
}

static int drain_tell(const json_t *object, const char *host) {
  gint64 moved = ferry_json_int(object, "status.moved", 0);
  gint64 total = ferry_json_int(object, "status.total", 0);
  gint64 cancelled = ferry_json_int(object, "status.cancelled", 0);
  g_autofree char *also =
      cancelled > 0 ? g_strdup_printf(", cancelled %" G_GINT64_FORMAT " migration%s to it",
                                      cancelled, cancelled == 1 ? "" : "s")
                    : g_strdup("");
  if (ferry_phase_of(object) == FERRY_PHASE_SUCCEEDED) {
    printf("%s is empty: %" G_GINT64_FORMAT
           " VM%s moved%s. It stays cordoned; ferry undrain %s opens "
           "it again.\n",
           host, moved, moved == 1 ? "" : "s", also, host);
    return FERRY_EXIT_DONE;
  }
  fflush(stdout);
  fprintf(stderr,
          "error: %s is not empty: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " VMs have moved%s\n",
          host, moved, total, also);
  print_remaining(object);
  fprintf(stderr, "%s stays cordoned; ferry drain %s tries again, ferry undrain %s opens it.\n",
          host, host, host);
  return FERRY_EXIT_FAILED;
}

static int drain_late(const json_t *object, const char *host, const char *patience) {
  fflush(stdout);
  fprintf(stderr,
          "error: %s is not empty after %s: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
          " VMs have moved\n",
          host, patience, ferry_json_int(object, "status.moved", 0),
          ferry_json_int(object, "status.total", 0));
  print_remaining(object);
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

/* Opens the host, then takes its evacuations away (an evacuation cordons once only, at its
 * beginning); `ended`: how many were under way. */
static gboolean drain_undo(FerryCli *cli, const char *host, guint *ended, GError **error) {
  g_autofree char *node = ferry_resource_path(&ferry_kind_node, NULL, host, NULL);
  g_autoptr(json_t) patch = json_pack("{s:{s:n}}", "spec", "unschedulable");
  g_autoptr(json_t) opened = ferry_client_request(cli->client, "PATCH", node, patch,
                                                  FERRY_CONTENT_MERGE_PATCH, NULL, NULL, error);
  g_autoptr(json_t) list = opened != NULL ? list_of(cli, host, error) : NULL;
  size_t i;
  json_t *item;
  json_array_foreach(ferry_json_get(list, "items"), i, item) {
    g_autoptr(GError) cause = NULL;
    g_autofree char *path = ferry_resource_path(&ferry_kind_evacuation, NULL,
                                                ferry_json_str(item, "metadata.name"), NULL);
    g_autoptr(json_t) gone =
        ferry_client_request(cli->client, "DELETE", path, NULL, NULL, NULL, NULL, &cause);
    if (gone == NULL && !g_error_matches(cause, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)) {
      g_propagate_error(error, g_steal_pointer(&cause));
      return FALSE;
    }
    *ended += !ferry_evacuation_is_final(item);
  }
  return list != NULL;
}

static void drain_tell_open(const char *host, guint ended) {
  printf("%s takes VMs again%s.\n", host,
         ended > 0 ? "; its evacuation has ended: what waited is cancelled, what moves goes on"
                   : "");
}

/* Watches, and asks what Ctrl-C means; `code` is set where nothing more is to be said. */
static gboolean drain_attend(FerryCli *cli, Drain *d, const char *host, int *code, GError **error) {
  while (drain_follow(cli, d, error)) {
    drain_erase(d);
    if (!interrupted || !d->live || !isatty(STDIN_FILENO))
      return TRUE;
    putchar('\n');
    char answer = ferry_cli_ask(
        "end the evacuation (e), leave it running (l), or go on watching (w)? ", "elw", 'l');
    guint ended = 0;
    if (answer == 'l')
      return TRUE;
    if (answer == 'e') {
      if (!drain_undo(cli, host, &ended, error))
        return FALSE;
      drain_tell_open(host, ended);
      *code = FERRY_EXIT_INTERRUPTED;
      return TRUE;
    }
  }
  drain_erase(d);
  return FALSE;
}

/* What it would do, and what keeps a VM, without doing it. */
static int drain_plan(FerryCli *cli, const char *host) {
  const char *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) object =
      ferry_cli_client(cli, &error) ? drain_post(cli, host, TRUE, &error) : NULL;
  if (object == NULL)
    return drain_refused(error);
  gint64 total = ferry_json_int(object, "status.total", 0);
  gint64 failed = ferry_json_int(object, "status.failed", 0);
  if (format != NULL)
    ferry_output_object(object, format);
  size_t i;
  json_t *vm;
  json_array_foreach(ferry_json_get(object, "status.vms"), i, vm) {
    const char *target = ferry_json_str(vm, "target"), *message = ferry_json_str(vm, "message");
    gboolean stays = ferry_phase_parse(ferry_json_str(vm, "phase")) == FERRY_PHASE_FAILED;
    g_autofree char *line =
        g_strdup_printf("%s %s %s%s%s", ferry_json_str(vm, "name"), stays ? "stays:" : "->",
                        stays || target == NULL ? "" : target, message && !stays ? ": " : "",
                        message ? message : "");
    g_autofree char *text = ferry_text_clean(line);
    if (format == NULL)
      printf("  %s\n", text);
  }
  if (format == NULL)
    printf("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " VMs can leave %s. Nothing was changed.\n",
           total - failed, total, host);
  return failed > 0 ? FERRY_EXIT_REFUSED : FERRY_EXIT_DONE;
}

/* ---- several hosts ---- */

static void drain_free(gpointer data) {
  Drain *d = data;
  g_hash_table_unref(d->said);
  json_decref(d->object);
  g_free(d);
}

/* One look at each that has not ended; `open` gets how many there are. */
static gboolean drain_look(FerryCli *cli, GPtrArray *drains, guint *open, GError **error) {
  *open = 0;
  for (guint i = 0; i < drains->len; i++) {
    Drain *d = drains->pdata[i];
    if (d->gone || ferry_evacuation_is_final(d->object))
      continue;
    g_autoptr(GError) local = NULL;
    g_autofree char *path = ferry_resource_path(&ferry_kind_evacuation, NULL,
                                                ferry_json_str(d->object, "metadata.name"), NULL);
    g_autoptr(json_t) object =
        ferry_client_request(cli->client, "GET", path, NULL, NULL, NULL, NULL, &local);
    if (object != NULL)
      drain_take(d, object);
    else if (g_error_matches(local, FERRY_ERROR, FERRY_ERROR_NOT_FOUND))
      d->gone = TRUE;
    else if (!drain_recover(cli, d, local, error))
      return FALSE;
    *open += !d->gone && !ferry_evacuation_is_final(d->object);
  }
  return TRUE;
}

/* What each came to. Returns the worst exit code. */
static int drain_tell_all(const GPtrArray *drains, const char *patience) {
  int worst = FERRY_EXIT_DONE;
  for (guint i = 0; i < drains->len; i++) {
    const Drain *d = drains->pdata[i];
    const char *host = ferry_json_str(d->object, "spec.nodeName");
    int code = FERRY_EXIT_FAILED;
    if (d->gone)
      fprintf(stderr, "error: the evacuation of %s was deleted before it ended\n", host);
    else if (ferry_evacuation_is_final(d->object))
      code = drain_tell(d->object, host);
    else if (interrupted)
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
  g_autoptr(GPtrArray) drains = g_ptr_array_new_with_free_func(drain_free);
  g_autoptr(GError) error = NULL;
  struct sigaction act = {.sa_handler = on_interrupt}, old;
  gint64 began_us = g_get_monotonic_time();
  for (guint i = 0; ferry_cli_word(cli, i) != NULL; i++) {
    json_t *object = drain_begin(cli, ferry_cli_word(cli, i), &error);
    if (object == NULL)
      return drain_refused(error);
    Drain *d = g_new0(Drain, 1);
    *d = (Drain){.object = object, .began_us = began_us, .until_us = until_us};
    d->said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_ptr_array_add(drains, d);
    if (ferry_args_has(cli->args, "no-wait"))
      printf("%s\n", ferry_json_str(object, "metadata.name"));
  }
  if (ferry_args_has(cli->args, "no-wait"))
    return FERRY_EXIT_DONE;
  guint open = drains->len;
  gboolean ok = TRUE;
  interrupted = 0;
  sigaction(SIGINT, &act, &old);
  while (ok && open > 0 && drain_waits(drains->pdata[0])) {
    ok = drain_look(cli, drains, &open, &error);
    if (ok && open > 0)
      g_usleep(FERRY_CLI_RETRY_TABLE_MS * 1000);
  }
  sigaction(SIGINT, &old, NULL);
  return ok ? drain_tell_all(drains, patience)
            : ferry_cli_fail(error, "The evacuations go on; ferry get evacuations shows them.");
}

static int cmd_drain(FerryCli *cli) {
  const char *host = ferry_cli_word(cli, 0), *format = ferry_cli_option(cli, "output");
  const char *patience = ferry_cli_option(cli, "timeout");
  gint64 patience_ms = 0;
  gboolean many = ferry_cli_word(cli, 1) != NULL;
  if (many && (format != NULL || ferry_args_has(cli->args, "dry-run")))
    return ferry_cli_usage(cli, "--dry-run and -o are of one host");
  if (ferry_args_has(cli->args, "dry-run"))
    return drain_plan(cli, host);
  if (patience != NULL && !ferry_duration_parse(patience, &patience_ms))
    return ferry_cli_usage(cli, "--timeout %s: expected a time such as 90s, 10m or 1h30m",
                           patience);
  g_autoptr(GError) error = NULL;
  Drain d = {.quiet = format != NULL,
             .live = cli->out_tty && format == NULL,
             .began_us = g_get_monotonic_time()};
  if (patience != NULL)
    d.until_us = d.began_us + patience_ms * 1000;
  if (many)
    return drain_many(cli, d.until_us, patience);
  d.object = drain_begin(cli, host, &error);
  if (d.object == NULL)
    return drain_refused(error);
  ferry_cli_warnings(cli);
  int code = FERRY_EXIT_DONE;
  d.said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  const char *name = ferry_json_str(d.object, "metadata.name");
  gboolean wait = !ferry_args_has(cli->args, "no-wait");
  gboolean ok = !wait || drain_attend(cli, &d, host, &code, &error);
  name = ferry_json_str(d.object, "metadata.name");
  if (format != NULL)
    ferry_output_object(d.object, format);
  if (!ok) {
    code = ferry_cli_fail(error, "The evacuation goes on; ferry get evacuations shows it.");
  } else if (code != FERRY_EXIT_DONE) {
    /* ended by hand, which was said */
  } else if (!wait) {
    if (format == NULL)
      printf("%s\n", name);
  } else if (d.gone) {
    fprintf(stderr, "error: the evacuation %s was deleted before it ended\n", name);
    code = FERRY_EXIT_FAILED;
  } else if (!ferry_evacuation_is_final(d.object) && !interrupted) {
    code = drain_late(d.object, host, patience);
  } else if (!ferry_evacuation_is_final(d.object)) {
    fprintf(stderr,
            "The evacuation %s goes on. ferry get evacuation %s -w watches it, ferry undrain %s "
            "ends it.\n",
            name, name, host);
    code = FERRY_EXIT_INTERRUPTED;
  } else if (format == NULL) {
    code = drain_tell(d.object, host);
  } else {
    gboolean done = ferry_phase_of(d.object) == FERRY_PHASE_SUCCEEDED;
    code = done ? FERRY_EXIT_DONE : FERRY_EXIT_FAILED;
  }
  g_hash_table_unref(d.said);
  json_decref(d.object);
  return code;
}

/* What left it comes home; what is refused, and who was moved on meanwhile, stays. */
static int undrain_bring_back(FerryCli *cli, const char *host) {
  g_autoptr(GError) error = NULL;
  guint refused = 0, moved = 0;
  g_autoptr(GPtrArray) migrations = ferry_bring_back(cli, host, &refused, &error);
  if (migrations == NULL)
    return ferry_cli_fail(error, NULL);
  if (migrations->len + refused == 0) {
    printf("No VM is away from %s.\n", host);
    return FERRY_EXIT_DONE;
  }
  int code = ferry_several_follow(cli, migrations, &moved);
  printf("%u of %u VMs are back on %s.\n", moved, migrations->len + refused, host);
  return code == FERRY_EXIT_DONE && refused > 0 ? FERRY_EXIT_REFUSED : code;
}

static int cmd_undrain(FerryCli *cli) {
  const char *host = ferry_cli_word(cli, 0);
  g_autoptr(GError) error = NULL;
  guint ended = 0;
  if (ferry_cli_client(cli, &error) == NULL || !drain_undo(cli, host, &ended, &error))
    return ferry_cli_fail(error, g_error_matches(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND)
                                     ? "ferry get nodes lists the hosts."
                                     : NULL);
  drain_tell_open(host, ended);
  return ferry_args_has(cli->args, "bring-back") ? undrain_bring_back(cli, host) : FERRY_EXIT_DONE;
}

static const FerryCliOption options_drain[] = {
    {"dry-run", 0, NULL, "Say which VM would go where, and all reasons of those that stay",
     .more = "Nothing is changed; the exit code is 3 where a VM would stay."},
    {"no-wait", 0, NULL, "Return as soon as the evacuation is accepted",
     .more = "It prints the name of the Evacuation."},
    {"timeout", 0, "TIME", "Wait at most this long, such as 90s, 10m or 1h30m",
     .more = "The evacuation then goes on; what is left is shown, and the exit code is 1."},
    OPT_OUTPUT(ferry_formats_final, "Print only the final Evacuation: json or yaml"),
    OPT_END};

static const FerryCliOption options_undrain[] = {
    {"bring-back", 0, NULL, "Then move home what was moved off it",
     .more = "Those VMs that still run where the drain put them, as far as their migrations are "
             "still known."},
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

const FerryVerb ferry_verb_undrain = {
    .name = "undrain",
    .synopses = LINES("HOST"),
    .doc = "Let VMs move to a host again, and end its evacuation",
    .details = "Moves that are waiting are cancelled; those already running go on.",
    .options = options_undrain,
    .min_words = 1,
    .max_words = 1,
    .words_of = "node",
    .run = cmd_undrain};
