// SPDX-License-Identifier: Apache-2.0
// Whose page asks, and by which name.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** The names by which this server may be called: those of its certificate (PEM) and of `url` (may
 * be NULL), lower case. Free with g_hash_table_unref. */
GHashTable *ferry_origin_names(const char *cert_pem, const char *url);
/** 421 for a Host that is not ours, 403 for a write that a page of another site sends; 0: neither.
 */
unsigned ferry_origin_check(FerryRequest *req, const char **why);

G_END_DECLS
