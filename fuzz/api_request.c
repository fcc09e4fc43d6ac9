// SPDX-License-Identifier: Apache-2.0
#include "api/http/respond.h"
#include "api/router.h"
#include "api/server.h"
#include "api_request.h"
#include "control/inventory.h"
#include "scratch.h"
#include <string.h>

static gboolean on_report(gpointer data, const char *node, const json_t *body, GError **error) {
  return ferry_inventory_report(data, node, body, g_get_real_time() / 1000, error);
}

/* What is logged is formatted, and goes nowhere: a line an input would be gigabytes. */
static GLogWriterOutput drop_log(GLogLevelFlags level, const GLogField *fields, gsize n,
                                 gpointer data) {
  return level & G_LOG_LEVEL_ERROR ? g_log_writer_standard_streams(level, fields, n, data)
                                   : G_LOG_WRITER_HANDLED;
}

const FuzzApi *fuzz_api(void) {
  static const char *const listen[] = {"127.0.0.1:0", NULL};
  static FuzzApi made;
  if (made.api)
    return &made;
  g_log_set_writer_func(drop_log, NULL, NULL);
  /* A change log of one entry: what an input leaves there would be looked through for leaks. */
  made.store = ferry_store_open(NULL, &(FerryStoreOptions){.log_entries = 1}, NULL);
  FerryApiConfig config = {.store = made.store,
                           .state_dir = fuzz_scratch(),
                           .listen = listen,
                           .hooks = {.report = on_report, .data = made.store}};
  made.api = ferry_api_new(&config, NULL);
  g_assert_nonnull(made.api);
  return &made;
}

FerryUser *fuzz_api_user(const char *role) {
  static const char *const admin[] = {"system:masters", "system:authenticated", NULL};
  static const char *const viewer[] = {"ferry:viewers", "system:authenticated", NULL};
  static const char *const node[] = {"system:nodes", "system:authenticated", NULL};
  static const char *const nobody[] = {"system:unauthenticated", NULL};
  if (g_str_equal(role, "admin"))
    return ferry_user_new("admin", admin);
  if (g_str_equal(role, "viewer"))
    return ferry_user_new("vera", viewer);
  if (role[0] == 'h' && g_ascii_isdigit(role[1]) && !role[2]) {
    g_autofree char *name = g_strconcat("system:node:", role, NULL);
    return ferry_user_new(name, node);
  }
  return ferry_user_new("system:anonymous", nobody);
}

void fuzz_request_init(FerryRequest *req) {
  ferry_request_init(req, fuzz_api()->api);
}

void fuzz_request_address(FerryRequest *req, const char *role, const char *method,
                          const char *path) {
  req->user = fuzz_api_user(role);
  req->asked.method = g_strdup(method);
  req->asked.path = g_strdup(path);
  req->asked.segments = g_strsplit(*path == '/' ? path + 1 : path, "/", 16);
}

void fuzz_request_serve(FerryRequest *req) {
  ferry_route(req);
  g_assert_true(ferry_respond_is_done(req));
}

void fuzz_request_clear(FerryRequest *req) {
  ferry_request_clear(req);
}
