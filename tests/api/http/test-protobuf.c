// SPDX-License-Identifier: Apache-2.0
// Protobuf that is small and would be large as values: as many are made as of a document in JSON,
// whatever sort of field brings them.
#include "api/http/protobuf.h"
#include "base/error.h"

#include <string.h>

static void put_field(GByteArray *out, guint number, const void *data, gsize len) {
  guint8 head[11];
  guint n = 0;
  head[n++] = (guint8)(number << 3 | 2);
  gsize left = len;
  do {
    head[n++] = (guint8)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>= 7;
  } while (left);
  g_byte_array_append(out, head, n);
  g_byte_array_append(out, data, (guint)len);
}

/* An object of this kind; takes `raw`. */
static GByteArray *unknown_of(const char *version, const char *kind, GByteArray *raw) {
  GByteArray *out = g_byte_array_new();
  g_autoptr(GByteArray) type = g_byte_array_new();
  put_field(type, 1, version, strlen(version));
  put_field(type, 2, kind, strlen(kind));
  g_byte_array_append(out, (const guint8 *)"k8s", 4);
  put_field(out, 1, type->data, type->len);
  put_field(out, 2, raw->data, raw->len);
  g_byte_array_unref(raw);
  return out;
}

/* A field of metadata, `n` times. */
static GByteArray *with_metadata(guint number, guint n, gboolean pairs) {
  GByteArray *raw = g_byte_array_new();
  g_autoptr(GByteArray) meta = g_byte_array_new();
  for (guint i = 0; i < n; i++) {
    g_autoptr(GByteArray) pair = g_byte_array_new();
    g_autofree char *key = g_strdup_printf("%x", i);
    if (pairs)
      put_field(pair, 1, key, strlen(key));
    put_field(meta, number, pair->data, pair->len);
  }
  put_field(raw, 1, meta->data, meta->len);
  return raw;
}

static GByteArray *many_texts(guint n) {
  return unknown_of("v1", "Namespace", with_metadata(14, n, FALSE));
}

static GByteArray *many_pairs(guint n) {
  return unknown_of("v1", "Namespace", with_metadata(11, n, TRUE));
}

static GByteArray *rules_of(guint n, const char *content, gsize len) {
  GByteArray *raw = g_byte_array_new();
  for (guint i = 0; i < n; i++)
    put_field(raw, 2, content, len);
  return unknown_of("rbac.authorization.k8s.io/v1", "Role", raw);
}

static GByteArray *many_messages(guint n) {
  return rules_of(n, "", 0);
}

static GByteArray *texts_of_messages(guint n) {
  return rules_of(n / 2, "\x0a", 2); /* one verb, empty */
}

/* One field again and again, of which the last one counts. */
static GByteArray *one_again(guint n) {
  return unknown_of("v1", "Namespace", with_metadata(1, n, FALSE));
}

static const struct {
  const char *name;
  GByteArray *(*make)(guint n);
} cases[] = {{"texts", many_texts},
             {"pairs", many_pairs},
             {"messages", many_messages},
             {"texts-of-messages", texts_of_messages},
             {"one-again", one_again}};

