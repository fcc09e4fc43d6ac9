// SPDX-License-Identifier: Apache-2.0
// The API on a store in memory with seeded objects and no agents, for tests with real clients.
// Usage: api-test-server STATE_DIR [--agents] [--log-entries=N] [--vms=N] [--store=FILE]
// [--listen=ADDRESS]. With --agents the controllers run, and something that carries out migrations.
// With --store objects are kept, and seeded once: it may be killed and begun again. Prints the URL
// on a line, serves until stdin is closed.
#include "api/server.h"
#include "control/loop.h"
#include "fake_agents.h"
#include "seed.h"

#include <stdio.h>
#include <unistd.h>

static gint agents, log_entries, vms;
static char *store_file, *address;

static const GOptionEntry entries[] = {
    {"agents", 0, 0, G_OPTION_ARG_NONE, &agents, "Run controllers and agents", NULL},
    {"log-entries", 0, 0, G_OPTION_ARG_INT, &log_entries, "Changes kept for watchers", "N"},
    {"vms", 0, 0, G_OPTION_ARG_INT, &vms, "VMs more, named vm-0 ... on h1", "N"},
    {"store", 0, 0, G_OPTION_ARG_FILENAME, &store_file, "Database; else in memory", "FILE"},
    {"listen", 0, 0, G_OPTION_ARG_STRING, &address, "Where to listen", "ADDRESS"},
    {NULL},
};

static void test_server_seed(FerryStore *store) {
  seed_all(store);
  for (int i = 0; i < vms; i++) {
    g_autofree char *name = g_strdup_printf("vm-%d", i);
    seed_vmi(store, "default", name, name, "h1", "Running");
  }
}

int main(int argc, char **argv) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GOptionContext) context = g_option_context_new("STATE_DIR");
  g_option_context_add_main_entries(context, entries, NULL);
  if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2) {
    fprintf(stderr, "usage: %s STATE_DIR [OPTION...]\n", argv[0]);
    return 2;
  }
  FerryStoreOptions options = {.log_entries = (gsize)log_entries};
  g_autoptr(FerryStore) store = ferry_store_open(store_file, &options, &error);
  const char *const listen[] = {address ? address : "127.0.0.1:0", NULL};
  FerryApiConfig config = {.store = store, .state_dir = argv[1], .listen = listen};
  FerryApi *api = store ? ferry_api_new(&config, &error) : NULL;
  if (!api) {
    fprintf(stderr, "%s: %s\n", argv[0], error->message);
    return 1;
  }
  g_autoptr(GPtrArray) there = ferry_store_list(store, &ferry_kind_node, NULL, NULL);
  if (there->len == 0)
    test_server_seed(store);
  FerryControl *control = agents ? ferry_control_start(store, ferry_clock_system()) : NULL;
  FakeAgents *fake = agents ? fake_agents_start(store) : NULL;
  printf("%s\n", ferry_api_url(api));
  fflush(stdout);
  char c;
  while (read(0, &c, 1) > 0)
    ;
  if (fake)
    fake_agents_stop(fake);
  ferry_control_stop(control);
  ferry_api_free(api);
  return 0;
}
