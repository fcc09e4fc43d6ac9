// SPDX-License-Identifier: Apache-2.0
#include "agent/carry/place_notice.h"
#include <string.h>

#define PATIENCE_MS 20 /* QEMU has said it before the guest runs */

/* How long after each repetition it is listened: the first come fast, as nobody reaches the guest
 * meanwhile, the last bridge what keeps a port from forwarding for a moment. */
static const int waits_ms[] = {20, 40, 80, 160, 320, 640, 640};

typedef struct {
  char *device, *bridge, *uplink;
  guint8 mac[FERRY_MAC_BYTES];
  FerryPortEar *ear;
  gboolean heard, repeated;
} Place;

static void place_free(gpointer data) {
  Place *p = data;
  ferry_port_ear_free(p->ear);
  g_free(p->device);
  g_free(p->bridge);
  g_free(p->uplink);
  g_free(p);
}

static void add_place(FerryPlaceNotice *a, const FerryNic *nic, const char *uplink,
                      char **trouble) {
  g_autoptr(GError) error = NULL;
  FerryPortEar *ear = ferry_port_ear_announcements(uplink, nic->mac, &error);
  if (!ear) {
    if (trouble && !*trouble)
      *trouble = g_strdup(error->message);
    return;
  }
  Place *p = g_new0(Place, 1);
  p->device = g_strdup(nic->device);
  p->bridge = g_strdup(nic->bridge);
  p->uplink = g_strdup(uplink);
  memcpy(p->mac, nic->mac, sizeof p->mac);
  p->ear = ear;
  g_ptr_array_add(a->places, p);
}

void ferry_place_notice_init(FerryPlaceNotice *a, const GArray *nics, char **trouble) {
  a->places = g_ptr_array_new_with_free_func(place_free);
  for (guint i = 0; i < nics->len; i++) {
    const FerryNic *nic = &g_array_index(nics, FerryNic, i);
    g_auto(GStrv) uplinks = ferry_guest_port_uplinks(nic->bridge);
    for (gsize k = 0; uplinks[k]; k++)
      add_place(a, nic, uplinks[k], trouble);
  }
}

void ferry_place_notice_clear(FerryPlaceNotice *a) {
  g_clear_pointer(&a->places, g_ptr_array_unref);
}

/* Whether it was heard everywhere within `ms`. */
static gboolean place_notice_listen(FerryPlaceNotice *a, int ms) {
  gint64 until = g_get_monotonic_time() + (gint64)ms * 1000;
  gboolean all = TRUE;
  for (guint i = 0; i < a->places->len; i++) {
    Place *p = a->places->pdata[i];
    gint64 left = MAX(0, until - g_get_monotonic_time());
    p->heard = p->heard || ferry_port_ear_heard(p->ear, (int)(left / 1000));
    all = all && p->heard;
  }
  return all;
}

/* The bridge itself may have learnt that the guest is elsewhere, where nothing came from it here.
 */
static void place_notice_repeat(FerryPlaceNotice *a) {
  for (guint i = 0; i < a->places->len; i++) {
    Place *p = a->places->pdata[i];
    if (p->heard)
      continue;
    p->repeated = TRUE;
    ferry_guest_port_learn(p->device, p->mac, NULL);
    ferry_port_announce(p->bridge, p->mac, NULL);
  }
}

static char *places_with(const FerryPlaceNotice *a, gboolean heard) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < a->places->len; i++) {
    const Place *p = a->places->pdata[i];
    if (p->repeated && p->heard == heard)
      g_string_append_printf(text, "%s%s of %s", text->len ? ", " : "", p->uplink, p->bridge);
  }
  return text->len ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

FerryPlaceNoticed ferry_place_notice_verify(FerryPlaceNotice *a, char **where) {
  *where = NULL;
  if (place_notice_listen(a, PATIENCE_MS))
    return FERRY_PLACE_NOTICED;
  for (gsize i = 0; i < G_N_ELEMENTS(waits_ms); i++) {
    place_notice_repeat(a);
    if (place_notice_listen(a, waits_ms[i])) {
      *where = places_with(a, TRUE);
      return FERRY_PLACE_REPEATED;
    }
  }
  *where = places_with(a, FALSE);
  return FERRY_PLACE_UNSEEN;
}
