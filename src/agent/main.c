// SPDX-License-Identifier: Apache-2.0
// ferry-agentd: options, signals, systemd. libvirt's event loop owns GLib's default main context
// (see host/libvirt/libvirt_host.c), so the daemon's loop runs on a private one.
#include "agent/agent.h"
#include "agent/join_main.h"
#include "agent/link/announce.h"
#include "agent/link/identity.h"
#include "agent/link/join.h"
#include "agent/link/peer.h"
#include "agent/settings.h"
#include "agent/trust_main.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "host/libvirt/libvirt_host.h"
#include <errno.h>
#include <glib-unix.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

typedef struct {
  GMainContext *context;
  GMainLoop *loop;
  FerryAgent *agent;
  gboolean fatal;
  FerrySettingsRead *said; /* what holds, for a reload to compare; borrowed */
  int argc;
  char **argv;
} AgentDaemon;

static void attach_source(AgentDaemon *daemon, GSource *source, GSourceFunc func) {
  g_source_set_callback(source, func, daemon, NULL);
  g_source_attach(source, daemon->context);
  g_source_unref(source);
}

static gboolean on_end_signal(gpointer data) {
  AgentDaemon *daemon = data;
  sd_notify(0, "STOPPING=1");
  g_main_loop_quit(daemon->loop);
  return G_SOURCE_CONTINUE;
}

/* Takes what can change while the agent runs and names what has to wait for a restart. A file that
 * is wrong changes nothing. */
static gboolean on_agent_reload(gpointer data) {
  AgentDaemon *daemon = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(FerrySettingsRead) said = NULL;
  g_auto(FerryAgentSettings) next = {0};
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
  if (ferry_agent_settings_read(&next, daemon->argc, daemon->argv, &said, &error)) {
    ferry_log_set_level(next.level);
    ferry_settings_reload(daemon->said, said);
  } else {
    ferry_settings_reload_refused(error);
  }
  sd_notify(0, "READY=1");
  return G_SOURCE_CONTINUE;
}

static gboolean on_watchdog_due(gpointer data) {
  AgentDaemon *daemon = data;
  if (ferry_agent_alive(daemon->agent))
    sd_notify(0, "WATCHDOG=1");
  return G_SOURCE_CONTINUE;
}

/* In a thread of the agent. */
static void on_notify(const char *what, gpointer data) {
  AgentDaemon *daemon = data;
  if (strcmp(what, "ready") == 0) {
    sd_notify(0, "READY=1\nSTATUS=Reporting to ferryd");
    return;
  }
  daemon->fatal = TRUE;
  g_main_loop_quit(daemon->loop);
}

static gboolean say_usage(const char *text) {
  fprintf(stderr, "ferry-agentd: %s\nTry 'ferry-agentd --help'.\n", text);
  return FALSE;
}

/* Joins, and where ferryd is not there yet waits for it: both start at boot. */
static FerryClientConfig *join_when_there(const FerryAgentOptions *options, GError **error) {
  for (guint pause_ms = 200, complained = 0;; pause_ms = MIN(pause_ms * 2, FERRY_BACKOFF_MAX_MS)) {
    g_autoptr(GError) cause = NULL;
    FerryClientConfig *config = ferry_agent_join(options, &cause);
    if (config)
      return config;
    if (!g_error_matches(cause, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE) &&
        !g_error_matches(cause, FERRY_ERROR, FERRY_ERROR_TIMEOUT)) {
      g_propagate_error(error, g_steal_pointer(&cause));
      return NULL;
    }
    if (!complained++)
      ferry_warning(cause->message, "FERRY_NODE", options->node);
    g_usleep(pause_ms * 1000);
  }
}

