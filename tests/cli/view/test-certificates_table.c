// SPDX-License-Identifier: Apache-2.0
#include "cli/view/certificates_table.h"
#include "base/json.h"
#include <string.h>

static const char said[] =
    "[{\"kind\":\"ca\",\"subject\":\"CN=ferry\",\"secondsLeft\":99,\"state\":\"good\"},"
    "{\"kind\":\"user\",\"name\":\"h1\",\"secondsLeft\":99,\"state\":\"good\"},"
    "{\"kind\":\"qemu\",\"name\":\"h1\",\"subject\":\"CN=h1\",\"secondsLeft\":864000,\"state\":"
    "\"expiring\","
    "\"endsAt\":\"2026-12-10T00:00:00Z\",\"names\":[\"h1\",\"10.0.0.1\"],\"keyHash\":"
    "\"0123456789abcdef0123456789abcdef\"},"
    "{\"kind\":\"node\",\"name\":\"h2\",\"secondsLeft\":500,\"state\":\"good\"},"
    "{\"kind\":\"node\",\"name\":\"h1\",\"serial\":\"old\",\"secondsLeft\":9,\"state\":"
    "\"expiring\"},"
    "{\"kind\":\"node\",\"name\":\"h1\",\"serial\":\"new\",\"secondsLeft\":99,\"state\":\"good\"},"
    "{\"kind\":\"node\",\"name\":\"h1\",\"serial\":\"bad\",\"secondsLeft\":999,\"state\":"
    "\"revoked\"}]";

static void test_of_hosts(void) {
  static const char *const only[] = {"h1", NULL};
  g_autoptr(json_t) list = ferry_json_parse(said, strlen(said), NULL);
  g_autoptr(json_t) all = ferry_certificates_of_hosts(list, NULL);
  g_assert_cmpuint(json_array_size(all), ==, 3);
  g_autoptr(json_t) some = ferry_certificates_of_hosts(list, only);
  g_assert_cmpuint(json_array_size(some), ==, 2);
  g_assert_cmpstr(ferry_json_str(json_array_get(some, 0), "serial"), ==, "new");
  g_assert_cmpstr(ferry_json_str(json_array_get(some, 1), "kind"), ==, "qemu");
}

static void test_table(void) {
  g_autoptr(json_t) list = ferry_json_parse(said, strlen(said), NULL);
  g_autoptr(json_t) some = ferry_certificates_of_hosts(list, NULL);
  g_autoptr(json_t) table = ferry_certificates_table(some);
  g_autofree char *rows = json_dumps(json_object_get(table, "rows"), JSON_COMPACT);
  g_assert_cmpuint(json_array_size(json_object_get(table, "columnDefinitions")), ==, 9);
  g_assert_nonnull(strstr(
      rows,
      "[\"h1\",\"qemu\",\"CN=h1\",\"h1,10.0.0.1\",\"libvirt-qemu-ca\",\"2026-12-10T00:00:00Z\","
      "\"10\",\"expiring\",\"0123456789abcdef\"]"));
  g_assert_nonnull(strstr(rows, "[\"h2\",\"agent\",\"-\",\"-\",\"ferryd's CA\""));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/cli/certificates_table/of-hosts", test_of_hosts);
  g_test_add_func("/cli/certificates_table/table", test_table);
  return g_test_run();
}
