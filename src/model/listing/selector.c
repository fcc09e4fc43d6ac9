// SPDX-License-Identifier: Apache-2.0
// Label and field selectors, parsed to a list of terms that must all hold.
//
// Label selectors are parsed by hand, as their grammar is Kubernetes' (a=b, a!=b, a in (b,c), !a);
// field selectors know =, == and != and any path of the kind. The sizes of both are limited before
// anything is made of them. Matching walks the terms; a field that is a list equals each of its
// words. What a selector requires of one path decides what somebody may list who has rights to
// single objects only (ferry_selector_required).
#include "model/listing/selector.h"
#include "model/validate/validate.h"
#include <string.h>

#define MAX_TERMS 100
#define MAX_BYTES 16384

typedef enum {
  TERM_EQUAL,
  TERM_NOT_EQUAL,
  TERM_IN,
  TERM_NOT_IN,
  TERM_EXISTS,
  TERM_ABSENT
} TermType;

typedef struct {
  TermType type;
  char *key;
  GPtrArray *values; /* char* */
  gboolean boolean;  /* a field whose absence means "false" */
} Term;

struct FerrySelector {
  gboolean fields; /* keys are paths, not labels */
  GPtrArray *terms;
};

static void term_free(gpointer data) {
  Term *term = data;
  g_free(term->key);
  g_ptr_array_unref(term->values);
  g_free(term);
}

static FerrySelector *selector_new(gboolean fields) {
  FerrySelector *selector = g_new0(FerrySelector, 1);
  selector->fields = fields;
  selector->terms = g_ptr_array_new_with_free_func(term_free);
  return selector;
}

void ferry_selector_free(FerrySelector *selector) {
  if (!selector)
    return;
  g_ptr_array_unref(selector->terms);
  g_free(selector);
}

static Term *term_new(void) {
  Term *term = g_new0(Term, 1);
  term->values = g_ptr_array_new_with_free_func(g_free);
  return term;
}

G_GNUC_PRINTF(5, 6)
static gboolean selector_refuse(GError **error, const char *what, const char *text, const char *at,
                                const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_autofree char *problem = g_strdup_vprintf(format, ap);
  va_end(ap);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, "%s \"%.200s\", at character %td: %s",
              what, text, at - text + 1, problem);
  return FALSE;
}

static gboolean check_size(const char *what, const char *text, GError **error) {
  if (strlen(text) <= MAX_BYTES)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
              "%s: longer than %d bytes: select by fewer values", what, MAX_BYTES);
  return FALSE;
}

/* Label selectors */

static const char *skip_space(const char *p) {
  while (*p == ' ' || *p == '\t')
    p++;
  return p;
}

/* A key, value or operator word: up to a separator. Returns its end. */
static const char *word_end(const char *p) {
  return p + strcspn(p, " \t,=!()<>");
}

static gboolean parse_key(const char *text, const char **p, Term *term, GError **error) {
  const char *start = skip_space(*p), *end = word_end(start), *problem = NULL;
  term->key = g_strndup(start, (gsize)(end - start));
  if (!ferry_format_check("label-key", term->key, &problem))
    return selector_refuse(error, "labelSelector", text, start,
                           "\"%.64s\" is not a label's key: %s", term->key, problem);
  *p = skip_space(end);
  return TRUE;
}

static gboolean parse_value(const char *text, const char **p, Term *term, GError **error) {
  const char *start = skip_space(*p), *end = word_end(start), *problem = NULL;
  g_autofree char *value = g_strndup(start, (gsize)(end - start));
  if (!ferry_format_check("label-value", value, &problem))
    return selector_refuse(error, "labelSelector", text, start,
                           "\"%.64s\" is not a label's value: %s", value, problem);
  g_ptr_array_add(term->values, g_steal_pointer(&value));
  *p = skip_space(end);
  return TRUE;
}

