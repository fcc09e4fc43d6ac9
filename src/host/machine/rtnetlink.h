// SPDX-License-Identifier: Apache-2.0
// What the kernel says of a machine's network in messages of rtnetlink, read into tables, and the
// tables as the fields of a Node's status. No I/O; one thread at a time.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** How many routes are told of; a machine with more has a routing daemon, and tells of none. */
#define FERRY_RTNETLINK_MAX_ROUTES 256
#define FERRY_RTNETLINK_MAX_INTERFACES 512

typedef struct _FerryRtnetlink FerryRtnetlink;

/** Empty tables. */
FerryRtnetlink *ferry_rtnetlink_new(void);
/** NULL is not allowed. */
void ferry_rtnetlink_free(FerryRtnetlink *tables);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryRtnetlink, ferry_rtnetlink_free)

/** Takes what is whole and known of `n` bytes of messages, as a socket gives them (new links,
 * addresses, routes and rules); the rest is left out. */
void ferry_rtnetlink_take(FerryRtnetlink *tables, const void *bytes, gsize n);

/** A new list for status.interfaces: [{name, addresses, up, downReason, kind, mtuBytes, vlan, over,
 * master}], loopback, link-local and tentative addresses and the taps of VMs left out. A bridge is
 * up where one of its uplinks is: of its ports those that are hardware or built on it (a bond, a
 * VLAN), else those that lead to elsewhere; a bridge of VMs alone, where it says so itself. */
json_t *ferry_rtnetlink_interfaces(const FerryRtnetlink *tables);
/** A new list for status.routes: [{destination, gateway, interface, source, metric}] of the main
 * table, each family's own, with those that refuse (without an interface). NULL where they are no
 * evidence of where a packet goes: rules of the machine's own choose other tables, or there are
 * more than FERRY_RTNETLINK_MAX_ROUTES. */
json_t *ferry_rtnetlink_routes(const FerryRtnetlink *tables);
/** The name of an interface, borrowed; NULL: it is not among the links. */
const char *ferry_rtnetlink_name(const FerryRtnetlink *tables, guint index);

/** One answer to the question where a packet would go (RTM_GETROUTE). */
typedef struct {
  guint interface;              /* its index; 0: nowhere */
  char source[46], gateway[46]; /* IP addresses; empty: not said */
} FerryRtnetlinkRoute;
/** Reads the first route of `n` bytes of messages. FALSE: there is none in them. */
gboolean ferry_rtnetlink_answer(const void *bytes, gsize n, FerryRtnetlinkRoute *out);

/** An interface's counters since it is there, in bytes. */
typedef struct {
  guint64 received, sent;
} FerryRtnetlinkCounters;
/** FALSE: the interface is not among the links, or counts nothing. */
gboolean ferry_rtnetlink_counters(const FerryRtnetlink *tables, const char *name,
                                  FerryRtnetlinkCounters *out);

G_END_DECLS
