// SPDX-License-Identifier: Apache-2.0
// What the source's agent writes of a VM's connections; a bridge and a table of the test's own,
// with the test as the guest.
#include "agent/carry/flow_source.h"
#include "agent/carry/flow_text.h"
#include "host/network_bed.h"

#define UUID "11111111-2222-4333-8444-555555555555"
#define FIRST "udp 192.0.2.7 4000 198.51.100.1 53 100 1"
#define SECOND "udp 192.0.2.7 4001 198.51.100.1 53 100 1"
#define FOREIGN "udp 203.0.113.1 4000 203.0.113.2 53 100 1"

static int guest;

typedef struct {
  FerryDelivery base; /* first */
  GMutex lock;        /* guards what follows */
  json_t *flows;      /* the newest */
  guint written;
} Written;

static json_t *fake_record(FerryHost *host, const char *uuid, GError **error) {
  return json_pack("{s:b, s:[{s:s, s:s}]}", "active", TRUE, "interfaces", "name", "vnet0",
                   "macAddress", BED_MAC);
}

static void take_status(FerryDelivery *base, json_t *status) {
  Written *w = (Written *)base;
  g_mutex_lock(&w->lock);
  json_decref(w->flows);
  w->flows = json_incref((json_t *)ferry_json_get(status, "migrationState.flows"));
  w->written++;
  g_mutex_unlock(&w->lock);
  json_decref(status);
}

static void know(const char *text) {
  g_autoptr(GError) error = NULL;
  FerryConntrackFlow f;
  g_assert_true(ferry_flow_parse(text, &f, NULL));
  g_assert_true(ferry_conntrack_add(&f, &error));
  g_assert_no_error(error);
}

static void wait_written(Written *w, guint n, gboolean last) {
  gint64 until = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
  for (gboolean done = FALSE; !done; g_usleep(1000)) {
    g_assert_cmpint(g_get_monotonic_time(), <, until);
    g_mutex_lock(&w->lock);
    done = json_array_size(json_object_get(w->flows, "entries")) == n &&
           ferry_json_bool(w->flows, "last", FALSE) == last;
    g_mutex_unlock(&w->lock);
  }
}

typedef struct {
  FerryHost host;
  Written written;
  json_t *object;
} Bench;

static void bench_init(Bench *b, gboolean local) {
  static const FerryHostOps host_ops = {.record = fake_record};
  static const FerryDeliveryOps ops = {.send = take_status};
  *b = (Bench){.host = {&host_ops, local}, .written = {.base = {&ops}}};
  b->object = json_pack("{s:{s:s}}", "metadata", "name", "m");
}

static FerryFlowSource *bench_start(Bench *b) {
  return ferry_flow_source_start(&b->host, &b->written.base, UUID, b->object);
}

static void bench_clear(Bench *b) {
  json_decref(b->object);
  json_decref(b->written.flows);
}

static void test_written(void) {
  Bench b;
  BedGuest living;
  bench_init(&b, TRUE);
  bed_live(&living, guest);
  know(FIRST);
  know(FOREIGN);
  FerryFlowSource *source = bench_start(&b);
  Written *w = &b.written;
  wait_written(w, 1, FALSE);
  g_assert_cmpuint(json_array_size(json_object_get(w->flows, "addresses")), ==, 1);
  know(SECOND); /* it is found at the next look */
  wait_written(w, 2, FALSE);
  g_mutex_lock(&w->lock);
  g_assert_cmpuint(w->written, ==, 2); /* and nothing was written that did not change */
  g_mutex_unlock(&w->lock);
  ferry_flow_source_switch(source);
  wait_written(w, 2, TRUE);
  ferry_flow_source_stop(source);
  g_assert_cmpuint(w->written, ==, 3);
  bench_clear(&b);
  bed_leave(&living);
}

/* A guest that was too busy to answer is asked again. */
static void test_asked_again(void) {
  Bench b;
  BedGuest living;
  bench_init(&b, TRUE);
  bed_live_busy(&living, guest, 1);
  know(FIRST);
  FerryFlowSource *source = bench_start(&b);
  wait_written(&b.written, 1, FALSE);
  ferry_flow_source_stop(source);
  bench_clear(&b);
  bed_leave(&living);
  g_assert_cmpuint(living.deaf, ==, 0);
}

/* A host that can not be looked into from here. */
static void test_not_from_here(void) {
  Bench b;
  bench_init(&b, FALSE);
  g_assert_null(bench_start(&b)); /* on another machine */
  ferry_flow_source_switch(NULL);
  ferry_flow_source_stop(NULL);
  g_assert_cmpuint(b.written.written, ==, 0);
  bench_clear(&b);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/flow-source/not-from-here", test_not_from_here);
  if (!bed_namespace())
    return g_test_run();
  guest = bed_plug();
  g_test_add_func("/flow-source/asked-again", test_asked_again);
  g_test_add_func("/flow-source/written", test_written);
  return g_test_run();
}
