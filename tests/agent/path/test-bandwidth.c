// SPDX-License-Identifier: Apache-2.0
// Sender and receiver in one process, over the loopback, with certificates made here: what is
// measured, and that strangers, silence and more bytes than agreed end it.
#include "agent/path/bandwidth.h"
#include "base/error.h"
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <unistd.h>

#define AT "127.0.0.1"
#define ID "11111111-2222-3333-4444-555555555555"

typedef struct {
  gnutls_x509_crt_t crt;
  gnutls_x509_privkey_t key;
  char *pem;
} Ca;

typedef struct {
  char *cert, *key;
} Identity;

static char *pem_of(gnutls_datum_t d) {
  char *text = g_strndup((const char *)d.data, d.size);
  gnutls_free(d.data);
  return text;
}

static gnutls_x509_privkey_t new_key(void) {
  gnutls_x509_privkey_t key;
  g_assert_cmpint(gnutls_x509_privkey_init(&key), ==, 0);
  g_assert_cmpint(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                               GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                  ==, 0);
  return key;
}

static gnutls_x509_crt_t new_crt(const char *organisation, const char *name, const Ca *ca,
                                 gnutls_x509_privkey_t key, const char *purpose) {
  static unsigned char serial = 1;
  gnutls_x509_crt_t crt;
  g_assert_cmpint(gnutls_x509_crt_init(&crt), ==, 0);
  serial++;
  gnutls_x509_crt_set_version(crt, 3);
  gnutls_x509_crt_set_serial(crt, &serial, 1);
  gnutls_x509_crt_set_activation_time(crt, time(NULL) - 3600);
  gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600);
  gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, organisation,
                                (unsigned)strlen(organisation));
  gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
  gnutls_x509_crt_set_key(crt, key);
  gnutls_x509_crt_set_basic_constraints(crt, purpose == NULL, -1);
  gnutls_x509_crt_set_key_usage(crt,
                                purpose ? GNUTLS_KEY_DIGITAL_SIGNATURE : GNUTLS_KEY_KEY_CERT_SIGN);
  if (purpose)
    gnutls_x509_crt_set_key_purpose_oid(crt, purpose, 0);
  g_assert_cmpint(
      gnutls_x509_crt_sign2(crt, ca ? ca->crt : crt, ca ? ca->key : key, GNUTLS_DIG_SHA256, 0), ==,
      0);
  return crt;
}

static void ca_new(Ca *ca) {
  gnutls_datum_t out;
  ca->key = new_key();
  ca->crt = new_crt("ferry", "ferry-ca", NULL, ca->key, NULL);
  g_assert_cmpint(gnutls_x509_crt_export2(ca->crt, GNUTLS_X509_FMT_PEM, &out), ==, 0);
  ca->pem = pem_of(out);
}

static void ca_clear(Ca *ca) {
  gnutls_x509_crt_deinit(ca->crt);
  gnutls_x509_privkey_deinit(ca->key);
  g_free(ca->pem);
}

static void identity_new(Identity *i, const Ca *ca, const char *organisation, const char *name,
                         const char *purpose) {
  gnutls_datum_t out;
  gnutls_x509_privkey_t key = new_key();
  gnutls_x509_crt_t crt = new_crt(organisation, name, ca, key, purpose);
  g_assert_cmpint(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &out), ==, 0);
  i->cert = pem_of(out);
  g_assert_cmpint(
      gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &out),
      ==, 0);
  i->key = pem_of(out);
  gnutls_x509_crt_deinit(crt);
  gnutls_x509_privkey_deinit(key);
}

static void identity_clear(Identity *i) {
  g_free(i->cert);
  g_free(i->key);
}

typedef struct {
  Ca ca, other_ca;
  Identity h1, h2, stranger, ferryd, masters;
  FerryBandwidthParty source, target;
  GSocket *listener;
  guint16 port;
  GThread *thread;
  gint64 wait_ms;
  FerryBandwidth counted;
  GError *error;
} World;

