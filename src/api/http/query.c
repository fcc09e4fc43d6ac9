// SPDX-License-Identifier: Apache-2.0
// The parameters of a request, all of them in one table: what each may say is checked before a
// handler runs, so that no handler can read one in another way than its neighbour does.
//
// Booleans are as Kubernetes reads them: of what is there, "false" and "0" alone are false. So
// ?watch=True, which Python's client sends, and a bare ?watch are true.
#include "api/http/query.h"

#define INCLUDE "includeObject"
#define INCLUDE_OBJECT "Object"
#define INCLUDE_NONE "None"

typedef enum { QUERY_INT, QUERY_CHOICE } ParameterType;

static const struct {
  const char *name;
  ParameterType type;
  const char *const *values; /* CHOICE: NULL-ended */
} query_parameters[] = {
    {"limit", QUERY_INT, NULL},
    {"timeoutSeconds", QUERY_INT, NULL},
    {"gracePeriodSeconds", QUERY_INT, NULL},
    {"resourceVersion", QUERY_INT, NULL},
    {"resourceVersionMatch", QUERY_CHOICE, (const char *const[]){"Exact", "NotOlderThan", NULL}},
    {INCLUDE, QUERY_CHOICE, (const char *const[]){INCLUDE_NONE, "Metadata", INCLUDE_OBJECT, NULL}},
    {"propagationPolicy", QUERY_CHOICE,
     (const char *const[]){"Orphan", "Background", "Foreground", NULL}},
    {"dryRun", QUERY_CHOICE, (const char *const[]){"All", NULL}},
    {"fieldValidation", QUERY_CHOICE, (const char *const[]){"Ignore", "Warn", "Strict", NULL}},
};

const char *ferry_query(const FerryRequest *req, const char *name) {
  return req->asked.query ? g_hash_table_lookup(req->asked.query, name) : NULL;
}

gboolean ferry_query_bool(const FerryRequest *req, const char *name) {
  const char *value = ferry_query(req, name);
  return value && g_ascii_strcasecmp(value, "false") != 0 && !g_str_equal(value, "0");
}

FerryInclude ferry_query_include(const FerryRequest *req) {
  const char *said = ferry_query(req, INCLUDE);
  return g_strcmp0(said, INCLUDE_OBJECT) == 0 ? FERRY_INCLUDE_OBJECT
         : g_strcmp0(said, INCLUDE_NONE) == 0 ? FERRY_INCLUDE_NONE
                                              : FERRY_INCLUDE_METADATA;
}

gboolean ferry_query_int(const FerryRequest *req, const char *name, gint64 fallback, gint64 *value,
                         GError **error) {
  const char *text = ferry_query(req, name);
  *value = fallback;
  if (!text || !*text)
    return TRUE;
  if (g_ascii_string_to_signed(text, 10, 0, G_GINT64_CONSTANT(1) << 62, value, NULL))
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
              "%s: Invalid value: \"%.64s\": expected a whole number that is not negative", name,
              text);
  return FALSE;
}

static gboolean query_is_choice(const FerryRequest *req, const char *name,
                                const char *const *values, GError **error) {
  const char *text = ferry_query(req, name);
  if (!text || !*text || g_strv_contains(values, text))
    return TRUE;
  g_autofree char *list = g_strjoinv("\", \"", (char **)values);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
              "%s: Unsupported value: \"%.64s\": supported values: \"%s\"", name, text, list);
  return FALSE;
}

gboolean ferry_query_check(const FerryRequest *req, GError **error) {
  gint64 ignored;
  for (gsize i = 0; i < G_N_ELEMENTS(query_parameters); i++)
    if (query_parameters[i].type == QUERY_INT
            ? !ferry_query_int(req, query_parameters[i].name, 0, &ignored, error)
            : !query_is_choice(req, query_parameters[i].name, query_parameters[i].values, error))
      return FALSE;
  return TRUE;
}
