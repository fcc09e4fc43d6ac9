// SPDX-License-Identifier: Apache-2.0
#include "policy/target/needs_rules.h"
#include <string.h>

static json_t *parse(const char *text) {
  json_error_t problem;
  json_t *value = json_loads(text, 0, &problem);
  if (!value)
    g_error("%s at %d: %s", problem.text, problem.position, text);
  return value;
}

/* The reasons' words with spaces between them, of a VM with one need and a node with `status`. */
static char *reasons(const char *kind, const char *name, const char *status, const char *config) {
  g_autoptr(json_t) vmi =
      json_pack("{s{s{s[{ss,ss}]}}}", "spec", "domain", "needs", "kind", kind, "name", name);
  g_autofree char *text =
      g_strdup_printf("{\"metadata\":{\"name\":\"h2\"},\"status\":{%s}}", status);
  g_autoptr(json_t) node = parse(text);
  g_autoptr(json_t) c = config ? json_pack("{ss}", "destinationXML", config) : NULL;
  g_autoptr(json_t) list = ferry_needs_reasons(vmi, c, node);
  GString *out = g_string_new(NULL);
  gsize i;
  json_t *one;
  json_array_foreach(list, i, one) {
    g_assert_nonnull(strstr(ferry_json_str(one, "message"), "node h2"));
    g_string_append_printf(out, "%s%s", i ? " " : "", ferry_json_str(one, "reason"));
  }
  return g_string_free(out, FALSE);
}

static void check(const char *kind, const char *name, const char *status, const char *wanted) {
  g_autofree char *is = reasons(kind, name, status, NULL);
  g_test_message("%s %s: %s", kind, name, status);
  g_assert_cmpstr(is, ==, wanted);
}

#define HAS(kind, name) "\"resources\":[{\"kind\":\"" kind "\",\"name\":\"" name "\"}]"
#define BAD(kind, name)                                                                            \
  "\"resources\":[{\"kind\":\"" kind "\",\"name\":\"" name "\",\"problem\":\"it is off\"}]"
#define ALL(kind) "\"resourceKinds\":[\"" kind "\"]"

static void test_each_kind(void) {
  static const struct {
    const char *kind, *name, *reason;
  } listed[] = {{"network", "n", "NetworkMissing"},   {"pool", "p", "PoolMissing"},
                {"volume", "p/v", "VolumeMissing"},   {"secret", "u", "SecretMissing"},
                {"address", "::1", "AddressMissing"}, {"hugepages", "2048", "HugepagesMissing"},
                {"file", "/f", "FileMissing"},        {"directory", "/d", "DirectoryMissing"},
                {"port", "::1 80", "PortTaken"}};
  for (gsize i = 0; i < G_N_ELEMENTS(listed); i++) {
    const char *kind = listed[i].kind, *name = listed[i].name;
    g_autofree char *has = g_strdup_printf(
        "\"resources\":[{\"kind\":\"%s\",\"name\":\"%s\"}],\"resourceKinds\":[\"%s\"]", kind, name,
        kind);
    g_autofree char *bad = g_strdup_printf(
        "\"resources\":[{\"kind\":\"%s\",\"name\":\"%s\",\"problem\":\"it is off\"}]", kind, name);
    g_autofree char *all = g_strdup_printf("\"resources\":[],\"resourceKinds\":[\"%s\"]", kind);
    check(kind, name, has, "");
    check(kind, name, bad, listed[i].reason);
    check(kind, name, all, listed[i].reason);
    check(kind, name, "", ""); /* it doesn't tell */
  }
  check("moon", "m", ALL("moon"), "");
}

#define IFACE(name) "\"interfaces\":[{\"name\":\"" name "\",\"addresses\":[\"10.0.0.1/24\"]}]"

static void test_interfaces(void) {
  check("bridge", "br0", IFACE("br0"), "");
  check("bridge", "br0", IFACE("br1"), "BridgeMissing");
  check("interface", "br0", IFACE("br1"), "InterfaceMissing");
  check("bridge", "br0", "\"interfaces\":[]", "");
  /* an agent elsewhere sees some alone */
  check("bridge", "br0", IFACE("br1") ",\"agent\":{\"mode\":\"remote\"}", "");
}

/* A pool that is off is one reason, not one more for each volume. */
static void test_pool_says_it(void) {
  check("volume", "p/v", BAD("pool", "p") "," ALL("volume"), "");
  check("volume", "p/v", HAS("pool", "p") "," ALL("volume"), "VolumeMissing");
}

