// SPDX-License-Identifier: Apache-2.0
// The kernel's table of connections, in a network namespace of the test's own.
#include "host/machine/conntrack.h"
#include "host/network_bed.h"
#include <netinet/in.h>

static FerryConntrackFlow flow_of(guint8 last, guint16 port) {
  FerryConntrackFlow f = {.protocol = IPPROTO_TCP,
                          .from = {192, 0, 2, 1},
                          .to = {192, 0, 2, last},
                          .from_port = port,
                          .to_port = 7,
                          .timeout_s = 300,
                          .assured = TRUE,
                          .state = 3,
                          .flags = {3, 3},
                          .scale = {7, 9}};
  return f;
}

static gboolean to_last(const FerryConntrackFlow *f, gboolean from, gpointer data) {
  return (from ? f->from : f->to)[3] == GPOINTER_TO_UINT(data);
}

static GArray *flows_to(guint last, guint *left) {
  g_autoptr(GError) error = NULL;
  GArray *found = ferry_conntrack_flows(to_last, GUINT_TO_POINTER(last), left, &error);
  g_assert_no_error(error);
  return found;
}

static void add(const FerryConntrackFlow *f) {
  g_autoptr(GError) error = NULL;
  g_assert_true(ferry_conntrack_add(f, &error));
  g_assert_no_error(error);
}

static void test_what_is_added_is_there(void) {
  FerryConntrackFlow tcp = flow_of(9, 4000), udp = {.protocol = IPPROTO_UDP,
                                                    .from = {192, 0, 2, 9},
                                                    .to = {192, 0, 2, 3},
                                                    .from_port = 53,
                                                    .to_port = 5353,
                                                    .timeout_s = 100};
  FerryConntrackFlow other = flow_of(8, 4000);
  add(&tcp);
  add(&udp);
  add(&other);
  guint left = 77;
  g_autoptr(GArray) found = flows_to(9, &left);
  g_assert_cmpuint(found->len, ==, 2);
  g_assert_cmpuint(left, ==, 0);
  for (guint i = 0; i < found->len; i++) {
    FerryConntrackFlow f = g_array_index(found, FerryConntrackFlow, i);
    const FerryConntrackFlow *was = f.protocol == IPPROTO_TCP ? &tcp : &udp;
    g_assert_cmpuint(f.timeout_s, <=, was->timeout_s);
    g_assert_cmpuint(f.timeout_s, >=, was->timeout_s - 5);
    f.timeout_s = was->timeout_s;
    g_assert_cmpmem(&f, sizeof f, was, sizeof *was);
  }
}

static void test_ipv6(void) {
  FerryConntrackFlow f = flow_of(0, 4100);
  f.ipv6 = TRUE;
  memset(f.from, 0x20, sizeof f.from);
  memset(f.to, 0x21, sizeof f.to);
  add(&f);
  g_autoptr(GArray) found = flows_to(0x21, NULL);
  g_assert_cmpuint(found->len, ==, 1);
  g_assert_true(g_array_index(found, FerryConntrackFlow, 0).ipv6);
  g_assert_cmpmem(g_array_index(found, FerryConntrackFlow, 0).from, 16, f.from, 16);
}

/* What is known from an earlier time is replaced, whoever began it by that account. */
static void test_known_ones(void) {
  FerryConntrackFlow f = flow_of(10, 4200), back = f;
  memcpy(back.from, f.to, sizeof back.from);
  memcpy(back.to, f.from, sizeof back.to);
  back.from_port = f.to_port;
  back.to_port = f.from_port;
  back.state = 4;
  add(&back);
  add(&f);
  g_autoptr(GArray) found = flows_to(10, NULL);
  g_assert_cmpuint(found->len, ==, 1);
  g_assert_cmpuint(g_array_index(found, FerryConntrackFlow, 0).state, ==, 3);
  g_assert_cmpuint(g_array_index(found, FerryConntrackFlow, 0).from_port, ==, 4200);
}

static void test_removed(void) {
  g_autoptr(GError) error = NULL;
  FerryConntrackFlow f = flow_of(11, 4300), other = flow_of(11, 4301);
  add(&f);
  add(&other);
  g_assert_true(ferry_conntrack_remove(&f, &error));
  g_assert_true(ferry_conntrack_remove(&f, &error));
  g_assert_no_error(error);
  g_autoptr(GArray) found = flows_to(11, NULL);
  g_assert_cmpuint(found->len, ==, 1);
  g_assert_cmpuint(g_array_index(found, FerryConntrackFlow, 0).from_port, ==, 4301);
}

static void test_too_many(void) {
  guint left = 0;
  for (guint16 i = 0; i < FERRY_CONNTRACK_FLOWS_MAX + 5; i++) {
    FerryConntrackFlow f = flow_of(12, 5000 + i);
    add(&f);
  }
  g_autoptr(GArray) found = flows_to(12, &left);
  g_assert_cmpuint(found->len, ==, FERRY_CONNTRACK_FLOWS_MAX);
  g_assert_cmpuint(left, ==, 5);
}

static void test_no_obstacle(void) {
  FerryConntrackFlow f = flow_of(13, 4400);
  add(&f);
  g_autofree char *why = ferry_conntrack_obstacle();
  g_assert_cmpstr(why, ==, NULL);
  g_autoptr(GArray) found = flows_to(13, NULL);
  g_assert_cmpuint(found->len, ==, 1); /* asking has forgotten nothing */
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  if (!bed_namespace()) {
    g_printerr("no network namespace may be made here: nothing is tested\n");
    return g_test_run();
  }
  g_test_add_func("/conntrack/what-is-added-is-there", test_what_is_added_is_there);
  g_test_add_func("/conntrack/ipv6", test_ipv6);
  g_test_add_func("/conntrack/known-ones", test_known_ones);
  g_test_add_func("/conntrack/removed", test_removed);
  g_test_add_func("/conntrack/too-many", test_too_many);
  g_test_add_func("/conntrack/no-obstacle", test_no_obstacle);
  return g_test_run();
}
