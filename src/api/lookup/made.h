// SPDX-License-Identifier: Apache-2.0
// Objects that are made of others (FerryKind.made_of).
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** What is shown of a stored object: itself, or what is made of it, or NULL. New reference. */
json_t *ferry_made_of(const FerryKind *kind, json_t *source);
/** The stored object of which the one with this name is made; NOT_FOUND. New reference. */
json_t *ferry_made_source(FerryRequest *req, const FerryKind *kind, const char *ns,
                          const char *name, GError **error);

G_END_DECLS
