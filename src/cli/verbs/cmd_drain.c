// SPDX-License-Identifier: Apache-2.0
// drain makes an Evacuation and watches it: the server does the work and goes on without us. What
// is printed are the changes of its status.vms. undrain takes the evacuations of the host away and
// opens the host again.
#include "cli/verbs/options.h"
#include "model/migration/evacuation.h"
#include "cli/view/output.h"
#include "cli/core/resource.h"
#include "cli/view/text.h"
#include "model/migration/phase.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signo) {
  interrupted = 1;
}

typedef struct {
  json_t *object;
  gboolean quiet, gone;
  GHashTable *said; /* "ns/name" -> what was printed last */
  gint64 began_us, lost_us;
} Drain;

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

static void say_changes(Drain *d) {
  size_t i;
  json_t *vm;
  if (d->quiet)
    return;
  json_array_foreach(ferry_json_get(d->object, "status.vms"), i, vm) {
    FerryPhase phase = ferry_phase_parse(ferry_json_str(vm, "phase"));
    g_autofree char *key =
        g_strdup_printf("%s/%s", ferry_json_str(vm, "namespace"), ferry_json_str(vm, "name"));
    g_autofree char *line = vm_line(vm);
    if (phase == FERRY_PHASE_QUEUED || g_strcmp0(g_hash_table_lookup(d->said, key), line) == 0)
      continue;
    printf("%7.1fs  %s\n", (double)(g_get_monotonic_time() - d->began_us) / 1e6, line);
    fflush(stdout);
    g_hash_table_replace(d->said, g_steal_pointer(&key), g_steal_pointer(&line));
  }
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

static gboolean drain_on_tick(gpointer data) {
  return !interrupted;
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
  while (ok && !interrupted && !d->gone && !ferry_evacuation_is_final(d->object)) {
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
  g_autoptr(json_t) wish =
      json_pack("{s:s, s:s, s:{s:s}, s:{s:s}}", "apiVersion", "ferry.migration/v1", "kind",
                "Evacuation", "metadata", "generateName", "drain-", "spec", "nodeName", host);
  g_autofree char *path =
      ferry_resource_path(&ferry_kind_evacuation, NULL, NULL, "fieldValidation=Strict");
  g_autofree char *header = ferry_cli_trace_header();
  const char *const headers[] = {header, NULL};
  return ferry_client_request(cli->client, "POST", path, wish, NULL, headers, NULL, error);
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

static int drain_refused(const GError *error) {
  ferry_cli_fail(error, "ferry get nodes lists the hosts.");
  return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_INVALID) ||
                 g_error_matches(error, FERRY_ERROR, FERRY_ERROR_CONFLICT)
             ? FERRY_EXIT_REFUSED
             : FERRY_EXIT_FAILED;
}

static int cmd_drain(FerryCli *cli) {
  const char *host = ferry_cli_word(cli, 0), *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  Drain d = {.quiet = format != NULL, .began_us = g_get_monotonic_time()};
  d.object = drain_begin(cli, host, &error);
  if (d.object == NULL)
    return drain_refused(error);
  ferry_cli_warnings(cli);
  int code = FERRY_EXIT_DONE;
  d.said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  const char *name = ferry_json_str(d.object, "metadata.name");
  gboolean wait = !ferry_args_has(cli->args, "no-wait");
  gboolean ok = !wait || drain_follow(cli, &d, &error);
  name = ferry_json_str(d.object, "metadata.name");
  if (format != NULL)
    ferry_output_object(d.object, format);
  if (!ok) {
    code = ferry_cli_fail(error, "The evacuation goes on; ferry get evacuations shows it.");
  } else if (!wait) {
    if (format == NULL)
      printf("%s\n", name);
  } else if (d.gone) {
    fprintf(stderr, "error: the evacuation %s was deleted before it ended\n", name);
    code = FERRY_EXIT_FAILED;
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

static int cmd_undrain(FerryCli *cli) {
  const char *host = ferry_cli_word(cli, 0);
  g_autoptr(GError) error = NULL;
  if (ferry_cli_client(cli, &error) == NULL)
    return ferry_cli_fail(error, NULL);
  g_autofree char *node = ferry_resource_path(&ferry_kind_node, NULL, host, NULL);
  g_autoptr(json_t) patch = json_pack("{s:{s:n}}", "spec", "unschedulable");
  /* Opened first: an evacuation cordons once only, at its beginning. */
  g_autoptr(json_t) opened = ferry_client_request(cli->client, "PATCH", node, patch,
                                                  FERRY_CONTENT_MERGE_PATCH, NULL, NULL, &error);
  g_autoptr(json_t) list = opened != NULL ? list_of(cli, host, &error) : NULL;
  if (list == NULL)
    return ferry_cli_fail(error, opened == NULL ? "ferry get nodes lists the hosts." : NULL);
  guint ended = 0;
  size_t i;
  json_t *item;
  json_array_foreach(ferry_json_get(list, "items"), i, item) {
    g_autofree char *path = ferry_resource_path(&ferry_kind_evacuation, NULL,
                                                ferry_json_str(item, "metadata.name"), NULL);
    g_autoptr(json_t) gone =
        ferry_client_request(cli->client, "DELETE", path, NULL, NULL, NULL, NULL, &error);
    if (gone == NULL && !g_error_matches(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND))
      return ferry_cli_fail(error, NULL);
    g_clear_error(&error);
    ended += !ferry_evacuation_is_final(item);
  }
  printf("%s takes VMs again%s.\n", host,
         ended > 0 ? "; its evacuation has ended: what waited is cancelled, what moves goes on"
                   : "");
  return FERRY_EXIT_DONE;
}

static const FerryCliOption options_drain[] = {
    {"no-wait", 0, NULL, "Return as soon as the evacuation is accepted",
     .more = "It prints the name of the Evacuation."},
    OPT_OUTPUT(ferry_formats_final, "Print only the final Evacuation: json or yaml"),
    OPT_END};

static const FerryCliOption options_none[] = {OPT_END};

const FerryVerb ferry_verb_drain = {
    .name = "drain",
    .synopses = LINES("HOST"),
    .doc = "Move every running VM off a host and keep others from it",
    .details = "Cordons the host and shows each VM's move until all have ended; a move that fails "
               "is tried\n"
               "again. Ctrl-C leaves the evacuation running with exit code 130.",
    .options = options_drain,
    .min_words = 1,
    .max_words = 1,
    .words_of = "node",
    .run = cmd_drain};

const FerryVerb ferry_verb_undrain = {.name = "undrain",
                                      .synopses = LINES("HOST"),
                                      .doc = "Let VMs move to a host again, and end its evacuation",
                                      .details =
                                          "Moves that wait are cancelled, those that run go on.",
                                      .options = options_none,
                                      .min_words = 1,
                                      .max_words = 1,
                                      .words_of = "node",
                                      .run = cmd_undrain};
