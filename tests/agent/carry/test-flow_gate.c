// SPDX-License-Identifier: Apache-2.0
// What the target believes of the connections that the source's agent wrote, and what its kernel is
// told then; on a bridge and in a table of the test's own.
#include "agent/carry/flow_gate.h"
#include "agent/carry/nics.h"
#include "host/network_bed.h"

#define VM "192.0.2.7"
#define OTHER "192.0.2.8"
#define HOST "192.0.2.1"
#define FLOW(from, port) "udp " from " " port " 198.51.100.1 53 100 1"

static const guint8 vm[4] = {192, 0, 2, 7}, other[4] = {192, 0, 2, 8};
static int guest;

static FerryFlowGate *new_gate(void) {
  FerryFlowGate *g = g_new(FerryFlowGate, 1);
  ferry_flow_gate_init(g);
  return g;
}

static void free_gate(FerryFlowGate *g) {
  ferry_flow_gate_take_back(g);
  ferry_flow_gate_clear(g);
  g_free(g);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryFlowGate, free_gate)

/* "a b" as a list. */
static json_t *words(const char *text, const char *by) {
  g_auto(GStrv) all = g_strsplit(text, by, -1);
  json_t *list = json_array();
  for (gsize i = 0; all[i]; i++)
    json_array_append_new(list, json_string(all[i]));
  return list;
}

static void read_written(FerryFlowGate *g, const char *addresses, const char *entries) {
  g_autoptr(json_t) flows = json_pack("{s:o, s:o, s:i, s:b}", "addresses", words(addresses, " "),
                                      "entries", words(entries, ";"), "left", 3, "last", TRUE);
  ferry_flow_gate_read(g, flows);
}

static gboolean admits(const FerryFlowGate *g, const char *text) {
  FerryConntrackFlow f;
  g_assert_true(ferry_flow_parse(text, &f, NULL));
  return ferry_flow_gate_admits(g, &f);
}

static guint n_open(const FerryFlowGate *g) {
  g_autoptr(GPtrArray) open = ferry_flow_gate_open(g);
  return open->len;
}

static void test_only_what_is_proven(void) {
  g_autoptr(FerryFlowGate) g = new_gate();
  read_written(g, VM " " OTHER, FLOW(VM, "4000"));
  g_assert_cmpuint(n_open(g), ==, 2);
  g_assert_false(admits(g, FLOW(VM, "4000")));
  ferry_flow_gate_answer(g, vm, TRUE);
  g_assert_cmpuint(n_open(g), ==, 1);
  g_assert_true(admits(g, FLOW(VM, "4000")));
  g_assert_true(admits(g, "udp 198.51.100.1 53 " VM " 4000 100 1")); /* begun by the other one */
  g_assert_false(admits(g, FLOW(OTHER, "4000")));
  g_assert_false(admits(g, FLOW("192.0.2.70", "4000")));
  g_assert_null(ferry_flow_gate_refused(g));
}

static void test_somebody_elses(void) {
  g_autoptr(FerryFlowGate) g = new_gate();
  read_written(g, VM, FLOW(VM, "4000"));
  ferry_flow_gate_answer(g, vm, TRUE);
  ferry_flow_gate_answer(g, vm, FALSE); /* two have it */
  g_assert_false(admits(g, FLOW(VM, "4000")));
  ferry_flow_gate_answer(g, vm, TRUE);
  g_assert_false(admits(g, FLOW(VM, "4000")));
  read_written(g, VM, FLOW(VM, "4000")); /* nor by saying so again */
  g_assert_false(admits(g, FLOW(VM, "4000")));
  g_autofree char *refused = ferry_flow_gate_refused(g);
  g_assert_cmpstr(refused, ==, VM);
}

/* An answer makes nothing the VM's that the source did not name. */
static void test_nobody_asked(void) {
  g_autoptr(FerryFlowGate) g = new_gate();
  read_written(g, VM, FLOW(OTHER, "4000"));
  ferry_flow_gate_answer(g, other, TRUE);
  g_assert_false(admits(g, FLOW(OTHER, "4000")));
}

static void test_what_is_none(void) {
  g_autoptr(FerryFlowGate) g = new_gate();
  read_written(g, VM " nonsense 127.0.0.1 224.0.0.1 2001:db8::1", FLOW(VM, "4000") ";nonsense;");
  g_assert_cmpuint(n_open(g), ==, 1);
  g_assert_cmpuint(g->flows->len, ==, 1);
  g_assert_cmpuint(g->bad, ==, 2);
  g_assert_cmpuint(g->left, ==, 3);
  g_assert_true(g->last);
  ferry_flow_gate_read(g, NULL);
  g_assert_cmpuint(g->flows->len, ==, 1);
  g_autoptr(json_t) odd =
      json_pack("{s:s, s:[i, n], s:i}", "addresses", "x", "entries", 7, "left", -5);
  ferry_flow_gate_read(g, odd);
  g_assert_cmpuint(g->flows->len, ==, 0);
  g_assert_cmpuint(g->bad, ==, 2);
  g_assert_cmpuint(g->left, ==, 0);
}

