// SPDX-License-Identifier: Apache-2.0
// For the tests of the model: objects written as JSON, and what validation says of them.
#pragma once
#include "model/validate/validate.h"

static inline json_t *parse(const char *text) {
  g_autoptr(GError) error = NULL;
  json_t *value = ferry_json_parse(text, strlen(text), &error);
  g_assert_no_error(error);
  return value;
}

/** The message of the refusal, or "" where `text` is accepted. Free with g_free. */
static inline char *verdict(const FerryKind *kind, const char *text, const char *old_text,
                            int code) {
  g_autoptr(json_t) object = parse(text), old = old_text ? parse(old_text) : NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) out = ferry_validate(kind, object, old, FERRY_UNKNOWN_STRICT, NULL, &error);
  g_assert_true((out == NULL) == (error != NULL));
  if (!error)
    return g_strdup("");
  g_assert_error(error, FERRY_ERROR, code);
  return g_strdup(error->message);
}

#define ASSERT_VERDICT(kind, text, old, code, expected)                                            \
  do {                                                                                             \
    g_autofree char *verdict_text = verdict(kind, text, old, code);                                \
    g_assert_cmpstr(verdict_text, ==, expected);                                                   \
  } while (0)
#define ASSERT_REFUSED(kind, text, old, part)                                                      \
  do {                                                                                             \
    g_autofree char *verdict_text = verdict(kind, text, old, FERRY_ERROR_INVALID);                 \
    if (!strstr(verdict_text, part))                                                               \
      g_error("\"%s\" lacks \"%s\"", verdict_text, part);                                          \
  } while (0)
#define ASSERT_ACCEPTED(kind, text) ASSERT_VERDICT(kind, text, NULL, 0, "")
/** A migration with `spec` and further members. */
#define VMIM(spec) "{\"metadata\":{\"name\":\"m\",\"namespace\":\"default\"},\"spec\":" spec "}"
