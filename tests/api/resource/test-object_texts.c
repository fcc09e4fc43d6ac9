// SPDX-License-Identifier: Apache-2.0
// The text of an object is made once for all who watch it, and never shown for another.
#include "api/resource/object_texts.h"

#include <string.h>

static void expect_text(FerryObjectTexts *texts, const FerryKind *alias, json_t *object,
                        const char *wanted) {
  g_autoptr(GBytes) text = ferry_object_texts_get(texts, alias, object);
  gsize len;
  const char *data = g_bytes_get_data(text, &len);
  g_assert_cmpmem(data, len, wanted, strlen(wanted));
}

static void made_once(void) {
  g_autoptr(FerryObjectTexts) texts = ferry_object_texts_new();
  g_autoptr(json_t) object = json_pack("{s:s,s:i}", "kind", "A", "n", 1);
  for (int i = 0; i < 500; i++)
    expect_text(texts, NULL, object, "{\"kind\":\"A\",\"n\":1}");
  g_assert_cmpuint(ferry_object_texts_made(texts), ==, 1);
  static const FerryKind alias = {.group = "g", .version = "v1", .kind = "B"};
  for (int i = 0; i < 500; i++)
    expect_text(texts, &alias, object, "{\"kind\":\"B\",\"n\":1,\"apiVersion\":\"g/v1\"}");
  g_assert_cmpuint(ferry_object_texts_made(texts), ==, 2);
}

/* More than there are places for, freed at once, so that addresses come back. */
static void never_another(void) {
  g_autoptr(FerryObjectTexts) texts = ferry_object_texts_new();
  for (int i = 0; i < 5000; i++) {
    g_autoptr(json_t) object = json_pack("{s:i}", "n", i);
    g_autofree char *wanted = g_strdup_printf("{\"n\":%d}", i);
    expect_text(texts, NULL, object, wanted);
    expect_text(texts, NULL, object, wanted);
  }
  g_assert_cmpuint(ferry_object_texts_made(texts), ==, 5000);
}

static void large_is_not_kept(void) {
  g_autoptr(FerryObjectTexts) texts = ferry_object_texts_new();
  g_autofree char *much = g_strnfill(100000, 'x');
  g_autoptr(json_t) object = json_pack("{s:s}", "s", much);
  g_autofree char *wanted = g_strdup_printf("{\"s\":\"%s\"}", much);
  expect_text(texts, NULL, object, wanted);
  expect_text(texts, NULL, object, wanted);
  g_assert_cmpuint(ferry_object_texts_made(texts), ==, 2);
  g_assert_cmpuint(object->refcount, ==, 1);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/api/object_texts/made-once", made_once);
  g_test_add_func("/api/object_texts/never-another", never_another);
  g_test_add_func("/api/object_texts/large-is-not-kept", large_is_not_kept);
  return g_test_run();
}
