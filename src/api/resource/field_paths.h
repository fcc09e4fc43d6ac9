// SPDX-License-Identifier: Apache-2.0
// Fields as server-side apply owns them: sets of paths, and Kubernetes' FieldsV1 of them. Pure.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

/** Between the steps of a path: "f:spec" SEP "f:maxDowntimeMs". */
#define FERRY_FIELD_PATH_SEP "\x01"

/** The leaf paths of `object` (may be NULL), each with its value (borrowed). `of_status`: those of
 * its status, else those of all but that; never what nobody owns, such as names. What lies below a
 * path of more than 512 bytes is one leaf. */
GHashTable *ferry_field_paths_of(const FerryKind *kind, const json_t *object, gboolean of_status);
/** The leaf paths of a FieldsV1 (may be NULL), as a set. */
GHashTable *ferry_field_paths_read(const json_t *fields);
/** The FieldsV1 of a set of paths. */
json_t *ferry_field_paths_write(GHashTable *paths);
/** Removes from `object` what the paths `gone` name, and what becomes empty by that, but nothing
 * that is among `kept` or has something of `kept` below it. An element of a list that has nothing
 * of `kept` in it goes as a whole. */
void ferry_field_paths_remove(json_t *object, GHashTable *gone, GHashTable *kept);

G_END_DECLS
