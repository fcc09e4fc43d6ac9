// SPDX-License-Identifier: Apache-2.0
// By what words an object is found, beside its name. Internal to src/store.
#pragma once
#include "store/types.h"

G_BEGIN_DECLS

/** "virtualmachineinstances.kubevirt.io" or "nodes". Free with g_free. */
char *ferry_store_resource_name(const char *group, const char *plural);
/** Calls `key` for each word by which an object of a kind is found; one may come twice. */
void ferry_keys_each(const char *group, const char *plural, const json_t *object,
                     void (*key)(FerryIndexBy by, const char *word, gpointer data), gpointer data);

G_END_DECLS
