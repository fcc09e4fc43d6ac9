// SPDX-License-Identifier: Apache-2.0
// ferry-sim-agents: the agents of a whole simulated world in one process, against a real ferryd.
//
// Theory of operation: each host of the world gets an agent of production with a connection, a
// certificate and a state directory of its own; only the hypervisor behind it is simulated, and the
// world is theirs together, so that what one sends the other gets. Prints "ready" when each of them
// has reported.
#include "agent/agent.h"
#include "agent/link/join.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "host/sim/sim.h"
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_TOKEN 4096

static GMutex sim_agents_lock;
static GCond sim_agents_changed;
static guint agents_ready;
static gboolean sim_is_over;

static void sim_on_notify(const char *what, gpointer data) {
  g_mutex_lock(&sim_agents_lock);
  if (strcmp(what, "ready") == 0)
    agents_ready++;
  else
    sim_is_over = TRUE;
  g_cond_broadcast(&sim_agents_changed);
  g_mutex_unlock(&sim_agents_lock);
}

static void *wait_for_signal(void *data) {
  int number;
  sigwait(data, &number);
  g_mutex_lock(&sim_agents_lock);
  sim_is_over = TRUE;
  g_cond_broadcast(&sim_agents_changed);
  g_mutex_unlock(&sim_agents_lock);
  return NULL;
}

static FerryAgent *sim_agents_start(FerrySimWorld *world, const char *server, const char *dir,
                                    const char *name, GError **error) {
  g_autofree char *state = g_build_filename(dir, name, NULL);
  g_autofree char *token_path = g_build_filename(state, "token", NULL);
  g_autoptr(json_t) peer = json_pack("{s:s, s:s}", "scheme", "tls", "host", name);
  g_autofree char *token = g_file_test(token_path, G_FILE_TEST_EXISTS)
                               ? ferry_file_read(token_path, MAX_TOKEN, NULL, NULL)
                               : NULL;
  FerryAgentOptions options = {.server = server,
                               .node = name,
                               .state_dir = state,
                               .token = token ? g_strstrip(token) : NULL,
                               .peer = peer};
  g_autoptr(FerryClientConfig) config = ferry_agent_join(&options, error);
  FerryHost *host = config ? ferry_host_sim_new(world, name, error) : NULL;
  if (!host)
    return NULL;
  FerryAgent *agent = ferry_agent_new(&options, config, host, sim_on_notify, NULL);
  ferry_agent_start(agent);
  return agent;
}

int main(int argc, char **argv) {
  static sigset_t signals;
  g_autoptr(GError) error = NULL;
  if (argc != 4) {
    fprintf(stderr, "usage: ferry-sim-agents SERVER WORLD.json STATE-DIR\n"
                    "STATE-DIR/HOST/token: each host's join token (ferryd token create)\n");
    return 2;
  }
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  signal(SIGPIPE, SIG_IGN);
  ferry_log_init("ferry-sim-agents", "warning");
  FerrySimWorld *world = ferry_sim_world_load(argv[2], &error);
  if (!world) {
    fprintf(stderr, "ferry-sim-agents: %s: %s\n", argv[2], error->message);
    return 2;
  }
  g_auto(GStrv) names = ferry_sim_world_hosts(world);
  guint n = g_strv_length(names);
  g_thread_unref(g_thread_new("signals", wait_for_signal, &signals));
  for (guint i = 0; i < n; i++)
    if (!sim_agents_start(world, argv[1], argv[3], names[i], &error)) {
      fprintf(stderr, "ferry-sim-agents: host %s: %s\n", names[i], error->message);
      return 1;
    }
  g_mutex_lock(&sim_agents_lock);
  while (agents_ready < n && !sim_is_over)
    g_cond_wait(&sim_agents_changed, &sim_agents_lock);
  if (!sim_is_over)
    puts("ready");
  fflush(stdout);
  while (!sim_is_over)
    g_cond_wait(&sim_agents_changed, &sim_agents_lock);
  g_mutex_unlock(&sim_agents_lock);
  _exit(0); /* migrations under way end with the world */
}
