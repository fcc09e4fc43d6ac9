// SPDX-License-Identifier: Apache-2.0
// An agent's report, merged into a store: refused, or merged without harm.
#include "control/inventory.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static FerryStore *store;
  if (!store)
    store = ferry_store_open(NULL, NULL, NULL);
  g_autoptr(json_t) body = ferry_json_parse((const char *)data, size, NULL);
  if (body) {
    ferry_inventory_report(store, "h1", body, 1767225600000, NULL);
    ferry_inventory_forget_node(store, "h1", 1767225600000, NULL);
  }
  return 0;
}
