// SPDX-License-Identifier: Apache-2.0
// Rules of metadata beyond the types.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

/** Keys and values of a map of labels at `path`. */
void ferry_validate_labels(const json_t *map, const char *path, GError *invalid);
/** Keys and whole size of annotations at `path`. */
void ferry_validate_annotations(const json_t *map, const char *path, GError *invalid);
/** Rules of metadata beyond the types: names, what may not change. `metadata` has been through the
 * table of metadata; on update `old` is the stored object. */
void ferry_validate_metadata(const FerryKind *kind, json_t *metadata, const json_t *old,
                             GError *invalid);

G_END_DECLS
