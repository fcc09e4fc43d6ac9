// SPDX-License-Identifier: Apache-2.0
// The means of an intent, from what ferryd says is possible into what libvirt is asked for.
#include "agent/migration/arrange/arm.h"
#include <string.h>

typedef struct {
  FerryAsked asked;
  FerryMeasured measured;
  char *why;
  json_t *chosen;
} Armed;

/* `rate`: of its writes, measured; 0: not. `means`: what the agent before chose. */
static Armed arm_all(const char *config, const char *means, gint64 rate) {
  g_autoptr(json_t) c = json_loads(config, 0, NULL);
  g_assert_nonnull(c);
  g_autoptr(json_t) object = json_pack("{s:{s:s}, s:{s:{s:O}}}", "metadata", "name", "m", "status",
                                       "migrationState", "migrationConfiguration", c);
  if (means)
    ferry_json_set(object, "status.migrationState.means", json_loads(means, 0, NULL));
  Armed a = {0};
  if (rate)
    a.measured = (FerryMeasured){.short_s = 1, .long_s = 4, .short_rate = rate, .long_rate = rate};
  FerryConvergenceIntent intent;
  ferry_asked_init(&a.asked, object, TRUE);
  ferry_asked_set_domain(&a.asked, &(FerryDomainState){.active = TRUE});
  ferry_settings_intent(&a.asked.settings, 2LL << 30, &intent);
  if (means)
    ferry_arm_recall(&a.asked);
  else
    a.why = ferry_arm_means(&a.asked, &a.measured, &intent);
  a.chosen = ferry_arm_chosen(&a.asked);
  return a;
}

static Armed arm(const char *config, const char *means) {
  return arm_all(config, means, 0);
}

static Armed arm_measured(const char *config, gint64 rate) {
  return arm_all(config, NULL, rate);
}

static void armed_clear(Armed *a) {
  ferry_asked_clear(&a->asked);
  g_free(a->why);
  json_decref(a->chosen);
}

#define POSSIBLE "\"preset\":\"intent\",\"maxDowntimeMs\":300,\"linkRateBytesPerSecond\":125000000,"
#define ALL "\"possibleMeans\":[\"parallel\",\"zstd\",\"xbzrle\"],"

static void test_chosen(void) {
  Armed a = arm("{" POSSIBLE ALL "\"spareProcessors\":6}", NULL);
  const json_t *config = a.asked.settings.request.config;
  g_assert_nonnull(strstr(a.why, "zstd"));
  g_assert_true(ferry_json_bool(config, "parallel", FALSE));
  g_assert_cmpint(ferry_json_int(config, "parallelConnections", 0), ==, 6);
  g_assert_true(ferry_json_bool(config, "compressed", FALSE));
  g_assert_true(ferry_json_has_word(json_object_get(config, "compressionMethods"), "zstd"));
  g_assert_true(ferry_json_has_word(a.chosen, "zstd"));
  g_assert_cmpuint(ferry_asked_compression(&a.asked), ==, FERRY_MEAN_ZSTD);
  FerryConvergenceIntent intent;
  ferry_settings_intent(&a.asked.settings, 1, &intent);
  g_assert_true(intent.compresses_all);
  armed_clear(&a);
}

/* Without a word of what is possible, or of processors to spare, all stays as it was asked for. */
static void test_untouched(void) {
  static const char *const configs[] = {
      "{" POSSIBLE "\"spareProcessors\":6}", "{" POSSIBLE ALL "\"spareProcessors\":0}",
      "{" POSSIBLE "\"possibleMeans\":[\"post-copy\"],\"spareProcessors\":6}",
      "{" POSSIBLE ALL "\"spareProcessors\":6,\"lesson\":{\"compressionGainPercent\":100}}",
      "{\"preset\":\"nova\"," ALL "\"spareProcessors\":6}"};
  for (gsize i = 0; i < G_N_ELEMENTS(configs); i++) {
    Armed a = arm(configs[i], NULL);
    g_assert_null(a.why);
    g_assert_null(a.chosen);
    g_assert_null(a.asked.own_config);
    armed_clear(&a);
  }
}

/* Two processors compress more than half of a link of 10 Gbit/s carries, and less than all of it:
 * where its speed is all that is known, they are left alone. */
static void test_half_known(void) {
  static const char config[] =
      "{\"preset\":\"intent\",\"disableTLS\":true,\"maxDowntimeMs\":300,"
      "\"linkRateBytesPerSecond\":625000000," ALL "\"spareProcessors\":2,\"lesson\":"
      "{\"compressionGainPercent\":300}}";
  Armed a = arm(config, NULL);
  g_assert_null(a.why);
  armed_clear(&a);
}

/* Post-copy is given up in all that goes by it, and an agent that adopts knows that. */
static void test_post_copy(void) {
  static const char config[] =
      "{" POSSIBLE "\"allowPostCopy\":true,\"postCopyPreempt\":true,\"spareProcessors\":6,"
      "\"possibleMeans\":[\"post-copy\",\"parallel\",\"zstd\"],"
      "\"lesson\":{\"pattern\":\"uniform\",\"workingSetBytes\":100000000,"
      "\"writeRateBytesPerSecond\":20000000,\"compressionGainPercent\":300}}";
  Armed a = arm(config, NULL), adopted = arm(config, "[\"parallel\",\"zstd\"]");
  const Armed *both[] = {&a, &adopted};
  g_assert_nonnull(strstr(a.why, "without post-copy"));
  for (gsize i = 0; i < G_N_ELEMENTS(both); i++) {
    const FerrySettings *s = &both[i]->asked.settings;
    g_assert_false(s->request.post_copy || s->post_copy_preempt);
    g_assert_false(ferry_json_bool(s->request.config, "allowPostCopy", TRUE));
    g_assert_true(s->compresses_all);
    g_assert_cmpuint(s->means, ==, FERRY_MEAN_PARALLEL | FERRY_MEAN_ZSTD);
  }
  armed_clear(&a);
  armed_clear(&adopted);
}

/* Of a guest that was measured: one that a slow-down moves is slowed, as before; one that zstd
 * moves is not. */
static void test_slow_down(void) {
  static const char config[] = "{\"preset\":\"intent\",\"maxDowntimeMs\":100,"
                               "\"linkRateBytesPerSecond\":125000000,\"maxSlowdownPercent\":50,";
  g_autofree char *none = g_strconcat(config, ALL "\"spareProcessors\":0}", NULL);
  g_autofree char *some = g_strconcat(config,
                                      ALL "\"spareProcessors\":8,\"lesson\":"
                                          "{\"compressionGainPercent\":400}}",
                                      NULL);
  const struct {
    const char *config;
    unsigned means;
    gboolean slowed;
  } rows[] = {{none, 0, TRUE}, {some, FERRY_MEAN_PARALLEL | FERRY_MEAN_ZSTD, FALSE}};
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    Armed a = arm_measured(rows[i].config, 150000000);
    FerryConvergenceIntent intent;
    ferry_settings_intent(&a.asked.settings, 2LL << 30, &intent);
    g_assert_cmpuint(a.asked.settings.means, ==, rows[i].means);
    ferry_throttle_arm(&a.asked, &a.measured, &intent, FALSE);
    g_assert_cmpint(a.asked.settings.request.auto_converge, ==, rows[i].slowed);
    armed_clear(&a);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/arm/chosen", test_chosen);
  g_test_add_func("/arm/untouched", test_untouched);
  g_test_add_func("/arm/half-known", test_half_known);
  g_test_add_func("/arm/post-copy", test_post_copy);
  g_test_add_func("/arm/slow-down", test_slow_down);
  return g_test_run();
}
