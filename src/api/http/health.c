// SPDX-License-Identifier: Apache-2.0
// /livez: the process answers. /readyz: it can also do its work, or which check says that it can't.
// /healthz is the old name of the first. `?verbose` lists the checks as Kubernetes does, and
// /readyz/CHECK asks for one.
#include "api/http/health.h"
#include "api/http/query.h"
#include "api/http/respond.h"

#include <string.h>

/* NULL: good; else what is wrong. Free with g_free. */
typedef char *(*Check)(FerryApi *api);

static char *check_ping(FerryApi *api) {
  return NULL;
}

static char *check_shutdown(FerryApi *api) {
  return g_atomic_int_get(&api->stopping) ? g_strdup("the server is shutting down") : NULL;
}

/* Anybody may ask: which file it is, and why, stands in the log. */
static char *check_store(FerryApi *api) {
  return ferry_store_is_healthy(api->store, NULL)
             ? NULL
             : g_strdup("the store cannot write to its disk, which is full or fails: free space; "
                        "deletes and cancels still work");
}

static const struct {
  const char *name;
  Check check;
  gboolean live; /* is one of /livez as well */
} health_checks[] = {
    {"ping", check_ping, TRUE},
    {"shutdown", check_shutdown, FALSE},
    {"store", check_store, FALSE},
};

static gboolean serve_version(FerryRequest *req) {
  ferry_respond_json(req, 200,
                     json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "ferryVersion",
                               "v" FERRY_VERSION, "major", "1", "minor", "33", "gitVersion",
                               "v1.33.0+ferry", "gitCommit", "", "gitTreeState", "clean",
                               "buildDate", "1970-01-01T00:00:00Z", "goVersion", "", "compiler",
                               "gcc", "platform", "linux/amd64"));
  return TRUE;
}

/* Appends a line a check, counts those that ran; FALSE: one of them failed. */
static gboolean check_all(FerryRequest *req, const char *only, GString *lines, guint *n) {
  gboolean ready = g_str_equal(req->asked.segments[0], "readyz"), good = TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS(health_checks); i++) {
    if ((!ready && !health_checks[i].live) || (only && !g_str_equal(only, health_checks[i].name)))
      continue;
    g_autofree char *problem = health_checks[i].check(req->api);
    (*n)++;
    if (problem)
      g_string_append_printf(lines, "[-]%s failed: %s\n", health_checks[i].name, problem);
    else
      g_string_append_printf(lines, "[+]%s ok\n", health_checks[i].name);
    good = good && !problem;
  }
  return good;
}

gboolean ferry_serve_health(FerryRequest *req, GError **error) {
  const char *what = req->asked.segments[0], *only = req->asked.segments[1];
  if (!g_str_equal(req->asked.method, "GET")) {
    ferry_respond_header(req, "Allow", "GET");
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_METHOD_NOT_ALLOWED,
                "the server does not allow this method on the requested resource: GET only");
    return FALSE;
  }
  if (g_str_equal(what, "version"))
    return serve_version(req);
  g_autoptr(GString) text = g_string_new(NULL);
  guint n = 0;
  gboolean good = check_all(req, only, text, &n);
  if (n == 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND, "there is no check \"%s\" in /%s", only,
                what);
    return FALSE;
  }
  g_string_append_printf(text, "%s check %s\n", what, good ? "passed" : "failed");
  gboolean verbose = ferry_query(req, "verbose") != NULL;
  ferry_respond_text(req, good ? 200 : 503, "text/plain; charset=utf-8",
                     verbose || !good ? text->str : "ok");
  return TRUE;
}
