// SPDX-License-Identifier: Apache-2.0
// Prints agent.conf, or ferry-agentd(8) of its template; the build calls it.
#include "agent/settings.h"
#include "base/settings/settings_doc.h"

int main(int argc, char **argv) {
  return ferry_settings_doc(ferry_agent_settings, "ferry-agentd", argc, argv);
}