static void up(World *w, gconstpointer data) {
  ca_new(&w->ca);
  ca_new(&w->other_ca);
  identity_new(&w->h1, &w->ca, "system:nodes", "system:node:h1", GNUTLS_KP_TLS_WWW_CLIENT);
  identity_new(&w->h2, &w->ca, "system:nodes", "system:node:h2", GNUTLS_KP_TLS_WWW_CLIENT);
  identity_new(&w->stranger, &w->other_ca, "system:nodes", "system:node:h1",
               GNUTLS_KP_TLS_WWW_CLIENT);
  identity_new(&w->ferryd, &w->ca, "system:nodes", "system:node:h1", GNUTLS_KP_TLS_WWW_SERVER);
  identity_new(&w->masters, &w->ca, "system:masters", "system:node:h1", GNUTLS_KP_TLS_WWW_CLIENT);
  w->source = (FerryBandwidthParty){
      .cert_pem = w->h1.cert, .key_pem = w->h1.key, .ca_pem = w->ca.pem, .peer = "h2", .id = ID};
  w->target = (FerryBandwidthParty){
      .cert_pem = w->h2.cert, .key_pem = w->h2.key, .ca_pem = w->ca.pem, .peer = "h1", .id = ID};
  w->wait_ms = 10000;
  g_autoptr(GError) error = NULL;
  w->listener = ferry_bandwidth_listen(AT, &w->port, &error);
  g_assert_no_error(error);
}

static gpointer serve(gpointer data) {
  World *w = data;
  ferry_bandwidth_receive(w->listener, &w->target, w->wait_ms, &w->counted, &w->error);
  return NULL;
}

static void begin(World *w) {
  w->thread = g_thread_new("target", serve, w);
}

static void end(World *w) {
  g_thread_join(g_steal_pointer(&w->thread));
}

static void down(World *w, gconstpointer data) {
  g_assert_null(w->thread);
  g_clear_error(&w->error);
  g_object_unref(w->listener);
  identity_clear(&w->h1);
  identity_clear(&w->h2);
  identity_clear(&w->stranger);
  identity_clear(&w->ferryd);
  identity_clear(&w->masters);
  ca_clear(&w->ca);
  ca_clear(&w->other_ca);
}

#define MIB (1 << 20)

/* As fast as it is sent, and both ends know the same. */
static void measures(World *w, gint64 limit) {
  begin(w);
  FerryBandwidth seen = {0};
  g_autoptr(GError) error = NULL;
  gboolean ok = ferry_bandwidth_send(AT, w->port, &w->source, limit, &seen, &error);
  end(w);
  g_assert_no_error(error);
  g_assert_no_error(w->error);
  g_assert_true(ok);
  g_assert_cmpint(seen.bytes, ==, w->counted.bytes);
  g_assert_cmpint(seen.us, ==, w->counted.us);
  double rate = (double)ferry_bandwidth_rate(&seen);
  g_test_message("%.1f MiB/s", rate / MIB);
  if (limit > 0) {
    g_assert_cmpfloat(rate, >, 0.8 * (double)limit);
    g_assert_cmpfloat(rate, <, 1.2 * (double)limit);
  } else {
    g_assert_cmpfloat(rate, >, 1 * MIB); /* even under a sanitizer */
  }
}

static void rate_encrypted(World *w, gconstpointer data) {
  measures(w, 4 * MIB);
}

static void rate_in_the_clear(World *w, gconstpointer data) {
  w->source.clear = w->target.clear = TRUE;
  measures(w, 4 * MIB);
}

static void rate_unlimited(World *w, gconstpointer data) {
  measures(w, 0);
}

static void rate_unlimited_in_the_clear(World *w, gconstpointer data) {
  w->source.clear = w->target.clear = TRUE;
  measures(w, 0);
}

/* A source that is not let in; the right one comes after it and is. */
static void refused(World *w, const FerryBandwidthParty *wrong) {
  begin(w);
  FerryBandwidth seen = {0};
  g_assert_false(ferry_bandwidth_send(AT, w->port, wrong, 4 * MIB, &seen, NULL));
  g_assert_cmpint(seen.bytes, ==, 0);
  g_autoptr(GError) error = NULL;
  ferry_bandwidth_send(AT, w->port, &w->source, 4 * MIB, &seen, &error);
  end(w);
  g_assert_no_error(error);
  g_assert_no_error(w->error);
  g_assert_cmpint(seen.bytes, >, 0);
}

