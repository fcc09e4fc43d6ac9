// SPDX-License-Identifier: Apache-2.0
// libvirt's migration flags as options of `migrate` and `check`, made from the model's table.
#pragma once
#include "cli/core/args.h"
#include "model/flags/migration_flags.h"

G_BEGIN_DECLS

/** At most so many entries does ferry_migration_options_fill make. */
#define FERRY_MIGRATION_OPTIONS_MAX 96

/** Fills `out` with `before`, the table's options and `after` (both end with a NULL name), ended
 * by a NULL name. `out` has FERRY_MIGRATION_OPTIONS_MAX elements. Once, at the start. */
void ferry_migration_options_fill(FerryCliOption *out, const FerryCliOption *before,
                                  const FerryCliOption *after);
/** Sets the fields of `spec` whose options were given. A bad value is an error of G_OPTION_ERROR.
 */
gboolean ferry_migration_options_apply(const FerryArgs *args, json_t *spec, GError **error);

G_END_DECLS
