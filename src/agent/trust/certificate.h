// SPDX-License-Identifier: Apache-2.0
// What ferryd is asked for libvirt's TLS.
#pragma once
#include "client/client.h"

G_BEGIN_DECLS

/** By what names and addresses other hosts may reach this one: its host name and the addresses of
 * its interfaces but for those of libvirt's own networks. A new array. */
json_t *ferry_trust_names(const char *hostname, const json_t *interfaces);
/** A certificate for `key_pem` and those names: {certificate, ca, leftOut}, a new reference.
 * FORBIDDEN: nobody has asked for trust on this host. Blocks. */
json_t *ferry_trust_certificate(FerryClient *client, const char *node, const char *key_pem,
                                const json_t *names, GError **error);
/** Tells ferryd why TLS could not be set up; what comes of it does not matter. Blocks. */
void ferry_trust_tell(FerryClient *client, const char *node, const char *problem);

G_END_DECLS
