// SPDX-License-Identifier: Apache-2.0
// What a worker settles before the call goes into what libvirt is asked for, and not into the
// object.
#include "agent/migration/state/asked.h"
#include "convergence/means.h"

static void asked_of(FerryAsked *a, const char *config) {
  g_autofree char *text = g_strdelimit(g_strdup(config), "'", '"');
  g_autoptr(json_t) c = json_loads(text, 0, NULL);
  g_assert_nonnull(c);
  g_autoptr(json_t) object =
      json_pack("{s:{s:s, s:s}, s:{s:s}, s:{s:s, s:{s:s, s:O}}}", "metadata", "uid", "u", "name",
                "m", "spec", "vmiName", "db", "status", "phase", "Running", "migrationState",
                "vmiUID", "no uuid", "migrationConfiguration", c);
  ferry_asked_init(a, object, FALSE);
}

static const json_t *object_config(const FerryAsked *a) {
  return ferry_json_get(a->object, "status.migrationState.migrationConfiguration");
}

static void test_init(void) {
  FerryAsked a;
  asked_of(&a, "{'allowPostCopy':true}");
  g_assert_cmpstr(a.uid, ==, "u");
  g_assert_cmpstr(a.vmi_name, ==, "db");
  g_assert_null(a.uuid);
  g_assert_true(a.adopted);
  ferry_asked_set_uuid(&a, g_strdup("1"));
  ferry_asked_set_uuid(&a, g_strdup("2"));
  g_assert_cmpstr(a.uuid, ==, "2");
  ferry_asked_set_domain(&a, &(FerryDomainState){.active = TRUE, .persistent = TRUE});
  g_assert_true(a.settings.request.active && a.settings.request.persistent);
  ferry_asked_clear(&a);
}

static void test_post_copy(void) {
  FerryAsked a;
  asked_of(&a, "{'allowPostCopy':true,'postCopyPreempt':true}");
  g_assert_true(a.settings.request.post_copy && a.settings.post_copy_preempt);
  ferry_asked_forgo_post_copy(&a);
  g_assert_false(a.settings.request.post_copy || a.settings.post_copy_preempt);
  g_assert_false(ferry_json_bool(a.settings.request.config, "allowPostCopy", TRUE));
  g_assert_null(json_object_get(a.settings.request.config, "postCopyPreempt"));
  g_assert_true(ferry_json_bool(object_config(&a), "allowPostCopy", FALSE));
  ferry_asked_clear(&a);
}

static void test_means(void) {
  FerryAsked a;
  asked_of(&a, "{}");
  g_assert_cmpuint(ferry_asked_compression(&a), ==, 0);
  ferry_asked_set_means(&a, FERRY_MEAN_PARALLEL | FERRY_MEAN_ZSTD, 4);
  g_assert_cmpint(ferry_json_int(a.settings.request.config, "parallelConnections", 0), ==, 4);
  g_assert_cmpuint(ferry_asked_compression(&a), ==, FERRY_MEAN_ZSTD);
  g_assert_true(a.settings.compresses_all);
  ferry_asked_set_auto_converge(&a, 30, 1);
  g_assert_true(a.settings.request.auto_converge);
  g_assert_cmpint(ferry_json_int(a.settings.request.config, "autoConvergeInitial", 0), ==, 30);
  /* what was settled before stays */
  g_assert_cmpuint(ferry_asked_compression(&a), ==, FERRY_MEAN_ZSTD);
  g_assert_cmpuint(json_object_size(object_config(&a)), ==, 0);
  ferry_asked_clear(&a);
}

static void test_disks(void) {
  FerryAsked a;
  asked_of(&a, "{}");
  ferry_asked_set_disks(&a, json_pack("{s:b, s:[s], s:i}", "copyStorageAll", 1, "migrateDisks",
                                      "vda", "copiedDiskBytes", 512));
  g_assert_true(a.settings.request.copy_disks);
  g_assert_cmpstr(a.settings.request.disks[0], ==, "vda");
  g_assert_cmpint(a.settings.copied_disk_bytes, ==, 512);
  ferry_asked_clear(&a);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/asked/init", test_init);
  g_test_add_func("/asked/post-copy", test_post_copy);
  g_test_add_func("/asked/means", test_means);
  g_test_add_func("/asked/disks", test_disks);
  return g_test_run();
}
