// SPDX-License-Identifier: Apache-2.0
// The target's agent while a VM arrives: a bridge and a table of connections of the test's own,
// with the test as the guest, as libvirtd, and as the source's agent.
#include "agent/carry/landing.h"
#include "host/machine/conntrack.h"
#include "host/network_bed.h"
#include "model/migration/reasons.h"

#define UUID "11111111-2222-4333-8444-555555555555"
#define UID "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define VM "192.0.2.7"

static int guest;

typedef struct {
  FerryHost host; /* first */
  FerryAgentContext *context;
  FerryLanding *landing;
  GMutex lock; /* guards what follows */
  gboolean there;
  GString *told; /* reasons, one a line */
  /* the test's own */
  json_t *migration;
} Fixture;

typedef struct {
  FerryDelivery base;
  Fixture *fixture;
} FakeEnd;

static json_t *fake_record(FerryHost *host, const char *uuid, GError **error) {
  Fixture *f = (Fixture *)host;
  g_assert_cmpstr(uuid, ==, UUID);
  g_mutex_lock(&f->lock);
  gboolean there = f->there;
  g_mutex_unlock(&f->lock);
  if (there)
    return json_pack("{s:b, s:[{s:s, s:s}]}", "active", TRUE, "interfaces", "name", "vnet0",
                     "macAddress", BED_MAC);
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN, "no domain");
  return NULL;
}

static void end_event(FerryDelivery *base, json_t *event) {
  Fixture *f = ((FakeEnd *)base)->fixture;
  g_mutex_lock(&f->lock);
  g_string_append_printf(f->told, "%s\n", ferry_json_str(event, "reason"));
  g_mutex_unlock(&f->lock);
  json_decref(event);
}

static void end_free(FerryDelivery *base) {
  g_free(base);
}

static FerryDelivery *deliver(const json_t *migration, gpointer data) {
  static const FerryDeliveryOps ops = {.event = end_event, .free = end_free};
  FakeEnd *end = g_new0(FakeEnd, 1);
  *end = (FakeEnd){{&ops}, data};
  return &end->base;
}

static void set_up(Fixture *f, gconstpointer data) {
  static const FerryHostOps ops = {.record = fake_record};
  f->host.ops = &ops;
  f->host.local = TRUE;
  g_mutex_init(&f->lock);
  f->told = g_string_new(NULL);
  f->context = ferry_context_new("h2", g_get_tmp_dir(), NULL, NULL);
  FerryArrivalPorts ports = {f->context, &f->host, deliver, NULL, f};
  f->landing = ferry_landing_new(&ports);
  f->migration =
      json_pack("{s:{s:s, s:s, s:s}, s:{s:s, s:{s:s, s:s, s:s}}}", "metadata", "uid", UID,
                "namespace", "default", "name", "m", "status", "phase", "Running", "migrationState",
                "sourceNode", "h1", "targetNode", "h2", "vmiUID", UUID);
}

static void stop_agent(Fixture *f) {
  ferry_context_stop(f->context);
  ferry_landing_stop(f->landing);
}

static void tear_down(Fixture *f, gconstpointer data) {
  stop_agent(f);
  ferry_landing_free(f->landing);
  ferry_context_free(f->context);
  g_string_free(f->told, TRUE);
  json_decref(f->migration);
}

static void see(Fixture *f) {
  ferry_landing_see(f->landing, "MODIFIED", f->migration);
}

/* libvirtd here has made the VM's interfaces. */
static void prepare(Fixture *f) {
  g_mutex_lock(&f->lock);
  f->there = TRUE;
  g_mutex_unlock(&f->lock);
  see(f);
}

static void write_flows(Fixture *f, const char *entry, gboolean last) {
  ferry_json_set(f->migration, "status.migrationState.flows",
                 json_pack("{s:[s], s:[s], s:i, s:b}", "addresses", VM, "entries", entry, "left", 0,
                           "last", last));
  see(f);
}

