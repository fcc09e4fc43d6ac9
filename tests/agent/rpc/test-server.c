// SPDX-License-Identifier: Apache-2.0
// The local socket's protocol: JSON-RPC 2.0, batches, notifications, and what is no request.
#include "agent/rpc/server.h"
#include <string.h>

static json_t *echo(const char *method, const json_t *params, int *code, char **message,
                    gpointer data) {
  ++*(int *)data;
  if (g_str_equal(method, "echo"))
    return json_deep_copy(params);
  *code = 7;
  *message = g_strdup("not today");
  return NULL;
}

static void expect(const char *line, const char *answer) {
  int calls = 0;
  g_autoptr(json_t) got = ferry_rpc_answer(line, strlen(line), echo, &calls);
  g_autoptr(json_t) want = answer ? json_loads(answer, 0, NULL) : NULL;
  g_autofree char *text = got ? json_dumps(got, 0) : NULL;
  if (!!got != !!want || (got && !json_equal(got, want)))
    g_error("%s\nanswered %s\nexpected %s", line, text, answer);
}

static int code_of(const char *line) {
  int calls = 0;
  g_autoptr(json_t) got = ferry_rpc_answer(line, strlen(line), echo, &calls);
  return (int)ferry_json_int(got, "error.code", 0);
}

static void test_protocol(void) {
  expect("{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":{\"a\":1},\"id\":\"x\"}",
         "{\"jsonrpc\":\"2.0\",\"result\":{\"a\":1},\"id\":\"x\"}");
  expect("{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}", NULL); /* a notification */
  expect("{\"jsonrpc\":\"2.0\",\"method\":\"other\",\"id\":3}",
         "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":7,\"message\":\"not today\"},\"id\":3}");
  expect("[{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"id\":1},"
         "{\"jsonrpc\":\"2.0\",\"method\":\"echo\"},"
         "{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":{\"b\":2},\"id\":2}]",
         "[{\"jsonrpc\":\"2.0\",\"result\":{},\"id\":1},"
         "{\"jsonrpc\":\"2.0\",\"result\":{\"b\":2},\"id\":2}]");
  g_assert_cmpint(code_of("{"), ==, FERRY_RPC_PARSE_ERROR);
  g_assert_cmpint(code_of("{} x"), ==, FERRY_RPC_PARSE_ERROR);
  g_assert_cmpint(code_of("[]"), ==, FERRY_RPC_INVALID_REQUEST);
  g_assert_cmpint(code_of("7"), ==, FERRY_RPC_PARSE_ERROR);
  g_assert_cmpint(code_of("{\"method\":\"echo\",\"id\":1}"), ==, FERRY_RPC_INVALID_REQUEST);
  g_assert_cmpint(code_of("{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"id\":{}}"), ==,
                  FERRY_RPC_INVALID_REQUEST);
  g_assert_cmpint(code_of("{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":[1],\"id\":1}"), ==,
                  FERRY_RPC_INVALID_PARAMS);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/rpc/protocol", test_protocol);
  return g_test_run();
}
