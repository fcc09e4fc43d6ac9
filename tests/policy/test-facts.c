// SPDX-License-Identifier: Apache-2.0
#include "policy/facts.h"

static json_t *j(const char *text) {
  json_t *v = json_loads(text, 0, NULL);
  g_assert_nonnull(v);
  return v;
}

#define HOST(management, migration, versions)                                                      \
  "{\"metadata\":{\"name\":\"h\"},\"status\":{\"interfaces\":["                                    \
  "{\"name\":\"m\",\"speedMbps\":10000,\"up\":true,\"addresses\":[\"" management "\"]},"           \
  "{\"name\":\"d\",\"speedMbps\":1000,\"up\":true,\"addresses\":[\"" migration                     \
  "\",\"fd00::2/64\"]}],"                                                                          \
  "\"hypervisor\":{" versions "\"features\":[\"live\",\"postcopy-preempt\"]}}}"
#define NEW "\"libvirtVersion\":\"11.3.0\",\"qemuVersion\":\"10.0.2\","
#define OLD "\"libvirtVersion\":\"9.0.0\",\"qemuVersion\":\"7.2.0\","

static gint64 link_to(const json_t *source, const json_t *target, const char *address) {
  g_autoptr(json_t) c = json_object();
  ferry_config_add_facts(c, NULL, NULL, source, target, address);
  return ferry_json_int(c, "linkRateBytesPerSecond", 0);
}

/* The link is the one that the address lies on, however fast others are. */
static void test_hosts(void) {
  g_autoptr(json_t) a = j(HOST("10.0.0.1/24", "10.1.0.1/24", ""));
  g_autoptr(json_t) b = j(HOST("10.0.0.2/24", "10.1.0.2/24", ""));
  g_autoptr(json_t) c = json_object();
  g_autoptr(json_t) origins = json_object();
  ferry_config_add_facts(c, origins, NULL, a, b, "10.1.0.2");
  g_assert_cmpint(ferry_json_int(c, "linkRateBytesPerSecond", 0), ==, 62500000);
  g_assert_true(ferry_json_bool(c, "postCopyPreempt", FALSE));
  g_assert_cmpstr(ferry_json_str(origins, "postCopyPreempt"), ==, "automatic");
  g_assert_cmpint(link_to(a, b, "10.0.0.2"), ==, 625000000);
  g_assert_cmpint(link_to(a, b, "fd00::2"), ==, 62500000);
  g_assert_cmpint(link_to(a, b, "10.1.0.20"), ==, 0); /* a beginning is not the address */
  g_assert_cmpint(link_to(a, b, NULL), ==, 0);
  g_autoptr(json_t) elsewhere = j(HOST("10.0.0.3/24", "192.168.0.1/24", ""));
  g_assert_cmpint(link_to(elsewhere, b, "10.1.0.2"), ==, 0); /* through routers */
  ferry_json_set(json_array_get(ferry_json_get(a, "status.interfaces"), 1), "up", json_false());
  g_assert_cmpint(link_to(a, b, "10.1.0.2"), ==, 0);
  g_autoptr(json_t) none = json_object();
  g_autoptr(json_t) unknown = j("{\"status\":{}}");
  ferry_config_add_facts(none, NULL, NULL, a, unknown, "10.1.0.2");
  g_assert_cmpuint(json_object_size(none), ==, 0);
}

static gint64 told(const char *config, const char *to) {
  g_autoptr(json_t) a = j(HOST("10.0.0.1/24", "10.1.0.1/24", NEW));
  g_autoptr(json_t) b = j(to);
  g_autoptr(json_t) c = j(config);
  ferry_config_add_facts(c, NULL, NULL, a, b, "10.1.0.2");
  return ferry_json_int(c, "availableSwitchoverBandwidth", 0);
}

