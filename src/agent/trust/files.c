// SPDX-License-Identifier: Apache-2.0
#include "agent/trust/files.h"
#include "base/ec_key.h"
#include "base/file.h"
#include <errno.h>
#include <gnutls/x509.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILE (64 * 1024)
#define CA_FILE "/etc/pki/CA/cacert.pem"
#define SERVER_FILE "/etc/pki/libvirt/servercert.pem"
#define QEMU_DIR "/etc/pki/qemu"
#define CA_NAME "ferry-libvirt-ca"         /* src/api/pki/pki_libvirt.c */
#define QEMU_STATE "/var/lib/libvirt/qemu" /* belongs to whom QEMU runs as */

typedef enum { CA, CERT, KEY } TrustPart;

static const struct {
  const char *path;
  TrustPart part;
} files[] = {
    {CA_FILE, CA},
    {"/etc/pki/libvirt/private/serverkey.pem", KEY},
    {SERVER_FILE, CERT},
    {"/etc/pki/libvirt/private/clientkey.pem", KEY},
    {"/etc/pki/libvirt/clientcert.pem", CERT},
    {QEMU_DIR "/ca-cert.pem", CA},
    {QEMU_DIR "/server-key.pem", KEY},
    {QEMU_DIR "/server-cert.pem", CERT},
    {QEMU_DIR "/client-key.pem", KEY},
    {QEMU_DIR "/client-cert.pem", CERT},
};

static char *path_below(const FerryTrustPlace *place, const char *path) {
  return g_strconcat(place->root, path, NULL);
}

/* Whether the CA in a file is called as ferryd's is. */
static gboolean is_our_ca(const char *path) {
  g_autofree char *pem = ferry_file_read(path, MAX_FILE, NULL, NULL);
  gnutls_datum_t data = {(unsigned char *)pem, pem ? (unsigned)strlen(pem) : 0};
  gnutls_x509_crt_t crt = NULL;
  char name[64] = "";
  size_t size = sizeof name;
  if (!pem || gnutls_x509_crt_init(&crt) < 0)
    return FALSE;
  gboolean ours =
      gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_PEM) >= 0 &&
      gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size) >= 0 &&
      g_str_equal(name, CA_NAME);
  gnutls_x509_crt_deinit(crt);
  return ours;
}

FerryTrustFound ferry_trust_files_found(const FerryTrustPlace *place) {
  g_autofree char *ca = path_below(place, CA_FILE);
  if (is_our_ca(ca))
    return FERRY_TRUST_OURS;
  for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
    g_autofree char *path = path_below(place, files[i].path);
    if (g_file_test(path, G_FILE_TEST_EXISTS))
      return FERRY_TRUST_FOREIGN;
  }
  return FERRY_TRUST_NONE;
}

char *ferry_trust_files_certificate(const FerryTrustPlace *place) {
  g_autofree char *path = path_below(place, SERVER_FILE);
  return ferry_file_read(path, MAX_FILE, NULL, NULL);
}

char *ferry_trust_files_key(const FerryTrustPlace *place, GError **error) {
  g_autofree char *path = g_build_filename(place->state_dir, "libvirt.key", NULL);
  if (g_file_test(path, G_FILE_TEST_EXISTS))
    return ferry_file_read(path, MAX_FILE, NULL, error);
  char *key = ferry_ec_key_new(error);
  if (key && !ferry_file_write(path, key, strlen(key), 0600, error)) {
    explicit_bzero(key, strlen(key));
    g_clear_pointer(&key, g_free);
  }
  return key;
}

static gboolean trust_own(const char *path, const struct stat *owner, GError **error) {
  if (!owner || chown(path, owner->st_uid, owner->st_gid) == 0)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "cannot give %s to QEMU's user: %s", path,
              g_strerror(errno));
  return FALSE;
}

static gboolean write_one(const FerryTrustPlace *place, const char *name, const char *text,
                          mode_t mode, const struct stat *qemu, GError **error) {
  g_autofree char *path = path_below(place, name);
  g_autofree char *dir = g_path_get_dirname(path);
  const struct stat *owner = g_str_has_prefix(name, QEMU_DIR "/") ? qemu : NULL;
  gboolean private = g_str_has_suffix(dir, "/private");
  if (!g_file_test(dir, G_FILE_TEST_IS_DIR) &&
      (g_mkdir_with_parents(dir, 0755) < 0 || chmod(dir, private ? 0700 : 0755) < 0)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "cannot make %s: %s", dir,
                g_strerror(errno));
    return FALSE;
  }
  g_autofree char *there = ferry_file_read(path, MAX_FILE, NULL, NULL);
  return (g_strcmp0(there, text) == 0 || ferry_file_write(path, text, strlen(text), mode, error)) &&
         trust_own(path, owner, error);
}

gboolean ferry_trust_files_write(const FerryTrustPlace *place, const char *cert, const char *key,
                                 const char *ca, GError **error) {
  const char *const texts[] = {[CA] = ca, [CERT] = cert, [KEY] = key};
  g_autofree char *state = path_below(place, QEMU_STATE);
  struct stat qemu;
  if (stat(state, &qemu) < 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
                "there is no %s: is libvirt with QEMU installed here?", state);
    return FALSE;
  }
  for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
    if (!write_one(place, files[i].path, texts[files[i].part], files[i].part == KEY ? 0600 : 0644,
                   &qemu, error))
      return FALSE;
  return TRUE;
}
