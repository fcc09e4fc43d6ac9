// SPDX-License-Identifier: Apache-2.0
// What libvirtd 9.0 and 11.3 said where a connection to the target broke: their own words.
#include "host/libvirt/libvirt_blame.h"
#include "host/port/host.h"

enum {
  WIRE = FERRY_HOST_ERROR_NO_CONNECTION,
  SYSTEM = 38,
  FAILED = 9,
  AUTH = 45,
  NAME = FERRY_HOST_ERROR_PEER_NAME,
  UNREACHABLE = FERRY_HOST_ERROR_PEER_UNREACHABLE,
  LOGIN = FERRY_HOST_ERROR_PEER_LOGIN,
  LOST = FERRY_HOST_ERROR_PEER_LOST,
  PORT = FERRY_HOST_ERROR_PEER_PORT,
};

static void test_words(void) {
  static const struct {
    int code;
    const char *message;
    guint16 port;
    int blame;
  } cases[] = {
      {WIRE, "unable to connect to server at '10.0.0.2:49152': Connection refused", 16514, PORT},
      {WIRE, "unable to connect to server at '10.0.0.2:49153': Connection timed out", 22, PORT},
      {WIRE, "unable to connect to server at '[fd00::2]:49152': No route to host", 16514, PORT},
      {WIRE, "unable to connect to server at 'fd00::2:49152': No route to host", 16514, PORT},
      {WIRE, "unable to connect to server at 'h2:16514': Connection refused", 16514, UNREACHABLE},
      {WIRE, "unable to connect to server at 'h2:16510': Connection refused", 16510, UNREACHABLE},
      {WIRE, "Verbindung mit Server unter '10.0.0.2:49152' nicht möglich", 16514, PORT},
      {WIRE, "unable to connect to server at 'h2:16514': No route to host", 0, UNREACHABLE},
      {WIRE, "Unable to resolve address 'h9' service '16514': Name or service not known", 16514,
       NAME},
      {WIRE, "Cannot recv data: ssh: Could not resolve hostname h9: Name or service not known", 22,
       NAME},
      {WIRE,
       "Cannot recv data: ssh: connect to host h2 port 22: Connection refused: Connection "
       "reset by peer",
       22, UNREACHABLE},
      {WIRE, "Cannot recv data: Host key verification failed.: Connection reset by peer", 22,
       LOGIN},
      {WIRE, "Cannot recv data: root@h2: Permission denied (publickey).: Connection reset by peer",
       22, LOGIN},
      {AUTH, "authentication failed: Failed to verify peer's certificate", 16514, LOGIN},
      {WIRE, "Certificate [session] owner does not match the hostname h2", 16514, LOGIN},
      {WIRE, "Cannot recv data: Error in the certificate.", 16514, LOGIN},
      {WIRE, "TLS handshake failed Error in the pull function", 16514, LOGIN},
      {WIRE, "Unable to read TLS confirmation: Input/output error", 16514, LOGIN},
      {WIRE, "client socket is closed", 16514, LOST},
      {WIRE, "End of file while reading data: Input/output error", 16514, LOST},
      {WIRE, "internal error: received hangup event on socket", 16514, LOST},
      {WIRE, "connection closed due to keepalive timeout", 16514, LOST},
      {FAILED,
       "operation failed: job 'migration out' failed: Failed to connect to '10.0.0.2:49152': "
       "Connection refused",
       16514, PORT},
      /* no connection's error stays what it is */
      {FAILED, "operation failed: job 'migration out' failed: No space left on device", 16514,
       FAILED},
      {FAILED, "operation failed: domain is not running", 16514, FAILED},
      {78, "operation aborted: migration out job: canceled by client", 16514, 78},
      {SYSTEM, "Cannot open log file '/var/log/x:16514'", 16514, SYSTEM},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_test_message("%s", cases[i].message);
    g_assert_cmpint(ferry_libvirt_blame(cases[i].code, cases[i].message, cases[i].port), ==,
                    cases[i].blame);
  }
}

