// SPDX-License-Identifier: Apache-2.0
// How much a JSON value may be, counted while it is made: what a client makes the server build has
// the limits of what it may send.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** What may still be made. */
typedef struct {
  gsize bytes; /* of text, without the digits of numbers */
  gsize nodes; /* values of any type */
} FerryJsonSize;

/** As much as a document from outside may be. */
#define FERRY_JSON_SIZE_FULL ((FerryJsonSize){FERRY_JSON_MAX_BYTES, FERRY_JSON_MAX_NODES})

/** Takes the size of `value` off `left`, for a value that will stand `depth` levels below the top.
 * FALSE where it does not fit: TOO_LARGE, or INVALID where it would be nested too deeply. Looks at
 * no more of the value than fits. Pure; any thread. */
gboolean ferry_json_size_spend(FerryJsonSize *left, const json_t *value, guint depth,
                               GError **error);

/** No compact text of `value` is longer: a bound that costs a fraction of writing it. */
gsize ferry_json_size_most(const json_t *value);

G_END_DECLS
