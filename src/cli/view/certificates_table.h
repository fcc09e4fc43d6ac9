// SPDX-License-Identifier: Apache-2.0
// The certificates that ferryd knows of, as a table.
#pragma once
#include <glib.h>
#include <jansson.h>

G_BEGIN_DECLS

/** Those of `certificates` (of ferryd's list) that belong to a host, of `hosts` (NULL-ended) where
 * that names any, by host and purpose; superseded and revoked ones are left out. A new reference to
 * an array. */
json_t *ferry_certificates_of_hosts(const json_t *certificates, const char *const *hosts);
/** A Table of them: host, purpose, subject, names, issuer, end, days left, state and the pinned
 * key's hash, the last one wide. A new reference. */
json_t *ferry_certificates_table(const json_t *certificates);

G_END_DECLS
