// SPDX-License-Identifier: Apache-2.0
// What a write says beside its object (dryRun, fieldManager, fieldValidation), or in place of one.
#include "api/resource/write_options.h"
#include "api/http/respond.h"
#include "api/http/query.h"

#include <string.h>

#define MAX_MANAGER 128

gboolean ferry_request_dry_run(FerryRequest *req, const json_t *options, gboolean *dry,
                               GError **error) {
  const char *text = ferry_query(req, "dryRun");
  const json_t *list = json_object_get(options, "dryRun");
  *dry = FALSE;
  if (list && !json_is_null(list) && !json_is_array(list)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "dryRun: Invalid value: expected a list: [\"All\"], or none");
    return FALSE;
  }
  for (gsize i = 0; i < json_array_size(list) && (!text || g_str_equal(text, "All")); i++) {
    text = json_string_value(json_array_get(list, i));
    if (!text)
      text = "?";
  }
  if (!text || !*text)
    return TRUE;
  if (!g_str_equal(text, "All")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "dryRun: Unsupported value: \"%s\": supported values: \"All\"", text);
    return FALSE;
  }
  *dry = TRUE;
  return TRUE;
}

/* As Kubernetes has it: what is kept as a manager's name is short and can be printed. */
static gboolean check_manager(FerryRequest *req, GError **error) {
  const char *name = ferry_query(req, "fieldManager");
  const char *wrong = NULL;
  if (name && strlen(name) > MAX_MANAGER)
    wrong = "Too long: may not be more than 128 bytes";
  else if (name && !g_utf8_validate(name, -1, NULL))
    wrong = "Invalid value: should be UTF-8";
  for (const char *c = name; c && !wrong && *c; c = g_utf8_next_char(c))
    if (!g_unichar_isprint(g_utf8_get_char(c)))
      wrong = "Invalid value: should only contain printable characters";
  if (wrong)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, "fieldManager: %s", wrong);
  return !wrong;
}

gboolean ferry_request_write_options(FerryRequest *req, FerryUnknown *mode, GError **error) {
  const char *text = ferry_query(req, "fieldValidation");
  *mode = FERRY_UNKNOWN_WARN;
  if (!check_manager(req, error))
    return FALSE;
  if (!text || !*text || g_str_equal(text, "Warn"))
    return TRUE;
  *mode = g_str_equal(text, "Ignore") ? FERRY_UNKNOWN_IGNORE : FERRY_UNKNOWN_STRICT;
  return TRUE;
}

const char *ferry_request_one_field(const json_t *body, const char *field, const char *example,
                                    GError **error) {
  const char *key, *word = ferry_json_str(body, field);
  json_t *value;
  json_object_foreach((json_t *)body, key, value) {
    if (g_str_equal(key, "dryRun") || g_str_equal(key, field))
      continue;
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                FERRY_UNKNOWN_FIELD_TEXT " \"%.100s\": the body has %s alone", key, field);
    return NULL;
  }
  if (!word)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, "the body must name %s", example);
  return word;
}

void ferry_request_refuse(FerryRequest *req, const char *why, GError **error) {
  g_autofree char *what = ferry_qualified(req->found.kind);
  req->write.refused = TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
              "Operation cannot be fulfilled on %s \"%s\": %s", what, req->found.name, why);
}
