// SPDX-License-Identifier: Apache-2.0
#include "fuzz.h"
#include "host/port/domain_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autoptr(json_t) record = ferry_domain_xml_parse((const char *)data, size, NULL);
  return 0;
}
