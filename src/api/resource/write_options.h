// SPDX-License-Identifier: Apache-2.0
// Options of a write.
#pragma once
#include "api/http/request.h"
#include "model/validate/validate.h"

G_BEGIN_DECLS

/** `options`: DeleteOptions, or NULL. */
gboolean ferry_request_dry_run(FerryRequest *req, const json_t *options, gboolean *dry,
                               GError **error);
/** Checks fieldManager, reads fieldValidation. */
gboolean ferry_request_write_options(FerryRequest *req, FerryUnknown *mode, GError **error);

G_END_DECLS
