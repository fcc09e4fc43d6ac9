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
/** The string of `field` in a body that has nothing else but dryRun; NULL with an error, which
 * shows `example`: what the body must say. Borrowed from `body`. */
const char *ferry_request_one_field(const json_t *body, const char *field, const char *example,
                                    GError **error);
/** The error (409) that the object found can't be changed so, and why; the write is refused. */
void ferry_request_refuse(FerryRequest *req, const char *why, GError **error);

G_END_DECLS
