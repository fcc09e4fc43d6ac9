// SPDX-License-Identifier: Apache-2.0
// What the kernel says of the network: names of links are anybody's who may make one.
#include "fuzz.h"
#include "host/machine/rtnetlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autoptr(FerryRtnetlink) tables = ferry_rtnetlink_new();
  FerryRtnetlinkRoute route;
  FerryRtnetlinkCounters counters;
  ferry_rtnetlink_take(tables, data, size);
  ferry_rtnetlink_answer(data, size, &route);
  ferry_rtnetlink_counters(tables, "eth0", &counters);
  g_autoptr(json_t) interfaces = ferry_rtnetlink_interfaces(tables);
  g_autoptr(json_t) routes = ferry_rtnetlink_routes(tables);
  return 0;
}