/* A cap that hides the link is made up for, where both hosts can be told of it. */
static void test_told(void) {
  static const char new[] = HOST("10.0.0.2/24", "10.1.0.2/24", NEW);
  static const char old[] = HOST("10.0.0.2/24", "10.1.0.2/24", OLD);
  g_assert_cmpint(told("{\"bandwidthPerMigration\":33554432}", new), ==, 62500000);
  g_assert_cmpint(told("{\"bandwidthPerMigration\":33554432}", old), ==, 0);
  g_assert_cmpint(told("{\"bandwidthPerMigration\":335544320}", new), ==, 0); /* hides nothing */
  g_assert_cmpint(told("{\"bandwidthPerMigration\":0}", new), ==, 0);
  g_assert_cmpint(told("{\"bandwidthPerMigration\":33554432,\"schedule\":{}}", new), ==, 0);
  g_assert_cmpint(told("{\"bandwidthPerMigration\":33554432,\"preset\":\"nova\"}", new), ==, 0);
  g_assert_cmpint(told("{\"bandwidthPerMigration\":33554432,"
                       "\"availableSwitchoverBandwidth\":5}",
                       new),
                  ==, 5);
}

#define NODE(versions, cpu, used)                                                                  \
  "{\"metadata\":{\"name\":\"h\"},\"status\":{\"capacity\":{\"cpu\":\"" cpu "\"}," used            \
  "\"hypervisor\":{" versions "\"features\":[]}}}"
#define NEWEST "\"libvirtVersion\":\"11.8.0\",\"qemuVersion\":\"10.1.0\","
#define USED "\"processorsUsed\":3,"

/* "post-copy,zstd" of what the configuration lets an intent choose from, and what is to spare */
static char *means_of(const char *config, const char *origins, const char *source,
                      const char *target) {
  g_autoptr(json_t) a = j(source);
  g_autoptr(json_t) b = j(target);
  g_autoptr(json_t) c = j(config);
  g_autoptr(json_t) o = j(origins);
  ferry_config_add_means(c, o, NULL, a, b, 0);
  GString *out = g_string_new(NULL);
  gsize i;
  json_t *word;
  json_array_foreach(json_object_get(c, "possibleMeans"), i, word)
      g_string_append_printf(out, "%s%s", i ? "," : "", json_string_value(word));
  if (json_object_get(c, "spareProcessors"))
    g_string_append_printf(out, "/%d", (int)ferry_json_int(c, "spareProcessors", 0));
  return g_string_free(out, FALSE);
}

static void test_means(void) {
  static const char new[] = NODE(NEW, "8", USED), newest[] = NODE(NEWEST, "16", USED);
  static const char old[] = NODE(OLD, "8", USED), unsaid[] = NODE(NEW, "8", "");
  static const char nothing[] = NODE("", "8", USED), busy[] = NODE(NEW, "2", USED);
  static const struct {
    const char *config, *origins, *source, *target, *wanted;
  } rows[] = {
      {"{\"preset\":\"intent\"}", "{}", new, new, "parallel,zstd,xbzrle/4"},
      {"{\"preset\":\"intent\"}", "{}", newest, new, "parallel,zstd,xbzrle/4"},
      {"{\"preset\":\"intent\"}", "{}", new, busy, "parallel,zstd,xbzrle/0"},
      {"{\"preset\":\"intent\",\"parallelOutboundMigrationsPerNode\":2}", "{}", new, new,
       "parallel,zstd,xbzrle/1"}, /* two may share five */
      {"{\"preset\":\"intent\",\"parallelInboundMigrationsPerNode\":5}", "{}", new, new,
       "parallel,zstd,xbzrle/0"},
      {"{\"preset\":\"intent\"}", "{}", new, unsaid, "parallel,zstd,xbzrle"},
      /* zstd came with libvirt 9.4; of hosts that say nothing nothing is taken for granted */
      {"{\"preset\":\"intent\"}", "{}", new, old, "parallel,xbzrle/4"},
      {"{\"preset\":\"intent\"}", "{}", nothing, new, ""},
      /* several connections go with post-copy from QEMU 10.1 on */
      {"{\"preset\":\"intent\",\"allowPostCopy\":true}", "{}", newest, new,
       "post-copy,parallel,zstd,xbzrle/4"},
      {"{\"preset\":\"intent\",\"allowPostCopy\":true}", "{}", newest, newest,
       "post-copy,parallel,post-copy-with-parallel,zstd,xbzrle/12"},
      /* somebody's word for post-copy is not taken back for speed */
      {"{\"preset\":\"intent\",\"allowPostCopy\":true}", "{\"allowPostCopy\":\"KubeVirt\"}", newest,
       new, "post-copy,xbzrle/4"},
      {"{\"preset\":\"intent\",\"allowPostCopy\":true}", "{\"allowPostCopy\":\"KubeVirt\"}", newest,
       newest, "post-copy,parallel,post-copy-with-parallel,xbzrle/12"},
      /* what somebody said is decided */
      {"{\"preset\":\"intent\",\"compression\":\"none\",\"compressed\":false}",
       "{\"compression\":\"KubeVirt\",\"compressed\":\"KubeVirt\"}", new, new, ""},
      {"{\"preset\":\"intent\",\"parallel\":false}",
       "{\"parallel\":\"VirtualMachineInstanceMigration\"}", new, new, ""},
      {"{\"preset\":\"intent\",\"parallel\":false}", "{\"parallel\":\"default\"}", new, new,
       "parallel,zstd,xbzrle/4"},
      /* others act by their own rules, and nothing is chosen for what does not run */
      {"{\"preset\":\"nova\"}", "{}", new, new, ""},
      {"{\"schedule\":{}}", "{}", new, new, ""},
      {"{\"preset\":\"intent\",\"observeOnly\":true}", "{}", new, new, ""},
      {"{\"preset\":\"intent\",\"live\":false}", "{}", new, new, ""},
      {"{\"preset\":\"intent\",\"tunnelled\":true}", "{}", new, new, ""},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *got =
        means_of(rows[i].config, rows[i].origins, rows[i].source, rows[i].target);
    g_test_message("%s %s", rows[i].config, rows[i].origins);
    g_assert_cmpstr(got, ==, rows[i].wanted);
  }
}

