// SPDX-License-Identifier: Apache-2.0
// The addresses that a node reports: entries of status.addresses. Pure; any thread.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** The type of an address of its own, beside a name. */
#define FERRY_ADDRESS_INTERNAL "InternalIP"

/** The address of an entry, borrowed; NULL where it is of another type, or has none. */
const char *ferry_internal_address(const json_t *entry);

G_END_DECLS
