// SPDX-License-Identifier: Apache-2.0
#include "model/kinds/change_fields.h"
#include "model/field/rows.h"
#include "model/kinds/policy_layers.h"
#include "model/migration/phase.h"

const FerryField ferry_change_fields[] = {
    MS("downtimeMs", "New downtime limit.", .min = 1, .max = FERRY_DOWNTIME_MAX_MS,
       .spec = FERRY_FIELD_MAX_DOWNTIME),
    INT("bandwidthMiBps", "New bandwidth limit.", .unit = FERRY_UNIT_MIB_PER_SECOND, .min = 1,
        .max = FERRY_CHANGE_MAX_MIBPS, .spec = "bandwidthPerMigration"),
    STR("technique", "Pre-copy: stay in it; post-copy: switch to it now.",
        .values = ferry_techniques),
    SECONDS("stallingLimitSeconds",
            "Time without progress after which it is called stalling; 0 switches that off.",
            .min = 0, .max = FERRY_CHANGE_MAX_STALLING_S),
    END,
};

const FerryField *ferry_change_field(const char *name) {
  return name ? ferry_field_find(ferry_change_fields, name) : NULL;
}

char *ferry_change_names(void) {
  GString *out = g_string_new(NULL);
  for (const FerryField *f = ferry_change_fields; f->name; f++)
    g_string_append_printf(out, "%s%s", out->len == 0 ? "" : f[1].name ? ", " : " and ", f->name);
  return g_string_free(out, FALSE);
}
