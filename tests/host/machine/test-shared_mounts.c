// SPDX-License-Identifier: Apache-2.0
#include "host/machine/shared_mounts.h"
#include "host/machine/shared_files.h"
#include <glib/gstdio.h>
#include <string.h>

static const char text[] =
    "22 28 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
    "28 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro\n"
    "29 28 0:31 / /proc/sys/fs/binfmt_misc rw shared:2 - autofs systemd-1 rw,fd=29\n"
    "30 28 0:32 / /net rw shared:3 - autofs /etc/auto.net rw,fd=5\n"
    "31 28 0:40 / /mnt/nfs rw,relatime shared:4 - nfs4 nas:/a rw,vers=4.2,addr=10.0.0.9\n"
    "32 28 0:41 / /mnt/two\\040words rw shared:5 master:2 - ceph 10.0.0.9:/ rw\n"
    "33 28 0:42 / /mnt/look ro,relatime - nfs nas:/b rw,vers=3\n"
    "34 28 0:43 / /mnt/made-ro rw,relatime - fuse.glusterfs gfs:/v ro,user_id=0\n"
    "35 28 0:44 / /mnt/hidden rw - nfs4 nas:/c rw\n"
    "36 35 0:45 / /mnt/hidden rw - tmpfs tmpfs rw\n"
    "37 28 254:2 / /srv ro - xfs /dev/vdb rw\n"
    "38 28 0:46 / /mnt/not\\377text rw - nfs4 nas:/d rw\n"
    "half a line - nfs4\n"
    "39 28 0:47 / relative rw - nfs4 nas:/e rw";

static guint resolved;

static char *resolve(const char *directory) {
  resolved++;
  if (g_str_equal(directory, "/srv/images"))
    return g_strdup("/srv/images");
  if (g_str_equal(directory, "/var/lib/libvirt/images"))
    return g_strdup("/data/images");
  return NULL;
}

static void is(const json_t *list, const char *path, const char *type, gboolean readonly) {
  const json_t *entry = ferry_json_find(list, "path", path);
  g_assert_cmpstr(ferry_json_str(entry, "type"), ==, type);
  g_assert_cmpint(ferry_json_bool(entry, "readOnly", !readonly), ==, readonly);
}

static void test_mounts(void) {
  g_autoptr(json_t) list = ferry_shared_mounts(text, NULL, resolve);
  g_assert_cmpuint(json_array_size(list), ==, 5);
  is(list, "/mnt/nfs", "nfs4", FALSE);
  is(list, "/mnt/two words", "ceph", FALSE);
  is(list, "/mnt/look", "nfs", TRUE);
  is(list, "/mnt/made-ro", "fuse.glusterfs", TRUE);
  is(list, "/net", "autofs", FALSE); /* what is there is seen when somebody looks */
  /* always in the same order: a report that says the same again is none */
  for (gsize i = 1; i < 5; i++)
    g_assert_cmpstr(ferry_json_str(json_array_get(list, i - 1), "path"), <,
                    ferry_json_str(json_array_get(list, i), "path"));
  g_autoptr(json_t) none = ferry_shared_mounts("", NULL, resolve);
  g_assert_cmpuint(json_array_size(none), ==, 0);
}

/* Those of qemu.conf, by what they are on; what a shared mount holds need not be looked at. */
static void test_directories(void) {
  static const char *const directories[] = {
      "/srv/images/", "/var/lib/libvirt/images", "/not/there", "/mnt/nfs/vm", "relative", NULL};
  resolved = 0;
  g_autoptr(json_t) list = ferry_shared_mounts(text, directories, resolve);
  g_assert_cmpuint(resolved, ==, 3);
  g_assert_cmpuint(json_array_size(list), ==, 8);
  is(list, "/srv/images", "xfs", TRUE);
  is(list, "/var/lib/libvirt/images", "ext4", FALSE);
  is(list, "/data/images", "ext4", FALSE);
}

/* The NFS server itself needs no mount of what others mount from it. */
static void test_exports(void) {
  g_auto(GStrv) exports =
      ferry_shared_exports("/srv/images\t10.0.0.0/24(rw,sync,no_subtree_check)\n"
                           "/srv/two\\040words *(ro)\n# none\n\n/last\t*(rw)");
  g_assert_cmpuint(g_strv_length(exports), ==, 3);
  g_assert_cmpstr(exports[0], ==, "/srv/images");
  g_assert_cmpstr(exports[1], ==, "/srv/two words");
  g_autoptr(json_t) list = ferry_shared_mounts(text, (const char *const *)exports, resolve);
  is(list, "/srv/images", "xfs", TRUE);
  g_auto(GStrv) none = ferry_shared_exports("");
  g_assert_cmpuint(g_strv_length(none), ==, 0);
}

/* A part of them would deny the others. */
static void test_too_many(void) {
  g_autoptr(GString) many = g_string_new(NULL);
  for (guint i = 0; i < FERRY_SHARED_MOUNTS_MAX; i++)
    g_string_append_printf(many, "9 1 0:9 / /mnt/%u rw - nfs4 nas:/%u rw\n", i, i);
  g_autoptr(json_t) most = ferry_shared_mounts(many->str, NULL, resolve);
  g_assert_cmpuint(json_array_size(most), ==, FERRY_SHARED_MOUNTS_MAX);
  g_string_append(many, "9 1 0:9 / /mnt/more rw - nfs4 nas:/more rw\n");
  g_assert_null(ferry_shared_mounts(many->str, NULL, resolve));
}

static void test_types(void) {
  static const char *const shared[] = {"nfs",  "nfs4",  "cifs",           "smb3", "ceph",
                                       "gfs2", "ocfs2", "fuse.glusterfs", "gpfs", "lustre"};
  static const char *const own[] = {"ext4", "xfs", "tmpfs", "overlay", "fuse", "autofs", ""};
  for (gsize i = 0; i < G_N_ELEMENTS(shared); i++)
    g_assert_true(ferry_fs_type_is_shared(shared[i]));
  for (gsize i = 0; i < G_N_ELEMENTS(own); i++)
    g_assert_false(ferry_fs_type_is_shared(own[i]));
}

static void test_this_machine(void) {
  g_autoptr(GError) error = NULL;
  g_autofree char *made = g_dir_make_tmp("ferry-mounts-XXXXXX", &error);
  g_assert_no_error(error);
  g_autofree char *missing = g_build_filename(made, "missing", NULL);
  const char *directories[] = {made, missing, NULL};
  g_autoptr(json_t) list = ferry_host_local_shared_mounts(directories);
  g_assert_nonnull(ferry_json_find(list, "path", made));
  g_assert_null(ferry_json_find(list, "path", missing));
  g_rmdir(made);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/shared_mounts/mounts", test_mounts);
  g_test_add_func("/shared_mounts/directories", test_directories);
  g_test_add_func("/shared_mounts/exports", test_exports);
  g_test_add_func("/shared_mounts/too-many", test_too_many);
  g_test_add_func("/shared_mounts/types", test_types);
  g_test_add_func("/shared_mounts/this-machine", test_this_machine);
  return g_test_run();
}
