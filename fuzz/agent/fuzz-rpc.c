// SPDX-License-Identifier: Apache-2.0
// A line on the agent's local socket: answered, its verb's parameters read as the agent reads them.
#include "fuzz.h"
#include "agent/rpc/params.h"
#include "agent/rpc/server.h"

static json_t *call(const char *method, const json_t *params, int *code, char **message,
                    gpointer data) {
  g_autoptr(GError) error = NULL;
  if (!ferry_local_check(method, params, &error)) {
    *code = FERRY_RPC_INVALID_PARAMS;
    *message = g_strdup(error->message);
    return NULL;
  }
  ferry_local_vm_of(params);
  ferry_local_is_file(params);
  g_autoptr(json_t) fields = ferry_local_change_fields(params);
  json_t *object = ferry_local_object(params, 150, &error);
  *message = object ? NULL : g_strdup(error->message);
  return object;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  g_autoptr(json_t) answer = ferry_rpc_answer((const char *)data, size, call, NULL);
  return 0;
}
