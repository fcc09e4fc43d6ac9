// SPDX-License-Identifier: Apache-2.0
// The page's files: in both forms, with what the browser may do with them, and nothing else.
#include "../http.h"

#define has(a, text) (strstr((a)->headers, (text)) != NULL)

static void served(Server *s, gconstpointer data) {
  g_autoptr(Answer) page = http_full(s, NULL, "GET", "/web/", NULL, NULL, 0);
  expect(page, 200);
  g_assert_true(has(page, "Content-Type: text/html; charset=utf-8"));
  g_assert_true(has(page, "default-src 'none'; script-src 'self'; style-src 'self'"));
  g_assert_true(has(page, "frame-ancestors 'none'"));
  g_assert_true(has(page, "trusted-types 'none'"));
  g_assert_false(has(page, "unsafe-"));
  g_assert_true(has(page, "X-Content-Type-Options: nosniff"));
  g_assert_false(has(page, "Content-Encoding"));
  g_assert_false(has(page, "Set-Cookie"));
  g_autoptr(Answer) script = http_full(s, NULL, "GET", "/web/app.js", NULL, NULL, 0);
  expect(script, 200);
  g_assert_true(has(script, "Content-Type: text/javascript; charset=utf-8"));
  g_autoptr(Answer) bare = http_full(s, NULL, "GET", "/web", NULL, NULL, 0);
  expect(bare, 308);
  g_assert_true(has(bare, "Location: /web/\r\n"));
}

/* Nothing in the page runs or styles by being written into it. */
static void no_inline(Server *s, gconstpointer data) {
  g_autoptr(Answer) page = http_full(s, NULL, "GET", "/web/index.html", NULL, NULL, 0);
  g_assert_null(strstr(page->body, "<style"));
  g_assert_null(strstr(page->body, " style="));
  g_assert_null(strstr(page->body, " on"));
  g_assert_null(strstr(page->body, "://"));
}

static void packed(Server *s, gconstpointer data) {
  static const char *const yes[] = {"gzip", "br, GZIP;q=0.5", "deflate , gzip ; q=1"};
  static const char *const no[] = {"br", "gzip;q=0", "identity", "gzip;q=0.0"};
  for (gsize i = 0; i < G_N_ELEMENTS(yes); i++) {
    g_autofree char *line = g_strconcat("Accept-Encoding: ", yes[i], NULL);
    g_autoptr(Answer) a = http_full(s, NULL, "GET", "/web/style.css", line, NULL, 0);
    g_assert_true(has(a, "Content-Encoding: gzip"));
    g_assert_true(has(a, "Vary: Accept-Encoding"));
  }
  for (gsize i = 0; i < G_N_ELEMENTS(no); i++) {
    g_autofree char *line = g_strconcat("Accept-Encoding: ", no[i], NULL);
    g_autoptr(Answer) a = http_full(s, NULL, "GET", "/web/style.css", line, NULL, 0);
    g_assert_false(has(a, "Content-Encoding"));
  }
}

static void not_sent_again(Server *s, gconstpointer data) {
  g_autoptr(Answer) first = http_full(s, NULL, "GET", "/web/app.js", NULL, NULL, 0);
  const char *etag = strstr(first->headers, "ETag: ");
  g_assert_nonnull(etag);
  g_autofree char *line =
      g_strdup_printf("If-None-Match: %.*s", (int)strcspn(etag + 6, "\r\n"), etag + 6);
  g_autoptr(Answer) again = http_full(s, NULL, "GET", "/web/app.js", line, NULL, 0);
  expect(again, 304);
  g_assert_cmpstr(again->body, ==, "");
  g_autoptr(Answer) other = http_full(s, NULL, "GET", "/web/api.js", line, NULL, 0);
  expect(other, 200);
}

static void nothing_else(Server *s, gconstpointer data) {
  static const char *const paths[] = {"/web/nothing.js",        "/web/../healthz",
                                      "/web/%2e%2e/healthz",    "/web/views/",
                                      "/web/web.gresource.xml", "/web//app.js"};
  for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
    g_autoptr(Answer) a = http_full(s, NULL, "GET", paths[i], NULL, NULL, 0);
    g_assert_true(a->status == 404 || a->status == 401);
  }
  static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH"};
  for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
    g_autoptr(Answer) a = http_full(s, NULL, methods[i], "/web/app.js", NULL, "{}", -1);
    expect(a, 401);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  http_keep_connections();
#define ADD(name, func) g_test_add("/api/web/" name, Server, NULL, server_up, func, server_down)
  ADD("served", served);
  ADD("no-inline", no_inline);
  ADD("packed", packed);
  ADD("not-sent-again", not_sent_again);
  ADD("nothing-else", nothing_else);
  return g_test_run();
}
