// SPDX-License-Identifier: Apache-2.0
// Theory of operation: jansson's own writer keeps a table of all containers that it is in, to find
// objects that hold themselves, and calls back for each token; a store writes every object at every
// change, so this one only counts how deep it is. What it writes is what json_dumps(JSON_COMPACT)
// writes, so that texts can be compared and nobody sees which of the two made one.
#include "store/text.h"

#include <string.h>

#define DEEPEST 512 /* jansson's parser takes no more than 2,048 */
#define HIGH_BITS 0x8080808080808080ULL
#define LOW_BITS 0x0101010101010101ULL

static gboolean write_value(GString *out, const json_t *value, guint depth);

/* Room for `bytes` at the end, to be written by hand. */
static char *text_room(GString *out, gsize bytes) {
  gsize len = out->len;
  if (out->allocated_len <= len + bytes) {
    g_string_set_size(out, len + MAX(bytes, len)); /* in steps that double */
    g_string_truncate(out, len);
  }
  return out->str + len;
}

static void write_byte(GString *out, char c) {
  *text_room(out, 1) = c;
  out->str[++out->len] = '\0';
}

static char *write_escaped(char *at, guchar c) {
  static const char names[] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                               ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};
  static const char digits[] = "0123456789ABCDEF";
  *at++ = '\\';
  if (c < G_N_ELEMENTS(names) && names[c]) {
    *at++ = names[c];
    return at;
  }
  *at++ = 'u';
  *at++ = '0';
  *at++ = '0';
  *at++ = digits[c >> 4];
  *at++ = digits[c & 15];
  return at;
}

/* Whether one of the eight bytes of `word` is zero. */
static guint64 has_zero(guint64 word) {
  return (word - LOW_BITS) & ~word & HIGH_BITS;
}

/* Whether eight bytes are all ASCII that stands for itself. */
static gboolean is_plain(const char *text) {
  guint64 word;
  memcpy(&word, text, sizeof word);
  return !((word & HIGH_BITS) || ((word - LOW_BITS * 0x20) & HIGH_BITS) ||
           has_zero(word ^ (LOW_BITS * '"')) || has_zero(word ^ (LOW_BITS * '\\')));
}

static gboolean write_string(GString *out, const char *text, gsize len) {
  char *at = text_room(out, len * 6 + 2); /* as if all were escaped */
  gboolean ascii = TRUE;
  *at++ = '"';
  for (gsize i = 0; i < len;) {
    if (i + 8 <= len && is_plain(text + i)) {
      memcpy(at, text + i, 8);
      at += 8;
      i += 8;
      continue;
    }
    guchar c = (guchar)text[i++];
    ascii = ascii && c < 0x80;
    if (c >= 0x20 && c != '"' && c != '\\')
      *at++ = (char)c;
    else
      at = write_escaped(at, c);
  }
  *at++ = '"';
  *at = '\0';
  out->len = (gsize)(at - out->str);
  return ascii || g_utf8_validate_len(text, len, NULL);
}

static gboolean write_key(GString *out, const char *key, gboolean first) {
  if (!first)
    write_byte(out, ',');
  gboolean ok = write_string(out, key, strlen(key));
  write_byte(out, ':');
  return ok;
}

static void write_integer(GString *out, json_int_t number) {
  char digits[24], *at = digits + sizeof digits;
  guint64 left = number < 0 ? 0 - (guint64)number : (guint64)number;
  do
    *--at = (char)('0' + left % 10);
  while (left /= 10);
  if (number < 0)
    *--at = '-';
  g_string_append_len(out, at, digits + sizeof digits - at);
}

static gboolean write_object(GString *out, const json_t *object, guint depth) {
  const char *key;
  json_t *value;
  gboolean first = TRUE;
  write_byte(out, '{');
  json_object_foreach((json_t *)object, key, value) {
    if (!write_key(out, key, first) || !write_value(out, value, depth))
      return FALSE;
    first = FALSE;
  }
  write_byte(out, '}');
  return TRUE;
}

static gboolean write_array(GString *out, const json_t *array, guint depth) {
  gsize i;
  json_t *value;
  write_byte(out, '[');
  json_array_foreach(array, i, value) {
    if (i > 0)
      write_byte(out, ',');
    if (!write_value(out, value, depth))
      return FALSE;
  }
  write_byte(out, ']');
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
  case JSON_INTEGER:
    write_integer(out, json_integer_value(value));
    return TRUE;
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
  write_byte(text->bytes, '"');
  text->slot = text->bytes->len;
  write_byte(text->bytes, '"');
}

/* In the order of its members; a resourceVersion that it has keeps its place. */
static gboolean write_metadata(FerryText *text, const json_t *metadata) {
  const char *key;
  json_t *value;
  gboolean first = TRUE;
  write_byte(text->bytes, '{');
  json_object_foreach((json_t *)metadata, key, value) {
    if (strcmp(key, "resourceVersion") == 0)
      write_slot(text, first);
    else if (!write_key(text->bytes, key, first) || !write_value(text->bytes, value, 1))
      return FALSE;
    first = FALSE;
  }
  if (text->slot == 0)
    write_slot(text, first);
  write_byte(text->bytes, '}');
  return TRUE;
}

static gboolean write_top(FerryText *text, const json_t *object) {
  const char *key;
  json_t *value;
  gboolean first = TRUE;
  write_byte(text->bytes, '{');
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
  write_byte(text->bytes, '}');
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
