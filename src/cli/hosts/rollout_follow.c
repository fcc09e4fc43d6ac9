// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the server takes the hosts through their states and goes on without us; what
// happens here is that it is begun, looked at twice a second, and told what a person says. A hook
// (--command) is run here and never by the server, once for each time that a host has become empty
// (its name and since when it is), one after another; when it has ended well the host is said to be
// done, when not the rollout is stopped and the host stays empty. Where we are killed meanwhile
// `ferry rollout resume --command` runs the hook for the hosts that are still empty.
#include "cli/hosts/rollout_follow.h"
#include "cli/hosts/rollout_request.h"
#include "cli/core/watching.h"
#include "cli/view/rollout_text.h"
#include "cli/view/text.h"
#include "model/migration/rollout.h"

#include <stdio.h>
#include <sys/wait.h>

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
    g_autofree char *line = ferry_rollout_host_line(host);
    g_autofree char *key =
        phase == FERRY_PHASE_BLOCKED ? g_strdup(line) : g_strdup(ferry_json_str(host, "phase"));
    if (f->quiet || g_strcmp0(g_hash_table_lookup(f->said, name), key) == 0)
      continue;
    g_hash_table_replace(f->said, g_strdup(name), g_steal_pointer(&key));
    printf("%s\n", line);
    fflush(stdout);
  }
}

/* Whether the server, which does not answer, is to be asked again; waits a moment. Else `error`
 * gets `why`, which is taken. */
static gboolean follow_again(RolloutFollow *f, GError *why, GError **error) {
  if (!ferry_watching_passes(&f->lost_us, why)) {
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
    g_autoptr(json_t) after = ferry_rollout_put_done(f->cli, f->object, host, &local);
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
  g_autoptr(json_t) stopped = ferry_rollout_put_paused(f->cli, f->object, TRUE, &local);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
              "the hook failed for %s (exit code %d); %s stays empty and cordoned, and the rollout "
              "%s%s",
              host, code, host,
              stopped ? "is stopped" : "could not be stopped: ", stopped ? "" : local->message);
  return FALSE;
}

static gboolean follow_look(RolloutFollow *f, GError **error) {
  GError *local = NULL;
  json_t *now = ferry_watching_get(f->cli, &ferry_kind_rollout, f->object, &local);
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
  if (f->lost_us || ferry_watching_interrupted() || g_strcmp0(key, key_now) != 0 ||
      ferry_json_bool(f->object, "spec.paused", FALSE))
    return TRUE;
  g_hash_table_add(f->ran, g_steal_pointer(&key));
  int code = run_hook(f->hook, host);
  if (ferry_watching_interrupted())
    return TRUE; /* Ctrl-C reaches the hook as well: what it did is not known */
  return code == 0 ? say_done(f, host, error) : hook_failed(f, host, code, error);
}

/* ---- following ---- */

/* Until it has ended or somebody interrupts. */
static gboolean follow_to_end(RolloutFollow *f, GError **error) {
  gboolean ok = TRUE;
  ferry_watching_begin();
  while (ok && !ferry_watching_interrupted() && !ferry_rollout_is_final(f->object)) {
    follow_print(f);
    ok = (!f->hook || follow_hook(f, error)) &&
         (ferry_watching_interrupted() || follow_look(f, error));
    if (ok && !ferry_watching_interrupted() && !ferry_rollout_is_final(f->object))
      g_usleep(FERRY_CLI_RETRY_TABLE_MS * 1000);
  }
  follow_print(f);
  ferry_watching_end();
  return ok;
}

gboolean ferry_rollout_follow(FerryCli *cli, json_t **object, const char *hook, gboolean quiet,
                              GError **error) {
  RolloutFollow f = {.cli = cli,
                     .object = *object,
                     .hook = hook,
                     .quiet = quiet,
                     .said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
                     .ran = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
  gboolean ok = follow_to_end(&f, error);
  g_hash_table_unref(f.said);
  g_hash_table_unref(f.ran);
  *object = f.object;
  return ok;
}
