// SPDX-License-Identifier: Apache-2.0
// Trace ids.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Sees to it that a new object carries a trace id in its annotation. */
void ferry_trace_object(FerryRequest *req, json_t *object);

G_END_DECLS
