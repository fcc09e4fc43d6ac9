// SPDX-License-Identifier: Apache-2.0
// Forms of bodies and answers.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Chooses req->form.format and req->form.yaml from Accept; `tables`: whether Table and
 * PartialObjectMetadata are offered. */
gboolean ferry_negotiate(FerryRequest *req, gboolean tables, GError **error);
/** "v2" or "v2beta1" where aggregated discovery is the first acceptable clause, else NULL. */
const char *ferry_negotiate_aggregated(const FerryRequest *req);
/** The body as one JSON value by its Content-Type (JSON, YAML, protobuf of a few kinds). */
json_t *ferry_request_body(FerryRequest *req, GError **error);
/** The media type of a header value without its parameters, lower case. Free with g_free. */
char *ferry_media_type(const char *header);

G_END_DECLS
