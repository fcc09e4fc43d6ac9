// SPDX-License-Identifier: Apache-2.0
// ferry-agentd: options, signals, systemd. libvirt's event loop owns GLib's default main context
// (see host/libvirt/libvirt_host.c), so the daemon's loop runs on a private one.
#include "agent/agent.h"
#include "agent/link/announce.h"
#include "agent/link/identity.h"
#include "agent/link/join.h"
#include "agent/link/peer.h"
#include "base/error.h"
#include "base/file.h"
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

#define PROGRESS_TIMEOUT_S 150
#define MAX_TOKEN 4096
#define MAX_PROGRESS_TIMEOUT_S 10000000 /* as of the verb's own */

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

typedef struct {
  GMainContext *context;
  GMainLoop *loop;
  FerryAgent *agent;
  gboolean fatal;
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
  for (guint pause_ms = 200, complained = 0;; pause_ms = MIN(pause_ms * 2, 5000)) {
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

static int serve_host(FerryAgentOptions *options, gboolean announce, const char *libvirt_uri) {
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
  AgentDaemon daemon = {.context = g_main_context_new()};
  daemon.loop = g_main_loop_new(daemon.context, FALSE);
  attach_source(&daemon, g_unix_signal_source_new(SIGTERM), on_end_signal);
  attach_source(&daemon, g_unix_signal_source_new(SIGINT), on_end_signal);
  daemon.agent =
      ferry_agent_new(options, config, ferry_host_libvirt_new(libvirt_uri), on_notify, &daemon);
  g_clear_pointer(&config, ferry_client_config_free);
  FerryDiscovery *discovery = announce ? ferry_agent_announce(options, &error) : NULL;
  if (announce && !discovery)
    ferry_warning(error->message, "FERRY_NODE", options->node);
  ferry_agent_start(daemon.agent);
  uint64_t watchdog_us = 0;
  if (sd_watchdog_enabled(0, &watchdog_us) > 0)
    attach_source(&daemon, g_timeout_source_new((guint)MAX(watchdog_us / 3000, 100)),
                  on_watchdog_due);
  g_main_loop_run(daemon.loop);
  ferry_info(daemon.fatal ? "ending: this node has another agent" : "ending", "FERRY_NODE",
             options->node);
  ferry_discovery_stop(discovery);
  ferry_agent_free(daemon.agent);
  g_main_loop_unref(daemon.loop);
  g_main_context_unref(daemon.context);
  return daemon.fatal ? EXIT_FAILED : EXIT_OK;
}

/* What was typed; owned. */
typedef struct {
  char *server, *node, *state_dir, *token_file, *token, *uri, *peer_uri, *level, *rpc_socket;
  gint64 progress_timeout_s;
  gboolean announce, version, standalone;
} Arguments;

static void arguments_clear(Arguments *a) {
  char *strings[] = {a->server, a->node,     a->state_dir, a->token_file, a->token,
                     a->uri,    a->peer_uri, a->level,     a->rpc_socket};
  for (gsize i = 0; i < G_N_ELEMENTS(strings); i++)
    g_free(strings[i]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

/* FALSE: what was not understood is said. */
static gboolean parse_arguments(Arguments *a, int *argc, char ***argv) {
  GOptionEntry entries[] = {
      {"server", 0, 0, G_OPTION_ARG_STRING, &a->server, "ferryd's address", "URL"},
      {"node", 0, 0, G_OPTION_ARG_STRING, &a->node, "Name of this host's Node object", "NAME"},
      {"state-dir", 0, 0, G_OPTION_ARG_FILENAME, &a->state_dir,
       "Where certificate and key are kept (default /var/lib/ferry-agent)", "DIR"},
      {"token-file", 0, 0, G_OPTION_ARG_FILENAME, &a->token_file,
       "File with the one-time join token; needed until the host has joined", "FILE"},
      {"token", 0, 0, G_OPTION_ARG_STRING, &a->token,
       "The join token itself (a file keeps it out of the process list)", "TOKEN"},
      {"libvirt-uri", 0, 0, G_OPTION_ARG_STRING, &a->uri,
       "The hypervisor to manage (default qemu:///system)", "URI"},
      {"peer-uri", 0, 0, G_OPTION_ARG_STRING, &a->peer_uri,
       "Where other hosts' libvirtd reach this host's, as qemu+tls://HOST/system or "
       "qemu+ssh://USER@HOST/system; without it that is looked for",
       "URI"},
      {"announce", 0, 0, G_OPTION_ARG_NONE, &a->announce,
       "Announce this host on the local network by DNS-SD; without --server, find ferryd so", NULL},
      {"rpc-socket", 0, 0, G_OPTION_ARG_FILENAME, &a->rpc_socket,
       "The local JSON-RPC socket (default agent.sock in the state directory)", "PATH"},
      {"migration-progress-timeout", 0, 0, G_OPTION_ARG_INT64, &a->progress_timeout_s,
       "Without progress for so long a migration of the local socket's is given up, unless it has "
       "its own migrationProgressTimeout; 0 never (default " G_STRINGIFY(PROGRESS_TIMEOUT_S) ")",
       "SECONDS"},
      {"standalone", 0, 0, G_OPTION_ARG_NONE, &a->standalone,
       "Without ferryd: driven by the local socket alone", NULL},
      {"log-level", 0, 0, G_OPTION_ARG_STRING, &a->level,
       "debug, info, warning or error (default info)", "LEVEL"},
      {"version", 0, 0, G_OPTION_ARG_NONE, &a->version, "Print the version and exit", NULL},
      G_OPTION_ENTRY_NULL};
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_option_context_set_summary(context, "Ferry's agent: reports one host's virtual machines to "
                                        "ferryd and migrates them when it says so.");
  g_option_context_add_main_entries(context, entries, NULL);
  g_autoptr(GError) error = NULL;
  return g_option_context_parse(context, argc, argv, &error) || say_usage(error->message);
}

/* FALSE: what is missing, or does not go together, is said. */
static gboolean check_arguments(const Arguments *a, int argc) {
  if (a->standalone && (a->server || a->announce))
    return say_usage("--standalone is without ferryd: leave --server and --announce out");
  if (argc > 1)
    return say_usage("arguments other than options are not understood");
  if (!a->server && !a->announce && !a->standalone)
    return say_usage(
        "--server URL is missing (or --announce, to find ferryd on the local network)");
  if (!a->node)
    return say_usage("--node NAME is missing");
  if (a->token && a->token_file)
    return say_usage("give --token or --token-file, not both");
  if (a->progress_timeout_s < 0 || a->progress_timeout_s > MAX_PROGRESS_TIMEOUT_S)
    return say_usage("--migration-progress-timeout is a number of seconds from 0 to 10000000");
  if (!ferry_log_init("ferry-agentd", a->level ? a->level : "info"))
    return say_usage("--log-level is one of debug, info, warning, error");
  return TRUE;
}

/* FALSE: the file is there and can't be read, which is said. */
static gboolean read_token(Arguments *a) {
  g_autoptr(GError) error = NULL;
  if (!a->token_file || !g_file_test(a->token_file, G_FILE_TEST_EXISTS))
    return TRUE;
  a->token = ferry_file_read(a->token_file, MAX_TOKEN, NULL, &error);
  if (!a->token)
    return say_usage(error->message);
  g_strstrip(a->token);
  return TRUE;
}

int main(int argc, char **argv) {
  setlocale(LC_ALL, "");
  mallopt(M_ARENA_MAX, 2); /* a few threads that allocate little: one arena each would be waste */
  signal(SIGPIPE, SIG_IGN);
  g_auto(Arguments) a = {.progress_timeout_s = PROGRESS_TIMEOUT_S};
  if (!parse_arguments(&a, &argc, &argv))
    return EXIT_USAGE;
  if (a.version) {
    printf("ferry-agentd %s\n", FERRY_AGENT_VERSION);
    return EXIT_OK;
  }
  if (!check_arguments(&a, argc))
    return EXIT_USAGE;
  if (!read_token(&a))
    return EXIT_FAILED;
  const char *hypervisor = a.uri ? a.uri : "qemu:///system";
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) peer = ferry_agent_peer(a.peer_uri, hypervisor, &error);
  if (error) {
    g_autofree char *text = g_strconcat("--peer-uri ", error->message, NULL);
    say_usage(text);
    return EXIT_USAGE;
  }
  FerryAgentOptions options = {.server = a.server,
                               .node = a.node,
                               .state_dir = a.state_dir ? a.state_dir : "/var/lib/ferry-agent",
                               .token = a.token,
                               .rpc_socket = a.rpc_socket,
                               .standalone = a.standalone,
                               .progress_timeout_s = a.progress_timeout_s,
                               .peer = peer};
  return serve_host(&options, a.announce, hypervisor);
}
