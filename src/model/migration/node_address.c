// SPDX-License-Identifier: Apache-2.0
#include "model/migration/node_address.h"

const char *ferry_internal_address(const json_t *entry) {
  return g_strcmp0(ferry_json_str(entry, "type"), FERRY_ADDRESS_INTERNAL) == 0
             ? ferry_json_str(entry, "address")
             : NULL;
}
