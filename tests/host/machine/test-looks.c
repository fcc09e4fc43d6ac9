// SPDX-License-Identifier: Apache-2.0
#include "host/machine/looks.h"
#include <glib/gstdio.h>
#include <string.h>

static json_t *look(const char *kind, const char *name) {
  g_autoptr(json_t) asked = json_pack("{ss,ss}", "kind", kind, "name", name);
  return ferry_look(asked);
}

static void check(const char *kind, const char *name, const char *problem) {
  g_autoptr(json_t) entry = look(kind, name);
  g_test_message("%s %s", kind, name);
  g_assert_nonnull(entry);
  g_assert_cmpstr(ferry_json_str(entry, "kind"), ==, kind);
  g_assert_cmpstr(ferry_json_str(entry, "name"), ==, name);
  g_assert_cmpstr(ferry_json_str(entry, "problem"), ==, problem);
}

static void test_files(void) {
  g_autofree char *dir = g_dir_make_tmp("looks-XXXXXX", NULL);
  g_autofree char *file = g_build_filename(dir, "a", NULL);
  g_autofree char *below = g_build_filename(file, "b", NULL);
  g_assert_true(g_file_set_contents(file, "12345", 5, NULL));
  check("file", file, NULL);
  check("directory", dir, NULL);
  check("directory", file, "it is no directory");
  check("file", below, "it is not there"); /* below a file nothing is */
  g_remove(file);
  check("file", file, "it is not there");
  g_rmdir(dir);
  check("directory", dir, "it is not there");
  g_assert_null(look("file", "relative"));
  g_assert_null(look("pool", "/p"));
  g_assert_null(look("moon", "/p"));
}

static void test_images(void) {
  g_autofree char *dir = g_dir_make_tmp("looks-XXXXXX", NULL);
  g_autofree char *file = g_build_filename(dir, "a", NULL);
  static const char qcow2[32] =
      "QFI\xfb\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\20\0\0\0\0\0\x80\0\0";
  g_assert_true(g_file_set_contents(file, "12345", 5, NULL));
  g_autoptr(json_t) raw = look("image", file);
  g_assert_cmpint(ferry_json_int(raw, "sizeBytes", -1), ==, 5);
  g_assert_true(g_file_set_contents(file, qcow2, sizeof qcow2, NULL));
  g_autoptr(json_t) other = look("image", file);
  g_assert_cmpint(ferry_json_int(other, "sizeBytes", -1), ==, 8 * 1024 * 1024);
  g_remove(file);
  g_autoptr(json_t) none = look("image", file);
  g_assert_cmpint(ferry_json_int(none, "sizeBytes", -1), ==, -1);
  g_rmdir(dir);
}

#define HEAD "  sl  local_address rem_address   st\n"

/* Another host's word opens nothing of this one's own. */
static void test_private(void) {
  static const char *const no[] = {"/etc/shadow",
                                   "/etc",
                                   "/root",
                                   "/home/a",
                                   "/proc/1/exe",
                                   "/var/lib/ferry-agent/agent.key",
                                   "/srv/../etc/shadow",
                                   "/srv/..",
                                   "//etc/shadow",
                                   "/./etc/shadow",
                                   "etc/shadow",
                                   "/run/user/0/x"};
  static const char *const yes[] = {"/srv/images/a.img", "/var/lib/libvirt/images/a.img",
                                    "/etcetera/a",       "/usr/share/OVMF/OVMF_CODE.fd",
                                    "/dev/vg/a",         "/var/lib/ferry-lab/local/a",
                                    "/srv/a..b"};
  for (gsize i = 0; i < G_N_ELEMENTS(no); i++) {
    g_assert_true(ferry_look_is_private(no[i]));
    g_assert_null(look("file", no[i]));
  }
  for (gsize i = 0; i < G_N_ELEMENTS(yes); i++)
    g_assert_false(ferry_look_is_private(yes[i]));
}

