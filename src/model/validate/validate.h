// SPDX-License-Identifier: Apache-2.0
// The one place where objects from outside are checked.
#pragma once
#include "model/kinds/kind.h"
#include "model/validate/defaults.h"
#include "model/validate/format.h"

G_BEGIN_DECLS

typedef enum {
  FERRY_UNKNOWN_IGNORE, /* drop unknown fields silently */
  FERRY_UNKNOWN_WARN,   /* drop them, one warning each */
  FERRY_UNKNOWN_STRICT, /* BAD_REQUEST: strict decoding error: unknown field "spec.x" */
} FerryUnknown;

/** Validates `object` (wanted state; `old` is the stored one on update, else NULL) against its
 * kind: apiVersion, kind, metadata (names, labels, annotations, sizes), every field's type, range
 * and format, required and immutable fields, the kind's own check. All violations at once, as
 * causes of one INVALID error whose message is Kubernetes': `Kind "name" is invalid: [...]`. What
 * is no object, or of another kind, is BAD_REQUEST. Returns a new object with unknown fields
 * dropped (`warnings`, may be NULL, gets a char* for each, and for each new value of a field that
 * is kept and does nothing) and NULL-valued fields removed; quantities stay as they were written.
 * Pure; any thread. */
json_t *ferry_validate(const FerryKind *kind, const json_t *object, const json_t *old,
                       FerryUnknown unknown, GPtrArray *warnings, GError **error);

/** The same for a caller that has rules of its own: violations become causes of `invalid`
 * (INVALID), and what could be read of `object` is returned nevertheless, for those rules to judge.
 * `whole` (may be NULL) becomes FALSE where a name or something required could not be read, which
 * leaves nothing to judge. NULL with `error` only for BAD_REQUEST. Pure; any thread. */
json_t *ferry_validate_collect(const FerryKind *kind, const json_t *object, const json_t *old,
                               FerryUnknown unknown, GPtrArray *warnings, GError *invalid,
                               gboolean *whole, GError **error);

/** The same walk over a table that is no kind's: a checked copy of `object`, an object. Violations
 * become causes of `invalid` (INVALID) with paths below `path` ("" for none); the paths of members
 * that the table has not, which are dropped, go to `unknown` (char*, freed by the array), the first
 * of them only. Pure; any thread. */
json_t *ferry_validate_fields(const FerryField *fields, const char *path, const json_t *object,
                              GPtrArray *unknown, GError *invalid);

/** Takes `causes`: TRUE where it has none, else FALSE and it becomes `error`, with the message
 * `Kind "name" is invalid: [...]` (`name` may be NULL). */
gboolean ferry_validate_answer(const FerryKind *kind, const char *name, GError *causes,
                               GError **error);

G_END_DECLS
