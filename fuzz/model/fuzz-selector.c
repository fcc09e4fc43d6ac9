// SPDX-License-Identifier: Apache-2.0
#include "fuzz.h"
#include "model/listing/selector.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autofree char *text = g_strndup((const char *)data, size);
  g_autoptr(json_t) object =
      json_pack("{s{ss,s{ss}}}", "metadata", "name", "x", "labels", "a", "b");
  g_autoptr(FerrySelector) labels = ferry_selector_parse_labels(text, NULL);
  g_autoptr(FerrySelector) fields = ferry_selector_parse_fields(&ferry_kind_vmim, text, NULL);
  if (labels)
    ferry_selector_matches(labels, object);
  if (fields)
    ferry_selector_matches(fields, object);
  return 0;
}
