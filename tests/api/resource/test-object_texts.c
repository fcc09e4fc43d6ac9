// SPDX-License-Identifier: Apache-2.0
// The text of an object is made once for all who watch it, and never shown for another.
#include "api/resource/object_texts.h"
#include "store/views.h"

#include <string.h>

static const FerryKind alias = {.group = "g", .version = "v1", .kind = "B"};
static const FerryKind other = {.group = "h", .version = "v2", .kind = "C"};

/* Takes the object. */
static FerryStored *store(json_t *object) {
  g_autoptr(FerryViews) views = ferry_views_new(1 << 20);
  g_auto(FerryText) text;
  g_assert_true(ferry_text_init(&text, object));
  json_decref(object);
  return ferry_stored_new(views, &text, 7, NULL);
}

#define METADATA ",\"metadata\":{\"resourceVersion\":\"7\"}"

static void expect_text(FerryObjectTexts *texts, const FerryKind *as, FerryStored *object,
                        const char *wanted) {
  g_autoptr(GBytes) text = ferry_object_texts_get(texts, as, object);
  gsize len;
  const char *data = g_bytes_get_data(text, &len);
  g_assert_cmpmem(data, len, wanted, strlen(wanted));
}

static void made_once(void) {
  g_autoptr(FerryObjectTexts) texts = ferry_object_texts_new();
  g_autoptr(FerryStored) object = store(json_pack("{s:s,s:i}", "kind", "A", "n", 1));
  for (int i = 0; i < 500; i++)
    expect_text(texts, &other, object,
                "{\"kind\":\"C\",\"n\":1" METADATA ",\"apiVersion\":\"h/v2\"}");
  g_assert_cmpuint(ferry_object_texts_made(texts), ==, 1);
  for (int i = 0; i < 500; i++)
    expect_text(texts, &alias, object,
                "{\"kind\":\"B\",\"n\":1" METADATA ",\"apiVersion\":\"g/v1\"}");
  g_assert_cmpuint(ferry_object_texts_made(texts), ==, 2);
}

/* More than there are places for, freed at once, so that addresses come back. */
static void never_another(void) {
  g_autoptr(FerryObjectTexts) texts = ferry_object_texts_new();
  for (int i = 0; i < 5000; i++) {
    g_autoptr(FerryStored) object = store(json_pack("{s:i}", "n", i));
    g_autofree char *wanted =
        g_strdup_printf("{\"n\":%d" METADATA ",\"apiVersion\":\"g/v1\",\"kind\":\"B\"}", i);
    expect_text(texts, &alias, object, wanted);
    expect_text(texts, &alias, object, wanted);
  }
  g_assert_cmpuint(ferry_object_texts_made(texts), ==, 5000);
}

static void large_is_not_kept(void) {
  g_autoptr(FerryObjectTexts) texts = ferry_object_texts_new();
  g_autofree char *much = g_strnfill(100000, 'x');
  g_autoptr(FerryStored) object = store(json_pack("{s:s}", "s", much));
  g_autofree char *wanted =
      g_strdup_printf("{\"s\":\"%s\"" METADATA ",\"apiVersion\":\"g/v1\",\"kind\":\"B\"}", much);
  expect_text(texts, &alias, object, wanted);
  expect_text(texts, &alias, object, wanted);
  g_assert_cmpuint(ferry_object_texts_made(texts), ==, 2);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/api/object_texts/made-once", made_once);
  g_test_add_func("/api/object_texts/never-another", never_another);
  g_test_add_func("/api/object_texts/large-is-not-kept", large_is_not_kept);
  return g_test_run();
}
