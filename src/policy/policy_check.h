// SPDX-License-Identifier: Apache-2.0
// Whether what somebody says of migrations makes sense as a whole.
#pragma once
#include "base/error.h"
#include "base/json.h"
#include "model/kinds/kind.h"

G_BEGIN_DECLS

/** Checks the fields of FERRY_POLICY_FIELDS in `spec` (valid by its kind's tables) that lies at
 * `path` ("spec", "spec.configuration.migrations"): one rule only, a preset that exists, a schedule
 * that ends, durations, an intent that does not contradict its neighbours. Adds a cause per fault
 * to `causes`. Pure. */
void ferry_policy_check(const json_t *spec, const char *path, GError *causes);
/** Adds a cause where `name` (may be NULL) is not among the policies. Pure. */
void ferry_policy_check_name(const char *name, const char *field, json_t *const *policies, gsize n,
                             GError *causes);
/** Judges a whole MigrationPolicy or KubeVirt object, INVALID with all faults at once. Pure. */
gboolean ferry_policy_admit(const FerryKind *kind, const json_t *object, json_t *const *policies,
                            gsize n, GError **error);
/** The message of an INVALID error from its causes: `Kind.group "name" is invalid: [...]`. Takes
 * `causes` into `error` and is FALSE, or frees them and is TRUE where there are none. */
gboolean ferry_policy_answer(const FerryKind *kind, const char *name, GError *causes,
                             GError **error);

G_END_DECLS
