// SPDX-License-Identifier: Apache-2.0
// Whether a Network may be written as somebody asks for, beside the others and what runs over it.
#pragma once
#include "base/error.h"
#include "base/json.h"

G_BEGIN_DECLS

/** Judges the write that makes `network` of `old` (NULL: it is created; `network` NULL: it is
 * deleted). CONFLICT where migrations that have not ended are carried by it and it would be
 * deleted, lose the role "migration" or get other addresses, or where any VM moves and the role
 * would be granted or taken; INVALID (spec.roles) where it would be the second one with that role.
 * Both objects are valid by their kind's tables. Pure. */
gboolean ferry_network_check(const json_t *old, const json_t *network, json_t *const *networks,
                             gsize n_networks, json_t *const *migrations, gsize n_migrations,
                             GError **error);

G_END_DECLS
