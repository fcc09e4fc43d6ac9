// SPDX-License-Identifier: Apache-2.0
// The patch of a client-side apply. Pure.
#pragma once
#include <jansson.h>

#define FERRY_LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

/** The merge patch (RFC 7386) that makes `live` as `wanted` says: what `last` (may be NULL: what
 * was applied before) had and `wanted` has no longer becomes null, what differs is set, lists are
 * replaced. Fields of `live` that neither knows stay. An empty object: nothing to do. New
 * reference. */
json_t *ferry_cli_apply_patch(const json_t *last, const json_t *wanted, const json_t *live);
