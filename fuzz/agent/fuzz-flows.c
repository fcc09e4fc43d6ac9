// SPDX-License-Identifier: Apache-2.0
// What another host's agent writes of a VM's connections, before this one's kernel is told: nothing
// is admitted but of the address that was proven.
#include "agent/carry/flow_gate.h"
#include "fuzz.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const guint8 vm[4] = {192, 0, 2, 7};
  g_autoptr(json_t) flows = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL);
  FerryFlowGate gate;
  ferry_flow_gate_init(&gate);
  ferry_flow_gate_read(&gate, flows);
  ferry_flow_gate_answer(&gate, vm, TRUE);
  for (guint i = 0; i < gate.flows->len; i++) {
    const FerryConntrackFlow *f = &g_array_index(gate.flows, FerryConntrackFlow, i);
    FerryConntrackFlow again;
    g_autofree char *text = ferry_flow_format(f);
    if (!ferry_flow_parse(text, &again, NULL) || !ferry_flow_is_same(f, &again))
      abort();
    if (ferry_flow_gate_admits(&gate, f) &&
        (f->ipv6 || (memcmp(f->from, vm, sizeof vm) != 0 && memcmp(f->to, vm, sizeof vm) != 0)))
      abort();
  }
  g_autofree char *refused = ferry_flow_gate_refused(&gate);
  ferry_flow_gate_clear(&gate);
  return 0;
}