static gboolean parse_set(const char *text, const char **p, Term *term, GError **error) {
  if (**p != '(')
    return selector_refuse(error, "labelSelector", text, *p, "expected '(' and a list of values");
  do {
    (*p)++;
    if (!parse_value(text, p, term, error))
      return FALSE;
  } while (**p == ',');
  if (**p != ')')
    return selector_refuse(error, "labelSelector", text, *p, "expected ',' or ')'");
  *p = skip_space(*p + 1);
  return TRUE;
}

static gboolean parse_term(const char *text, const char **p, Term *term, GError **error) {
  *p = skip_space(*p);
  if (**p == '!') {
    (*p)++;
    term->type = TERM_ABSENT;
    return parse_key(text, p, term, error);
  }
  if (!parse_key(text, p, term, error))
    return FALSE;
  if (**p == '\0' || **p == ',') {
    term->type = TERM_EXISTS;
    return TRUE;
  }
  if (**p == '=') {
    *p += (*p)[1] == '=' ? 2 : 1;
    term->type = TERM_EQUAL;
    return parse_value(text, p, term, error);
  }
  if (g_str_has_prefix(*p, "!=")) {
    *p += 2;
    term->type = TERM_NOT_EQUAL;
    return parse_value(text, p, term, error);
  }
  gsize len = (gsize)(word_end(*p) - *p);
  gboolean in = len == 2 && strncmp(*p, "in", 2) == 0;
  if (!in && !(len == 5 && strncmp(*p, "notin", 5) == 0))
    return selector_refuse(error, "labelSelector", text, *p,
                           "expected one of =, ==, !=, in, notin, ',' or the end");
  term->type = in ? TERM_IN : TERM_NOT_IN;
  *p = skip_space(*p + len);
  return parse_set(text, p, term, error);
}

FerrySelector *ferry_selector_parse_labels(const char *text, GError **error) {
  g_autoptr(FerrySelector) selector = selector_new(FALSE);
  if (!text || !*skip_space(text))
    return g_steal_pointer(&selector);
  if (!check_size("labelSelector", text, error))
    return NULL;
  for (const char *p = text;; p++) {
    if (selector->terms->len >= MAX_TERMS) {
      selector_refuse(error, "labelSelector", text, p, "more than %d terms", MAX_TERMS);
      return NULL;
    }
    Term *term = term_new();
    g_ptr_array_add(selector->terms, term);
    if (!parse_term(text, &p, term, error))
      return NULL;
    if (!*p)
      return g_steal_pointer(&selector);
    if (*p != ',') {
      selector_refuse(error, "labelSelector", text, p, "expected ',' or the end");
      return NULL;
    }
  }
}

/* Field selectors */

static gboolean check_path(const FerryKind *kind, const char *text, const char *at, Term *term,
                           GError **error) {
  static const char *const common[] = {"metadata.name", "metadata.namespace", NULL};
  if (g_strv_contains(common, term->key))
    return TRUE;
  if (kind->field_selectors && g_strv_contains(kind->field_selectors, term->key)) {
    const FerryField *field = ferry_field_find(kind->fields, term->key);
    term->boolean = field && field->type == FERRY_TYPE_BOOLEAN;
    return TRUE;
  }
  g_autofree char *more =
      kind->field_selectors ? g_strjoinv(", ", (char **)kind->field_selectors) : g_strdup("");
  return selector_refuse(error, "fieldSelector", text, at,
                         "field label not supported: \"%.64s\"; supported for %s: metadata.name, "
                         "metadata.namespace%s%s",
                         term->key, kind->kind, *more ? ", " : "", more);
}

