// SPDX-License-Identifier: Apache-2.0
// ferry rollout: one host after another is emptied, worked on, and opened again.
//
// Theory of operation: the server takes the hosts through their states and goes on without us; what
// happens here is that it is begun, looked at twice a second, and told what a person says. A hook
// (--command) is run here and never by the server, once for each time that a host has become empty
// (its name and since when it is), one after another; when it has ended well the host is said to be
// done, when not the rollout is stopped and the host stays empty. Where we are killed meanwhile
// `ferry rollout resume --command` runs the hook for the hosts that are still empty.
#include "cli/core/listing.h"
#include "cli/core/options.h"
#include "cli/view/output.h"
#include "cli/view/text.h"
#include "model/migration/rollout.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

static volatile sig_atomic_t rollout_interrupted;

static void rollout_on_interrupt(int signo) {
  rollout_interrupted = 1;
}

static char *rollout_path(const char *name, const char *sub) {
  return ferry_client_path(ferry_kind_rollout.group, ferry_kind_rollout.version, NULL,
                           ferry_kind_rollout.plural, name, sub);
}

/* ---- which one is meant ---- */

/* One that has not ended before one that has, then the newest. */
static gboolean rollout_is_better(const json_t *item, const json_t *best) {
  if (!best || ferry_rollout_is_final(item) != ferry_rollout_is_final(best))
    return !best || ferry_rollout_is_final(best);
  return g_strcmp0(ferry_json_str(item, "metadata.creationTimestamp"),
                   ferry_json_str(best, "metadata.creationTimestamp")) > 0;
}

/* The one of that name; without one that of `host`, without that the one under way. New reference;
 * NULL with an error. */
static json_t *rollout_find(FerryCli *cli, const char *name, const char *host, GError **error) {
  if (!ferry_cli_client(cli, error))
    return NULL;
  if (name)
    return ferry_cli_get(cli, &ferry_kind_rollout, NULL, name, NULL, error);
  g_autoptr(json_t) list =
      ferry_cli_list(cli, &ferry_kind_rollout, NULL, NULL, NULL, NULL, NULL, error);
  json_t *item, *best = NULL;
  size_t i;
  if (!list)
    return NULL;
  json_array_foreach(ferry_json_get(list, "items"), i, item) {
    if ((!host || ferry_rollout_host(item, host)) && rollout_is_better(item, best))
      best = item;
  }
  if (!best)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND, "there is no rollout%s%s",
                host ? " with host " : "", host ? host : "");
  return best ? json_incref(best) : NULL;
}

/* ---- what is said ---- */

static char *host_line(const json_t *host) {
  const char *message = ferry_json_str(host, "message");
  g_autofree char *text =
      g_strdup_printf("%s: %s%s%s", ferry_json_str(host, "nodeName"), ferry_json_str(host, "phase"),
                      message ? ": " : "", message ? message : "");
  return ferry_text_clean(text);
}

/* What is followed, and what was said and done of it. */
typedef struct {
  FerryCli *cli;
  json_t *object;
  const char *hook;
  gboolean quiet;
  GHashTable *said; /* host -> line */
  GHashTable *ran;  /* "host since", for which the hook was run */
  gint64 lost_us;
} RolloutFollow;

/* Hosts whose phase is another one, and blocked ones whose reasons are. */
static void follow_print(RolloutFollow *f) {
  size_t i;
  json_t *host;
  json_array_foreach(ferry_json_get(f->object, "status.hosts"), i, host) {
    FerryPhase phase = ferry_phase_parse(ferry_json_str(host, "phase"));
    if (phase == FERRY_PHASE_QUEUED)
      continue;
    const char *name = ferry_json_str(host, "nodeName");
    g_autofree char *line = host_line(host);
    g_autofree char *key =
        phase == FERRY_PHASE_BLOCKED ? g_strdup(line) : g_strdup(ferry_json_str(host, "phase"));
    if (f->quiet || g_strcmp0(g_hash_table_lookup(f->said, name), key) == 0)
      continue;
    g_hash_table_replace(f->said, g_strdup(name), g_steal_pointer(&key));
    printf("%s\n", line);
    fflush(stdout);
  }
}

