// SPDX-License-Identifier: Apache-2.0
// A bridge of the kernel's own, with the test as the guest behind a tap.
#include "host/machine/guest_port.h"
#include "host/network_bed.h"

static int guest;
static const guint8 address[4] = {192, 0, 2, 7};

static void test_mac(void) {
  guint8 mac[FERRY_MAC_BYTES];
  static const char *const bad[] = {
      "",
      "52:54:00:00:00",
      "52:54:00:00:00:01:02",
      "52:54:00:00:00:0g",
      "52-54-00-00-00-01",
      "53:54:00:00:00:01", /* of a group */
  };
  g_assert_true(ferry_mac_parse(BED_MAC, mac));
  g_assert_cmpmem(mac, sizeof mac, bed_mac, sizeof bed_mac);
  g_assert_false(ferry_mac_parse(NULL, mac));
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
    g_assert_false(ferry_mac_parse(bad[i], mac));
}

static void test_places(void) {
  g_autofree char *bridge = ferry_guest_port_bridge("vnet0");
  g_assert_cmpstr(bridge, ==, "guests");
  g_assert_null(ferry_guest_port_bridge("outside"));
  g_assert_null(ferry_guest_port_bridge("none"));
  g_assert_null(ferry_guest_port_bridge("../net/vnet0"));
  g_auto(GStrv) uplinks = ferry_guest_port_uplinks("guests");
  g_assert_cmpuint(g_strv_length(uplinks), ==, 1);
  g_assert_cmpstr(uplinks[0], ==, "uplink");
  g_auto(GStrv) none = ferry_guest_port_uplinks("outside");
  g_assert_cmpuint(g_strv_length(none), ==, 0);
}

/* A frame of the guest, to all or to one. */
static void say(guint8 first) {
  guint8 frame[60] = {0};
  memset(frame, first, 6);
  memcpy(frame + 6, bed_mac, 6);
  frame[12] = 0x88, frame[13] = 0xb5;
  g_assert_cmpint(write(guest, frame, sizeof frame), ==, sizeof frame);
}

static void test_announcement_is_heard(void) {
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryPortEar) ear = ferry_port_ear_announcements("uplink", bed_mac, &error);
  g_assert_no_error(error);
  g_assert_false(ferry_port_ear_heard(ear, 0));
  say(0x02); /* to one alone */
  g_assert_false(ferry_port_ear_heard(ear, 50));
  say(0xff);
  g_assert_true(ferry_port_ear_heard(ear, 5000));
  g_assert_false(ferry_port_ear_heard(ear, 0));
}

static void test_who_comes_in_is_not_heard(void) {
  g_autoptr(FerryPortEar) ear = ferry_port_ear_announcements("uplink", bed_mac, NULL);
  g_autoptr(FerryPortEar) other = ferry_port_ear_announcements("outside", bed_mac, NULL);
  /* the guest is elsewhere still: what it says arrives by the same port */
  g_assert_true(ferry_port_announce("outside", bed_mac, NULL));
  g_assert_true(ferry_port_ear_heard(other, 5000));
  g_assert_false(ferry_port_ear_heard(ear, 50));
}

static void test_announcement_is_made(void) {
  guint8 frame[128];
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryPortEar) ear = ferry_port_ear_announcements("uplink", bed_mac, NULL);
  g_assert_true(ferry_port_announce("guests", bed_mac, &error));
  g_assert_no_error(error);
  g_assert_true(ferry_port_ear_heard(ear, 5000));
  g_assert_cmpuint(bed_receive(guest, 0x8035, frame, sizeof frame), >=, 42);
  g_assert_cmpmem(frame + 6, 6, bed_mac, 6);
  g_assert_false(ferry_port_announce("none", bed_mac, &error));
  g_assert_nonnull(error);
}

static gboolean is_learnt_at(const char *port) {
  g_autofree char *command =
      g_strdup_printf("bridge fdb show br guests | grep -q '^" BED_MAC " dev %s '", port);
  return system(command) == 0;
}

static void test_bridge_learns(void) {
  g_autoptr(GError) error = NULL;
  g_assert_true(ferry_port_announce("outside", bed_mac, NULL));
  gint64 until = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;
  while (!is_learnt_at("uplink") && g_get_monotonic_time() < until)
    g_usleep(1000);
  g_assert_true(is_learnt_at("uplink"));
  g_assert_true(ferry_guest_port_learn("vnet0", bed_mac, &error));
  g_assert_no_error(error);
  g_assert_true(is_learnt_at("vnet0"));
  g_assert_false(is_learnt_at("uplink"));
  g_assert_false(ferry_guest_port_learn("outside", bed_mac, &error));
  g_assert_nonnull(error);
}

static void ask_by(const char *device) {
  guint8 mac[FERRY_MAC_BYTES], who[4];
  g_autoptr(GError) error = NULL;
  g_autoptr(FerryPortEar) ear = ferry_port_ear_answers(device, &error);
  g_assert_no_error(error);
  g_assert_true(ferry_port_ask(device, address, &error));
  g_assert_no_error(error);
  bed_answer(guest, bed_mac, address);
  g_assert_true(ferry_port_ear_answer(ear, 5000, mac, who));
  g_assert_cmpmem(mac, 6, bed_mac, 6);
  g_assert_cmpmem(who, 4, address, 4);
  g_assert_false(ferry_port_ear_answer(ear, 0, mac, who));
}

static void test_asked_at_the_port(void) {
  ask_by("vnet0");
}

static void test_asked_at_the_bridge(void) {
  ask_by("guests");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/guest-port/mac", test_mac);
  if (!bed_namespace())
    return g_test_run();
  guest = bed_plug();
  g_test_add_func("/guest-port/places", test_places);
  g_test_add_func("/guest-port/announcement-is-heard", test_announcement_is_heard);
  g_test_add_func("/guest-port/who-comes-in-is-not-heard", test_who_comes_in_is_not_heard);
  g_test_add_func("/guest-port/announcement-is-made", test_announcement_is_made);
  g_test_add_func("/guest-port/bridge-learns", test_bridge_learns);
  g_test_add_func("/guest-port/asked-at-the-port", test_asked_at_the_port);
  g_test_add_func("/guest-port/asked-at-the-bridge", test_asked_at_the_bridge);
  return g_test_run();
}
