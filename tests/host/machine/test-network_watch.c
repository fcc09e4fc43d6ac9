// SPDX-License-Identifier: Apache-2.0
// Changes of a network namespace of the test's own are told, each kind of them.
#include "host/machine/network_watch.h"
#include "host/network_bed.h"

typedef struct {
  GMutex lock;
  GCond cond;
  guint told;
} Heard;

static void on_change(gpointer data) {
  Heard *h = data;
  g_mutex_lock(&h->lock);
  h->told++;
  g_cond_signal(&h->cond);
  g_mutex_unlock(&h->lock);
}

/* Whether anything is told after `commands`, within a second. */
static gboolean told_of(Heard *h, const char *commands) {
  g_mutex_lock(&h->lock);
  guint before = h->told;
  g_mutex_unlock(&h->lock);
  bed_ip(commands);
  gint64 until = g_get_monotonic_time() + G_USEC_PER_SEC;
  g_mutex_lock(&h->lock);
  while (h->told == before && g_cond_wait_until(&h->cond, &h->lock, until))
    ;
  gboolean told = h->told > before;
  g_mutex_unlock(&h->lock);
  return told;
}

static void test_changes_are_told(void) {
  static const char *const changes[] = {"ip addr add 10.9.7.1/24 dev b0",
                                        "ip link set plain mtu 1300",
                                        "ip link set plain down",
                                        "ip route add 10.77.0.0/16 via 10.9.1.9",
                                        "ip link add late type veth peer name later",
                                        "ip link del late",
                                        "ip addr del 10.9.7.1/24 dev b0",
                                        "ip rule add from 10.9.9.9 lookup 100",
                                        "ip -6 addr add fd07::1/64 dev b0",
                                        "ip link set other down"};
  g_autoptr(GError) error = NULL;
  Heard heard = {0};
  FerryNetworkWatch *watch = ferry_network_watch_new(on_change, &heard, &error);
  g_assert_no_error(error);
  for (gsize i = 0; i < G_N_ELEMENTS(changes); i++)
    if (!told_of(&heard, changes[i]))
      g_error("nothing was told of: %s", changes[i]);
  ferry_network_watch_free(watch);
}

/* Two hundred changes in a row are few news. */
static void test_a_storm(void) {
  g_autoptr(GError) error = NULL;
  Heard heard = {0};
  FerryNetworkWatch *watch = ferry_network_watch_new(on_change, &heard, &error);
  gint64 began = g_get_monotonic_time();
  bed_ip("for i in $(seq 100); do echo addr add 10.8.0.$i/32 dev b0; "
         "echo addr del 10.8.0.$i/32 dev b0; done | ip -batch -");
  gint64 ms = (g_get_monotonic_time() - began) / 1000;
  ferry_network_watch_free(watch);
  g_assert_cmpint(heard.told, <=, 2 + ms / FERRY_NETWORK_WATCH_MS);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  if (!bed_namespace()) {
    g_test_message("no network namespace of its own");
    return 77;
  }
  bed_ip("ip link add b0 type bridge; ip link add plain type veth peer name other;"
         "ip link set plain up; ip link set other up; ip link set b0 up; ip addr add 10.9.1.1/24 "
         "dev b0");
  g_test_add_func("/network-watch/changes", test_changes_are_told);
  g_test_add_func("/network-watch/storm", test_a_storm);
  return g_test_run();
}
