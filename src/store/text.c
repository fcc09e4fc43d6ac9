// SPDX-License-Identifier: Apache-2.0
// Theory of operation: jansson's own writer keeps a table of all containers that it is in, to find
// objects that hold themselves, and calls back for each token; a store writes every object at every
// change, so this one only counts how deep it is. What it writes is what json_dumps(JSON_COMPACT)
// writes, so that texts can be compared and nobody sees which of the two made one.
#include "store/text.h"

#include <string.h>

#define DEEPEST 512 /* jansson's parser takes no more than 2,048 */

static gboolean write_value(GString *out, const json_t *value, guint depth);

static void write_escaped(GString *out, guchar c) {
  static const char *const names[] = {
      ['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f",
      ['\n'] = "\\n", ['\r'] = "\\r",  ['\t'] = "\\t"};
  if (c < G_N_ELEMENTS(names) && names[c])
    g_string_append(out, names[c]);
  else
    g_string_append_printf(out, "\\u%04X", c);
}

static gboolean write_string(GString *out, const char *text, gsize len) {
  gsize plain = 0;
  gboolean ascii = TRUE;
  g_string_append_c(out, '"');
  for (gsize i = 0; i < len; i++) {
    guchar c = (guchar)text[i];
    ascii = ascii && c < 0x80;
    if (c >= 0x20 && c != '"' && c != '\\')
      continue;
    g_string_append_len(out, text + plain, (gssize)(i - plain));
    write_escaped(out, c);
    plain = i + 1;
  }
  g_string_append_len(out, text + plain, (gssize)(len - plain));
  g_string_append_c(out, '"');
  return ascii || g_utf8_validate_len(text, len, NULL);
}

static gboolean write_key(GString *out, const char *key, gboolean first) {
  if (!first)
    g_string_append_c(out, ',');
  gboolean ok = write_string(out, key, strlen(key));
  g_string_append_c(out, ':');
  return ok;
}

static gboolean write_object(GString *out, const json_t *object, guint depth) {
  const char *key;
  json_t *value;
  gboolean first = TRUE;
  g_string_append_c(out, '{');
  json_object_foreach((json_t *)object, key, value) {
    if (!write_key(out, key, first) || !write_value(out, value, depth))
      return FALSE;
    first = FALSE;
  }
  g_string_append_c(out, '}');
  return TRUE;
}

static gboolean write_array(GString *out, const json_t *array, guint depth) {
  gsize i;
  json_t *value;
  g_string_append_c(out, '[');
  json_array_foreach(array, i, value) {
    if (i > 0)
      g_string_append_c(out, ',');
    if (!write_value(out, value, depth))
      return FALSE;
  }
  g_string_append_c(out, ']');
  return TRUE;
}

/* The shortest text that is this number again is jansson's to find. */
static gboolean write_real(GString *out, const json_t *value) {
  char *text = json_dumps(value, JSON_ENCODE_ANY);
  if (!text)
    return FALSE;
  g_string_append(out, text);
  free(text);
  return TRUE;
}

static gboolean write_value(GString *out, const json_t *value, guint depth) {
  if (depth >= DEEPEST)
    return FALSE;
  switch (json_typeof(value)) {
  case JSON_OBJECT:
    return write_object(out, value, depth + 1);
  case JSON_ARRAY:
    return write_array(out, value, depth + 1);
  case JSON_STRING:
    return write_string(out, json_string_value(value), json_string_length(value));
  case JSON_INTEGER: {
    char digits[24];
    int n = g_snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    g_string_append_len(out, digits, n);
    return TRUE;
  }
  case JSON_REAL:
    return write_real(out, value);
  case JSON_TRUE:
    g_string_append(out, "true");
    return TRUE;
  case JSON_FALSE:
    g_string_append(out, "false");
    return TRUE;
  default:
    g_string_append(out, "null");
    return TRUE;
  }
}

static void write_slot(FerryText *text, gboolean first) {
  write_key(text->bytes, "resourceVersion", first);
  g_string_append_c(text->bytes, '"');
  text->slot = text->bytes->len;
  g_string_append_c(text->bytes, '"');
}

/* In the order of its members; a resourceVersion that it has keeps its place. */
static gboolean write_metadata(FerryText *text, const json_t *metadata) {
  const char *key;
  json_t *value;
  gboolean first = TRUE;
  g_string_append_c(text->bytes, '{');
  json_object_foreach((json_t *)metadata, key, value) {
    if (strcmp(key, "resourceVersion") == 0)
      write_slot(text, first);
    else if (!write_key(text->bytes, key, first) || !write_value(text->bytes, value, 1))
      return FALSE;
    first = FALSE;
  }
  if (text->slot == 0)
    write_slot(text, first);
  g_string_append_c(text->bytes, '}');
  return TRUE;
}

static gboolean write_top(FerryText *text, const json_t *object) {
  const char *key;
  json_t *value;
  gboolean first = TRUE;
  g_string_append_c(text->bytes, '{');
  json_object_foreach((json_t *)object, key, value) {
    gboolean metadata = strcmp(key, "metadata") == 0;
    if (!write_key(text->bytes, key, first) ||
        !(metadata ? write_metadata(text, json_is_object(value) ? value : NULL)
                   : write_value(text->bytes, value, 0)))
      return FALSE;
    first = FALSE;
  }
  if (text->slot == 0) {
    write_key(text->bytes, "metadata", first);
    write_metadata(text, NULL);
  }
  g_string_append_c(text->bytes, '}');
  return TRUE;
}

gboolean ferry_text_init(FerryText *text, const json_t *object) {
  *text = (FerryText){.bytes = g_string_sized_new(2048)};
  if (write_top(text, object))
    return TRUE;
  ferry_text_clear(text);
  return FALSE;
}

void ferry_text_clear(FerryText *text) {
  if (text->bytes)
    g_string_free(text->bytes, TRUE);
  *text = (FerryText){0};
}
