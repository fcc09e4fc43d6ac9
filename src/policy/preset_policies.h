// SPDX-License-Identifier: Apache-2.0
// The presets of src/convergence as MigrationPolicy objects and as layers of a configuration.
#pragma once
#include "base/json.h"
#include "convergence/presets.h"

G_BEGIN_DECLS

#define FERRY_PRESET_LABEL "ferry.migration/preset"

/** The fields of a configuration that a preset sets, under their flat names, quantities as integers
 * of bytes; `schedule` is not among them: the preset's name stands for it. A new reference. */
json_t *ferry_preset_config(const FerryPreset *preset);
/** spec of the built-in MigrationPolicy: the preset's name and, for people to read, what it sets. A
 * new reference. */
json_t *ferry_preset_spec(const FerryPreset *preset);
/** All presets that are shipped as policies, `*n` of them: those of the convergence room. */
const FerryPreset *ferry_preset_all(gsize *n);
/** Whether `policy` is one that Ferry ships: it carries the label with its own name. */
gboolean ferry_preset_is_builtin(const json_t *policy);
/** "intent, kubevirt, ..." Free with g_free. */
char *ferry_preset_names(void);

G_END_DECLS