static int rollout_tell_end(const json_t *object) {
  const char *name = ferry_json_str(object, "metadata.name");
  gint64 done = ferry_json_int(object, "status.done", 0);
  if (ferry_phase_of(object) == FERRY_PHASE_SUCCEEDED) {
    printf("%s: all %" G_GINT64_FORMAT " hosts are done.\n", name, done);
    return FERRY_EXIT_DONE;
  }
  fprintf(stderr,
          "error: %s: %" G_GINT64_FORMAT " hosts are done, %" G_GINT64_FORMAT
          " are not there any more\n",
          name, done, ferry_json_int(object, "status.failed", 0));
  return FERRY_EXIT_FAILED;
}

/* ---- what is asked for ---- */

static json_t *put_done(FerryCli *cli, const json_t *object, const char *host, GError **error) {
  g_autofree char *path = rollout_path(ferry_json_str(object, "metadata.name"), "done");
  g_autoptr(json_t) body = json_pack("{s:s}", "nodeName", host);
  return ferry_client_request(cli->client, "PUT", path, body, NULL, NULL, NULL, error);
}

static json_t *patch_paused(FerryCli *cli, const json_t *object, gboolean paused, GError **error) {
  g_autofree char *path = rollout_path(ferry_json_str(object, "metadata.name"), NULL);
  g_autoptr(json_t) body = json_pack("{s:{s:b}}", "spec", "paused", paused);
  return ferry_client_request(cli->client, "PATCH", path, body, FERRY_CONTENT_MERGE_PATCH, NULL,
                              NULL, error);
}

static gboolean is_passing(const GError *error) {
  return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE) ||
         g_error_matches(error, FERRY_ERROR, FERRY_ERROR_TIMEOUT);
}

/* Whether the server, which does not answer, is to be asked again; waits a moment. Else `error`
 * gets `why`, which is taken. */
static gboolean follow_again(RolloutFollow *f, GError *why, GError **error) {
  gint64 now = g_get_monotonic_time();
  f->lost_us = f->lost_us ? f->lost_us : now;
  if (!is_passing(why) || now - f->lost_us > FERRY_CLI_RETRY_LIMIT_MS * 1000LL) {
    g_propagate_error(error, why);
    return FALSE;
  }
  g_error_free(why);
  g_usleep(FERRY_CLI_RETRY_TABLE_MS * 1000);
  return TRUE;
}

/* ---- the hook ---- */