static void refuses_another_ca(World *w, gconstpointer data) {
  FerryBandwidthParty wrong = w->source;
  wrong.cert_pem = w->stranger.cert;
  wrong.key_pem = w->stranger.key;
  refused(w, &wrong);
}

static void refuses_another_node(World *w, gconstpointer data) {
  FerryBandwidthParty wrong = w->source;
  wrong.cert_pem = w->h2.cert;
  wrong.key_pem = w->h2.key;
  refused(w, &wrong);
}

static void refuses_other_purposes(World *w, gconstpointer data) {
  FerryBandwidthParty wrong = w->source;
  wrong.cert_pem = w->ferryd.cert;
  wrong.key_pem = w->ferryd.key;
  refused(w, &wrong);
}

static void refuses_other_groups(World *w, gconstpointer data) {
  FerryBandwidthParty wrong = w->source;
  wrong.cert_pem = w->masters.cert;
  wrong.key_pem = w->masters.key;
  refused(w, &wrong);
}

/* The source sends nothing to a target that is not who it must be. */
static void source_looks_whom_it_reaches(World *w, gconstpointer data) {
  w->wait_ms = 1500;
  begin(w);
  FerryBandwidthParty wary = w->source;
  wary.peer = "h3";
  FerryBandwidth seen = {0};
  g_autoptr(GError) error = NULL;
  g_assert_false(ferry_bandwidth_send(AT, w->port, &wary, 0, &seen, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_UNAUTHORIZED);
  end(w);
  g_assert_nonnull(w->error);
}

static void refuses_garbage(World *w, gconstpointer data) {
  begin(w);
  FerryBandwidthParty any = {0};
  for (int i = 0; i < 3; i++) {
    g_autoptr(GSocket) socket = ferry_link_connect(AT, w->port, &any, 1000, NULL);
    g_assert_nonnull(socket);
    const char *what = i == 0 ? "GET / HTTP/1.1\r\n\r\n" : i == 1 ? "\x16\x03\x01\xff\xff" : "";
    g_socket_send(socket, what, strlen(what), NULL, NULL);
    g_usleep(20000);
  }
  FerryBandwidth seen = {0};
  g_autoptr(GError) error = NULL;
  ferry_bandwidth_send(AT, w->port, &w->source, 4 * MIB, &seen, &error);
  end(w);
  g_assert_no_error(error);
  g_assert_no_error(w->error);
}

/* The right agent, but for another migration, or with other ideas of encryption. */
static void refuses_another_purpose(World *w, gconstpointer data) {
  FerryBandwidth seen = {0};
  for (int i = 0; i < 2; i++) {
    FerryBandwidthParty wrong = w->source;
    if (i == 0)
      wrong.id = "99999999-2222-3333-4444-555555555555";
    else
      wrong.clear = TRUE;
    begin(w);
    g_autoptr(GError) error = NULL;
    g_assert_false(ferry_bandwidth_send(AT, w->port, &wrong, 0, &seen, &error));
    end(w);
    g_assert_error(w->error, FERRY_ERROR, FERRY_ERROR_CONFLICT);
    g_clear_error(&w->error);
  }
}

static void nobody_comes(World *w, gconstpointer data) {
  w->wait_ms = 200;
  gint64 before = g_get_monotonic_time();
  begin(w);
  end(w);
  g_assert_error(w->error, FERRY_ERROR, FERRY_ERROR_TIMEOUT);
  g_assert_cmpint(g_get_monotonic_time() - before, <, 5 * G_USEC_PER_SEC);
}

/* Somebody who connects and says nothing does not keep it beyond its time. */
static void silence(World *w, gconstpointer data) {
  FerryBandwidthParty any = {0};
  w->wait_ms = 300;
  begin(w);
  g_autoptr(GSocket) socket = ferry_link_connect(AT, w->port, &any, 1000, NULL);
  g_assert_nonnull(socket);
  end(w);
  g_assert_error(w->error, FERRY_ERROR, FERRY_ERROR_TIMEOUT);
}

static gboolean is_set(gpointer data) {
  return g_atomic_int_get((gint *)data) != 0;
}

static void stops(World *w, gconstpointer data) {
  gint flag = 0;
  w->target.stopped = is_set;
  w->target.data = &flag;
  gint64 before = g_get_monotonic_time();
  begin(w);
  g_atomic_int_set(&flag, 1);
  end(w);
  g_assert_error(w->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint(g_get_monotonic_time() - before, <, 5 * G_USEC_PER_SEC);
}

typedef struct {
  GMutex lock;
  gboolean busy;
  int asked, taken;
} Turns;

static gboolean turn(gboolean take, gpointer data) {
  Turns *t = data;
  g_mutex_lock(&t->lock);
  if (take && ++t->asked == 5)
    t->busy = FALSE; /* the other one is over */
  gboolean ok = !take || !t->busy;
  if (ok)
    t->busy = take;
  if (ok && take)
    t->taken++;
  g_mutex_unlock(&t->lock);
  return ok;
}

/* What another measurement keeps is waited for. */
static void takes_turns(World *w, gconstpointer data) {
  Turns turns = {.busy = TRUE};
  g_mutex_init(&turns.lock);
  w->target.turn = turn;
  w->target.data = &turns;
  begin(w);
  FerryBandwidthParty unhurried = w->source;
  Turns own = {0};
  g_mutex_init(&own.lock);
  unhurried.turn = turn;
  unhurried.data = &own;
  FerryBandwidth seen = {0};
  g_autoptr(GError) error = NULL;
  ferry_bandwidth_send(AT, w->port, &unhurried, 4 * MIB, &seen, &error);
  end(w);
  g_assert_no_error(error);
  g_assert_no_error(w->error);
  g_assert_cmpint(turns.asked, ==, 5);
  g_assert_cmpint(turns.taken, ==, 1);
  g_assert_cmpint(own.taken, ==, 1);
  g_assert_false(turns.busy || own.busy);
  g_mutex_clear(&turns.lock);
  g_mutex_clear(&own.lock);
}

static void ports(World *w, gconstpointer data) {
  guint16 second = 0;
  g_autoptr(GError) error = NULL;
  g_autoptr(GSocket) other = ferry_bandwidth_listen(AT, &second, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(second, !=, w->port);
  g_assert_cmpuint(second, <=, FERRY_BANDWIDTH_PORT);
  g_assert_cmpuint(second, >, FERRY_BANDWIDTH_PORT - FERRY_BANDWIDTH_PORTS);
  g_assert_null(ferry_bandwidth_listen("0.0.0.0", &second, NULL));
  g_assert_null(ferry_bandwidth_listen("192.0.2.1", &second, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE);
  g_assert_null(ferry_bandwidth_listen("a name", &second, NULL));
}

static void test_answers(void) {
  FerryBandwidth b = {123456, 700000}, read = {0};
  g_autofree char *text = ferry_bandwidth_format(&b);
  g_assert_true(ferry_bandwidth_parse(text, 123456, &read));
  g_assert_cmpint(read.bytes, ==, 123456);
  g_assert_cmpint(read.us, ==, 700000);
  g_assert_cmpint(ferry_bandwidth_rate(&read), ==, 176365);
  g_assert_false(ferry_bandwidth_parse(text, 123455, &read)); /* more than was sent */
  static const char *const wrong[] = {
      "",
      "1 bytes in 5000",
      "1 bytes in 5000 us more",
      "-1 bytes in 5000 us",
      "1 bytes in -5000 us",
      "0 bytes in 5000 us",
      "1 bytes in 0 us",
      "1 bytes in 2000001 us",
      "1 bytes in 99999999999999999999999 us",
      "1 words in 5000 us",
  };
  for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
    if (ferry_bandwidth_parse(wrong[i], G_MAXINT64, &read))
      g_error("\"%s\" was accepted", wrong[i]);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/bandwidth/answers", test_answers);
#define ADD(f) g_test_add("/bandwidth/" #f, World, NULL, up, f, down)
  ADD(rate_encrypted);
  ADD(rate_in_the_clear);
  ADD(rate_unlimited);
  ADD(rate_unlimited_in_the_clear);
  ADD(refuses_another_ca);
  ADD(refuses_another_node);
  ADD(refuses_other_purposes);
  ADD(refuses_other_groups);
  ADD(source_looks_whom_it_reaches);
  ADD(refuses_garbage);
  ADD(refuses_another_purpose);
  ADD(nobody_comes);
  ADD(silence);
  ADD(stops);
  ADD(takes_turns);
  ADD(ports);
  return g_test_run();
}
