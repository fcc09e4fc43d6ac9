// SPDX-License-Identifier: Apache-2.0
// The same thing said in other words than the stored ones.
#include "api/resource/stored_words.h"
#include "control/relevant.h"
#include "policy/migration_admission.h"

/* What was given at create is stored as the VMI's name; the same manifest may come again. */
void ferry_keep_stored_words(FerryRequest *req, const json_t *old, json_t *wanted) {
  if (req->found.kind != &ferry_kind_vmim)
    return;
  const char *name = ferry_json_str(old, "spec.vmiName");
  const char *word = ferry_json_str(wanted, "spec.vmiName");
  if (!name || !word || g_str_equal(name, word))
    return;
  g_autoptr(GPtrArray) vmis =
      ferry_relevant_vmis_of_word(req->api->store, req->found.ns, word, NULL, NULL);
  FerryAdmissionState state = {.vmis = (json_t *const *)vmis->pdata, .n_vmis = vmis->len};
  const json_t *vmi = ferry_admission_find_vmi(&state, req->found.ns, word);
  if (g_strcmp0(ferry_json_str(vmi, "metadata.name"), name) == 0)
    ferry_json_set_str(wanted, "spec.vmiName", name);
}
