// SPDX-License-Identifier: Apache-2.0
// Which server, whom to trust and as whom to come: from a kubeconfig, or put together by a caller.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** How to reach and trust a server. All strings are owned; NULL where unset. */
typedef struct {
  char *server;             /* "https://127.0.0.1:6443", no path but an optional prefix */
  char *ca_pem;             /* who signed the server's certificate; NULL: the system's trust */
  char *ca_sha256;          /* join only: hex SHA-256 of the CA certificate (DER); `ca_pem` unset */
  char *cert_pem, *key_pem; /* client certificate, both or none */
  char *token;              /* bearer token */
  char *ns;                 /* namespace of the kubeconfig's context ("default" where unset) */
  char *context;            /* name of the kubeconfig's context in use */
  char *source;             /* the kubeconfig's path, for messages */
  char *user_agent;         /* default "ferry/<version>" */
  gboolean insecure;        /* insecure-skip-tls-verify: true */
  guint connect_timeout_ms; /* 0: 5000 */
  guint timeout_ms;         /* of a whole request, not of a watch; 0: 60000 */
} FerryClientConfig;

/** An empty configuration. Free with ferry_client_config_free. */
FerryClientConfig *ferry_client_config_new(void);
FerryClientConfig *ferry_client_config_copy(const FerryClientConfig *config);
void ferry_client_config_free(FerryClientConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryClientConfig, ferry_client_config_free)

/** Reads the kubeconfig `path`, or where NULL: the first file that exists of $FERRY_KUBECONFIG,
 * each of $KUBECONFIG (colon-separated; the first existing one is used as a whole),
 * /var/lib/ferry/admin.kubeconfig (where readable), ~/.kube/config. `context` NULL means
 * current-context. Files named inside are relative to the kubeconfig and are read here.
 * Errors: NOT_FOUND (no file; the message lists where was looked), INVALID or BAD_REQUEST (what in
 * it is wrong). exec and auth-provider users are refused. Any thread. */
FerryClientConfig *ferry_client_config_load(const char *path, const char *context, GError **error);

G_END_DECLS
