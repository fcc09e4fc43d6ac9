// SPDX-License-Identifier: Apache-2.0
// Whether the network was told where a guest is, and what the agent does where it was not; on a
// bridge of the test's own.
#include "agent/carry/place_notice.h"
#include "host/network_bed.h"

static int guest;

static void begin(FerryPlaceNotice *a) {
  g_autofree char *trouble = NULL;
  g_autoptr(GArray) nics = g_array_new(FALSE, TRUE, sizeof(FerryNic));
  FerryNic nic = {.device = (char *)"vnet0", .bridge = (char *)"guests"};
  memcpy(nic.mac, bed_mac, sizeof nic.mac);
  g_array_append_val(nics, nic);
  ferry_place_notice_init(a, nics, &trouble);
  g_assert_null(trouble);
  g_assert_cmpuint(a->places->len, ==, 1);
}

/* What QEMU says for a guest that has arrived. */
static void say(void) {
  guint8 frame[60] = {0};
  memset(frame, 0xff, 6);
  memcpy(frame + 6, bed_mac, 6);
  frame[12] = 0x80, frame[13] = 0x35;
  g_assert_cmpint(write(guest, frame, sizeof frame), ==, sizeof frame);
}

static FerryPlaceNoticed verify(FerryPlaceNotice *a, char **where) {
  FerryPlaceNoticed said = ferry_place_notice_verify(a, where);
  ferry_place_notice_clear(a);
  return said;
}

static void test_heard(void) {
  g_autofree char *where = NULL;
  FerryPlaceNotice a;
  begin(&a);
  say(); /* before anybody waits for it */
  g_assert_cmpint(verify(&a, &where), ==, FERRY_PLACE_NOTICED);
  g_assert_null(where);
}

static void test_repeated(void) {
  g_autofree char *where = NULL;
  FerryPlaceNotice a;
  g_autoptr(FerryPortEar) outside = ferry_port_ear_announcements("uplink", bed_mac, NULL);
  begin(&a);
  g_assert_cmpint(verify(&a, &where), ==, FERRY_PLACE_REPEATED);
  g_assert_cmpstr(where, ==, "uplink of guests");
  g_assert_true(ferry_port_ear_heard(outside, 0));
  g_assert_cmpint(system("bridge fdb show br guests | grep -q '^" BED_MAC " dev vnet0 '"), ==, 0);
}

static void test_unseen(void) {
  g_autofree char *where = NULL;
  FerryPlaceNotice a;
  begin(&a);
  bed_ip("ip link set uplink down");
  g_assert_cmpint(verify(&a, &where), ==, FERRY_PLACE_UNSEEN);
  g_assert_cmpstr(where, ==, "uplink of guests");
  bed_ip("ip link set uplink up");
}

static void test_nobody_to_tell(void) {
  g_autofree char *where = NULL;
  FerryPlaceNotice a;
  g_autoptr(GArray) none = g_array_new(FALSE, TRUE, sizeof(FerryNic));
  ferry_place_notice_init(&a, none, NULL);
  g_assert_cmpint(verify(&a, &where), ==, FERRY_PLACE_NOTICED);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/place-notice/nobody-to-tell", test_nobody_to_tell);
  if (!bed_namespace())
    return g_test_run();
  guest = bed_plug();
  g_test_add_func("/place-notice/heard", test_heard);
  g_test_add_func("/place-notice/repeated", test_repeated);
  g_test_add_func("/place-notice/unseen", test_unseen);
  return g_test_run();
}
