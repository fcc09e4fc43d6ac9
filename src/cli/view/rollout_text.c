// SPDX-License-Identifier: Apache-2.0
#include "cli/view/rollout_text.h"
#include "cli/view/text.h"

char *ferry_rollout_host_line(const json_t *host) {
  const char *message = ferry_json_str(host, "message");
  g_autofree char *text =
      g_strdup_printf("%s: %s%s%s", ferry_json_str(host, "nodeName"), ferry_json_str(host, "phase"),
                      message ? ": " : "", message ? message : "");
  return ferry_text_clean(text);
}
