// SPDX-License-Identifier: Apache-2.0
// Whether a request can be understood in one way only.
#pragma once
#include "api/http/request.h"

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

G_END_DECLS
