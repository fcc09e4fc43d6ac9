// SPDX-License-Identifier: Apache-2.0
// The same thing said in other words than the stored ones.
#pragma once
#include "api/http/request.h"

G_BEGIN_DECLS

/** Where a wish for `old`'s change says the same in other words (a VM by its domain's name or
 * UUID), puts the stored words into `wanted`, in place. */
void ferry_keep_stored_words(FerryRequest *req, const json_t *old, json_t *wanted);

G_END_DECLS
