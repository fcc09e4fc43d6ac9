// SPDX-License-Identifier: Apache-2.0
// Watches.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** GET ?watch=true: answers with a stream. FerryHandler. */
gboolean ferry_resource_watch(FerryRequest *req, GError **error);
/** One line of a watch: {"type":...,"object":...}\n */
void ferry_watch_line(GString *out, const char *type, const json_t *object);

G_END_DECLS
