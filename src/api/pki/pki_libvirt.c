// SPDX-License-Identifier: Apache-2.0
// Theory of operation: libvirtd takes whoever has a certificate of the CA that it knows for root,
// so that CA signs nothing but hosts, and ferryd's own CA, which signs users, is never known to a
// libvirtd. Nor is QEMU's: QEMU's user reads the key of QEMU's certificate, and whoever gets out of
// a guest has that, so it is of a CA that no libvirtd knows. Both are read when they are needed,
// which is a few times a day. One key serves both ends of a connection, as a libvirtd is both;
// libvirt 9.0 wants keyEncipherment of every key, TLS 1.3 needs digitalSignature.
#include "api/pki/pki_libvirt.h"
#include "api/pki/pki_certs.h"
#include "api/pki/pki_private.h"
#include "api/pki/pki_request.h"
#include "base/error.h"
#include "base/file.h"
#include <string.h>

typedef struct {
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t crt;
  char *pem;
} LibvirtCa;

static void libvirt_ca_clear(LibvirtCa *ca) {
  if (ca->crt)
    gnutls_x509_crt_deinit(ca->crt);
  if (ca->key)
    gnutls_x509_privkey_deinit(ca->key);
  g_free(ca->pem);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LibvirtCa, libvirt_ca_clear)

static const struct {
  const char *key, *crt, *name; /* its files, its common name (src/agent/trust/certificate.h) */
} libvirt_authorities[] = {
    [FERRY_PKI_LIBVIRT] = {"libvirt-ca.key", "libvirt-ca.crt", "ferry-libvirt-ca"},
    [FERRY_PKI_QEMU] = {"libvirt-qemu-ca.key", "libvirt-qemu-ca.crt", "ferry-libvirt-qemu-ca"},
};

/* Read, or made where neither of its files is there. */
static gboolean libvirt_ca_open(LibvirtCa *ca, const char *dir, FerryPkiLibvirtUse use,
                                gint64 now_s, GError **error) {
  g_autofree char *key_path = g_build_filename(dir, libvirt_authorities[use].key, NULL);
  g_autofree char *path = g_build_filename(dir, libvirt_authorities[use].crt, NULL);
  g_autofree char *key_pem = NULL;
  gboolean there = g_file_test(path, G_FILE_TEST_EXISTS);
  if (there && !g_file_test(key_path, G_FILE_TEST_EXISTS)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "%s is there but %s is not: put the key back, or remove both and say `ferry host "
                "trust` of every host again",
                path, key_path);
    return FALSE;
  }
  ca->key = ferry_pki_load_key(key_path, &key_pem, error);
  if (!ca->key)
    return FALSE;
  explicit_bzero(key_pem, strlen(key_pem));
  ca->crt = there ? ferry_pki_load_cert(path, &ca->pem)
                  : ferry_pki_make_ca(libvirt_authorities[use].name, ca->key, now_s, error);
  if (there && (!ca->crt || !ferry_pki_same_key(ca->crt, ca->key))) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "%s is not a PEM certificate for the key in %s", path, key_path);
    return FALSE;
  }
  if (!there && ca->crt) {
    ca->pem = ferry_pki_export_cert(ca->crt);
    return ferry_file_write(path, ca->pem, strlen(ca->pem), 0644, error);
  }
  return ca->crt != NULL;
}

static void libvirt_fill(gnutls_x509_crt_t crt, const FerryPkiLibvirtWish *wish) {
  if (wish->serial) {
    unsigned char serial[20];
    size_t len = sizeof serial;
    gnutls_datum_t hex = {(unsigned char *)wish->serial, (unsigned)strlen(wish->serial)};
    if (gnutls_hex_decode(&hex, serial, &len) >= 0)
      gnutls_x509_crt_set_serial(crt, serial, len);
  }
  gnutls_x509_crt_set_expiration_time(crt, (time_t)(wish->ends_ms / 1000));
  ferry_pki_set_subject(crt, "ferry-libvirt", wish->name);
  gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
  gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT);
  gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
  gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
  for (gsize i = 0; wish->names[i]; i++)
    ferry_pki_add_name(crt, wish->names[i]);
}

gboolean ferry_pki_sign_libvirt(FerryPki *pki, const FerryPkiLibvirtWish *wish,
                                FerryPkiIssued *issued, char **ca_pem, GError **error) {
  g_auto(LibvirtCa) ca = {0};
  gnutls_x509_crq_t crq = ferry_pki_request_read(wish->csr_pem, error);
  if (!crq)
    return FALSE;
  g_mutex_lock(&pki->lock); /* two requests must not make two CAs */
  gboolean ok = libvirt_ca_open(&ca, pki->dir, wish->use, wish->now_ms / 1000, error);
  g_mutex_unlock(&pki->lock);
  if (ok) {
    FerryPkiLibvirtWish fit = *wish;
    fit.ends_ms = MIN(wish->ends_ms, (gint64)gnutls_x509_crt_get_expiration_time(ca.crt) * 1000) /
                  1000 * 1000;
    gnutls_x509_crt_t crt = ferry_pki_new_cert(wish->now_ms / 1000, 0);
    libvirt_fill(crt, &fit);
    ok = ferry_pki_request_take_key(crt, crq, error) &&
         ferry_pki_sign_by(crt, ca.crt, ca.key, error);
    if (ok) {
      *issued = (FerryPkiIssued){.pem = ferry_pki_export_cert(crt),
                                 .serial = ferry_pki_serial(crt),
                                 .ends_ms = fit.ends_ms};
      *ca_pem = g_steal_pointer(&ca.pem);
    }
    gnutls_x509_crt_deinit(crt);
  }
  gnutls_x509_crq_deinit(crq);
  return ok;
}
