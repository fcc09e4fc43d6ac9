// SPDX-License-Identifier: Apache-2.0
#include "base/json_size.h"
#include "base/error.h"
#include <string.h>

#define ESCAPED 6 /* "\u0001" for one byte */
#define NUMBER 32 /* a number, true, false or null takes less */

typedef enum { FITS, TOO_LARGE, TOO_DEEP } Verdict;

static Verdict spend_text(FerryJsonSize *left, gsize bytes) {
  if (left->bytes < bytes)
    return TOO_LARGE;
  left->bytes -= bytes;
  return FITS;
}

/* Digits are not counted: there are few of them in a number, and no number is without a node. */
static Verdict spend_value(FerryJsonSize *left, const json_t *value, guint levels) {
  gboolean container = json_is_object(value) || json_is_array(value);
  if (container && levels == 0)
    return TOO_DEEP;
  if (left->nodes == 0)
    return TOO_LARGE;
  left->nodes--;
  Verdict verdict = spend_text(left, json_is_string(value) ? json_string_length(value) + 2
                                     : container           ? 2
                                                           : 1);
  gsize i;
  const char *key;
  json_t *child;
  json_array_foreach((json_t *)value, i, child) {
    if (verdict == FITS)
      verdict = spend_value(left, child, levels - 1);
    if (verdict != FITS)
      return verdict;
  }
  json_object_foreach((json_t *)value, key, child) {
    if (verdict == FITS)
      verdict = spend_text(left, strlen(key) + 4); /* its quotes, a colon, a comma */
    if (verdict == FITS)
      verdict = spend_value(left, child, levels - 1);
    if (verdict != FITS)
      return verdict;
  }
  return verdict;
}

gboolean ferry_json_size_spend(FerryJsonSize *left, const json_t *value, guint depth,
                               GError **error) {
  guint levels = FERRY_JSON_MAX_DEPTH - MIN(depth, FERRY_JSON_MAX_DEPTH);
  Verdict verdict = spend_value(left, value, levels);
  if (verdict == TOO_LARGE)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE,
                "what the request makes is too large: at most %d bytes and %d values are accepted",
                FERRY_JSON_MAX_BYTES, FERRY_JSON_MAX_NODES);
  else if (verdict == TOO_DEEP)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "what the request makes is nested deeper than %d levels", FERRY_JSON_MAX_DEPTH);
  return verdict == FITS;
}

gsize ferry_json_size_most(const json_t *value) {
  gsize i, most = 2;
  const char *key;
  json_t *child;
  switch (json_typeof(value)) {
  case JSON_OBJECT:
    json_object_foreach((json_t *)value, key, child) most +=
        strlen(key) * ESCAPED + 4 + ferry_json_size_most(child);
    return most;
  case JSON_ARRAY:
    json_array_foreach((json_t *)value, i, child) most += 1 + ferry_json_size_most(child);
    return most;
  case JSON_STRING:
    return most + json_string_length(value) * ESCAPED;
  default:
    return NUMBER;
  }
}
