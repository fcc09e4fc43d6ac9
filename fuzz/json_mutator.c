// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the JSON and XML libraries are not instrumented, so a byte that breaks the
// document teaches libFuzzer nothing. For targets that read JSON half of the mutations are of the
// tree: a value goes, comes twice, changes its type, takes another's place, or becomes one that
// parsers stumble over; keys are renamed to others of the same document. Strings go through
// libFuzzer's own mutations, the dictionary's words among them. The other half stays bytes.
#include "base/json.h"
#include "fuzz.h"
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

#define MAX_NODES 4096

typedef struct {
  json_t *parent;
  const char *key; /* in an object, else NULL */
  size_t index;    /* in a list */
} Place;

static void collect(json_t *value, GArray *places) {
  const char *key;
  json_t *child;
  size_t i;
  if (places->len >= MAX_NODES)
    return;
  json_object_foreach(value, key, child) {
    Place place = {value, key, 0};
    g_array_append_val(places, place);
    collect(child, places);
  }
  json_array_foreach(value, i, child) {
    Place place = {value, NULL, i};
    g_array_append_val(places, place);
    collect(child, places);
  }
}

static json_t *value_at(const Place *p) {
  return p->key ? json_object_get(p->parent, p->key) : json_array_get(p->parent, p->index);
}

static json_t *awkward(GRand *rand) {
  static const char *const documents[] = {"null",
                                          "true",
                                          "0",
                                          "-1",
                                          "4294967296",
                                          "9223372036854775807",
                                          "-9223372036854775808",
                                          "1e308",
                                          "0.5",
                                          "\"\"",
                                          "\"/\"",
                                          "\"~1\"",
                                          "\"*\"",
                                          "\"1.5Gi\"",
                                          "\"2026-01-01T00:00:00Z\"",
                                          "\"..\"",
                                          "\"-\"",
                                          "[]",
                                          "{}",
                                          "[[]]",
                                          "[null]",
                                          "{\"\":null}",
                                          "{\"$patch\":\"delete\"}",
                                          "{\"$patch\":\"replace\"}",
                                          "[{\"$patch\":\"replace\"}]",
                                          "\"\\u0000x\"",
                                          "\"\\ud83d\\ude00\""};
  const char *text = documents[g_rand_int_range(rand, 0, G_N_ELEMENTS(documents))];
  return json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

static json_t *string_mutated(const json_t *string) {
  uint8_t text[512];
  size_t n = MIN(json_string_length(string), sizeof text / 2);
  memcpy(text, json_string_value(string), n);
  n = LLVMFuzzerMutate(text, n, sizeof text);
  g_autofree char *raw = g_strndup((const char *)text, n);
  g_autofree char *valid = g_utf8_make_valid(raw, -1);
  return json_string(valid);
}

/* Takes `value` (a new reference). */
static void replace_at(const Place *p, json_t *value) {
  if (p->key)
    json_object_set_new(p->parent, p->key, value);
  else
    json_array_set_new(p->parent, p->index, value);
}

static void rename_key(const Place *p, GArray *places, GRand *rand) {
  const Place *other = &g_array_index(places, Place, g_rand_int_range(rand, 0, (gint)places->len));
  if (!p->key || !other->key)
    return;
  json_t *value = json_incref(value_at(p));
  g_autofree char *key = g_strdup(other->key);
  json_object_del(p->parent, p->key);
  json_object_set_new(p->parent, key, value);
}

/* Where `from` holds the tree, the copy would make a circle of it: only deep copies go in. */
static void mutate_tree(json_t *root, GRand *rand) {
  g_autoptr(GArray) places = g_array_new(FALSE, FALSE, sizeof(Place));
  collect(root, places);
  if (places->len == 0)
    return;
  const Place *p = &g_array_index(places, Place, g_rand_int_range(rand, 0, (gint)places->len));
  const Place *from = &g_array_index(places, Place, g_rand_int_range(rand, 0, (gint)places->len));
  json_t *value = value_at(p);
  switch (g_rand_int_range(rand, 0, 7)) {
  case 0:
    if (p->key)
      json_object_del(p->parent, p->key);
    else
      json_array_remove(p->parent, p->index);
    break;
  case 1:
    replace_at(p, awkward(rand));
    break;
  case 2:
    replace_at(p, json_deep_copy(value_at(from)));
    break;
  case 3:
    rename_key(p, places, rand);
    break;
  case 4:
    if (json_is_array(value))
      json_array_append_new(value, json_deep_copy(value_at(from)));
    else if (json_is_object(value) && from->key)
      json_object_set_new(value, from->key, json_deep_copy(value_at(from)));
    break;
  case 5:
    if (json_is_integer(value))
      json_integer_set(value, (json_int_t)((guint64)json_integer_value(value) +
                                           (guint64)g_rand_int_range(rand, -2, 3)));
    break;
  default:
    if (json_is_string(value))
      replace_at(p, string_mutated(value));
  }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
  g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
  g_autoptr(json_t) root = g_rand_boolean(rand) ? json_loadb((const char *)data, size,
                                                             JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)
                                                : NULL;
  if (!root)
    return LLVMFuzzerMutate(data, size, max_size);
  for (gint n = g_rand_int_range(rand, 1, 4); n > 0; n--)
    mutate_tree(root, rand);
  g_autofree char *text = json_dumps(root, JSON_ENCODE_ANY | JSON_COMPACT);
  size_t len = text ? strlen(text) : 0;
  if (len == 0 || len > max_size)
    return LLVMFuzzerMutate(data, size, max_size);
  memcpy(data, text, len);
  return len;
}
