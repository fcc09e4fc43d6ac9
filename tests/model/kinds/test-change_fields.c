// SPDX-License-Identifier: Apache-2.0
#include "model/kinds/change_fields.h"
#include "model/kinds/kind.h"
#include "model/kinds/policy_layers.h"

static void test_rows(void) {
  const FerryField *downtime = ferry_change_field("downtimeMs");
  g_assert_cmpint(downtime->min, ==, 1);
  g_assert_cmpint(downtime->max, ==, FERRY_DOWNTIME_MAX_MS);
  g_assert_cmpint(ferry_change_field("bandwidthMiBps")->max, ==, FERRY_CHANGE_MAX_MIBPS);
  g_assert_null(ferry_change_field("maxDowntimeMs"));
  g_assert_null(ferry_change_field("technique.x"));
  g_assert_null(ferry_change_field(NULL));
  g_autofree char *names = ferry_change_names();
  g_assert_cmpstr(names, ==, "downtimeMs, bandwidthMiBps, technique and stallingLimitSeconds");
}

/* The kind has the same table, and room for as many changes as are kept. */
static void test_kind(void) {
  const FerryField *changes = ferry_field_find(ferry_kind_vmim.fields, "status.changes");
  g_assert_cmpint(changes->max, >=, FERRY_CHANGES_MAX);
  g_assert_true(ferry_field_find(changes->fields, "fields")->fields == ferry_change_fields);
  g_assert_true(ferry_field_find(changes->fields, "inForce")->fields == ferry_change_fields);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/change-fields/rows", test_rows);
  g_test_add_func("/change-fields/kind", test_kind);
  return g_test_run();
}
