// SPDX-License-Identifier: Apache-2.0
// Inside the model only: what the walk over a table (validate.c) and the rules of metadata
// (validate_meta.c) share.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

/** Most causes and most unknown fields that one answer names. */
#define VALIDATE_MAX_CAUSES 64
/** Most bytes of a value that a message repeats. */
#define VALIDATE_SHOWN_BYTES 64

/** Adds a cause unless there are VALIDATE_MAX_CAUSES already. */
void ferry_validate_cause(GError *invalid, const char *reason, const char *field,
                          const char *format, ...) G_GNUC_PRINTF(4, 5);

/** Keys and values of a map of labels at `path`. */
void ferry_validate_labels(const json_t *map, const char *path, GError *invalid);
/** Keys and whole size of annotations at `path`. */
void ferry_validate_annotations(const json_t *map, const char *path, GError *invalid);
/** Rules of metadata beyond the types: names, what may not change. `metadata` has been through the
 * table of metadata; on update `old` is the stored object. */
void ferry_validate_metadata(const FerryKind *kind, json_t *metadata, const json_t *old,
                             GError *invalid);
/** Immutable fields of `object` against the stored `old`. */
void ferry_validate_update(const FerryKind *kind, const json_t *object, const json_t *old,
                           GError *invalid);

G_END_DECLS
