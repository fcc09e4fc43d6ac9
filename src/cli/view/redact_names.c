// SPDX-License-Identifier: Apache-2.0
#include "cli/view/redact_names.h"
#include <string.h>

struct FerryRedactNames {
  GHashTable *words;  /* name in small letters (char *) -> word (char *) */
  GHashTable *counts; /* kind (char *) -> how many (guint) */
};

FerryRedactNames *ferry_redact_names_new(void) {
  FerryRedactNames *names = g_new0(FerryRedactNames, 1);
  names->words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  names->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  return names;
}

void ferry_redact_names_free(FerryRedactNames *names) {
  if (!names)
    return;
  g_hash_table_unref(names->words);
  g_hash_table_unref(names->counts);
  g_free(names);
}

void ferry_redact_names_add(FerryRedactNames *names, const char *kind, const char *name) {
  g_autofree char *lower = name ? g_utf8_strdown(name, -1) : NULL;
  if (!lower || !*lower || g_hash_table_contains(names->words, lower))
    return;
  guint n = GPOINTER_TO_UINT(g_hash_table_lookup(names->counts, kind)) + 1;
  g_hash_table_insert(names->counts, g_strdup(kind), GUINT_TO_POINTER(n));
  g_hash_table_insert(names->words, g_steal_pointer(&lower), g_strdup_printf("%s-%u", kind, n));
}

static gboolean is_in_word(const char *p) {
  return g_unichar_isalnum(g_utf8_get_char(p)) || *p == '_';
}

/* The word for the longest name that `at` begins with and that ends where a part of a word does;
 * `*end` is set behind it. */
static const char *longest_name(const FerryRedactNames *names, const char *at, const char **end) {
  const char *word = NULL;
  for (const char *p = at; *p && !g_ascii_isspace(*p) && p - at < 256;) {
    p = g_utf8_next_char(p);
    if (*p && is_in_word(p) && is_in_word(g_utf8_prev_char(p)))
      continue;
    g_autofree char *lower = g_utf8_strdown(at, p - at);
    const char *found = g_hash_table_lookup(names->words, lower);
    if (found) {
      word = found;
      *end = p;
    }
  }
  return word;
}

char *ferry_redact_names_text(const FerryRedactNames *names, const char *text) {
  GString *out = g_string_new(NULL);
  for (const char *p = text; *p;) {
    gboolean begins = p == text || !is_in_word(p) || !is_in_word(g_utf8_prev_char(p));
    const char *end = NULL, *word = begins ? longest_name(names, p, &end) : NULL;
    if (word) {
      g_string_append(out, word);
      p = end;
      continue;
    }
    const char *next = g_utf8_next_char(p);
    g_string_append_len(out, p, next - p);
    p = next;
  }
  return g_string_free(out, FALSE);
}

json_t *ferry_redact_names_json(const FerryRedactNames *names, const json_t *value) {
  if (json_is_string(value)) {
    g_autofree char *text = ferry_redact_names_text(names, json_string_value(value));
    return json_string(text);
  }
  if (json_is_array(value)) {
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(value); i++)
      json_array_append_new(out, ferry_redact_names_json(names, json_array_get(value, i)));
    return out;
  }
  if (!json_is_object(value))
    return json_deep_copy(value);
  json_t *out = json_object(), *member;
  const char *key;
  json_object_foreach((json_t *)value, key, member) {
    g_autofree char *shown = ferry_redact_names_text(names, key);
    json_object_set_new(out, shown, ferry_redact_names_json(names, member));
  }
  return out;
}
