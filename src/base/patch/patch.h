// SPDX-License-Identifier: Apache-2.0
// The patch forms of the Kubernetes API on JSON documents. patch.c merges, patch_json.c and
// patch_strategic.c are the two other forms.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** RFC 7386 merge patch; returns a new document, `target` is not changed. What the patch does not
 * name is shared with `target`, and lists and scalars with `patch`: who changes the document in
 * place copies it first. */
json_t *ferry_patch_merge(const json_t *target, const json_t *patch);
/** RFC 6902 patch; returns a new document or NULL: BAD_REQUEST for a malformed patch or a bad
 * pointer, INVALID for a failed `test` or too deep a result, TOO_LARGE where the document and all
 * that is added, copied or moved come to more than a document may be (FERRY_JSON_MAX_BYTES and
 * FERRY_JSON_MAX_NODES). At most 1,000 operations. */
json_t *ferry_patch_json(const json_t *target, const json_t *patch, GError **error);

/** Tells the merge key of the list at `path` ("status.conditions" -> "type"; of each key at most 64
 * bytes), "" for a list that is
 * a set of scalars, NULL for a list that is replaced as a whole. */
typedef const char *(*FerryMergeKeyFunc)(const char *path, gpointer data);
/** Strategic merge patch: maps merge, null deletes, lists replace but those with a merge key;
 * `$patch`, `$setElementOrder`, `$deleteFromPrimitiveList`, `$retainKeys` are understood. Shares
 * with `target` what the patch does not name, as ferry_patch_merge does. */
json_t *ferry_patch_strategic(const json_t *target, const json_t *patch,
                              FerryMergeKeyFunc merge_key, gpointer data, GError **error);

G_END_DECLS