/* Its exit code, or -1 where it could not be run or was killed. */
static int run_hook(const char *hook, const char *host) {
  const char *argv[] = {"/bin/sh", "-c", hook, "ferry-rollout", host, NULL};
  g_auto(GStrv) env = g_environ_setenv(g_get_environ(), "FERRY_HOST", host, TRUE);
  g_autoptr(GError) error = NULL;
  int status = 0;
  if (!g_spawn_sync(NULL, (char **)argv, env, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL, NULL,
                    &status, &error)) {
    fprintf(stderr, "error: the hook could not be run for %s: %s\n", host, error->message);
    return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Says that the host is done, however often the server has to be asked. A conflict means that it is
 * not empty any more; the hook is run again when it is. */
static gboolean say_done(RolloutFollow *f, const char *host, GError **error) {
  for (;;) {
    GError *local = NULL;
    g_autoptr(json_t) after = put_done(f->cli, f->object, host, &local);
    if (after) {
      f->lost_us = 0;
      return TRUE;
    }
    if (g_error_matches(local, FERRY_ERROR, FERRY_ERROR_CONFLICT)) {
      g_autofree char *clean = ferry_text_clean(local->message);
      fprintf(stderr, "%s\n", clean);
      g_error_free(local);
      return TRUE;
    }
    if (!follow_again(f, local, error))
      return FALSE;
  }
}

static gboolean hook_failed(RolloutFollow *f, const char *host, int code, GError **error) {
  g_autoptr(GError) local = NULL;
  g_autoptr(json_t) stopped = patch_paused(f->cli, f->object, TRUE, &local);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
              "the hook failed for %s (exit code %d); %s stays empty and cordoned, and the rollout "
              "%s%s",
              host, code, host,
              stopped ? "is stopped" : "could not be stopped: ", stopped ? "" : local->message);
  return FALSE;
}

static gboolean follow_look(RolloutFollow *f, GError **error) {
  GError *local = NULL;
  g_autofree char *path = rollout_path(ferry_json_str(f->object, "metadata.name"), NULL);
  json_t *now = ferry_client_request(f->cli->client, "GET", path, NULL, NULL, NULL, NULL, &local);
  if (!now)
    return follow_again(f, local, error);
  f->lost_us = 0;
  json_decref(f->object);
  f->object = now;
  return TRUE;
}

/* "host since" of the first one that waits for its hook; `host` gets its name. NULL: none. Both are
 * free with g_free. */
static char *hook_next(const RolloutFollow *f, char **host) {
  size_t i;
  json_t *entry;
  json_array_foreach(ferry_json_get(f->object, "status.hosts"), i, entry) {
    const char *name = ferry_json_str(entry, "nodeName");
    g_autofree char *key = g_strdup_printf("%s %s", name, ferry_json_str(entry, "since"));
    if (ferry_phase_parse(ferry_json_str(entry, "phase")) != FERRY_PHASE_EMPTY ||
        ferry_json_str(entry, "doneAt") || g_hash_table_contains(f->ran, key))
      continue;
    *host = g_strdup(name);
    return g_steal_pointer(&key);
  }
  return NULL;
}

/* Runs the hook for the next host that has become empty, if it is so yet: the hook before it may
 * have taken hours. FALSE with an error where it failed. */
static gboolean follow_hook(RolloutFollow *f, GError **error) {
  g_autofree char *host = NULL, *host_now = NULL;
  g_autofree char *key = hook_next(f, &host);
  if (!key)
    return TRUE;
  if (!follow_look(f, error))
    return FALSE;
  g_autofree char *key_now = hook_next(f, &host_now);
  if (f->lost_us || rollout_interrupted || g_strcmp0(key, key_now) != 0 ||
      ferry_json_bool(f->object, "spec.paused", FALSE))
    return TRUE;
  g_hash_table_add(f->ran, g_steal_pointer(&key));
  int code = run_hook(f->hook, host);
  if (rollout_interrupted)
    return TRUE; /* Ctrl-C reaches the hook as well: what it did is not known */
  return code == 0 ? say_done(f, host, error) : hook_failed(f, host, code, error);
}

/* ---- following ---- */

/* Until it has ended or somebody interrupts. */
static gboolean follow_to_end(RolloutFollow *f, GError **error) {
  struct sigaction act = {.sa_handler = rollout_on_interrupt}, old;
  gboolean ok = TRUE;
  rollout_interrupted = 0;
  sigaction(SIGINT, &act, &old);
  while (ok && !rollout_interrupted && !ferry_rollout_is_final(f->object)) {
    follow_print(f);
    ok = (!f->hook || follow_hook(f, error)) && (rollout_interrupted || follow_look(f, error));
    if (ok && !rollout_interrupted && !ferry_rollout_is_final(f->object))
      g_usleep(FERRY_CLI_RETRY_TABLE_MS * 1000);
  }
  follow_print(f);
  sigaction(SIGINT, &old, NULL);
  return ok;
}

/* Follows `object` (taken) as the options say. Returns the exit code. */
static int rollout_follow(FerryCli *cli, json_t *object) {
  const char *format = ferry_cli_option(cli, "output");
  RolloutFollow f = {.cli = cli,
                     .object = object,
                     .hook = ferry_cli_option(cli, "command"),
                     .quiet = format != NULL,
                     .said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
                     .ran = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
  g_autoptr(GError) error = NULL;
  int code = FERRY_EXIT_DONE;
  gboolean wait = !ferry_args_has(cli->args, "no-wait");
  gboolean ok = !wait || follow_to_end(&f, &error);
  if (format)
    ferry_output_object(f.object, format);
  if (!ok) {
    code = ferry_cli_fail(error, "ferry rollout status shows it, ferry rollout resume goes on.");
  } else if (!wait) {
    if (!format)
      printf("%s\n", ferry_json_str(f.object, "metadata.name"));
  } else if (!ferry_rollout_is_final(f.object)) {
    fprintf(stderr, "%s goes on. ferry rollout status shows it, ferry rollout stop stops it.\n",
            ferry_json_str(f.object, "metadata.name"));
    code = FERRY_EXIT_INTERRUPTED;
  } else {
    code = format ? (ferry_phase_of(f.object) == FERRY_PHASE_SUCCEEDED ? FERRY_EXIT_DONE
                                                                       : FERRY_EXIT_FAILED)
                  : rollout_tell_end(f.object);
  }
  g_hash_table_unref(f.said);
  g_hash_table_unref(f.ran);
  json_decref(f.object);
  return code;
}

/* ---- the actions ---- */

static int rollout_refused(const GError *error) {
  ferry_cli_fail(error, NULL);
  return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_INVALID) ||
                 g_error_matches(error, FERRY_ERROR, FERRY_ERROR_CONFLICT)
             ? FERRY_EXIT_REFUSED
             : FERRY_EXIT_FAILED;
}

static int rollout_start(FerryCli *cli, const char *unused) {
  const char *most = ferry_cli_option(cli, "max-unavailable");
  const char *selector = ferry_cli_option(cli, "selector");
  gint64 n = 1;
  g_autoptr(GError) error = NULL;
  if (unused)
    return ferry_cli_usage(cli, "start takes no name; -l chooses the hosts");
  if (most && !g_ascii_string_to_signed(most, 10, 1, 10000, &n, NULL))
    return ferry_cli_usage(cli, "--max-unavailable %s: expected a number from 1 to 10000", most);
  if (!ferry_cli_client(cli, &error))
    return ferry_cli_fail(error, NULL);
  g_autoptr(json_t) wish =
      json_pack("{s:s, s:s, s:{s:s}, s:{s:I, s:s*}}", "apiVersion", "ferry.migration/v1", "kind",
                ferry_kind_rollout.kind, "metadata", "generateName", "rollout-", "spec",
                "maxUnavailable", (json_int_t)n, "selector", selector);
  g_autofree char *path =
      ferry_resource_path(&ferry_kind_rollout, NULL, NULL, "fieldValidation=Strict");
  g_autofree char *header = ferry_cli_trace_header();
  const char *const headers[] = {header, NULL};
  json_t *object =
      ferry_client_request(cli->client, "POST", path, wish, NULL, headers, NULL, &error);
  if (!object)
    return rollout_refused(error);
  ferry_cli_warnings(cli);
  return rollout_follow(cli, object);
}

static int rollout_status(FerryCli *cli, const char *name) {
  const char *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) object = rollout_find(cli, name, NULL, &error);
  if (!object)
    return ferry_cli_fail(error, "ferry get rollouts lists them.");
  if (format) {
    ferry_output_object(object, format);
    return FERRY_EXIT_DONE;
  }
  printf("%s: %s, %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " hosts are done\n",
         ferry_json_str(object, "metadata.name"), ferry_phase_word(object),
         ferry_json_int(object, "status.done", 0), ferry_json_int(object, "status.total", 0));
  size_t i;
  json_t *host;
  json_array_foreach(ferry_json_get(object, "status.hosts"), i, host) {
    g_autofree char *line = host_line(host);
    printf("  %s\n", line);
  }
  return FERRY_EXIT_DONE;
}