static void test_many(void) {
  g_autoptr(FerryFlowGate) g = new_gate();
  g_autoptr(GString) addresses = g_string_new(VM);
  g_autoptr(GString) entries = g_string_new(FLOW(VM, "4000"));
  for (guint i = 0; i < 2000; i++) {
    g_string_append_printf(addresses, " 10.0.%u.%u", i / 256, i % 256);
    g_string_append(entries, ";" FLOW(VM, "4001"));
  }
  read_written(g, addresses->str, entries->str);
  g_assert_cmpuint(n_open(g), <=, 64);
  g_assert_cmpuint(g->flows->len, ==, FERRY_CONNTRACK_FLOWS_MAX);
}

/* ---- on the bridge ---- */

static GArray *nics_of(const guint8 mac[6]) {
  GArray *nics = g_array_new(FALSE, TRUE, sizeof(FerryNic));
  FerryNic nic = {.device = (char *)"vnet0", .bridge = (char *)"guests"};
  memcpy(nic.mac, mac, sizeof nic.mac);
  g_array_append_val(nics, nic);
  return nics;
}

static gpointer answer_as_guest(gpointer mac) {
  bed_answer(guest, mac, vm);
  return NULL;
}

static FerryFlowGate *asked(const guint8 answers[6], const char *address) {
  FerryFlowGate *g = new_gate();
  g_autoptr(GArray) nics = nics_of(bed_mac);
  read_written(g, address, FLOW(VM, "4000") ";" FLOW(HOST, "4000"));
  GThread *thread = answers ? g_thread_new("guest", answer_as_guest, (gpointer)answers) : NULL;
  ferry_flow_gate_ask(g, nics, 500);
  if (thread)
    g_thread_join(thread);
  return g;
}

static void test_guest_answers(void) {
  g_autoptr(FerryFlowGate) g = asked(bed_mac, VM);
  g_assert_true(admits(g, FLOW(VM, "4000")));
}

static void test_another_answers(void) {
  static const guint8 stranger[6] = {0x52, 0x54, 0, 0, 0, 2};
  g_autoptr(FerryFlowGate) g = asked(stranger, VM);
  g_assert_false(admits(g, FLOW(VM, "4000")));
  g_assert_cmpuint(n_open(g), ==, 0);
}

static void test_hosts_own(void) {
  g_autoptr(FerryFlowGate) g = asked(NULL, HOST);
  g_autofree char *refused = ferry_flow_gate_refused(g);
  g_assert_cmpstr(refused, ==, HOST);
  g_assert_false(admits(g, FLOW(HOST, "4000")));
}

/* ---- the kernel ---- */

static gboolean is_any(const FerryConntrackFlow *flow, gboolean from, gpointer data) {
  return TRUE;
}

static guint n_known(void) {
  g_autoptr(GArray) all = ferry_conntrack_flows(is_any, NULL, NULL, NULL);
  return all->len;
}

static void test_kernel_is_told(void) {
  g_autoptr(FerryFlowGate) g = new_gate();
  read_written(g, VM, FLOW(VM, "4000") ";" FLOW(VM, "4001") ";" FLOW(OTHER, "4000"));
  ferry_flow_gate_give(g, FALSE);
  g_assert_cmpuint(n_known(), ==, 0);
  ferry_flow_gate_answer(g, vm, TRUE);
  ferry_flow_gate_give(g, FALSE);
  g_assert_cmpuint(n_known(), ==, 2);
  g_assert_cmpuint(g->given->len, ==, 2);
  read_written(g, VM, FLOW(VM, "4001") ";" FLOW(VM, "4002") ";" FLOW(VM, "4003"));
  ferry_flow_gate_give(g, FALSE); /* the first has ended */
  g_assert_cmpuint(n_known(), ==, 3);
  read_written(g, VM, FLOW(VM, "4004"));
  ferry_flow_gate_give(g, TRUE); /* the kernel sees by itself what ends here */
  g_assert_cmpuint(n_known(), ==, 4);
  ferry_flow_gate_take_back(g);
  g_assert_cmpuint(n_known(), ==, 0);
  g_assert_cmpuint(g->given->len, ==, 0);
  g_assert_null(g->trouble);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/flow-gate/only-what-is-proven", test_only_what_is_proven);
  g_test_add_func("/flow-gate/somebody-elses", test_somebody_elses);
  g_test_add_func("/flow-gate/nobody-asked", test_nobody_asked);
  g_test_add_func("/flow-gate/what-is-none", test_what_is_none);
  g_test_add_func("/flow-gate/many", test_many);
  if (!bed_namespace())
    return g_test_run();
  guest = bed_plug();
  bed_ip("ip addr add " HOST "/24 dev guests");
  g_test_add_func("/flow-gate/guest-answers", test_guest_answers);
  g_test_add_func("/flow-gate/another-answers", test_another_answers);
  g_test_add_func("/flow-gate/hosts-own", test_hosts_own);
  g_test_add_func("/flow-gate/kernel-is-told", test_kernel_is_told);
  return g_test_run();
}