static void test_other_definition(void) {
  static const char other[] =
      "<domain><devices><interface type='bridge'><source bridge='br9'/></interface></devices>"
      "</domain>";
  g_autofree char *lacks = reasons("bridge", "br0", IFACE("br0"), other);
  g_assert_cmpstr(lacks, ==, "BridgeMissing");
  g_autofree char *has = reasons("bridge", "br0", IFACE("br9"), other);
  g_assert_cmpstr(has, ==, "");
  g_autofree char *unreadable = reasons("bridge", "br0", IFACE("br1"), "no XML");
  g_assert_cmpstr(unreadable, ==, ""); /* others say so */
}

/* What an older libvirt refuses, at both ends. */
static void test_unknown_setting(void) {
  static const struct {
    const char *version;
    gsize refused;
  } cases[] = {{"10.6.0", 1}, {"10.7.0", 0}};
  g_autoptr(json_t) vmi =
      json_pack("{s{s{s[ss]}}}", "spec", "domain", "traits", "ps2", "disk-iothreads");
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(json_t) node = json_pack("{s{ss},s{s{ss}}}", "metadata", "name", "h2", "status",
                                       "hypervisor", "libvirtVersion", cases[i].version);
    g_autoptr(json_t) list = ferry_needs_reasons(vmi, NULL, node);
    g_assert_cmpuint(json_array_size(list), ==, cases[i].refused);
    if (cases[i].refused)
      g_assert_cmpstr(ferry_json_str(json_array_get(list, 0), "reason"), ==, "SettingUnknown");
  }
  g_autoptr(json_t) unsaid = json_pack("{s{ss}}", "metadata", "name", "h2");
  g_autoptr(json_t) none = ferry_needs_reasons(vmi, NULL, unsaid);
  g_assert_cmpuint(json_array_size(none), ==, 0);
}

/* A disk that is copied onto what is there. */
static void test_copies(void) {
  g_autoptr(json_t) vmi =
      parse("{\"spec\":{\"domain\":{\"devices\":{\"disks\":[{\"name\":\"vda\",\"type\":\"file\","
            "\"source\":\"/a\",\"shared\":false,\"sizeBytes\":8}]}}}}");
  g_autoptr(json_t) copied = parse("{\"copyStorageAll\":true}"), stays = json_object();
  static const struct {
    const char *image;
    gboolean refused;
  } cases[] = {{"\"sizeBytes\":8", FALSE},
               {"\"sizeBytes\":9", TRUE},
               {"\"problem\":\"it is not there\"", FALSE}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *text = g_strdup_printf(
        "{\"metadata\":{\"name\":\"h2\"},\"status\":{\"resources\":[{\"kind\":\"image\",\"name\":"
        "\"/a\",%s}]}}",
        cases[i].image);
    g_autoptr(json_t) node = parse(text);
    g_autoptr(json_t) with = ferry_needs_reasons(vmi, copied, node);
    g_autoptr(json_t) without = ferry_needs_reasons(vmi, stays, node);
    g_assert_cmpuint(json_array_size(with), ==, cases[i].refused);
    g_assert_cmpuint(json_array_size(without), ==, 0);
    if (cases[i].refused)
      g_assert_cmpstr(ferry_json_str(json_array_get(with, 0), "reason"), ==, "DiskMismatch");
  }
}

/* libvirt makes the volume of a disk that is copied. */
static void test_volume_is_made(void) {
  g_autoptr(json_t) vmi = parse(
      "{\"spec\":{\"domain\":{\"needs\":[{\"kind\":\"volume\",\"name\":\"p/v\"}],\"devices\":{"
      "\"disks\":[{\"name\":\"vda\",\"type\":\"volume\",\"source\":\"p/v\",\"shared\":false}]}}}}");
  g_autoptr(json_t) node = parse("{\"metadata\":{\"name\":\"h2\"},\"status\":{\"resources\":[],"
                                 "\"resourceKinds\":[\"volume\"]}}");
  g_autoptr(json_t) copied = parse("{\"copyStorageAll\":true}"), stays = json_object();
  g_autoptr(json_t) made = ferry_needs_reasons(vmi, copied, node);
  g_autoptr(json_t) missing = ferry_needs_reasons(vmi, stays, node);
  g_assert_cmpuint(json_array_size(made), ==, 0);
  g_assert_cmpuint(json_array_size(missing), ==, 1);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/needs_rules/each-kind", test_each_kind);
  g_test_add_func("/needs_rules/interfaces", test_interfaces);
  g_test_add_func("/needs_rules/pool-says-it", test_pool_says_it);
  g_test_add_func("/needs_rules/other-definition", test_other_definition);
  g_test_add_func("/needs_rules/unknown-setting", test_unknown_setting);
  g_test_add_func("/needs_rules/volume-is-made", test_volume_is_made);
  g_test_add_func("/needs_rules/copies", test_copies);
  return g_test_run();
}
