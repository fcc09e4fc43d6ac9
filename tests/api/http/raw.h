// SPDX-License-Identifier: Apache-2.0
// A client that sends what bytes it likes, over TLS or bare, from an address of 127.0.0.0/8 that it
// chooses; and one that is honest, to see whether the server still serves.
#pragma once
#include "../http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
  int fd;
  gnutls_session_t tls;
  gnutls_certificate_credentials_t cred;
} Raw;

/* A TCP connection from `from`; -1 where the server's machine refuses it. */
static inline int raw_connect(Server *s, const char *from) {
  struct sockaddr_in own = {.sin_family = AF_INET},
                     to = {.sin_family = AF_INET, .sin_port = htons(ferry_api_port(s->api, 0))};
  inet_pton(AF_INET, from, &own.sin_addr);
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  signal(SIGPIPE, SIG_IGN); /* the server may close while we write */
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint(fd, >=, 0);
  g_assert_cmpint(bind(fd, (struct sockaddr *)&own, sizeof own), ==, 0);
  g_assert_cmpint(connect(fd, (struct sockaddr *)&to, sizeof to), ==, 0);
  return fd;
}

static inline void raw_tls(Server *s, Raw *raw, const char *who) {
  gnutls_certificate_allocate_credentials(&raw->cred);
  if (who) {
    g_autofree char *crt = g_strdup_printf("%s/%s.crt", s->dir, who);
    g_autofree char *key = g_strdup_printf("%s/%s.key", s->dir, who);
    g_assert_cmpint(gnutls_certificate_set_x509_key_file(raw->cred, crt, key, GNUTLS_X509_FMT_PEM),
                    >=, 0);
  }
  gnutls_init(&raw->tls, GNUTLS_CLIENT);
  gnutls_set_default_priority(raw->tls);
  gnutls_credentials_set(raw->tls, GNUTLS_CRD_CERTIFICATE, raw->cred);
  gnutls_transport_set_int(raw->tls, raw->fd);
  gnutls_handshake_set_timeout(raw->tls, 20000);
}

/* With the handshake done. `who` as in http_full. */
static inline Raw *raw_new(Server *s, const char *from, const char *who) {
  Raw *raw = g_new0(Raw, 1);
  raw->fd = raw_connect(s, from);
  raw_tls(s, raw, who);
  int rc;
  do
    rc = gnutls_handshake(raw->tls);
  while (rc < 0 && !gnutls_error_is_fatal(rc));
  g_assert_cmpint(rc, ==, GNUTLS_E_SUCCESS);
  return raw;
}

static inline void raw_free(Raw *raw) {
  gnutls_deinit(raw->tls);
  gnutls_certificate_free_credentials(raw->cred);
  close(raw->fd);
  g_free(raw);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Raw, raw_free)

/* FALSE: the server has closed. */
static inline gboolean raw_send(Raw *raw, const char *data, gssize len) {
  gsize n = len < 0 ? strlen(data) : (gsize)len, at = 0;
  while (at < n) { /* a record is 16 KiB at most */
    ssize_t sent = gnutls_record_send(raw->tls, data + at, n - at);
    if (sent <= 0)
      return FALSE;
    at += (gsize)sent;
  }
  return TRUE;
}

/* All that comes until the server closes, or for `ms`; *closed says which. Free with g_free. */
static inline char *raw_read(Raw *raw, guint ms, gboolean *closed) {
  g_autoptr(GString) out = g_string_new(NULL);
  gint64 until = g_get_monotonic_time() + (gint64)ms * 1000;
  *closed = FALSE;
  while (!*closed) {
    char buf[16384];
    gint64 left = (until - g_get_monotonic_time()) / 1000;
    struct pollfd p = {.fd = raw->fd, .events = POLLIN};
    if (left <= 0 || (gnutls_record_check_pending(raw->tls) == 0 && poll(&p, 1, (int)left) <= 0))
      break;
    ssize_t n = gnutls_record_recv(raw->tls, buf, sizeof buf);
    if (n > 0)
      g_string_append_len(out, buf, n);
    else if (n == 0 || gnutls_error_is_fatal((int)n))
      *closed = TRUE;
  }
  return g_string_free(g_steal_pointer(&out), FALSE);
}

/* Whether `text` is a whole answer, by its length. */
static inline gboolean raw_is_whole(const char *text) {
  const char *body = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "Content-Length: ");
  return body && length && strlen(body + 4) >= strtoul(length + 16, NULL, 10);
}

/* One answer, for which a busy machine has 30 s. Free with g_free. */
static inline char *raw_read_answer(Raw *raw, gboolean *closed) {
  g_autoptr(GString) text = g_string_new(NULL);
  *closed = FALSE;
  for (guint i = 0; i < 3000 && !*closed && !raw_is_whole(text->str); i++) {
    g_autofree char *piece = raw_read(raw, 10, closed);
    g_string_append(text, piece);
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Whether the other side ends this bare connection within `ms`. */
static inline gboolean fd_is_closed(int fd, guint ms) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  char byte;
  return poll(&p, 1, (int)ms) > 0 && recv(fd, &byte, 1, MSG_DONTWAIT) <= 0;
}

static inline long raw_status(const char *answer) {
  return g_str_has_prefix(answer, "HTTP/1.1 ") ? strtol(answer + 9, NULL, 10) : 0;
}

/* A GET whose connection may meet a short deadline of the test's own on a busy machine: tried anew
 * then, for 10 s. */
static inline Answer *get_patiently(Server *s, const char *path) {
  gint64 until = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
  for (;;) {
    Answer *a = http(s, "GET", path, NULL);
    if (a->status != 0 || g_get_monotonic_time() > until)
      return a;
    answer_free(a);
  }
}

/* A person's request on a connection of its own; its status, and that it took less than 15 s. */
static inline void expect_served(Server *s) {
  gint64 begun = g_get_monotonic_time();
  g_autoptr(Answer) a = get_patiently(s, "/api/v1/nodes/h1");
  expect(a, 200);
  g_assert_cmpint(g_get_monotonic_time() - begun, <, 15 * G_USEC_PER_SEC);
}

/* The value of a sample in GET /metrics, which must be there. */
static inline double metric(Server *s, const char *sample) {
  g_autoptr(Answer) a = get_patiently(s, "/metrics");
  expect(a, 200);
  g_autofree char *line = g_strdup_printf("\n%s ", sample);
  const char *at = strstr(a->body, line);
  g_assert_nonnull(at);
  return g_ascii_strtod(at + strlen(line), NULL);
}

/* Of a new user, who may read. Free with g_free. */
static inline char *viewer_token(Server *s, const char *name) {
  g_autofree char *user = g_strdup_printf(
      "{\"apiVersion\":\"ferry.migration/v1\",\"kind\":\"User\",\"metadata\":{\"name\":\"%s\"},"
      "\"spec\":{\"groups\":[\"ferry:viewers\"]}}",
      name);
  g_autofree char *path = g_strdup_printf("/apis/ferry.migration/v1/users/%s/token", name);
  g_autoptr(Answer) made = http(s, "POST", "/apis/ferry.migration/v1/users", user);
  expect(made, 201);
  g_autoptr(Answer) token = http(s, "POST", path, "{\"expirationSeconds\":3600}");
  expect(token, 201);
  return g_strdup(ferry_json_str(token->json, "token"));
}
