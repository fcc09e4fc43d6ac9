// SPDX-License-Identifier: Apache-2.0
// Theory of operation: whose the files of libvirt's TLS are, and how they are written and removed,
// in a tree of the test's own that stands for a host's /etc and /var.
#include "agent/trust/files.h"
#include "base/ec_key.h"
#include "base/file.h"
#include <glib/gstdio.h>
#include <gnutls/x509.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  char *dir;
  FerryTrustPlace place;
} Fixture;

static void files_up(Fixture *f, gconstpointer data) {
  f->dir = g_dir_make_tmp("ferry-trust-XXXXXX", NULL);
  g_autofree char *qemu = g_build_filename(f->dir, "var/lib/libvirt/qemu", NULL);
  g_assert_cmpint(g_mkdir_with_parents(qemu, 0700), ==, 0);
  f->place = (FerryTrustPlace){f->dir, f->dir};
}

static void remove_tree(const char *path) {
  g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    g_autofree char *below = g_build_filename(path, name, NULL);
    remove_tree(below);
  }
  g_remove(path);
}

static void files_down(Fixture *f, gconstpointer data) {
  remove_tree(f->dir);
  g_free(f->dir);
}

static char *ca_named(const char *name) {
  g_autofree char *pem = ferry_ec_key_new(NULL);
  gnutls_datum_t d = {(unsigned char *)pem, (unsigned)strlen(pem)}, out = {0};
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t crt;
  gnutls_x509_privkey_init(&key);
  g_assert_cmpint(gnutls_x509_privkey_import2(key, &d, GNUTLS_X509_FMT_PEM, NULL, 0), >=, 0);
  gnutls_x509_crt_init(&crt);
  gnutls_x509_crt_set_version(crt, 3);
  gnutls_x509_crt_set_serial(crt, "\1", 1);
  gnutls_x509_crt_set_activation_time(crt, 0);
  gnutls_x509_crt_set_expiration_time(crt, 4000000000);
  gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
  gnutls_x509_crt_set_key(crt, key);
  g_assert_cmpint(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), >=, 0);
  gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &out);
  char *text = g_strndup((char *)out.data, out.size);
  gnutls_free(out.data);
  gnutls_x509_crt_deinit(crt);
  gnutls_x509_privkey_deinit(key);
  return text;
}

static char *read_below(Fixture *f, const char *name, mode_t *mode) {
  g_autofree char *path = g_build_filename(f->dir, name, NULL);
  struct stat seen;
  g_assert_cmpint(stat(path, &seen), ==, 0);
  *mode = seen.st_mode & 07777;
  return ferry_file_read(path, 65536, NULL, NULL);
}

static void are_written_and_known(Fixture *f, gconstpointer data) {
  g_autofree char *ca = ca_named("ferry-libvirt-ca");
  g_assert_cmpint(ferry_trust_files_found(&f->place), ==, FERRY_TRUST_NONE);
  g_assert_null(ferry_trust_files_certificate(&f->place));
  FerryTrustSet set = {"cert", "key", ca, "qemu-cert", "qemu-key", "qemu-ca"};
  g_assert_true(ferry_trust_files_write(&f->place, &set, NULL));
  g_assert_cmpint(ferry_trust_files_found(&f->place), ==, FERRY_TRUST_OURS);
  const struct {
    const char *name, *text;
    mode_t mode;
  } wanted[] = {{"etc/pki/libvirt/servercert.pem", "cert", 0644},
                {"etc/pki/libvirt/clientcert.pem", "cert", 0644},
                {"etc/pki/libvirt/private/serverkey.pem", "key", 0600},
                {"etc/pki/libvirt/private/clientkey.pem", "key", 0600},
                {"etc/pki/CA/cacert.pem", ca, 0644},
                {"etc/pki/qemu/ca-cert.pem", "qemu-ca", 0644},
                {"etc/pki/qemu/server-cert.pem", "qemu-cert", 0644},
                {"etc/pki/qemu/client-cert.pem", "qemu-cert", 0644},
                {"etc/pki/qemu/server-key.pem", "qemu-key", 0600},
                {"etc/pki/qemu/client-key.pem", "qemu-key", 0600},
                {"libvirt.key", "key", 0600},
                {"libvirt-qemu.key", "qemu-key", 0600}};
  for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++) {
    mode_t mode;
    g_autofree char *text = read_below(f, wanted[i].name, &mode);
    g_assert_cmpstr(text, ==, wanted[i].text);
    g_assert_cmpint(mode, ==, wanted[i].mode);
  }
  g_autofree char *other = ca_named("ferry-libvirt-ca");
  set.cert = "renewed";
  set.ca = other;
  g_assert_true(ferry_trust_files_write(&f->place, &set, NULL));
  g_autofree char *shown = ferry_trust_files_certificate(&f->place);
  g_assert_cmpstr(shown, ==, "renewed");
}