static int serve_host(AgentDaemon *daemon, FerryAgentOptions *options, gboolean announce,
                      const char *libvirt_uri) {
  g_autoptr(GError) error = NULL;
  gboolean look = !options->server && !options->standalone;
  g_autofree char *found = look ? ferry_agent_find_server(options, &error) : NULL;
  if (look && !found) {
    fprintf(stderr, "ferry-agentd: %s\n", error->message);
    return EXIT_USAGE;
  }
  if (found)
    options->server = found;
  if (g_mkdir_with_parents(options->state_dir, 0700) < 0) {
    fprintf(stderr, "ferry-agentd: cannot make the state directory %s: %s\n", options->state_dir,
            g_strerror(errno));
    return EXIT_FAILED;
  }
  if (!ferry_identity_lock(options->state_dir, &error)) {
    fprintf(stderr, "ferry-agentd: %s\n", error->message);
    return EXIT_FAILED;
  }
  FerryClientConfig *config = options->standalone ? NULL : join_when_there(options, &error);
  if (!config && !options->standalone) {
    fprintf(stderr, "ferry-agentd: cannot join %s as %s: %s\n", options->server, options->node,
            error->message);
    return EXIT_FAILED;
  }
  g_autoptr(FerryClient) trial = config ? ferry_client_new(config, &error) : NULL;
  if (config && !trial) {
    fprintf(stderr, "ferry-agentd: %s\n", error->message);
    ferry_client_config_free(config);
    return EXIT_USAGE;
  }
  daemon->context = g_main_context_new();
  daemon->loop = g_main_loop_new(daemon->context, FALSE);
  attach_source(daemon, g_unix_signal_source_new(SIGTERM), on_end_signal);
  attach_source(daemon, g_unix_signal_source_new(SIGINT), on_end_signal);
  attach_source(daemon, g_unix_signal_source_new(SIGHUP), on_agent_reload);
  daemon->agent =
      ferry_agent_new(options, config, ferry_host_libvirt_new(libvirt_uri), on_notify, daemon);
  g_clear_pointer(&config, ferry_client_config_free);
  FerryDiscovery *discovery = announce ? ferry_agent_announce(options, &error) : NULL;
  if (announce && !discovery)
    ferry_warning(error->message, "FERRY_NODE", options->node);
  ferry_agent_start(daemon->agent);
  uint64_t watchdog_us = 0;
  if (sd_watchdog_enabled(0, &watchdog_us) > 0)
    attach_source(daemon, g_timeout_source_new((guint)MAX(watchdog_us / 3000, 100)),
                  on_watchdog_due);
  g_main_loop_run(daemon->loop);
  ferry_info(daemon->fatal ? "ending: this node has another agent" : "ending", "FERRY_NODE",
             options->node);
  ferry_discovery_stop(discovery);
  ferry_agent_free(daemon->agent);
  g_main_loop_unref(daemon->loop);
  g_main_context_unref(daemon->context);
  return daemon->fatal ? EXIT_FAILED : EXIT_OK;
}

/* FALSE: the file is there and can't be read, which is said. */
static gboolean read_token(FerryAgentSettings *a) {
  g_autoptr(GError) error = NULL;
  if (!a->token_file || !g_file_test(a->token_file, G_FILE_TEST_EXISTS))
    return TRUE;
  a->token = ferry_file_read(a->token_file, FERRY_TOKEN_FILE_MAX, NULL, &error);
  if (!a->token)
    return say_usage(error->message);
  g_strstrip(a->token);
  return TRUE;
}

int main(int argc, char **argv) {
  setlocale(LC_ALL, "");
  mallopt(M_ARENA_MAX, 2); /* a few threads that allocate little: one arena each would be waste */
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN); /* until it can be answered */
  if (argc > 1 && g_str_equal(argv[1], "join"))
    return ferry_agent_join_main(argc - 1, argv + 1);
  if (argc > 1 && g_str_equal(argv[1], "trust"))
    return ferry_agent_trust_main(argc - 1, argv + 1);
  g_auto(FerryAgentSettings) a = {0};
  g_autoptr(FerrySettingsRead) said = NULL;
  g_autoptr(GError) error = NULL;
  if (!ferry_agent_settings_read(&a, argc, argv, &said, &error)) {
    say_usage(error->message);
    return EXIT_USAGE;
  }
  if (a.version || a.check_config) {
    if (a.version)
      printf("ferry-agentd %s\n", FERRY_AGENT_VERSION);
    else
      printf("%s: all right\n", a.config);
    return EXIT_OK;
  }
  ferry_log_init("ferry-agentd", a.level);
  if (!read_token(&a))
    return EXIT_FAILED;
  g_autoptr(json_t) peer = ferry_agent_peer(a.peer_uri, a.uri, NULL);
  FerryAgentOptions options = {.server = a.server,
                               .node = a.node,
                               .state_dir = a.state_dir,
                               .token = a.token,
                               .rpc_socket = a.rpc_socket,
                               .standalone = a.standalone,
                               .progress_timeout_s = a.progress_timeout_s,
                               .peer = peer};
  AgentDaemon daemon = {.said = said, .argc = argc, .argv = argv};
  return serve_host(&daemon, &options, a.announce, a.uri);
}