static void test_count(gconstpointer data) {
  GByteArray *(*make)(guint) = cases[GPOINTER_TO_SIZE(data)].make;
  g_autoptr(GError) error = NULL;
  g_autoptr(GByteArray) most = make(FERRY_JSON_MAX_NODES - 4);
  g_assert_cmpuint(most->len, <, 2 * FERRY_JSON_MAX_BYTES);
  g_autoptr(json_t) taken = ferry_protobuf_decode(most->data, most->len, &error);
  g_assert_no_error(error);
  g_assert_nonnull(taken);
  g_autoptr(GByteArray) more = make(FERRY_JSON_MAX_NODES + 2);
  g_assert_null(ferry_protobuf_decode(more->data, more->len, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE);
  g_assert_nonnull(strstr(error->message, "more than 500000 values"));
}

/* {1 seconds, 2 nanoseconds} */
static void put_time(GByteArray *out, guint number, guint8 seconds, gboolean micro) {
  const guint8 time[] = {1 << 3, seconds, 2 << 3, 0xd0, 0x0f}; /* 2000 ns */
  put_field(out, number, time, micro ? 5 : 2);
}

static void put_text(GByteArray *out, guint number, const char *text) {
  put_field(out, number, text, strlen(text));
}

static json_t *decoded(GByteArray *wire) {
  g_autoptr(GError) error = NULL;
  json_t *out = ferry_protobuf_decode(wire->data, wire->len, &error);
  g_byte_array_unref(wire);
  g_assert_no_error(error);
  return out;
}

static void test_event(void) {
  GByteArray *raw = g_byte_array_new();
  g_autoptr(GByteArray) meta = g_byte_array_new();
  put_text(meta, 1, "e");
  put_field(meta, 8, "", 0); /* no time: not created yet */
  put_text(meta, 15, "of no field: skipped");
  put_field(raw, 1, meta->data, meta->len);
  put_text(raw, 3, "Probed");
  put_time(raw, 6, 100, FALSE);
  g_byte_array_append(raw, (const guint8 *)"\x40\x03", 2); /* 8: count */
  put_time(raw, 10, 100, TRUE);
  put_text(raw, 14, "");
  g_autoptr(json_t) event = decoded(unknown_of("v1", "Event", raw));
  g_autoptr(json_t) wanted =
      json_pack("{s:s, s:s, s:{s:s}, s:s, s:s, s:i, s:s}", "apiVersion", "v1", "kind", "Event",
                "metadata", "name", "e", "reason", "Probed", "firstTimestamp",
                "1970-01-01T00:01:40Z", "count", 3, "eventTime", "1970-01-01T00:01:40.000002Z");
  g_assert_true(json_equal(event, wanted));
}

static void test_node(void) {
  GByteArray *raw = g_byte_array_new();
  g_autoptr(GByteArray) status = g_byte_array_new();
  put_field(raw, 2, "\x20\x01\x2a\x03\x0a\x01k", 7); /* unschedulable, a taint with key k */
  put_field(status, 1,
            "\x0a\x03"
            "cpu\x12\x03\x0a\x01"
            "4",
            10);
  put_field(raw, 3, status->data, status->len);
  g_autoptr(json_t) node = decoded(unknown_of("v1", "Node", raw));
  g_autoptr(json_t) wanted =
      json_pack("{s:s, s:s, s:{s:b, s:[{s:s}]}, s:{s:{s:s}}}", "apiVersion", "v1", "kind", "Node",
                "spec", "unschedulable", 1, "taints", "key", "k", "status", "capacity", "cpu", "4");
  g_assert_true(json_equal(node, wanted));
}

/* A zero that says something, and a number where a text must be. */
static void test_numbers(void) {
  GByteArray *raw = g_byte_array_new();
  g_byte_array_append(raw, (const guint8 *)"\x08\x00", 2);
  g_autoptr(json_t) options = decoded(unknown_of("v1", "DeleteOptions", raw));
  g_assert_cmpint(ferry_json_int(options, "gracePeriodSeconds", -1), ==, 0);
  g_autoptr(GError) error = NULL;
  raw = g_byte_array_new();
  g_byte_array_append(raw, (const guint8 *)"\x18\x01", 2); /* 3: reason */
  g_autoptr(GByteArray) wire = unknown_of("v1", "Event", raw);
  g_assert_null(ferry_protobuf_decode(wire->data, wire->len, &error));
  g_assert_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strdup_printf("/protobuf/%s", cases[i].name);
    g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_count);
  }
  g_test_add_func("/protobuf/event", test_event);
  g_test_add_func("/protobuf/node", test_node);
  g_test_add_func("/protobuf/numbers", test_numbers);
  return g_test_run();
}
