// SPDX-License-Identifier: Apache-2.0
// The HTTPS API: Kubernetes' conventions over Ferry's kinds, agents' routes, health and metrics.
#pragma once
#include "api/http/api.h"
#include "api/hooks.h"
#include "api/oidc/oidc_config.h"
#include "api/http/limits.h"
#include "base/clock.h"
#include "store/store.h"

G_BEGIN_DECLS

/** Everything is borrowed for the call of ferry_api_new but `store`, `clock` and what the hooks
 * point at, which must outlive the FerryApi. */
typedef struct {
  FerryStore *store;
  const char *state_dir;     /* made with mode 0700 where missing; holds keys and tokens */
  const char *const *listen; /* NULL-ended "ADDR:PORT", "[::1]:PORT"; port 0: any; may be NULL */
  const int *fds;            /* inherited listening sockets, taken over (closed in the end) */
  gsize n_fds;
  const char *const
      *tls_sans;           /* NULL-ended more names and addresses for the certificate, or NULL */
  const char *server_url;  /* for admin.kubeconfig; NULL: https:// and the first listener, with
                              127.0.0.1 or ::1 where that listens on every address */
  const FerryClock *clock; /* NULL: the machine's */
  guint watch_bookmark_ms; /* between the bookmarks of a watch; 0: 30 s */
  const FerryHttpLimits *limits; /* NULL: the defaults */
  const char *const *proxies;    /* NULL-ended ADDR[/PREFIX]: who may say by the PROXY protocol
                                    (version 2) for whom it speaks; NULL: nobody */
  const char *audit_log;         /* file for the audit's lines beside the journal, or NULL */
  gint64 audit_log_max_bytes;    /* beyond which it is rotated; 0: 100 MiB */
  guint audit_log_keep;          /* older files that stay */
  const FerryOidcConfig *oidc;   /* NULL: no provider */
  FerryApiHooks hooks;
} FerryApiConfig;

/** Makes the keys and files of `state_dir` that are missing (ca.crt, ca.key, server.crt,
 * server.key, admin.crt, admin.key, admin.kubeconfig with mode 0600), makes the namespaces
 * `default` and `kubevirt`, and starts to serve. At least one of `listen` and `fds` is needed.
 * Errors name the file or address. */
FerryApi *ferry_api_new(const FerryApiConfig *config, GError **error);
/** Ends all watches, waits for requests under way, closes the sockets. NULL is allowed. */
void ferry_api_free(FerryApi *api);
/** The TCP port of the i-th listener (`listen` first, then `fds`); 0 where there is none. */
guint16 ferry_api_port(const FerryApi *api, gsize i);
/** The base URL that admin.kubeconfig names, e.g. "https://127.0.0.1:7443"; owned by `api`. */
const char *ferry_api_url(const FerryApi *api);
/** A one-time join token for an agent of `node`, valid for 24 h, as POST .../nodes/NAME/token
 * gives: "ferry.<SHA-256 of the CA>.<node>.<secret>". Any thread. Free with g_free. */
char *ferry_api_token_new(FerryApi *api, const char *node, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryApi, ferry_api_free)

G_END_DECLS
