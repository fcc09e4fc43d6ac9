// SPDX-License-Identifier: Apache-2.0
// libvirt's own trust between hosts: who gets a certificate of the CA for it, and for which names.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Whether who asks is let in still; UNAUTHORIZED. */
typedef gboolean (*FerryUserCheck)(FerryApi *api, const FerryUser *user, GError **error);

/** POST .../nodes/NAME/trust of NAME's agent: {csr, qemuCsr, names} is answered with a certificate
 * for both ends of libvirt's TLS and one for QEMU's, {problem} and {ok: true}, which ends it, with
 * nothing; each is noted in the Node. FORBIDDEN where nobody has asked for it (spec.trust of the
 * Node), where the keys are others than the host's, and for anybody but its agent; UNAVAILABLE
 * until that has reported; TOO_MANY_REQUESTS. Takes the writer's lock of sessions,
 * under which `is_valid` is asked. */
gboolean ferry_serve_node_trust(FerryRequest *req, const char *node, const json_t *body,
                                FerryUserCheck is_valid, GError **error);
/** POST .../nodes/NAME/newkeys of somebody with the right for it: within an hour the next
 * certificate may be for other keys than the host's. NOT_FOUND. Any thread. */
gboolean ferry_serve_node_newkeys(FerryRequest *req, const char *node, GError **error);
/** Has the Node want trust (spec.trust, said anew), making it where it is missing; whatever keys
 * come next within an hour are let in. Any thread. */
gboolean ferry_node_trust_want(FerryApi *api, const char *node, GError **error);
/** Whether somebody has asked for trust of the Node. */
gboolean ferry_node_trust_wanted(FerryApi *api, const char *node);

G_END_DECLS
