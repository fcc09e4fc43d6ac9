// SPDX-License-Identifier: Apache-2.0
#include "agent/twin/ambiguity.h"

#define MS ((gint64)1000)

static const FerryDomainState runs = {TRUE, "running", "migrated", 3, TRUE, TRUE};
static const FerryDomainState waits = {TRUE, "paused", "migration", 3, TRUE, FALSE};
static const FerryDomainState off = {TRUE, "shutoff", "unknown", -1, FALSE, TRUE};
static const FerryDomainState gone = {FALSE, "gone", "unknown", -1, FALSE, FALSE};

static gboolean arises(int code, gint64 switchover_us, gboolean post_copy) {
  g_autoptr(GError) error = g_error_new(FERRY_HOST_ERROR, code, "libvirt says %d", code);
  return ferry_ambiguity_arises(error, switchover_us, post_copy);
}

static void test_arises(void) {
  static const int lost[] = {FERRY_HOST_ERROR_NO_CONNECTION, FERRY_HOST_ERROR_PEER_LOST,
                             FERRY_HOST_ERROR_PEER_UNREACHABLE, FERRY_HOST_ERROR_PEER_NAME,
                             FERRY_HOST_ERROR_PEER_LOGIN};
  for (gsize i = 0; i < G_N_ELEMENTS(lost); i++) {
    g_assert_true(arises(lost[i], 1, FALSE));
    g_assert_false(arises(lost[i], 0, FALSE)); /* the guest never stopped for it */
    g_assert_false(arises(lost[i], 1, TRUE));
  }
  /* QEMU itself failed, it was aborted, or the target's libvirtd said no */
  static const int told[] = {9, 38, 55, 68, FERRY_HOST_ERROR_ABORTED, FERRY_HOST_ERROR_PEER_PORT};
  for (gsize i = 0; i < G_N_ELEMENTS(told); i++)
    g_assert_false(arises(told[i], 1, FALSE));
  g_assert_false(ferry_ambiguity_arises(NULL, 1, FALSE));
}

static void test_moved(void) {
  FerryAmbiguity a = {0};
  g_assert_cmpint(ferry_ambiguity_hear(&a, &runs, 1000 * MS), ==, FERRY_AMBIGUITY_OPEN);
  g_assert_cmpint(ferry_ambiguity_hear(&a, &runs, 1000 * MS + FERRY_AMBIGUITY_CERTAIN_MS * MS - 1),
                  ==, FERRY_AMBIGUITY_OPEN);
  g_assert_cmpint(ferry_ambiguity_hear(&a, &runs, 1000 * MS + FERRY_AMBIGUITY_CERTAIN_MS * MS), ==,
                  FERRY_AMBIGUITY_MOVED);
}

static void test_stayed(void) {
  static const FerryDomainState *const absent[] = {&gone, &off};
  for (gsize i = 0; i < G_N_ELEMENTS(absent); i++) {
    FerryAmbiguity a = {0};
    g_assert_cmpint(ferry_ambiguity_hear(&a, absent[i], 5 * MS), ==, FERRY_AMBIGUITY_OPEN);
    g_assert_cmpint(ferry_ambiguity_hear(&a, absent[i], (5 + FERRY_AMBIGUITY_ABSENT_MS) * MS), ==,
                    FERRY_AMBIGUITY_STAYED);
  }
}

/* A break in what it says, be it silence, begins the time anew. */
static void test_breaks(void) {
  static const FerryDomainState *const between[] = {NULL, &waits, &gone};
  for (gsize i = 0; i < G_N_ELEMENTS(between); i++) {
    FerryAmbiguity a = {0};
    gint64 end = 1000 + FERRY_AMBIGUITY_CERTAIN_MS;
    ferry_ambiguity_hear(&a, &runs, 1000 * MS);
    g_assert_cmpint(ferry_ambiguity_hear(&a, between[i], (end - 1) * MS), ==, FERRY_AMBIGUITY_OPEN);
    g_assert_cmpint(ferry_ambiguity_hear(&a, &runs, end * MS), ==, FERRY_AMBIGUITY_OPEN);
  }
}

/* Silence and a copy that waits decide nothing, however long. */
static void test_open(void) {
  FerryAmbiguity a = {0};
  for (gint64 s = 0; s < 3600; s++)
    g_assert_cmpint(ferry_ambiguity_hear(&a, s % 2 ? &waits : NULL, s * 1000 * MS), ==,
                    FERRY_AMBIGUITY_OPEN);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/ambiguity/arises", test_arises);
  g_test_add_func("/ambiguity/moved", test_moved);
  g_test_add_func("/ambiguity/stayed", test_stayed);
  g_test_add_func("/ambiguity/breaks", test_breaks);
  g_test_add_func("/ambiguity/open", test_open);
  return g_test_run();
}