static void test_hints(void) {
  static const struct {
    const char *message;
    FerryHostHint hint;
  } cases[] = {
      {"Unsafe migration: Migration without shared storage is unsafe",
       FERRY_HOST_HINT_DISKS_ARE_NOT_SHARED},
      {"Unsafe migration: Migration may lead to data corruption if disks use cache other than none",
       FERRY_HOST_HINT_DISKS_ARE_CACHED},
      {"Unable to access credentials /etc/pki/qemu/ca-cert.pem: No such file or directory",
       FERRY_HOST_HINT_NO_CERTIFICATES},
      {"TLS handshake failed: certificate", FERRY_HOST_HINT_HANDSHAKE},
      {"cannot start RDMA migration with no memory hard limit set",
       FERRY_HOST_HINT_NO_MEMORY_LIMIT},
      {"domain 'x' is being actively monitored by another thread", FERRY_HOST_HINT_TARGET_IS_BUSY},
      {"operation failed: job 'migration out' failed: No space left on device",
       FERRY_HOST_HINT_NONE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
    g_assert_cmpint(ferry_libvirt_hint(cases[i].message), ==, cases[i].hint);
  /* a copy keeps it: the call's thread ends before anybody looks */
  g_autoptr(GError) error = g_error_new(FERRY_HOST_ERROR, FAILED, "x");
  g_assert_cmpint(ferry_host_error_hint(error), ==, FERRY_HOST_HINT_NONE);
  ferry_host_error_set_hint(error, FERRY_HOST_HINT_HANDSHAKE);
  g_autoptr(GError) copy = g_error_copy(error);
  g_assert_cmpint(ferry_host_error_hint(copy), ==, FERRY_HOST_HINT_HANDSHAKE);
  g_autoptr(GError) other = g_error_new(G_IO_ERROR, G_IO_ERROR_FAILED, "x");
  g_assert_cmpint(ferry_host_error_hint(other), ==, FERRY_HOST_HINT_NONE);
  g_assert_cmpint(ferry_host_error_hint(NULL), ==, FERRY_HOST_HINT_NONE);
}

static void test_uri_port(void) {
  g_assert_cmpuint(ferry_libvirt_uri_port("qemu+tls://h2/system"), ==, 16514);
  g_assert_cmpuint(ferry_libvirt_uri_port("qemu://h2/system"), ==, 16514);
  g_assert_cmpuint(ferry_libvirt_uri_port("qemu+tcp://h2/system"), ==, 16509);
  g_assert_cmpuint(ferry_libvirt_uri_port("qemu+ssh://root@h2/system"), ==, 22);
  g_assert_cmpuint(ferry_libvirt_uri_port("qemu+ssh://root@[fd00::2]:2222/system"), ==, 2222);
  g_assert_cmpuint(ferry_libvirt_uri_port("qemu+unix:///system"), ==, 0);
  g_assert_cmpuint(ferry_libvirt_uri_port("no uri"), ==, 0);
  g_assert_cmpuint(ferry_libvirt_uri_port(NULL), ==, 0);
}

/* Codes are libvirt's: 49 no such pool, 55 not now, 1 an internal error. */
static void test_contended_pool(void) {
  static const struct {
    int code;
    const char *message;
    gboolean contended;
  } cases[] = {{49, "no storage pool with matching uuid", TRUE},
               {55, "storage pool 'p' is not active", TRUE},
               {1, "Storage source conflict with pool: 'p'", TRUE},
               {1, "pool 'p' has asynchronous jobs running, is being started", TRUE},
               {38, "cannot open directory '/p': Permission denied", FALSE}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error =
        g_error_new_literal(FERRY_HOST_ERROR, cases[i].code, cases[i].message);
    g_assert_cmpint(ferry_libvirt_pool_is_contended(error), ==, cases[i].contended);
  }
  g_autoptr(GError) other = g_error_new_literal(G_IO_ERROR, 49, "conflict");
  g_assert_false(ferry_libvirt_pool_is_contended(other));
}

static void test_locked(void) {
  g_assert_true(
      ferry_libvirt_is_locked("cannot resume the domain: internal error: unable to execute "
                              "QEMU command 'cont': Failed to get \"write\" lock"));
  g_assert_true(ferry_libvirt_is_locked("Failed to get shared \"write\" lock"));
  g_assert_false(ferry_libvirt_is_locked("cannot acquire state change lock"));
  g_assert_false(ferry_libvirt_is_locked("Failed to get \"write\" access"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/libvirt/blame/locked", test_locked);
  g_test_add_func("/libvirt_blame/words", test_words);
  g_test_add_func("/libvirt_blame/hints", test_hints);
  g_test_add_func("/libvirt_blame/uri_port", test_uri_port);
  g_test_add_func("/libvirt_blame/contended_pool", test_contended_pool);
  return g_test_run();
}
