// SPDX-License-Identifier: Apache-2.0
// The verbs of the local socket, under oVirt's names.
#pragma once
#include "agent/rpc/entries.h"

G_BEGIN_DECLS

/** Does one verb; `local` is a FerryLocal. Any thread. */
json_t *ferry_local_call(const char *method, const json_t *params, int *code, char **message,
                         gpointer local);

G_END_DECLS