static gboolean parse_field(const FerryKind *kind, const char *text, const char **p, Term *term,
                            GError **error) {
  const char *start = *p, *end = start + strcspn(start, "=!,");
  g_autofree char *key = g_strndup(start, (gsize)(end - start));
  term->key = g_strdup(g_strstrip(key));
  if (g_str_has_prefix(end, "!="))
    term->type = TERM_NOT_EQUAL, end += 2;
  else if (*end == '=')
    end += end[1] == '=' ? 2 : 1;
  else
    return selector_refuse(error, "fieldSelector", text, end,
                           "expected =, == or != after the field");
  if (!check_path(kind, text, start, term, error))
    return FALSE;
  g_autoptr(GString) value = g_string_new(NULL);
  for (; *end && *end != ','; end++) {
    if (*end == '\\') {
      end++;
      if (!*end || !strchr("\\,=", *end))
        return selector_refuse(error, "fieldSelector", text, end,
                               "expected '\\', ',' or '=' after '\\'");
    } else if (*end == '=') {
      return selector_refuse(error, "fieldSelector", text, end, "write '=' in a value as '\\='");
    }
    g_string_append_c(value, *end);
  }
  g_ptr_array_add(term->values, g_string_free(g_steal_pointer(&value), FALSE));
  *p = end;
  return TRUE;
}

FerrySelector *ferry_selector_parse_fields(const FerryKind *kind, const char *text,
                                           GError **error) {
  g_autoptr(FerrySelector) selector = selector_new(TRUE);
  if (!text || !*skip_space(text))
    return g_steal_pointer(&selector);
  if (!check_size("fieldSelector", text, error))
    return NULL;
  const char *p = text;
  while (*p) {
    if (selector->terms->len >= MAX_TERMS) {
      selector_refuse(error, "fieldSelector", text, p, "more than %d terms", MAX_TERMS);
      return NULL;
    }
    Term *term = term_new();
    g_ptr_array_add(selector->terms, term);
    if (!parse_field(kind, text, &p, term, error))
      return NULL;
    if (*p == ',')
      p++;
  }
  return g_steal_pointer(&selector);
}

/* Matching */

/* The text of a field for comparison; `buffer` holds a number's. */
static const char *field_text(const json_t *object, const Term *term, char buffer[32]) {
  json_t *value = ferry_json_get(object, term->key);
  if (json_is_boolean(value) || (!value && term->boolean))
    return json_is_true(value) ? "true" : "false";
  if (json_is_integer(value)) {
    g_snprintf(buffer, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return buffer;
  }
  return json_is_string(value) ? json_string_value(value) : "";
}

static gboolean term_matches(const Term *term, const char *value) {
  gboolean found = FALSE;
  for (guint i = 0; value && !found && i < term->values->len; i++)
    found = g_str_equal(value, term->values->pdata[i]);
  switch (term->type) {
  case TERM_EQUAL:
  case TERM_IN:
    return found;
  case TERM_NOT_EQUAL:
  case TERM_NOT_IN:
    return !found;
  case TERM_EXISTS:
    return value != NULL;
  case TERM_ABSENT:
    break;
  }
  return value == NULL;
}

/* A field that is a list of words equals each of them. */
static gboolean list_matches(const Term *term, const json_t *list) {
  const json_t *item;
  size_t i;
  json_array_foreach((json_t *)list, i, item) {
    if (json_is_string(item) && g_str_equal(json_string_value(item), term->values->pdata[0]))
      return term->type == TERM_EQUAL;
  }
  return term->type == TERM_NOT_EQUAL;
}

gboolean ferry_selector_matches(const FerrySelector *selector, const json_t *object) {
  if (!selector)
    return TRUE;
  const json_t *labels =
      selector->fields ? NULL : json_object_get(json_object_get(object, "metadata"), "labels");
  for (guint i = 0; i < selector->terms->len; i++) {
    const Term *term = selector->terms->pdata[i];
    const json_t *list = selector->fields ? ferry_json_get(object, term->key) : NULL;
    if (json_is_array(list)) {
      if (!list_matches(term, list))
        return FALSE;
      continue;
    }
    char buffer[32];
    const char *value = selector->fields ? field_text(object, term, buffer)
                                         : json_string_value(json_object_get(labels, term->key));
    if (!term_matches(term, value))
      return FALSE;
  }
  return TRUE;
}

const char *ferry_selector_required(const FerrySelector *selector, const char *path) {
  for (guint i = 0; selector && i < selector->terms->len; i++) {
    const Term *term = selector->terms->pdata[i];
    if (term->type == TERM_EQUAL && g_str_equal(term->key, path))
      return term->values->pdata[0];
  }
  return NULL;
}
