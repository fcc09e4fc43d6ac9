// SPDX-License-Identifier: Apache-2.0
// Whether a request can be understood in one way only.
#pragma once
#include "api/internal.h"

G_BEGIN_DECLS

/** Where the request line's parts lie in memory, as the HTTP library left them. */
typedef struct {
  const char *method, *uri, *version;
  gsize uri_len; /* before it was decoded */
} FerryRequestLine;

/** The status that the raw URI deserves (400, 414), 0: none; *why is a literal. Pure. */
unsigned ferry_strict_uri(const char *uri, const char **why);
/** The same for the request line and the header as a whole: 400, 405, 431, 501 or 505. `path` is
 * decoded. */
unsigned ferry_strict_header(FerryRequest *req, const FerryRequestLine *line, const char *path,
                             const char **why);

/* origin.c */
/** The names by which this server may be called: those of its certificate (PEM) and of `url` (may
 * be NULL), lower case. Free with g_hash_table_unref. */
GHashTable *ferry_origin_names(const char *cert_pem, const char *url);
/** 421 for a Host that is not ours, 403 for a write that a page of another site sends; 0: neither.
 */
unsigned ferry_origin_check(FerryRequest *req, const char **why);

G_END_DECLS
