// SPDX-License-Identifier: Apache-2.0
// What oVirt's parameters of migrate and change become.
#include "agent/migration/state/settings.h"
#include "agent/rpc/params.h"
#include <glib/gstdio.h>
#include <string.h>

#define VM "5f6c3c1e-5a6c-4b0a-9d52-0d3b1c8f7a11"

static json_t *object(const char *params, GError **error) {
  g_autoptr(json_t) p = json_loads(params, 0, NULL);
  g_assert_nonnull(p);
  return ferry_local_object(p, 77, error);
}

static void test_migrate(void) {
  g_autoptr(json_t) o =
      object("{\"vmID\":\"" VM "\",\"dst\":\"h2:16514\",\"dstqemu\":\"10.0.0.2\",\"downtime\":120,"
             "\"maxBandwidth\":52,\"parallel\":4,\"method\":\"online\","
             "\"consoleAddress\":\"h2:5900\",\"stallingLimit\":3,\"convergenceSchedule\":{\"init\":"
             "[{\"name\":\"autoConverge\",\"params\":[\"true\"]}],\"stalling\":[{\"limit\":2,"
             "\"action\":{\"name\":\"postCopy\",\"params\":[]}}]}}",
             NULL);
#define STATE "status.migrationState."
  g_assert_nonnull(o);
  g_assert_cmpstr(ferry_json_str(o, STATE "targetURI"), ==, "qemu+tls://h2:16514/system");
  g_assert_cmpstr(ferry_json_str(o, STATE "targetNodeAddress"), ==, "10.0.0.2");
  g_assert_cmpstr(ferry_json_str(o, STATE "vmiUID"), ==, VM);
#define CONFIG STATE "migrationConfiguration."
  g_assert_cmpint(ferry_json_int(o, CONFIG "maxDowntimeMs", 0), ==, 120);
  g_assert_cmpint(ferry_json_int(o, CONFIG "bandwidthPerMigration", 0), ==, 52 << 20);
  g_assert_cmpint(ferry_json_int(o, CONFIG "parallelConnections", 0), ==, 4);
  g_assert_true(ferry_json_bool(o, CONFIG "parallel", FALSE));
  g_assert_true(ferry_json_bool(o, CONFIG "allowAutoConverge", FALSE));
  g_assert_true(ferry_json_bool(o, CONFIG "allowPostCopy", FALSE)); /* the schedule needs it */
  g_assert_cmpint(ferry_json_int(o, CONFIG "stallingLimit", 0), ==, 3);
  g_assert_null(ferry_json_get(o, "status.changes")); /* the schedule drives it */
  g_autoptr(json_t) uri = object("{\"vmId\":\"" VM "\",\"dst\":\"qemu+tcp://h2/system\"}", NULL);
  g_assert_cmpstr(ferry_json_str(uri, STATE "targetURI"), ==, "qemu+tcp://h2/system");
}

/* Each of oVirt's parameters becomes a flag of libvirt's, under the configuration's name. */
static void test_flags(void) {
  g_autoptr(json_t) o = object("{\"vmID\":\"" VM "\",\"dst\":\"h2\",\"compressed\":true,"
                               "\"encrypted\":true,\"tunneled\":true,\"abortOnError\":false,"
                               "\"zerocopy\":true,\"consoleAddress\":\"h2-display\"}",
                               NULL);
  g_assert_true(ferry_json_bool(o, CONFIG "compressed", FALSE));
  g_assert_false(ferry_json_bool(o, CONFIG "disableTLS", TRUE));
  g_assert_true(ferry_json_bool(o, CONFIG "tunnelled", FALSE));
  g_assert_false(ferry_json_bool(o, CONFIG "abortOnError", TRUE));
  g_assert_true(ferry_json_bool(o, CONFIG "zeroCopy", FALSE));
  g_assert_cmpstr(ferry_json_str(o, CONFIG "graphicsURI"), ==, "spice://h2-display");
  g_autoptr(json_t) none = object("{\"vmID\":\"" VM "\",\"dst\":\"h2\"}", NULL);
  static const char *const unsaid[] = {CONFIG "compressed", CONFIG "tunnelled",
                                       CONFIG "abortOnError", CONFIG "zeroCopy",
                                       CONFIG "graphicsURI"};
  for (gsize i = 0; i < G_N_ELEMENTS(unsaid); i++)
    g_assert_null(ferry_json_get(none, unsaid[i]));
  g_assert_true(ferry_json_bool(none, CONFIG "disableTLS", FALSE)); /* as oVirt has it */
}

/* An IPv6 address has brackets in a URI, whoever wrote them. */
static void test_ipv6(void) {
  static const struct {
    const char *host, *in_uri;
  } cases[] = {{"fd00::2", "[fd00::2]"},
               {"[fd00::2]", "[fd00::2]"},
               {"[fd00::2]:16514", "[fd00::2]:16514"},
               {"10.0.0.2:16514", "10.0.0.2:16514"}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *params =
        g_strdup_printf("{\"vmID\":\"" VM "\",\"dst\":\"%s\",\"consoleAddress\":\"%s\"}",
                        cases[i].host, cases[i].host);
    g_autofree char *peer = g_strdup_printf("qemu+tls://%s/system", cases[i].in_uri);
    g_autofree char *console = g_strdup_printf("spice://%s", cases[i].in_uri);
    g_autoptr(json_t) o = object(params, NULL);
    g_assert_cmpstr(ferry_json_str(o, STATE "targetURI"), ==, peer);
    g_assert_cmpstr(ferry_json_str(o, CONFIG "graphicsURI"), ==, console);
  }
}

