// SPDX-License-Identifier: Apache-2.0
// Where a guest's interface is plugged in on this machine, and what can be seen and said there: a
// bridge of the kernel's, its port to the guest (the tap), and its other ports that lead out.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

#define FERRY_MAC_BYTES 6

/** "52:54:00:00:00:01" as bytes. FALSE: it is not a MAC address, or one of a group. Pure. */
gboolean ferry_mac_parse(const char *text, guint8 mac[FERRY_MAC_BYTES]);

/** The bridge that `device` is a port of; NULL: of none of the kernel's. Free with g_free. */
char *ferry_guest_port_bridge(const char *device);
/** The ports of `bridge` that lead out of this machine: no taps. A new NULL-terminated array, free
 * with g_strfreev; it may be empty. */
char **ferry_guest_port_uplinks(const char *bridge);
/** Tells the bridge that the address is behind its port `device`: it forgets where else it was.
 * Needs CAP_NET_ADMIN. */
gboolean ferry_guest_port_learn(const char *device, const guint8 mac[FERRY_MAC_BYTES],
                                GError **error);

/* What is listened for on one device, from the moment it is made. One thread at a time. */
typedef struct FerryPortEar FerryPortEar;

/** Hears what leaves by `device` for a group of receivers with `mac` as its sender: from it a
 * network learns where the guest is. Needs CAP_NET_RAW, as all that follows. */
FerryPortEar *ferry_port_ear_announcements(const char *device, const guint8 mac[FERRY_MAC_BYTES],
                                           GError **error);
/** Hears answers of ARP on `device`. */
FerryPortEar *ferry_port_ear_answers(const char *device, GError **error);
void ferry_port_ear_free(FerryPortEar *ear);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryPortEar, ferry_port_ear_free)

/** Whether an announcement was heard, waiting at most `ms`. */
gboolean ferry_port_ear_heard(FerryPortEar *ear, int ms);
/** The next answer, waiting at most `ms`: who says that he has which IPv4 address (network order).
 * FALSE: none came. */
gboolean ferry_port_ear_answer(FerryPortEar *ear, int ms, guint8 mac[FERRY_MAC_BYTES],
                               guint8 address[4]);

/** Announces by way of `device` that `mac` is here, as QEMU does it (RARP), through all ports of
 * the bridge where it is one. */
gboolean ferry_port_announce(const char *device, const guint8 mac[FERRY_MAC_BYTES], GError **error);
/** Asks by way of `device` who has the IPv4 address; answers come to the device's bridge, or to
 * itself where it is one. */
gboolean ferry_port_ask(const char *device, const guint8 address[4], GError **error);

G_END_DECLS
