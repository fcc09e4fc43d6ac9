// SPDX-License-Identifier: Apache-2.0
// Reads the protobuf document back with a reader of its own and looks for what kubectl looks for.
#include "model/kinds/kind.h"
#include "model/schema/schema.h"
#include <string.h>

typedef struct {
  const guint8 *p, *end;
} Span;

static guint64 varint(Span *s) {
  guint64 value = 0;
  for (int shift = 0;; shift += 7) {
    g_assert_true(s->p < s->end && shift < 64);
    value |= (guint64)(*s->p & 0x7f) << shift;
    if (!(*s->p++ & 0x80))
      return value;
  }
}

/* The next field of a message whose fields are all length-delimited. */
static gboolean next(Span *s, guint *field, Span *value) {
  if (s->p >= s->end)
    return FALSE;
  guint64 tag = varint(s);
  g_assert_cmpuint(tag & 7, ==, 2);
  guint64 len = varint(s);
  g_assert_cmpuint(len, <=, (guint64)(s->end - s->p));
  *field = (guint)(tag >> 3);
  *value = (Span){s->p, s->p + len};
  s->p += len;
  return TRUE;
}

static gboolean is_text(Span s, const char *text) {
  return (gsize)(s.end - s.p) == strlen(text) && memcmp(s.p, text, strlen(text)) == 0;
}

/* The first field with this number. */
static Span get(Span message, guint wanted) {
  guint field;
  Span value;
  while (next(&message, &field, &value))
    if (field == wanted)
      return value;
  return (Span){NULL, NULL};
}

/* Among repeated messages `field` {1 name, 2 value}: the value of `name`. */
static Span named(Span message, guint wanted, const char *name) {
  guint field;
  Span value;
  while (next(&message, &field, &value))
    if (field == wanted && is_text(get(value, 1), name))
      return get(value, 2);
  return (Span){NULL, NULL};
}

static void test_document(void) {
  g_autoptr(GBytes) bytes = ferry_schema_openapi_v2_protobuf();
  gsize size;
  const guint8 *data = g_bytes_get_data(bytes, &size);
  Span document = {data, data + size};
  g_assert_true(is_text(get(document, 1), "2.0"));
  Span vmim = named(get(document, 9), 1, "io.kubevirt.v1.VirtualMachineInstanceMigration");
  g_assert_nonnull(vmim.p);
  Span gvk = get(named(vmim, 31, "x-kubernetes-group-version-kind"), 2);
  g_assert_true(is_text(gvk, "[{\"group\":\"kubevirt.io\",\"kind\":\"VirtualMachineInstance"
                             "Migration\",\"version\":\"v1\"}]"));
  Span spec = named(get(vmim, 25), 1, "spec");
  g_assert_true(is_text(get(get(spec, 22), 1), "object"));
  Span name = named(get(spec, 25), 1, "vmiName");
  g_assert_cmpuint(get(name, 4).end - get(name, 4).p, >, 10);
  Span selector = named(get(spec, 25), 1, "addedNodeSelector");
  g_assert_true(is_text(get(get(get(get(selector, 21), 1), 22), 1), "string"));
}

/* Each kind that can be patched has a patch with the query parameter dryRun, by which kubectl 1.20
 * decides. */
static void test_dry_run(void) {
  g_autoptr(GBytes) bytes = ferry_schema_openapi_v2_protobuf();
  gsize size, n, found = 0, wanted = 0;
  const guint8 *data = g_bytes_get_data(bytes, &size);
  Span paths = get((Span){data, data + size}, 8);
  const FerryKind *const *kinds = ferry_kinds(&n);
  for (gsize i = 0; i < n; i++) {
    g_autofree char *path = g_strdup_printf(
        "%s%s/%s/%s%s/{name}", *kinds[i]->group ? "/apis/" : "/api", kinds[i]->group,
        kinds[i]->version, kinds[i]->namespaced ? "namespaces/{namespace}/" : "", kinds[i]->plural);
    Span operation = get(named(paths, 2, path), 8), value;
    guint field;
    gboolean dry_run = FALSE;
    while (operation.p && next(&operation, &field, &value))
      if (field == 8) {
        Span query = get(get(get(value, 1), 2), 3);
        dry_run |= is_text(get(query, 2), "query") && is_text(get(query, 4), "dryRun") &&
                   is_text(get(query, 6), "string");
      }
    found += dry_run;
    wanted += (kinds[i]->verbs & FERRY_VERB_PATCH) != 0;
  }
  g_assert_cmpuint(wanted, >=, 9);
  g_assert_cmpuint(found, ==, wanted);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/schema-v2-proto/document", test_document);
  g_test_add_func("/schema-v2-proto/dry-run", test_dry_run);
  return g_test_run();
}