static void test_listening(void) {
  static const char table[] = HEAD "   0: 0100007F:175E 00000000:0000 0A 00000000\n"
                                   "   1: 00000000:0016 00000000:0000 0A 00000000\n"
                                   "   2: 0101A8C0:1770 0201A8C0:A000 01 00000000\n";
  static const char table6[] =
      HEAD "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A\n"
           "   1: 00000000000000000000000001000000:0051 00000000000000000000000000000000:0000 0A\n";
  g_assert_true(ferry_look_is_listening(table, FALSE, "127.0.0.1", 5982));
  g_assert_false(ferry_look_is_listening(table, FALSE, "127.0.0.1", 5983));
  g_assert_false(ferry_look_is_listening(table, FALSE, "10.0.0.1", 5982));
  g_assert_true(ferry_look_is_listening(table, FALSE, "0.0.0.0", 5982)); /* all include it */
  g_assert_true(ferry_look_is_listening(table, FALSE, "10.0.0.1", 22));
  g_assert_false(ferry_look_is_listening(table, FALSE, "192.168.1.1", 6000)); /* connected */
  g_assert_true(ferry_look_is_listening(table6, TRUE, "10.0.0.1", 80));
  g_assert_true(ferry_look_is_listening(table6, TRUE, "::1", 81));
  g_assert_false(ferry_look_is_listening(table6, TRUE, "fd00::1", 81));
  g_assert_false(ferry_look_is_listening("", FALSE, "127.0.0.1", 80));
  g_assert_false(ferry_look_is_listening(HEAD " nonsense: 12\n", FALSE, "127.0.0.1", 80));
}

static void put(const char *dir, const char *size, const char *all, const char *unused) {
  g_autofree char *sub = g_build_filename(dir, size, NULL);
  g_autofree char *a = g_build_filename(sub, "nr_hugepages", NULL);
  g_autofree char *b = g_build_filename(sub, "free_hugepages", NULL);
  g_assert_cmpint(g_mkdir_with_parents(sub, 0700), ==, 0);
  g_assert_true(g_file_set_contents(a, all, -1, NULL));
  g_assert_true(g_file_set_contents(b, unused, -1, NULL));
}

static void test_hugepages(void) {
  g_autofree char *dir = g_dir_make_tmp("looks-XXXXXX", NULL);
  put(dir, "hugepages-2048kB", "8\n", "3\n");
  put(dir, "hugepages-1048576kB", "1\n", "0\n");
  put(dir, "hugepages-64kB", "0\n", "0\n");
  g_autoptr(json_t) list = ferry_look_hugepages(dir, "MemTotal: 1 kB\nHugepagesize:   2048 kB\n");
  g_assert_cmpuint(json_array_size(list), ==, 3);
  g_assert_null(ferry_json_str(ferry_json_find(list, "name", "2048"), "problem"));
  g_assert_nonnull(ferry_json_find(list, "name", "0"));
  g_assert_cmpstr(ferry_json_str(ferry_json_find(list, "name", "1048576"), "problem"), ==,
                  "none of them is free");
  g_autoptr(json_t) unsaid = ferry_look_hugepages(dir, NULL);
  g_assert_null(ferry_json_find(unsaid, "name", "0"));
  g_autoptr(json_t) none = ferry_look_hugepages("/nowhere", NULL);
  g_assert_cmpuint(json_array_size(none), ==, 0);
  static const char *const sizes[] = {"hugepages-2048kB", "hugepages-1048576kB", "hugepages-64kB"};
  for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
    g_autofree char *a = g_build_filename(dir, sizes[i], "nr_hugepages", NULL);
    g_autofree char *b = g_build_filename(dir, sizes[i], "free_hugepages", NULL);
    g_autofree char *sub = g_build_filename(dir, sizes[i], NULL);
    g_remove(a);
    g_remove(b);
    g_rmdir(sub);
  }
  g_rmdir(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/looks/files", test_files);
  g_test_add_func("/looks/private", test_private);
  g_test_add_func("/looks/images", test_images);
  g_test_add_func("/looks/listening", test_listening);
  g_test_add_func("/looks/hugepages", test_hugepages);
  return g_test_run();
}
