// SPDX-License-Identifier: Apache-2.0
// libvirt's own trust between hosts: who gets a certificate of the CA for it, and for which names.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** POST .../nodes/NAME/trust of NAME's agent: {csr, names} is answered with a certificate for both
 * ends of libvirt's TLS, {problem} with nothing; either is noted in the Node's condition
 * LibvirtTrust. FORBIDDEN where nobody has asked for it (spec.trust of the Node). */
gboolean ferry_serve_node_trust(FerryRequest *req, const char *node, GError **error);
/** Has the Node want trust (spec.trust), making it where it is missing. Any thread. */
gboolean ferry_node_trust_want(FerryApi *api, const char *node, GError **error);
/** Whether somebody has asked for trust of the Node. */
gboolean ferry_node_trust_wanted(FerryApi *api, const char *node);

G_END_DECLS
