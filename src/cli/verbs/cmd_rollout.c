// SPDX-License-Identifier: Apache-2.0
// ferry rollout: one host after another is emptied, worked on, and opened again. The server does
// that and goes on without us; hosts/rollout_follow.c looks at it and runs the hook,
// hosts/rollout_request.c has the requests. Here are the five actions, and what each says at its
// end.
#include "cli/core/options.h"
#include "cli/hosts/rollout_follow.h"
#include "cli/hosts/rollout_request.h"
#include "cli/view/output.h"
#include "cli/view/rollout_text.h"
#include "model/migration/rollout.h"

#include <stdio.h>

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

/* Follows `object` (taken) as the options say. Returns the exit code. */
static int rollout_follow(FerryCli *cli, json_t *object) {
  const char *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  int code = FERRY_EXIT_DONE;
  gboolean wait = !ferry_args_has(cli->args, "no-wait");
  gboolean ok = !wait || ferry_rollout_follow(cli, &object, ferry_cli_option(cli, "command"),
                                              format != NULL, &error);
  if (format)
    ferry_output_object(object, format);
  if (!ok) {
    code = ferry_cli_fail(error, "ferry rollout status shows it, ferry rollout resume goes on.");
  } else if (!wait) {
    if (!format)
      printf("%s\n", ferry_json_str(object, "metadata.name"));
  } else if (!ferry_rollout_is_final(object)) {
    fprintf(stderr, "%s goes on. ferry rollout status shows it, ferry rollout stop stops it.\n",
            ferry_json_str(object, "metadata.name"));
    code = FERRY_EXIT_INTERRUPTED;
  } else {
    code = format ? (ferry_phase_of(object) == FERRY_PHASE_SUCCEEDED ? FERRY_EXIT_DONE
                                                                     : FERRY_EXIT_FAILED)
                  : rollout_tell_end(object);
  }
  json_decref(object);
  return code;
}

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
  json_t *object = ferry_rollout_post(cli, n, selector, &error);
  if (!object)
    return rollout_refused(error);
  ferry_cli_warnings(cli);
  return rollout_follow(cli, object);
}

static int rollout_status(FerryCli *cli, const char *name) {
  const char *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) object = ferry_rollout_find(cli, name, NULL, &error);
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
    g_autofree char *line = ferry_rollout_host_line(host);
    printf("  %s\n", line);
  }
  return FERRY_EXIT_DONE;
}

static int rollout_done(FerryCli *cli, const char *host) {
  g_autoptr(GError) error = NULL;
  if (!host)
    return ferry_cli_usage(cli, "say which host is done: ferry rollout done HOST");
  g_autoptr(json_t) found = ferry_rollout_find(cli, NULL, host, &error);
  if (!found)
    return ferry_cli_fail(error, "ferry get rollouts lists them.");
  g_autoptr(json_t) object = ferry_rollout_put_done(cli, found, host, &error);
  if (!object)
    return rollout_refused(error);
  const char *format = ferry_cli_option(cli, "output");
  if (format)
    ferry_output_object(object, format);
  else
    printf("%s counts as done; it takes VMs again as soon as its agent has reported.\n", host);
  return FERRY_EXIT_DONE;
}

static int rollout_stop(FerryCli *cli, const char *name) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) found = ferry_rollout_find(cli, name, NULL, &error);
  if (!found)
    return ferry_cli_fail(error, "ferry get rollouts lists them.");
  g_autoptr(json_t) object = ferry_rollout_put_paused(cli, found, TRUE, &error);
  if (!object)
    return rollout_refused(error);
  printf("%s is stopped: no further host is started. ferry rollout resume goes on.\n",
         ferry_json_str(object, "metadata.name"));
  return FERRY_EXIT_DONE;
}

static int rollout_resume(FerryCli *cli, const char *name) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) found = ferry_rollout_find(cli, name, NULL, &error);
  if (!found)
    return ferry_cli_fail(error, "ferry get rollouts lists them.");
  json_t *object = ferry_rollout_put_paused(cli, found, FALSE, &error);
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
