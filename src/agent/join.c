// SPDX-License-Identifier: Apache-2.0
// How an agent gets its certificate: with a one-time token it makes a key and a request, checks
// that the server's CA is the one whose hash the token carries, and stores what it gets. The key
// never leaves the host.
#include "agent/agent.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include <glib/gstdio.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

#define MAX_PEM (256 * 1024)
#define MAX_TOKEN 1024

static char *in_dir(const FerryAgentOptions *o, const char *file) {
  return g_build_filename(o->state_dir, file, NULL);
}

static gboolean gnutls_failed(int rc, const char *doing, GError **error) {
  if (rc >= 0)
    return FALSE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "cannot %s: %s", doing,
              gnutls_strerror(rc));
  return TRUE;
}

/* A new key and a request for CN=system:node:NODE, O=system:nodes; both PEM. */
static gboolean make_request(const char *node, char **key_pem, char **csr_pem, GError **error) {
  gnutls_x509_privkey_t key = NULL;
  gnutls_x509_crq_t crq = NULL;
  gnutls_datum_t key_out = {0}, crq_out = {0};
  g_autofree char *cn = g_strdup_printf("system:node:%s", node);
  static const char org[] = "system:nodes";
  int rc = gnutls_x509_privkey_init(&key);
  if (rc >= 0)
    rc = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
  if (rc >= 0)
    rc = gnutls_x509_crq_init(&crq);
  if (rc >= 0)
    rc = gnutls_x509_crq_set_version(crq, 1);
  if (rc >= 0)
    rc = gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, org,
                                       sizeof org - 1);
  if (rc >= 0)
    rc = gnutls_x509_crq_set_dn_by_oid(crq, GNUTLS_OID_X520_COMMON_NAME, 0, cn,
                                       (unsigned)strlen(cn));
  if (rc >= 0)
    rc = gnutls_x509_crq_set_key(crq, key);
  if (rc >= 0)
    rc = gnutls_x509_crq_sign2(crq, key, GNUTLS_DIG_SHA256, 0);
  if (rc >= 0)
    rc = gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_PEM, &crq_out);
  if (rc >= 0)
    rc = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                           &key_out);
  if (rc >= 0) {
    *key_pem = g_strndup((const char *)key_out.data, key_out.size);
    *csr_pem = g_strndup((const char *)crq_out.data, crq_out.size);
  }
  if (key_out.data)
    explicit_bzero(key_out.data, key_out.size);
  gnutls_free(key_out.data);
  gnutls_free(crq_out.data);
  if (crq)
    gnutls_x509_crq_deinit(crq);
  if (key)
    gnutls_x509_privkey_deinit(key);
  return !gnutls_failed(rc, "make a key and a certificate request", error);
}

/* "ferry.CAHASH.NODE.SECRET"; a node's name may hold dots, the others may not. */
static gboolean parse_token(const FerryAgentOptions *o, char **ca_sha256, GError **error) {
  const char *hash = o->token && g_str_has_prefix(o->token, "ferry.") ? o->token + 6 : NULL;
  const char *node = hash ? strchr(hash, '.') : NULL;
  const char *secret = node ? strrchr(node + 1, '.') : NULL;
  if (!secret || node - hash != 64 || strlen(o->token) > MAX_TOKEN || !secret[1]) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "%s; make one with 'ferryd token create --node %s'",
                o->token ? "the join token is malformed (expected ferry.HASH.NODE.SECRET)"
                         : "this host has not joined yet and no join token was given",
                o->node);
    return FALSE;
  }
  g_autofree char *named = g_strndup(node + 1, (gsize)(secret - node - 1));
  if (strcmp(named, o->node) != 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "the join token is for node \"%s\", this agent is \"%s\": use --node %s, or make a "
                "token for this one",
                named, o->node, named);
    return FALSE;
  }
  *ca_sha256 = g_strndup(hash, 64);
  return TRUE;
}

static FerryClientConfig *load(const FerryAgentOptions *o, GError **error) {
  g_autofree char *key = in_dir(o, "agent.key"), *cert = in_dir(o, "agent.crt"),
                  *ca = in_dir(o, "ca.crt");
  FerryClientConfig *config = ferry_client_config_new();
  config->server = g_strdup(o->server);
  config->user_agent = g_strdup("ferry-agentd/" FERRY_AGENT_VERSION);
  config->timeout_ms = 15000;
  config->key_pem = ferry_file_read(key, MAX_PEM, NULL, error);
  config->cert_pem = config->key_pem ? ferry_file_read(cert, MAX_PEM, NULL, error) : NULL;
  config->ca_pem = config->cert_pem ? ferry_file_read(ca, MAX_PEM, NULL, error) : NULL;
  if (!config->ca_pem) {
    ferry_client_config_free(config);
    return NULL;
  }
  return config;
}

static gboolean store(const FerryAgentOptions *o, const char *file, const char *text, mode_t mode,
                      GError **error) {
  g_autofree char *path = in_dir(o, file);
  return ferry_file_write(path, text, strlen(text), mode, error);
}

FerryClientConfig *ferry_agent_join(const FerryAgentOptions *o, GError **error) {
  g_autofree char *cert_path = in_dir(o, "agent.crt");
  if (g_mkdir_with_parents(o->state_dir, 0700) < 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "cannot make the state directory %s: %s",
                o->state_dir, g_strerror(errno));
    return NULL;
  }
  if (g_file_test(cert_path, G_FILE_TEST_EXISTS))
    return load(o, error);
  g_autoptr(FerryClientConfig) config = ferry_client_config_new();
  config->server = g_strdup(o->server);
  config->timeout_ms = 15000;
  g_autofree char *key = NULL, *csr = NULL;
  if (!parse_token(o, &config->ca_sha256, error) || !make_request(o->node, &key, &csr, error))
    return NULL;
  g_autoptr(FerryClient) client = ferry_client_new(config, error);
  if (!client)
    return NULL;
  g_autoptr(json_t) body =
      json_pack("{s:s, s:s, s:s}", "token", o->token, "nodeName", o->node, "csr", csr);
  g_autoptr(json_t) answer = ferry_client_request(client, "POST", "/apis/ferry.migration/v1/join",
                                                  body, NULL, NULL, NULL, error);
  if (!answer)
    return NULL;
  const char *cert = ferry_json_str(answer, "certificate");
  /* The CA that was checked against the token's hash, not whatever the answer holds. */
  const char *ca = ferry_client_config(client)->ca_pem;
  if (!cert || !ca || !strstr(cert, "-----BEGIN CERTIFICATE-----")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "the answer of %s to the join has no certificate", o->server);
    return NULL;
  }
  /* The certificate last: where it is there, the others are too. */
  if (!store(o, "agent.key", key, 0600, error) || !store(o, "ca.crt", ca, 0644, error) ||
      !store(o, "agent.crt", cert, 0644, error))
    return NULL;
  ferry_info("joined", "FERRY_NODE", o->node, "FERRY_SERVER", o->server);
  return load(o, error);
}