/* What the VM's earlier migrations taught, as it stands now. */
static void test_lesson(void) {
  g_autoptr(json_t) a = j(NODE(NEW, "8", USED));
  g_autoptr(json_t) c = j("{\"preset\":\"intent\"}");
  g_autoptr(json_t) origins = json_object();
  g_autoptr(json_t) vmi = j("{\"status\":{\"lessons\":[{\"time\":\"1970-01-10T00:00:00Z\","
                            "\"switchoverMs\":45},{\"time\":\"2030-01-01T00:00:00Z\","
                            "\"compressionGainPercent\":300}]}}");
  ferry_config_add_means(c, origins, vmi, a, a, 10LL * 24 * 3600 * 1000);
  const json_t *lesson = json_object_get(c, "lesson");
  g_assert_cmpint(ferry_json_int(lesson, "switchoverMs", 0), ==, 45);
  g_assert_null(json_object_get(lesson, "compressionGainPercent"));
  g_assert_cmpstr(ferry_json_str(origins, "lesson"), ==, "automatic");
}

#define ENDED(phase)                                                                               \
  "{\"metadata\":{\"uid\":\"u-" phase "\"},\"status\":{\"phase\":\"" phase                         \
  "\",\"migrationState\":{\"endTimestamp\":\"2026-01-01T00:00:00Z\"},\"summary\":{\"lesson\":"     \
  "{\"pattern\":\"uniform\",\"workingSetBytes\":1000,\"writeRateBytesPerSecond\":500}}}}"

/* A migration that came to nothing teaches what its guest writes, too; one that goes on does not.
 */
static void test_lessons(void) {
  g_autoptr(json_t) vmi = json_object();
  g_autoptr(json_t) running = j(ENDED("Running"));
  g_autoptr(json_t) failed = j(ENDED("Failed"));
  g_autoptr(json_t) moved = j(ENDED("Succeeded"));
  ferry_facts_keep_lesson(vmi, running, 0);
  g_assert_null(ferry_json_get(vmi, "status.lessons"));
  ferry_facts_keep_lesson(vmi, failed, 0);
  ferry_facts_keep_lesson(vmi, failed, 0);
  g_assert_cmpuint(json_array_size(ferry_json_get(vmi, "status.lessons")), ==, 1);
  ferry_facts_keep_lesson(vmi, moved, 0);
  g_assert_cmpuint(json_array_size(ferry_json_get(vmi, "status.lessons")), ==, 2);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/facts/hosts", test_hosts);
  g_test_add_func("/facts/told", test_told);
  g_test_add_func("/facts/means", test_means);
  g_test_add_func("/facts/lesson", test_lesson);
  g_test_add_func("/policy/facts/lessons", test_lessons);
  return g_test_run();
}
