// SPDX-License-Identifier: Apache-2.0
// Raw bytes over TLS that can be read in two ways, or aren't HTTP: refused, with the right status,
// and the connection closed. A row has the bytes and the status; none may reach a handler.
#include "raw.h"

#define HOST "Host: localhost\r\n"
#define LINE "GET /livez HTTP/1.1\r\n"

typedef struct {
  const char *what, *bytes;
  gssize len;  /* -1: to the NUL */
  long status; /* 0: closed without a word */
} Case;

#define TEXT(what, text, status)                                                                   \
  { what, text, sizeof(text) - 1, status }

static const Case refused[] = {
    TEXT("two lengths",
         "POST /version HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 5\r\n\r\nabcde",
         400),
    TEXT("the same length twice",
         "POST /version HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
    TEXT("a list of lengths", "POST /version HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\na",
         400),
    TEXT("a length with a sign", "POST /version HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\na",
         400),
    TEXT("an empty length", "POST /version HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400),
    TEXT("length and chunks",
         "POST /version HTTP/1.1\r\n" HOST
         "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400),
    TEXT("chunks and length",
         "POST /version HTTP/1.1\r\n" HOST
         "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
         400),
    TEXT("two codings",
         "POST /version HTTP/1.1\r\n" HOST
         "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400),
    TEXT("another coding",
         "POST /version HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
         501),
    TEXT("chunked, but not quite",
         "POST /version HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    TEXT("chunks in 1.0",
         "POST /version HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
    TEXT("a blank before the colon", LINE HOST "Content-Length : 5\r\n\r\n", 400),
    TEXT("a tab before the colon", LINE "Host\t: localhost\r\n\r\n", 400),
    TEXT("a folded value", LINE HOST "X-A: b\r\n c\r\nX-B: d\r\n\r\n", 400),
    TEXT("a folded last value", LINE HOST "X-A: b\r\n c\r\n\r\n", 400),
    TEXT("a folded first line", LINE " " HOST "\r\n", 400),
    TEXT("two hosts", LINE HOST "Host: elsewhere\r\n\r\n", 400),
    TEXT("no host", LINE "X-A: b\r\n\r\n", 400),
    TEXT("a NUL in a value", LINE HOST "X-A: b\0c\r\nX-B: d\r\n\r\n", 400),
    TEXT("a NUL in the path", "GET /livez\0x HTTP/1.1\r\n" HOST "\r\n", 400),
    TEXT("an encoded NUL", "GET /livez%00 HTTP/1.1\r\n" HOST "\r\n", 400),
    TEXT("an encoded CR", "GET /livez%0dx HTTP/1.1\r\n" HOST "\r\n", 400),
    TEXT("half an escape", "GET /livez%4 HTTP/1.1\r\n" HOST "\r\n", 400),
    TEXT("a bare CR in a value", LINE HOST "X-A: b\rc\r\n\r\n", 400),
    TEXT("a bell in a value", LINE HOST "X-A: b\ac\r\n\r\n", 400),
    TEXT("a line that ends with LF alone", LINE HOST "X-A: b\nX-B: c\r\n\r\n", 400),
    TEXT("a blank in the path", "GET /livez /x HTTP/1.1\r\n" HOST "\r\n", 400),
    TEXT("two blanks before the path", "GET  /livez HTTP/1.1\r\n" HOST "\r\n", 400),
    TEXT("an absolute URL", "GET https://localhost/livez HTTP/1.1\r\n" HOST "\r\n", 400),
    TEXT("CONNECT", "CONNECT localhost:22 HTTP/1.1\r\n" HOST "\r\n", 400),
    TEXT("CONNECT with a path", "CONNECT / HTTP/1.1\r\n" HOST "\r\n", 405),
    TEXT("TRACE", "TRACE / HTTP/1.1\r\n" HOST "\r\n", 405),
    TEXT("two types",
         "POST /version HTTP/1.1\r\n" HOST
         "Content-Type: a/b\r\nContent-Type: application/json\r\nContent-Length: 0\r\n\r\n",
         400),
    TEXT("two origins",
         "PUT /version HTTP/1.1\r\n" HOST
         "Origin: https://localhost\r\nOrigin: https://evil.example\r\nContent-Length: 0\r\n\r\n",
         400),
    TEXT("two authorizations",
         LINE HOST "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400),
    TEXT("another server's name", LINE "Host: evil.example\r\n\r\n", 421),
    TEXT("a name that only begins like ours", LINE "Host: localhost.evil.example\r\n\r\n", 421),
    TEXT("an address that isn't ours", LINE "Host: 192.0.2.1\r\n\r\n", 421),
    TEXT("a write from a page",
         "POST /version HTTP/1.1\r\n" HOST
         "Origin: https://evil.example\r\nContent-Length: 0\r\n\r\n",
         403),
    TEXT("a write from nowhere", "DELETE /version HTTP/1.1\r\n" HOST "Origin: null\r\n\r\n", 403),
    TEXT("a write from plain HTTP",
         "PUT /version HTTP/1.1\r\n" HOST "Origin: http://localhost\r\nContent-Length: 0\r\n\r\n",
         403),
};

static const Case taken[] = {
    TEXT("a request", LINE HOST "\r\n", 200),
    TEXT("with a port", LINE "Host: LOCALHOST:6443\r\n\r\n", 200),
    TEXT("by our address", LINE "Host: 127.0.0.1\r\n\r\n", 200),
    TEXT("by our address of IPv6", LINE "Host: [0:0::1]:6443\r\n\r\n", 200),
    TEXT("1.0 without a host", "GET /livez HTTP/1.0\r\n\r\n", 200),
    TEXT("no blank after the colon", LINE "Host:localhost\r\nX-A:b\r\n\r\n", 200),
    TEXT("an empty value", LINE HOST "X-A:\r\nX-B:\r\n\r\n", 200),
    TEXT("a tab in a value", LINE HOST "X-A: b\tc\r\nX-B: d\r\n\r\n", 200),
    TEXT("escapes", "GET /livez?a=%20b&c=d%2fe HTTP/1.1\r\n" HOST "\r\n", 200),
    TEXT("a page's read", LINE HOST "Origin: https://evil.example\r\n\r\n", 200),
    TEXT("a cookie", LINE HOST "Cookie: a=b; c=d\r\nX-B: d\r\n\r\n", 200),
    TEXT("our own page's write",
         "PUT /version HTTP/1.1\r\n" HOST
         "Origin: https://localhost:6443\r\nContent-Length: 0\r\n\r\n",
         401),
    TEXT("chunks",
         "POST /version HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
         401),
};

static void test_refused(Server *s, gconstpointer data) {
  for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
    const Case *c = &refused[i];
    gboolean closed;
    g_autoptr(Raw) raw = raw_new(s, "127.0.0.1", NULL);
    raw_send(raw, c->bytes, c->len);
    g_autofree char *answer = raw_read(raw, 10000, &closed);
    g_test_message("%s: %.900s", c->what, answer);
    g_assert_cmpint(raw_status(answer), ==, c->status);
    g_assert_true(closed);
    /* One answer. The library gives its own 400 to a bad length with two heads. */
    const char *second = strstr(answer + 9, "HTTP/1.1 ");
    g_assert_true(!second || g_str_has_prefix(second, "HTTP/1.1 400 "));
  }
}

/* All on one connection, so that each leaves the next one's beginning where it is. */
static void test_taken(Server *s, gconstpointer data) {
  for (gsize i = 0; i < G_N_ELEMENTS(taken); i++) {
    const Case *c = &taken[i];
    gboolean closed;
    g_autoptr(Raw) raw = raw_new(s, "127.0.0.1", NULL);
    g_assert_true(raw_send(raw, c->bytes, c->len));
    g_assert_true(
        raw_send(raw, "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", -1));
    g_autofree char *answer = raw_read(raw, 10000, &closed);
    g_test_message("%s: %.900s", c->what, answer);
    g_assert_cmpint(raw_status(answer), ==, c->status);
    g_assert_true(closed);
    if (!strstr(c->bytes, "HTTP/1.0"))
      g_assert_nonnull(strstr(answer + 9, "HTTP/1.1 200 "));
  }
}

static void test_sizes(Server *s, gconstpointer data) {
  struct {
    const char *what, *before, *piece, *after;
    guint n;
    long status, or_status;
  } cases[] = {
      {"a long URL", "GET /livez?", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", " HTTP/1.1\r\n" HOST "\r\n",
       400, 414, 414},
      {"many parameters", "GET /livez?", "a=b&", " HTTP/1.1\r\n" HOST "\r\n", 1000, 400, 400},
      {"many headers", LINE HOST, "X-A: b\r\n", "\r\n", 200, 431, 431},
      {"too many headers for any memory", LINE HOST, "X-Aaaaaaaaaaaaaaaaaaaaaaaaaaaa: b\r\n",
       "\r\n", 3000, 431, 431},
      {"a long header", LINE HOST "X-A: ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "\r\n\r\n", 5000, 431,
       431},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GString) text = g_string_new(cases[i].before);
    for (guint k = 0; k < cases[i].n; k++)
      g_string_append(text, cases[i].piece);
    g_string_append(text, cases[i].after);
    gboolean closed;
    g_autoptr(Raw) raw = raw_new(s, "127.0.0.1", NULL);
    for (gsize at = 0; at < text->len; at += 8192)
      raw_send(raw, text->str + at, (gssize)MIN(8192, text->len - at));
    g_autofree char *answer = raw_read(raw, 10000, &closed);
    g_test_message("%s: %.60s", cases[i].what, answer);
    /* What is still on its way when the server closes may reset the connection first. */
    if (*answer || text->len < 32768)
      g_assert_cmpint(raw_status(answer), ==, cases[i].status);
    g_assert_true(closed);
  }
}

/* As large as it may be in each way: 62 parameters and two of a watch in a URL of 8 KiB, 100 fields
 * in 32 KiB. */
static char *largest(const char *method, const char *path, gsize body) {
  g_autoptr(GString) url = g_string_new(path);
  for (guint i = 0; i < 62; i++)
    g_string_append_printf(url, "%cp%02u=", i ? '&' : '?', i);
  while (url->len < 8192)
    g_string_append_c(url, 'v');
  GString *text = g_string_new(NULL);
  g_string_append_printf(text, "%s %s HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n", method,
                         url->str, body);
  gsize names = strlen("Host") + strlen("localhost") + strlen("Content-Length") + 8;
  for (guint i = 0; i < 98; i++) {
    gsize value = (32 * 1024 - names) / 98 - 5;
    g_autofree char *filler = g_strnfill(value, 'a');
    g_string_append_printf(text, "X-A%02u: %s\r\n", i, filler);
  }
  g_string_append(text, "\r\n");
  return g_string_free(text, FALSE);
}

/* It is read, with its body, and answered with the largest header that an answer has; a stream of
 * it has room to write. */
static void test_largest(Server *s, gconstpointer data) {
  g_autofree char *padding = g_strnfill(100000, 'x');
  g_autofree char *unknown = g_strnfill(250, 'y');
  g_autoptr(GString) body = g_string_new(NULL);
  g_string_append_printf(body,
                         "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":"
                         "\"large\",\"annotations\":{\"a\":\"%s\"}}",
                         padding);
  for (guint i = 0; i < 40; i++)
    g_string_append_printf(body, ",\"unknown%02u%s\":1", i, unknown);
  g_string_append_c(body, '}');
  g_autofree char *create = largest("POST", "/api/v1/namespaces", body->len);
  g_autofree char *watch = largest("GET", "/api/v1/nodes?watch=1&timeoutSeconds=1", 0);
  *strchr(strchr(watch, '?') + 1, '?') = '&';
  g_autoptr(Raw) raw = raw_new(s, "127.0.0.1", "admin");
  gboolean closed;
  g_assert_true(raw_send(raw, create, -1));
  g_assert_true(raw_send(raw, body->str, (gssize)body->len));
  g_autofree char *created = raw_read_answer(raw, &closed);
  g_assert_cmpint(raw_status(created), ==, 201);
  guint warnings = 0;
  for (const char *p = strstr(created, "Warning: "); p; p = strstr(p + 1, "Warning: "))
    warnings++;
  g_assert_cmpuint(warnings, ==, 32);
  g_assert_false(closed);
  g_autoptr(Raw) other = raw_new(s, "127.0.0.1", "admin");
  g_assert_true(raw_send(other, watch, -1));
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < 3000 && !closed && !strstr(text->str, "\r\n0\r\n\r\n"); i++) {
    g_autofree char *piece = raw_read(other, 10, &closed);
    g_string_append(text, piece);
  }
  g_test_message("%.300s", text->str);
  g_assert_cmpint(raw_status(text->str), ==, 200);
  g_assert_nonnull(strstr(text->str, "\"ADDED\""));
  g_assert_nonnull(strstr(text->str, "\r\n0\r\n\r\n"));
}

/* What is no HTTP/1 at all is closed, whatever is said about it. */
static void test_not_http(Server *s, gconstpointer data) {
  static const char *const bytes[] = {"GET /livez\r\n\r\n",
                                      "GET /livez HTTP/2.0\r\nHost: localhost\r\n\r\n",
                                      "GET /livez HTTP/1.7\r\nHost: localhost\r\n\r\n",
                                      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                      "\x16\x03\x01\r\n\r\n",
                                      "GET\r\n\r\n"};
  for (gsize i = 0; i < G_N_ELEMENTS(bytes); i++) {
    gboolean closed;
    g_autoptr(Raw) raw = raw_new(s, "127.0.0.1", NULL);
    raw_send(raw, bytes[i], -1);
    g_autofree char *answer = raw_read(raw, 10000, &closed);
    g_test_message("%.20s: %.60s", bytes[i], answer);
    g_assert_cmpint(raw_status(answer), !=, 200);
    g_assert_true(closed);
  }
}

/* Old kubectl sends no type; forms and plain text are what a browser sends without asking first. */
static void test_media_types(Server *s, gconstpointer data) {
  static const struct {
    const char *header;
    long status;
  } cases[] = {
      {"Content-Type;", 422}, /* an empty one */
      {"Content-Type: application/json; charset=utf-8", 422},
      {"Content-Type: text/plain", 415},
      {"Content-Type: application/x-www-form-urlencoded", 415},
      {"Content-Type: multipart/form-data; boundary=x", 415},
      {"Content-Type: text/html", 415},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Answer) a =
        http_full(s, "admin", "POST", VMIM, cases[i].header, "{\"metadata\":{}}", -1);
    g_test_message("%s: %ld", cases[i].header, a->status);
    expect(a, cases[i].status);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add("/strict/refused", Server, NULL, server_up, test_refused, server_down);
  g_test_add("/strict/taken", Server, NULL, server_up, test_taken, server_down);
  g_test_add("/strict/sizes", Server, NULL, server_up, test_sizes, server_down);
  g_test_add("/strict/largest", Server, NULL, server_up, test_largest, server_down);
  g_test_add("/strict/not-http", Server, NULL, server_up, test_not_http, server_down);
  g_test_add("/strict/media-types", Server, NULL, server_up, test_media_types, server_down);
  return g_test_run();
}
