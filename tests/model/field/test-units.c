// SPDX-License-Identifier: Apache-2.0
// Every number has a unit, said in its row; and its name does not say another.
#include "model/agents/domain_record.h"
#include "model/kinds/kind.h"
#include "model/kinds/policy_fields.h"
#include "model/schema/schema.h"
#include <string.h>

static guint seen;

static void check_field(const FerryField *f, const char *path) {
  gboolean number = f->type == FERRY_TYPE_INTEGER || f->type == FERRY_TYPE_QUANTITY ||
                    f->type == FERRY_TYPE_NUMBER ||
                    (f->type == FERRY_TYPE_LIST && f->item == FERRY_TYPE_INTEGER);
  if (number && f->unit == FERRY_UNIT_NONE)
    g_error("%s: an integer without a unit; say COUNT where it is a plain count", path);
  if (!number && f->type != FERRY_TYPE_ANY)
    g_assert_cmpint(f->unit, ==, FERRY_UNIT_NONE);
  seen += number;
  /* the longest unit that its name ends with is its unit */
  gsize longest = 0;
  int named = FERRY_UNIT_NONE;
  for (int u = FERRY_UNIT_BYTES; number && u <= FERRY_UNIT_HZ; u++) {
    const char *suffix = ferry_unit_suffix(u);
    gsize before = strlen(f->name) - MIN(strlen(f->name), strlen(suffix));
    if (before > 0 && g_str_has_suffix(f->name, suffix) && strlen(suffix) > longest &&
        g_ascii_islower(f->name[before - 1])) { /* runningVMs are no ms */
      longest = strlen(suffix);
      named = u;
    }
  }
  if (longest && named != (int)f->unit)
    g_error("%s: its name says %s, its row %s", path, ferry_unit_word(named),
            ferry_unit_word(f->unit));
}

static void check_fields(const FerryField *fields, const char *at) {
  for (const FerryField *f = fields; f && f->name; f++) {
    g_autofree char *path = g_strdup_printf("%s.%s", at, f->name);
    check_field(f, path);
    check_fields(f->fields, path);
  }
}

static void test_every_number(void) {
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  seen = 0;
  for (gsize i = 0; i < n; i++)
    check_fields(kinds[i]->fields, kinds[i]->kind);
  check_fields(ferry_fields_report, "report");
  for (const FerryPolicyField *f = ferry_policy_fields; f->field.name; f++)
    check_field(&f->field, f->field.name);
  g_assert_cmpuint(seen, >, 100);
}

/* What was guessed from spelling once: names that end like a unit, and fields whose names say none.
 */
static void test_not_by_spelling(void) {
  const FerryField *f = ferry_configuration_field("retries");
  g_assert_cmpint(f->unit, ==, FERRY_UNIT_COUNT);
  g_assert_cmpint(ferry_configuration_field("stallingLimit")->unit, ==, FERRY_UNIT_SECONDS);
  g_assert_cmpint(ferry_configuration_field("progressTimeout")->unit, ==, FERRY_UNIT_SECONDS);
  g_assert_cmpint(ferry_configuration_field("bandwidthPerMigration")->unit, ==,
                  FERRY_UNIT_BYTES_PER_SECOND);
  g_assert_cmpint(ferry_configuration_field("compressionXBZRLECache")->unit, ==, FERRY_UNIT_BYTES);
  g_assert_null(ferry_configuration_field("none"));
  for (const FerryField *s = ferry_kind_node.fields; s->name; s++)
    for (const FerryField *m = s->fields; m && m->name; m++)
      if (g_str_equal(m->name, "runningVMs"))
        g_assert_cmpint(m->unit, ==, FERRY_UNIT_COUNT);
}

/* Documents take unit and fallback from the row. */
static void test_documents(void) {
  g_autoptr(json_t) document = ferry_schema_openapi_v3("kubevirt.io", "v1");
  g_autofree char *text = json_dumps(document, JSON_COMPACT);
  g_assert_nonnull(strstr(text, "Longest pause of the guest at the switch-over. (1 to 2000000 ms; "
                                "default 900)"));
  g_assert_nonnull(strstr(text, "Memory to move; once it is being moved. (bytes)"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/model/units/every-number", test_every_number);
  g_test_add_func("/model/units/not-by-spelling", test_not_by_spelling);
  g_test_add_func("/model/units/documents", test_documents);
  return g_test_run();
}
