// SPDX-License-Identifier: Apache-2.0
// What of libvirt's configuration is TLS by hand.
#include "agent/trust/configured.h"
#include "base/file.h"
#include <glib/gstdio.h>
#include <string.h>

static void by_hand(void) {
  static const struct {
    const char *file, *text, *says;
  } all[] = {
      {"libvirtd.conf", "#cert_file = \"/x\"\nlisten_tls = 1\n", NULL},
      {"libvirtd.conf", "ca_file = \"/etc/pki/CA/cacert.pem\"\ncert_file=\"\"\n", NULL},
      {"libvirtd.conf", "tls_no_verify_certificate = 0\n", NULL},
      {"libvirtd.conf", "x = 1\n cert_file=\"/srv/cert.pem\"\n", "cert_file = \"/srv/cert.pem\""},
      {"libvirtd.conf", "key_file = '/srv/key.pem'", "key_file"},
      {"virtproxyd.conf", "ca_file = \"/srv/ca.pem\"", "virtproxyd.conf"},
      {"libvirtd.conf", "tls_no_verify_certificate = 1 # for now\n", "everybody"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
    g_autofree char *root = g_dir_make_tmp("ferry-configured-XXXXXX", NULL);
    g_autofree char *etc = g_build_filename(root, "etc", NULL);
    g_autofree char *dir = g_build_filename(etc, "libvirt", NULL);
    g_autofree char *path = g_build_filename(dir, all[i].file, NULL);
    g_autofree char *none = ferry_trust_configured(root);
    g_assert_null(none);
    g_assert_cmpint(g_mkdir_with_parents(dir, 0755), ==, 0);
    g_assert_true(ferry_file_write(path, all[i].text, strlen(all[i].text), 0644, NULL));
    g_autofree char *problem = ferry_trust_configured(root);
    g_assert_cmpint(problem != NULL, ==, all[i].says != NULL);
    if (problem)
      g_assert_nonnull(strstr(problem, all[i].says));
    g_remove(path);
    g_rmdir(dir);
    g_rmdir(etc);
    g_rmdir(root);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/trust/configured/by-hand", by_hand);
  return g_test_run();
}
