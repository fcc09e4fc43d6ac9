// SPDX-License-Identifier: Apache-2.0
// The API on a store in memory with seeded objects and no agents, for tests with real clients.
// Usage: api-test-server STATE_DIR. Prints the URL on a line, serves until stdin is closed.
#include "api/server.h"
#include "seed.h"

#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s STATE_DIR\n", argv[0]);
    return 2;
  }
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryStore) store = ferry_store_open(NULL, NULL, &error);
  static const char *const listen[] = {"127.0.0.1:0", NULL};
  FerryApiConfig config = {.store = store, .state_dir = argv[1], .listen = listen};
  FerryApi *api = store ? ferry_api_new(&config, &error) : NULL;
  if (!api) {
    fprintf(stderr, "%s: %s\n", argv[0], error->message);
    return 1;
  }
  seed_all(store);
  printf("%s\n", ferry_api_url(api));
  fflush(stdout);
  char c;
  while (read(0, &c, 1) > 0)
    ;
  ferry_api_free(api);
  return 0;
}
