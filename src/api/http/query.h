// SPDX-License-Identifier: Apache-2.0
// Parameters of a URL.
#pragma once
#include "api/http/request.h"
#include "model/listing/table.h"

G_BEGIN_DECLS

/** The first value of a parameter, NULL where it is not there. */
const char *ferry_query(const FerryRequest *req, const char *name);
/** A boolean parameter as Kubernetes reads it: of what is there, "false" and "0" alone are false.
 */
gboolean ferry_query_bool(const FerryRequest *req, const char *name);
/** What each row of a Table holds of its object: `includeObject`. */
FerryInclude ferry_query_include(const FerryRequest *req);
/** The integer parameter or `fallback`; FALSE and BAD_REQUEST for something else than 0..2^62. */
gboolean ferry_query_int(const FerryRequest *req, const char *name, gint64 fallback, gint64 *value,
                         GError **error);
/** Whether each parameter that is known says what it may say; BAD_REQUEST with its name. */
gboolean ferry_query_check(const FerryRequest *req, GError **error);

G_END_DECLS
