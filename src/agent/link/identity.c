// SPDX-License-Identifier: Apache-2.0
// Theory of operation: key and certificate belong together but are two files, which cannot be
// replaced as one. So both are first written to one, agent.next; once that is there, the change is
// made, and whoever loads completes what a crash left undone.
#include "agent/link/identity.h"
#include "base/ec_key.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/limits.h"
#include "base/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LONGEST_S (100 * FERRY_DAY_S)

gboolean ferry_identity_lock(const char *state_dir, GError **error) {
  g_autofree char *path = g_build_filename(state_dir, "agent.lock", NULL);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "cannot open %s: %s", path,
                g_strerror(errno));
    return FALSE;
  }
  char pid[32] = "";
  if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
    ssize_t n = read(fd, pid, sizeof pid - 1);
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "another ferry-agentd (pid %s) uses the state directory %s: end that one, or give "
                "this one a directory of its own with --state-dir",
                n > 0 ? g_strstrip(pid) : "unknown", state_dir);
    close(fd);
    return FALSE;
  }
  int n = g_snprintf(pid, sizeof pid, "%d\n", (int)getpid());
  if (ftruncate(fd, 0) < 0 || write(fd, pid, (size_t)n) != n)
    ferry_warning("cannot note the pid in the state directory's lock", "FERRY_FILE", path);
  return TRUE; /* held until the process ends */
}

static char *identity_path_in(const char *dir, const char *file) {
  return g_build_filename(dir, file, NULL);
}

static gboolean write_part(const char *dir, const char *file, const char *text, mode_t mode,
                           GError **error) {
  g_autofree char *path = identity_path_in(dir, file);
  return ferry_file_write(path, text, strlen(text), mode, error);
}

/* agent.next is a JSON object {key, cert, ca}. */
static gboolean complete_install(const char *dir, GError **error) {
  g_autofree char *path = identity_path_in(dir, "agent.next");
  if (!g_file_test(path, G_FILE_TEST_EXISTS))
    return TRUE;
  gsize len;
  g_autofree char *text = ferry_file_read(path, FERRY_PEM_MAX, &len, error);
  g_autoptr(json_t) next = text ? ferry_json_parse(text, len, error) : NULL;
  if (!next) {
    g_prefix_error(error, "%s: ", path);
    return FALSE;
  }
  const char *key = ferry_json_str(next, "key"), *cert = ferry_json_str(next, "cert"),
             *ca = ferry_json_str(next, "ca");
  if (!key || !cert || !ca) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "%s is damaged: remove it, the present certificate then stays", path);
    return FALSE;
  }
  if (!write_part(dir, "ca.crt", ca, 0644, error) ||
      !write_part(dir, "agent.key", key, 0600, error) ||
      !write_part(dir, "agent.crt", cert, 0644, error))
    return FALSE;
  g_unlink(path);
  return TRUE;
}

gboolean ferry_identity_install(const char *state_dir, const char *key_pem, const char *cert_pem,
                                const char *ca_pem, GError **error) {
  g_autoptr(json_t) next =
      json_pack("{s:s, s:s, s:s}", "key", key_pem, "cert", cert_pem, "ca", ca_pem);
  g_autofree char *text = ferry_json_dump(next);
  return write_part(state_dir, "agent.next", text, 0600, error) &&
         complete_install(state_dir, error);
}

static FerryClientConfig *new_config(const char *server) {
  FerryClientConfig *config = ferry_client_config_new();
  config->server = g_strdup(server);
  config->user_agent = g_strdup("ferry-agentd/" FERRY_AGENT_VERSION);
  config->timeout_ms = 15000;
  return config;
}

FerryClientConfig *ferry_identity_load(const FerryAgentOptions *o, GError **error) {
  g_autofree char *key = identity_path_in(o->state_dir, "agent.key"),
                  *cert = identity_path_in(o->state_dir, "agent.crt"),
                  *ca = identity_path_in(o->state_dir, "ca.crt");
  if (!complete_install(o->state_dir, error) || !g_file_test(cert, G_FILE_TEST_EXISTS))
    return NULL;
  g_autoptr(FerryClientConfig) config = new_config(o->server);
  config->key_pem = ferry_file_read(key, FERRY_PEM_MAX, NULL, error);
  config->cert_pem = config->key_pem ? ferry_file_read(cert, FERRY_PEM_MAX, NULL, error) : NULL;
  config->ca_pem = config->cert_pem ? ferry_file_read(ca, FERRY_PEM_MAX, NULL, error) : NULL;
  return config->ca_pem ? g_steal_pointer(&config) : NULL;
}

gboolean ferry_identity_is_due(const char *cert_pem, gint64 now_s) {
  gnutls_x509_crt_t crt = NULL;
  gnutls_datum_t data = {(unsigned char *)cert_pem, (unsigned)strlen(cert_pem)};
  gboolean due = FALSE;
  if (gnutls_x509_crt_init(&crt) < 0)
    return FALSE;
  if (gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_PEM) >= 0) {
    gint64 begins = gnutls_x509_crt_get_activation_time(crt);
    gint64 ends = gnutls_x509_crt_get_expiration_time(crt);
    due = ends - begins > LONGEST_S || now_s >= begins + (ends - begins) / 3 * 2;
  }
  gnutls_x509_crt_deinit(crt);
  return due;
}

FerryClientConfig *ferry_identity_renew(const FerryClientConfig *present, const char *node,
                                        const char *state_dir, GError **error) {
  g_autofree char *name = g_strconcat("system:node:", node, NULL);
  g_autofree char *key = ferry_ec_key_new(error);
  g_autofree char *csr = key ? ferry_ec_key_request(key, "system:nodes", name, error) : NULL;
  g_autoptr(FerryClient) client = csr ? ferry_client_new(present, error) : NULL;
  if (!client)
    return NULL;
  g_autoptr(json_t) body = json_pack("{s:s, s:s}", "nodeName", node, "csr", csr);
  g_autoptr(json_t) answer =
      ferry_client_request(client, "POST", FERRY_JOIN_PATH, body, NULL, NULL, NULL, error);
  if (!answer)
    return NULL;
  const char *cert = ferry_json_str(answer, "certificate"), *ca = ferry_json_str(answer, "ca");
  if (!ferry_pem_certificate(cert) || !ferry_pem_certificate(ca)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "the answer of %s to the renewal has no certificate", present->server);
    return NULL;
  }
  if (!ferry_identity_install(state_dir, key, cert, ca, error))
    return NULL;
  FerryClientConfig *config = new_config(present->server);
  config->key_pem = g_steal_pointer(&key);
  config->cert_pem = g_strdup(cert);
  config->ca_pem = g_strdup(ca);
  ferry_info("renewed the certificate", "FERRY_NODE", node, "FERRY_SERVER", config->server);
  return config;
}
