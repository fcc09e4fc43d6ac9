// SPDX-License-Identifier: Apache-2.0
#include "model/validate/validate.h"
#include <string.h>

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
  const char *format, *text;
  gboolean ok;
} cases[] = {
    {"dns-label", "db-1", TRUE},
    {"dns-label", "Db", FALSE},
    {"dns-label", "-db", FALSE},
    {"dns-label", "db-", FALSE},
    {"dns-label", "", FALSE},
    {"dns-label", "a.b", FALSE},
    {"dns-label", A63, TRUE},
    {"dns-label", A63 "a", FALSE},
    {"dns-subdomain", "h1.example.com", TRUE},
    {"dns-subdomain", "h1..com", FALSE},
    {"dns-subdomain", ".com", FALSE},
    {"dns-subdomain", "com.", FALSE},
    {"dns-subdomain", "a/b", FALSE},
    {"uuid", "6b1f6f04-9a5f-4c59-8e21-3a1d5c9a7a10", TRUE},
    {"uuid", "6b1f6f04", FALSE},
    {"cidr", "10.9.0.0/24", TRUE},
    {"cidr", "10.9.0.1/24", FALSE},
    {"cidr", "10.9.0.0", FALSE},
    {"cidr", "10.9.0.0/33", FALSE},
    {"cidr", "10.9.0.0/", FALSE},
    {"cidr", "0.0.0.0/0", TRUE},
    {"cidr", "fd00:1::/64", TRUE},
    {"cidr", "fd00:1::1/64", FALSE},
    {"ip-prefix", "10.9.0.1/24", TRUE},
    {"ip-prefix", "10.9.0.1/-1", FALSE},
    {"ip", "10.9.0.1", TRUE},
    {"ip", "10.9.0.256", FALSE},
    {"ip", "fd00::1", TRUE},
    {"uri", "qemu+tls://h1/system", TRUE},
    {"uri", "h1", FALSE},
    {"migrate-uri", "tcp://h2", TRUE},
    {"migrate-uri", "tcp://[fd00::2]:49152", TRUE},
    {"migrate-uri", "rdma://h2:49152", TRUE},
    {"migrate-uri", "unix:///run/m.sock", TRUE},
    {"migrate-uri", "tcp://", FALSE},
    {"migrate-uri", "tcp://:49152", FALSE},
    {"migrate-uri", "rdma://", FALSE},
    {"migrate-uri", "unix://", FALSE},
    {"migrate-uri", "ssh://h2", FALSE},
    {"disks-uri", "tcp://h2:1", TRUE},
    {"disks-uri", "unix:///s", TRUE},
    {"disks-uri", "tcp://", FALSE},
    {"disks-uri", "http://h", FALSE},
    {"spice-uri", "spice://h2:5900", TRUE},
    {"tls-name", "H2.example.com", TRUE},
    {"tls-name", "h2-migration", TRUE},
    {"tls-name", "10.0.0.2", TRUE},
    {"tls-name", "fd00::2", TRUE},
    {"tls-name", "", FALSE},
    {"tls-name", "h2.example.com:16514", FALSE},
    {"tls-name", "h2/../x", FALSE},
    {"tls-name", "*.example.com", FALSE},
    {"tls-name", "h2,verify-peer=off", FALSE},
    {"tls-name", "[fd00::2]", FALSE},
    {"spice-uri", "vnc://h2:5900", FALSE},
    {"spice-uri", "spice://", FALSE},
    {"migrate-uri", "TCP://h2", FALSE},
    {"migrate-uri", "tcp://h2/x", FALSE},
    {"migrate-uri", "tcp://h2?x=1", FALSE},
    {"migrate-uri", "tcp://h2#x", FALSE},
    {"migrate-uri", "tcp://u@h2", FALSE},
    {"migrate-uri", "tcp://h2:", FALSE},
    {"migrate-uri", "tcp://h2:65536", FALSE},
    {"migrate-uri", "tcp://h2%00", FALSE},
    {"migrate-uri", "tcp://127.0.0.1:22", FALSE},
    {"migrate-uri", "tcp://localhost:1", FALSE},
    {"migrate-uri", "tcp://[fe80::1%25e]:1", FALSE},
    {"migrate-uri", "tcp:h2", FALSE},
    {"migrate-uri", "exec:id", FALSE},
    {"migrate-uri", "exec://id", FALSE},
    {"migrate-uri", "fd://3", FALSE},
    {"migrate-uri", "file:///tmp/x", FALSE},
    {"migrate-uri", "unix://h2/run/s", FALSE},
    {"migrate-uri", "unix:///run/../etc/s", FALSE},
    {"migrate-uri", "unix:///run//s", FALSE},
    {"migrate-uri", "unix:///run/./s", FALSE},
    {"migrate-uri", "unix:///run/s?x", FALSE},
    {"migrate-uri", "unix:///run/%2e%2e/s", FALSE},
    {"migrate-uri", "unix:///run/", FALSE},
    {"migrate-uri",
     "unix:///"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaa",
     FALSE},
    {"migrate-uri", "unix:///run/...s", TRUE},
    {"migrate-uri", "tcp://h2,exec=id", FALSE},
    {"migrate-uri", " tcp://h2", FALSE},
    {"disks-uri", "rdma://h2", FALSE},
    {"disks-uri", "nbd://h2", FALSE},
    {"disks-uri", "tcp://h2/export", FALSE},
    {"disks-uri", "unix:///run/nbd.sock", TRUE},
    {"disks-uri", "unix:///run/n;id", FALSE},
    {"spice-uri", "spice://h2", TRUE},
    {"spice-uri", "spice://h2:5900/x", FALSE},
    {"spice-uri", "spice://h2?tls-port=1", FALSE},
    {"spice-uri", "spice://u:p@h2:5900", FALSE},
    {"spice-uri", "spice+ssh://h2", FALSE},
    {"domain-name", "web 1.\xc3\xa4", TRUE},
    {"domain-name", "a/b", FALSE},
    {"domain-name", "a\nb", FALSE},
    {"domain-name", " ", FALSE},
    {"label-key", "kubevirt.io/drain", TRUE},
    {"label-key", "A_b.c", TRUE},
    {"label-key", "/x", FALSE},
    {"label-key", "x/", FALSE},
    {"label-key", "a/b/c", FALSE},
    {"label-key", "Ex.com/b", FALSE},
    {"label-value", "", TRUE},
    {"label-value", "a b", FALSE},
    {"label-value", A63 "a", FALSE},
};

static void test_formats(void) {
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    const char *problem = NULL;
    gboolean ok = ferry_format_check(cases[i].format, cases[i].text, &problem);
    if (ok != cases[i].ok)
      g_error("%s \"%s\": %d", cases[i].format, cases[i].text, ok);
    g_assert_true(ok == (problem == NULL));
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/format/all", test_formats);
  return g_test_run();
}