static int rollout_done(FerryCli *cli, const char *host) {
  g_autoptr(GError) error = NULL;
  if (!host)
    return ferry_cli_usage(cli, "say which host is done: ferry rollout done HOST");
  g_autoptr(json_t) found = rollout_find(cli, NULL, host, &error);
  if (!found)
    return ferry_cli_fail(error, "ferry get rollouts lists them.");
  g_autoptr(json_t) object = put_done(cli, found, host, &error);
  if (!object)
    return rollout_refused(error);
  const char *format = ferry_cli_option(cli, "output");
  if (format)
    ferry_output_object(object, format);
  else
    printf("%s is said to be done; it takes VMs again as soon as its agent has told of it.\n",
           host);
  return FERRY_EXIT_DONE;
}

static int rollout_stop(FerryCli *cli, const char *name) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) found = rollout_find(cli, name, NULL, &error);
  if (!found)
    return ferry_cli_fail(error, "ferry get rollouts lists them.");
  g_autoptr(json_t) object = patch_paused(cli, found, TRUE, &error);
  if (!object)
    return rollout_refused(error);
  printf("%s is stopped: no further host is started. ferry rollout resume goes on.\n",
         ferry_json_str(object, "metadata.name"));
  return FERRY_EXIT_DONE;
}

static int rollout_resume(FerryCli *cli, const char *name) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) found = rollout_find(cli, name, NULL, &error);
  if (!found)
    return ferry_cli_fail(error, "ferry get rollouts lists them.");
  json_t *object = patch_paused(cli, found, FALSE, &error);
  return object ? rollout_follow(cli, object) : rollout_refused(error);
}

