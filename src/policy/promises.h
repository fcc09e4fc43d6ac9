// SPDX-License-Identifier: Apache-2.0
// Memory that hosts need for what is on its way to them.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

typedef struct FerryPromises FerryPromises;

/** Sums up, for each target, the memory of the VMs that `migrations` are bringing there (not those
 * that are final, forecasts or offline, nor the one whose uid is `except`, may be NULL). A VM that
 * its target reports as active already is left out: the host's memoryUsedBytes has it. `migrations`
 * are borrowed until ferry_promises_free. Pure. */
FerryPromises *ferry_promises_new(json_t *const *migrations, gsize n, json_t *const *vmis,
                                  gsize n_vmis, const char *except);
void ferry_promises_free(FerryPromises *promises);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryPromises, ferry_promises_free)

/** Bytes promised on `node`; `promises` may be NULL. */
gint64 ferry_promises_bytes(const FerryPromises *promises, const char *node);
/** The migrations they are promised to, for people: "a, b"; NULL: none. */
const char *ferry_promises_names(const FerryPromises *promises, const char *node);

G_END_DECLS
