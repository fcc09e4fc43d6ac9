// SPDX-License-Identifier: Apache-2.0
// Certificates that end, and the change of the CA.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Begins to look after the certificates, once a minute. */
FerryCertificates *ferry_certificates_start(FerryApi *api);
void ferry_certificates_stop(FerryCertificates *certificates); /* NULL is allowed */
/** One look: renews, forgets, warns. */
void ferry_certificates_look(FerryCertificates *certificates);
/** The agent of `node` came with a certificate of the CA with this hash (may be NULL). */
void ferry_certificates_seen(FerryCertificates *certificates, const char *node, const char *ca);
/** Writes STATE/admin.kubeconfig where it is not as it should be. */
gboolean ferry_certificates_write_kubeconfig(FerryApi *api, GError **error);
/** Appends when each certificate ends, in Prometheus' format. */
void ferry_certificates_metrics(FerryApi *api, GString *out);
/** GET .../certificates, GET .../ca, POST .../ca/(begin|finish) */
gboolean ferry_serve_certificates(FerryRequest *req, GError **error);

G_END_DECLS
