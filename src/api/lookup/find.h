// SPDX-License-Identifier: Apache-2.0
// The object that a request names.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Finds req's object by name, for a VMI also by domain name or UUID; NOT_FOUND. New reference. */
json_t *ferry_resource_find(FerryRequest *req, GError **error);

G_END_DECLS
