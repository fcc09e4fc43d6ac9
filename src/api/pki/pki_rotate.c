// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the CA is changed in two steps, between which both are trusted. From `begin`
// on clients' certificates are of the new CA, and whoever gets anything gets both CAs; the server
// shows a certificate of the old one still, which everybody trusts. `finish` gives the server one
// of the new CA and forgets the old one. (That the old CA signs the new one instead would be no
// use: Ferry's CAs say that no other CA may be below them, and clients hold to that.) Files: ca.key
// and ca.crt are the CA that signs clients, ca-old.key and ca-old.crt are there in between. Key and
// certificate are two files, so the change is prepared as ca-next.*; the renames that make it are
// completed at the next start if a crash came between them.
#include "api/pki/pki_rotate.h"
#include "api/pki/pki_certs.h"
#include "api/pki/pki_load.h"
#include "base/ec_key.h"
#include "base/error.h"
#include "base/file.h"
#include "base/random.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

static gboolean pki_rotate_move(const char *dir, const char *from, const char *to, GError **error) {
  g_autofree char *source = g_build_filename(dir, from, NULL);
  g_autofree char *target = g_build_filename(dir, to, NULL);
  if (g_rename(source, target) == 0)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "cannot rename %s to %s: %s", source, to,
              g_strerror(errno));
  return FALSE;
}

static gboolean is_there(const char *dir, const char *file) {
  g_autofree char *path = g_build_filename(dir, file, NULL);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

gboolean ferry_pki_finish_switch(const char *dir, GError **error) {
  /* The key is renamed first: where it still waits, nothing has changed and begin can be repeated.
   */
  if (!is_there(dir, "ca-next.crt") || is_there(dir, "ca-next.key"))
    return TRUE;
  return pki_rotate_move(dir, "ca-next.crt", "ca.crt", error);
}

static gboolean write_to(const char *dir, const char *file, const char *text, mode_t mode,
                         GError **error) {
  g_autofree char *path = g_build_filename(dir, file, NULL);
  return ferry_file_write(path, text, strlen(text), mode, error);
}

static gboolean write_next(FerryPki *pki, gnutls_x509_privkey_t key, const char *key_pem,
                           gint64 now_s, GError **error) {
  g_autofree char *suffix = ferry_random_hex(3);
  g_autofree char *name = g_strconcat("ferry-ca-", suffix, NULL);
  g_autofree char *key_path = g_build_filename(pki->dir, "ca.key", NULL);
  g_autofree char *old_key = ferry_file_read(key_path, FERRY_PKI_MAX_PEM, NULL, error);
  gnutls_x509_crt_t root = old_key ? ferry_pki_make_ca(name, key, now_s, error) : NULL;
  g_autofree char *root_pem = root ? ferry_pki_export_cert(root) : NULL;
  g_clear_pointer(&root, gnutls_x509_crt_deinit);
  gboolean ok = root_pem && write_to(pki->dir, "ca-next.crt", root_pem, 0644, error) &&
                write_to(pki->dir, "ca-next.key", key_pem, 0600, error) &&
                write_to(pki->dir, "ca-old.key", old_key, 0600, error) &&
                write_to(pki->dir, "ca-old.crt", pki->ca_pem, 0644, error);
  if (old_key)
    explicit_bzero(old_key, strlen(old_key));
  return ok;
}

gboolean ferry_pki_rotate_begin(FerryPki *pki, gint64 now_ms, GError **error) {
  g_autofree char *text = ferry_ec_key_new(error);
  gnutls_x509_privkey_t key = NULL;
  gnutls_datum_t pem = {(unsigned char *)text, text ? (unsigned)strlen(text) : 0};
  if (!text || gnutls_x509_privkey_init(&key) < 0)
    return FALSE;
  gboolean ok = gnutls_x509_privkey_import(key, &pem, GNUTLS_X509_FMT_PEM) >= 0;
  g_mutex_lock(&pki->lock);
  if (pki->old_ca) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "a change of the CA is under way already: ferryd ca rotate status shows who still "
                "depends on the old one, finish ends it");
    ok = FALSE;
  }
  ok = ok && write_next(pki, key, text, now_ms / 1000, error) &&
       pki_rotate_move(pki->dir, "ca-next.key", "ca.key", error) &&
       pki_rotate_move(pki->dir, "ca-next.crt", "ca.crt", error) &&
       ferry_pki_load(pki, now_ms / 1000, error);
  g_mutex_unlock(&pki->lock);
  gnutls_x509_privkey_deinit(key);
  explicit_bzero(text, strlen(text));
  return ok;
}

gboolean ferry_pki_rotate_finish(FerryPki *pki, gint64 now_ms, GError **error) {
  gboolean ok = FALSE;
  g_mutex_lock(&pki->lock);
  if (pki->old_ca) {
    g_autofree char *old = g_build_filename(pki->dir, "ca-old.crt", NULL);
    g_autofree char *old_key = g_build_filename(pki->dir, "ca-old.key", NULL);
    g_unlink(old);
    g_unlink(old_key);
    ok = ferry_pki_load(pki, now_ms / 1000, error);
  } else {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "no change of the CA is under way: begin one with ferryd ca rotate begin");
  }
  g_mutex_unlock(&pki->lock);
  return ok;
}