/* A CA of another name, or a file without any. */
static void of_others_are_seen(Fixture *f, gconstpointer data) {
  g_autofree char *ca = ca_named("Example CA");
  g_autofree char *dir = g_build_filename(f->dir, "etc/pki/CA", NULL);
  g_autofree char *path = g_build_filename(dir, "cacert.pem", NULL);
  g_assert_cmpint(g_mkdir_with_parents(dir, 0755), ==, 0);
  g_assert_true(ferry_file_write(path, ca, strlen(ca), 0644, NULL));
  g_assert_cmpint(ferry_trust_files_found(&f->place), ==, FERRY_TRUST_FOREIGN);
  g_remove(path);
  g_autofree char *qemu = g_build_filename(f->dir, "etc/pki/qemu", NULL);
  g_autofree char *key = g_build_filename(qemu, "server-key.pem", NULL);
  g_assert_cmpint(g_mkdir_with_parents(qemu, 0755), ==, 0);
  g_assert_true(ferry_file_write(key, "x", 1, 0600, NULL));
  g_assert_cmpint(ferry_trust_files_found(&f->place), ==, FERRY_TRUST_FOREIGN);
}

/* New ones are kept before anybody hears of them, and are the same until they are in use. */
static void keys_stay(Fixture *f, gconstpointer data) {
  g_autofree char *key = NULL, *qemu = NULL, *again = NULL, *again_qemu = NULL, *next = NULL,
                  *next_qemu = NULL;
  g_assert_false(ferry_trust_files_have_new(&f->place));
  g_assert_true(ferry_trust_files_new_keys(&f->place, &key, &qemu, NULL));
  g_assert_cmpstr(key, !=, qemu);
  g_assert_true(ferry_trust_files_have_new(&f->place));
  g_assert_false(ferry_trust_files_have_keys(&f->place));
  g_assert_true(ferry_trust_files_new_keys(&f->place, &again, &again_qemu, NULL));
  g_assert_cmpstr(again, ==, key);
  g_assert_cmpstr(again_qemu, ==, qemu);
  FerryTrustSet set = {"cert", key, "ca", "qemu-cert", qemu, "qemu-ca"};
  g_assert_true(ferry_trust_files_write(&f->place, &set, NULL));
  g_assert_false(ferry_trust_files_have_new(&f->place));
  g_assert_true(ferry_trust_files_have_keys(&f->place));
  g_autofree char *kept = ferry_trust_files_key(&f->place, FALSE, NULL);
  g_assert_cmpstr(kept, ==, key);
  g_assert_true(ferry_trust_files_new_keys(&f->place, &next, &next_qemu, NULL));
  g_assert_cmpstr(next, !=, key);
  g_assert_cmpstr(next_qemu, !=, qemu);
  ferry_trust_files_forget(f->dir);
  g_assert_false(ferry_trust_files_have_new(&f->place));
  g_assert_false(ferry_trust_files_have_keys(&f->place));
}

/* QEMU's user gets QEMU's keys and nothing else, by whatever is in their place. */
static void qemus_user_gets_its_own(Fixture *f, gconstpointer data) {
  if (geteuid() != 0) {
    g_test_skip("only root gives files away");
    return;
  }
  g_autofree char *state = g_build_filename(f->dir, "var/lib/libvirt/qemu", NULL);
  g_autofree char *victim = g_build_filename(f->dir, "shadow", NULL);
  g_autofree char *dir = g_build_filename(f->dir, "etc/pki/qemu", NULL);
  g_autofree char *key = g_build_filename(dir, "server-key.pem", NULL);
  struct stat seen;
  g_assert_cmpint(chown(state, 4711, 4712), ==, 0);
  g_assert_true(ferry_file_write(victim, "qemu-key", 8, 0600, NULL));
  g_assert_cmpint(g_mkdir_with_parents(dir, 0755), ==, 0);
  g_assert_cmpint(symlink(victim, key), ==, 0);
  FerryTrustSet set = {"cert", "key", "ca", "qemu-cert", "qemu-key", "qemu-ca"};
  g_assert_true(ferry_trust_files_write(&f->place, &set, NULL));
  g_assert_cmpint(lstat(victim, &seen), ==, 0);
  g_assert_cmpuint(seen.st_uid, ==, 0);
  static const struct {
    const char *name;
    uid_t uid;
  } wanted[] = {{"etc/pki/qemu/server-key.pem", 4711},        {"etc/pki/qemu/client-key.pem", 4711},
                {"etc/pki/qemu/server-cert.pem", 0},          {"etc/pki/qemu/ca-cert.pem", 0},
                {"etc/pki/libvirt/private/clientkey.pem", 0}, {"etc/pki/CA/cacert.pem", 0}};
  for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++) {
    g_autofree char *path = g_build_filename(f->dir, wanted[i].name, NULL);
    g_assert_cmpint(lstat(path, &seen), ==, 0);
    g_assert_true(S_ISREG(seen.st_mode));
    g_assert_cmpuint(seen.st_uid, ==, wanted[i].uid);
  }
}