static void resume(Fixture *f) {
  FerryHostEvent event = {
      .type = FERRY_HOST_EVENT_STATE, .uuid = UUID, .pause = FERRY_HOST_PAUSE_ENDED};
  ferry_landing_event(f->landing, &event);
}

static gboolean is_any(const FerryConntrackFlow *flow, gboolean from, gpointer data) {
  return TRUE;
}

static void wait_known(guint n) {
  gint64 until = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
  for (guint known = n + 1; known != n; g_usleep(1000)) {
    g_assert_cmpint(g_get_monotonic_time(), <, until);
    g_autoptr(GArray) all = ferry_conntrack_flows(is_any, NULL, NULL, NULL);
    known = all->len;
  }
}

static void forget_all(void) {
  g_autoptr(GArray) all = ferry_conntrack_flows(is_any, NULL, NULL, NULL);
  for (guint i = 0; i < all->len; i++)
    ferry_conntrack_remove(&g_array_index(all, FerryConntrackFlow, i), NULL);
}

static void wait_told(Fixture *f, const char *reasons) {
  gint64 until = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
  for (gboolean told = FALSE; !told; g_usleep(1000)) {
    g_assert_cmpint(g_get_monotonic_time(), <, until);
    g_mutex_lock(&f->lock);
    told = g_str_equal(f->told->str, reasons);
    g_mutex_unlock(&f->lock);
  }
}

static void test_arrives(Fixture *f, gconstpointer data) {
  BedGuest living;
  bed_live(&living, guest);
  see(f); /* nothing of it is here yet */
  prepare(f);
  write_flows(f, "udp " VM " 4000 198.51.100.1 53 100 1", FALSE);
  wait_known(1); /* before it runs here */
  write_flows(f, "udp " VM " 4001 198.51.100.1 53 100 1", TRUE);
  wait_known(1);
  resume(f); /* and QEMU says nothing */
  wait_told(f, "AnnouncementRepeated\nFlowsCarried\n");
  bed_leave(&living);
  forget_all();
}

static void test_does_not_arrive(Fixture *f, gconstpointer data) {
  BedGuest living;
  bed_live(&living, guest);
  prepare(f);
  write_flows(f, "udp " VM " 4000 198.51.100.1 53 100 1", FALSE);
  wait_known(1);
  ferry_json_set_str(f->migration, "status.phase", "Failed");
  see(f);
  wait_known(0);
  stop_agent(f);
  bed_leave(&living);
  g_assert_cmpstr(f->told->str, ==, "");
}

/* The source writes of an address that nobody has. */
static void test_nobody_answers(Fixture *f, gconstpointer data) {
  prepare(f);
  write_flows(f, "udp " VM " 4000 198.51.100.1 53 100 1", TRUE);
  resume(f);
  wait_told(f, "AnnouncementRepeated\nFlowsNotCarried\n");
  wait_known(0);
}

/* Nothing is done for one that goes elsewhere, nor from a host that can't be looked into. */
static void test_not_ours(Fixture *f, gconstpointer data) {
  ferry_json_set_str(f->migration, "status.migrationState.targetNode", "h3");
  prepare(f);
  resume(f);
  ferry_json_set_str(f->migration, "status.migrationState.targetNode", "h2");
  f->host.local = FALSE;
  see(f);
  resume(f);
  stop_agent(f);
  g_assert_cmpstr(f->told->str, ==, "");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  if (!bed_namespace()) {
    g_printerr("no network namespace may be made here: nothing is tested\n");
    return g_test_run();
  }
  guest = bed_plug();
#define ADD(name, f) g_test_add("/landing/" name, Fixture, NULL, set_up, f, tear_down)
  ADD("arrives", test_arrives);
  ADD("does-not-arrive", test_does_not_arrive);
  ADD("nobody-answers", test_nobody_answers);
  ADD("not-ours", test_not_ours);
  return g_test_run();
}
