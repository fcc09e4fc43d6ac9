// SPDX-License-Identifier: Apache-2.0
#include "model/migration/evacuation.h"
#include "model/migration/phase.h"
#include <string.h>

json_t *ferry_evacuation_migration(const json_t *vmi, const char *node, int attempt) {
  const char *vm = ferry_json_str(vmi, "metadata.name");
  g_autofree char *base = g_strdup_printf("%.50s", vm);
  for (gsize n = strlen(base); n > 0 && !g_ascii_isalnum(base[n - 1]); n--)
    base[n - 1] = '\0';
  g_autofree char *generate = g_strconcat(base, "-evacuation-", NULL);
  g_autofree char *number = g_strdup_printf("%d", attempt);
  return json_pack("{s:s, s:s, s:{s:s, s:O, s:{s:s, s:s}}, s:{s:s, s:s}}", "apiVersion",
                   "kubevirt.io/v1", "kind", "VirtualMachineInstanceMigration", "metadata",
                   "generateName", generate, "namespace", ferry_json_get(vmi, "metadata.namespace"),
                   "annotations", FERRY_EVACUATES_ANNOTATION, node, FERRY_ATTEMPT_ANNOTATION,
                   number, "spec", "vmiName", vm, "priority", "system-critical");
}

gboolean ferry_evacuation_is_final(const json_t *evacuation) {
  return ferry_phase_is_final(ferry_phase_of(evacuation));
}