/* Where others may write, a key is not safe. */
static void refuses_open_directories(Fixture *f, gconstpointer data) {
  g_autofree char *pki = g_build_filename(f->dir, "etc/pki", NULL);
  g_autofree char *dir = g_build_filename(pki, "qemu", NULL);
  g_autofree char *other = g_build_filename(f->dir, "elsewhere", NULL);
  FerryTrustSet set = {"cert", "key", "ca", "qemu-cert", "qemu-key", "qemu-ca"};
  g_autoptr(GError) open = NULL, link = NULL;
  g_assert_cmpint(g_mkdir_with_parents(dir, 0755), ==, 0);
  g_assert_cmpint(chmod(dir, 0777), ==, 0);
  g_assert_false(ferry_trust_files_write(&f->place, &set, &open));
  g_assert_nonnull(strstr(open->message, "root's own"));
  g_assert_cmpint(g_rmdir(dir), ==, 0);
  g_assert_cmpint(g_mkdir(other, 0755), ==, 0);
  g_assert_cmpint(symlink(other, dir), ==, 0);
  g_assert_false(ferry_trust_files_write(&f->place, &set, &link));
  g_autofree char *through = g_build_filename(other, "ca-cert.pem", NULL);
  g_assert_false(g_file_test(through, G_FILE_TEST_EXISTS));
  g_assert_cmpint(g_unlink(dir), ==, 0);
}

/* An administrator's clients may have one of their own beside it. */
static void other_cas_stay(Fixture *f, gconstpointer data) {
  g_autofree char *ca = ca_named("ferry-libvirt-ca"), *renewed = ca_named("ferry-libvirt-ca"),
                  *other = ca_named("Example CA");
  g_autofree char *path = g_build_filename(f->dir, "etc/pki/CA/cacert.pem", NULL);
  g_autofree char *both = g_strconcat(other, ca, NULL), *wanted = g_strconcat(renewed, other, NULL);
  FerryTrustSet set = {"cert", "key", ca, "qemu-cert", "qemu-key", "qemu-ca"};
  g_assert_true(ferry_trust_files_write(&f->place, &set, NULL));
  g_assert_true(ferry_file_write(path, both, strlen(both), 0644, NULL));
  g_assert_cmpint(ferry_trust_files_found(&f->place), ==, FERRY_TRUST_OURS);
  g_assert_true(ferry_trust_files_know_ca(&f->place, ca));
  set.ca = renewed;
  g_assert_true(ferry_trust_files_write(&f->place, &set, NULL));
  mode_t mode;
  g_autofree char *text = read_below(f, "etc/pki/CA/cacert.pem", &mode);
  g_assert_cmpstr(text, ==, wanted);
  g_assert_true(ferry_trust_files_remove(&f->place, NULL));
  g_autofree char *left = read_below(f, "etc/pki/CA/cacert.pem", &mode);
  g_assert_cmpstr(left, ==, other);
}

/* And nothing of what somebody else has made. */
static void are_removed(Fixture *f, gconstpointer data) {
  g_autofree char *ca = ca_named("ferry-libvirt-ca"), *other = ca_named("Example CA");
  g_autofree char *path = g_build_filename(f->dir, "etc/pki/CA/cacert.pem", NULL);
  FerryTrustSet set = {"cert", "key", ca, "qemu-cert", "qemu-key", "qemu-ca"};
  g_assert_true(ferry_trust_files_write(&f->place, &set, NULL));
  g_assert_true(ferry_trust_files_remove(&f->place, NULL));
  g_assert_cmpint(ferry_trust_files_found(&f->place), ==, FERRY_TRUST_NONE);
  g_assert_true(ferry_trust_files_have_keys(&f->place));
  g_assert_true(ferry_file_write(path, other, strlen(other), 0644, NULL));
  g_assert_true(ferry_trust_files_remove(&f->place, NULL));
  g_assert_cmpint(ferry_trust_files_found(&f->place), ==, FERRY_TRUST_FOREIGN);
}

static void needs_libvirt(Fixture *f, gconstpointer data) {
  g_autoptr(GError) error = NULL;
  g_autofree char *var = g_build_filename(f->dir, "var", NULL);
  remove_tree(var);
  FerryTrustSet set = {"cert", "key", "ca", "qemu-cert", "qemu-key", "qemu-ca"};
  g_assert_false(ferry_trust_files_write(&f->place, &set, &error));
  g_assert_true(g_error_matches(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND));
  g_assert_cmpint(ferry_trust_files_found(&f->place), ==, FERRY_TRUST_NONE);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
#define ADD(f) g_test_add("/trust/files/" #f, Fixture, NULL, files_up, f, files_down)
  ADD(are_written_and_known);
  ADD(of_others_are_seen);
  ADD(keys_stay);
  ADD(qemus_user_gets_its_own);
  ADD(refuses_open_directories);
  ADD(other_cas_stay);
  ADD(are_removed);
  ADD(needs_libvirt);
  return g_test_run();
}
