// SPDX-License-Identifier: Apache-2.0
// A kubeconfig of one user, as text.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Of `server` (a URL) and the server's answer `made` to a request for a credential: a token, or a
 * certificate whose private key is `key` (PEM). `ns` NULL: the namespace is "default". Free with
 * g_free. */
char *ferry_kubeconfig_text(const char *server, const char *user, const char *ns,
                            const json_t *made, const char *key);

G_END_DECLS