/* seeds/000: "default: migration_progress_timeout from conf", here ferry-agentd's option */
static void test_progress_timeout(void) {
  static const struct {
    const char *more;
    gint64 timeout_s;
  } cases[] = {{"", 77}, {",\"migrationProgressTimeout\":9", 9}};
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *params =
        g_strdup_printf("{\"vmID\":\"" VM "\",\"dst\":\"h2\"%s}", cases[i].more);
    g_autoptr(json_t) o = object(params, NULL);
    FerrySettings settings;
    ferry_settings_read(&settings, o);
    g_assert_cmpint(settings.progress_timeout_s, ==, cases[i].timeout_s);
    ferry_settings_clear(&settings);
  }
}

static void test_change(void) {
  g_autoptr(json_t) params = json_loads("{\"vmID\":\"" VM "\",\"downtime\":5,\"maxBandwidth\":40,"
                                        "\"migrationTechnique\":\"post-copy\",\"stallingLimit\":3}",
                                        0, NULL);
  g_assert_true(ferry_local_check("migrateChangeParams", params, NULL));
  g_autoptr(json_t) fields = ferry_local_change_fields(params);
  g_autofree char *text = ferry_json_dump(fields);
  g_assert_cmpstr(text, ==,
                  "{\"downtimeMs\":5,\"bandwidthMiBps\":40,\"technique\":\"post-copy\","
                  "\"stallingLimitSeconds\":3}");
}

static void test_refusals(void) {
  static const struct {
    const char *params, *part;
  } cases[] = {
      {"{}", "vmID"},
      {"{\"vmID\":\"db\",\"dst\":\"h2\"}", "UUID"},
      {"{\"vmID\":\"" VM "\"}", "dst"},
      {"{\"vmID\":\"" VM "\",\"dst\":\"h2\",\"mode\":\"tape\"}", "mode"},
      {"{\"vmID\":\"" VM "\",\"dst\":\"x\",\"mode\":\"file\"}", "absolute"},
      {"{\"vmID\":\"" VM "\",\"dst\":\"h2\",\"dstparams\":\"/a\"}", "dstparams"},
      {"{\"vmID\":\"" VM "\",\"dst\":\"h2\",\"method\":\"rotten\"}", "online"},
      {"{\"vmID\":\"" VM "\",\"dst\":\"h2\",\"downtime\":0}", "2000000"},
      {"{\"vmID\":\"" VM "\",\"dst\":\"h2\",\"outgoingLimit\":9}", "outgoingLimit"},
      {"{\"vmID\":\"" VM "\",\"dst\":\"h2\",\"incomingLimit\":0}", "incomingLimit"},
      {"{\"vmID\":\"" VM "\",\"dst\":\"h2\",\"autoConverge\":\"yes\"}", "true or false"},
      {"{\"vmID\":\"" VM "\",\"dst\":\"h2\",\"speed\":1}", "speed"},
      {"{\"vmID\":\"" VM "\",\"dst\":\"h2\",\"convergenceSchedule\":{\"stalling\":[]}}",
       "convergenceSchedule"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) o = object(cases[i].params, &error);
    g_assert_null(o);
    if (!strstr(error->message, cases[i].part))
      g_error("%s: %s", cases[i].params, error->message);
  }
}

/* seeds/000: where `downtime` is given, the caller takes care of it from there on */
static void test_downtime_is_the_callers(void) {
  g_autoptr(json_t) o =
      object("{\"vmID\":\"" VM "\",\"dst\":\"h2\",\"downtime\":120,\"incomingLimit\":2}", NULL);
  const json_t *change = json_array_get(ferry_json_get(o, "status.changes"), 0);
  g_assert_cmpstr(ferry_json_str(change, "state"), ==, "Applied");
  g_assert_cmpint(ferry_json_int(change, "fields.downtimeMs", 0), ==, 120);
  g_assert_cmpstr(ferry_json_str(change, "fields.technique"), ==, "pre-copy");
  g_autoptr(json_t) free = object("{\"vmID\":\"" VM "\",\"dst\":\"h2\"}", NULL);
  g_assert_null(ferry_json_get(free, "status.changes"));
  g_autoptr(json_t) params =
      json_loads("{\"vmID\":\"" VM "\",\"downtime\":5,\"stallingLimit\":3}", 0, NULL);
  g_autoptr(json_t) fields = ferry_local_change_fields(params);
  g_assert_cmpuint(json_object_size(fields), ==, 2);
  g_assert_cmpint(ferry_json_int(fields, "downtimeMs", 0), ==, 5);
  g_assert_true(ferry_local_check("migrateChangeParams", params, NULL));
  g_assert_false(ferry_local_check("migrateCancel", params, NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_log_set_always_fatal(G_LOG_FATAL_MASK); /* a record that can't be read is a warning */
  g_test_add_func("/rpc/migrate", test_migrate);
  g_test_add_func("/rpc/flags", test_flags);
  g_test_add_func("/rpc/ipv6", test_ipv6);
  g_test_add_func("/rpc/progress-timeout", test_progress_timeout);
  g_test_add_func("/rpc/change", test_change);
  g_test_add_func("/rpc/refusals", test_refusals);
  g_test_add_func("/rpc/downtime-is-the-callers", test_downtime_is_the_callers);
  return g_test_run();
}