static int cmd_rollout(FerryCli *cli) {
  static const struct {
    const char *word;
    int (*run)(FerryCli *cli, const char *name);
  } actions[] = {{"start", rollout_start},
                 {"status", rollout_status},
                 {"done", rollout_done},
                 {"stop", rollout_stop},
                 {"resume", rollout_resume}};
  const char *word = ferry_cli_word(cli, 0);
  for (gsize i = 0; i < G_N_ELEMENTS(actions); i++)
    if (g_str_equal(actions[i].word, word))
      return actions[i].run(cli, ferry_cli_word(cli, 1));
  return ferry_cli_usage(cli, "\"%s\" is not start, status, done, stop or resume", word);
}

static const FerryCliOption options_rollout[] = {
    {"selector", 'l', "LABELS", "With start: only hosts with these labels: a=b,c!=d,e in (f,g)"},
    {"max-unavailable", 0, "N", "With start: how many hosts are emptied or empty at a time",
     .more = "Without it one."},
    {"command", 0, "HOOK", "Run this shell command here for each host that is empty",
     .more = "The host is its $1 and FERRY_HOST. When it ends with 0 the host is done; else the "
             "rollout is stopped."},
    OPT_NO_WAIT("With start and resume: don't follow it"),
    OPT_OUTPUT(ferry_formats_final, "Print only the Rollout: json or yaml"),
    OPT_END};

const FerryVerb ferry_verb_rollout = {
    .name = "rollout",
    .synopses = LINES("start [-l LABELS] [--max-unavailable N] [--command HOOK]", "status [NAME]",
                      "done HOST", "stop [NAME]", "resume [NAME] [--command HOOK]"),
    .doc = "Empty one host after another, and open each when it is done",
    .details =
        "Each host is emptied as by drain and stays cordoned until somebody says done, or the hook "
        "has\n"
        "ended well; then its libvirtd must answer before it takes VMs and the next one begins. A "
        "host that\n"
        "some VM can't leave is shown with the reasons, and tried again. The server goes on by "
        "itself: Ctrl-C\n"
        "ends only the watching, and the hook. After stop no further host is started, and what "
        "waits to move "
        "stays.",
    .options = options_rollout,
    .min_words = 1,
    .max_words = 2,
    .run = cmd_rollout};
