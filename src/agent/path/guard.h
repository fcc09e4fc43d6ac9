// SPDX-License-Identifier: Apache-2.0
// Whether a migration's connections to the target still lead anywhere, judged from what the
// source's operating system sees of them. Pure.
//
// Neither libvirt nor QEMU notices a peer that is silent: a port behind a firewall that drops costs
// two minutes, a link that is cut in the switch-over keeps the guest frozen until TCP gives up
// (94 s were seen), and meanwhile QEMU's monitor answers nobody.
//
// What may be done about it is to close the connection on the source. It cannot make two VMs of
// one: libvirt lets the target's copy run only after QEMU on the source has sent all and QEMU on
// the target has taken all of it. Closed before, the source's QEMU sees its write fail, the
// migration fails, and the guest goes on at the source, while the copy, which has but a part, is
// thrown away. Closed after, it changes nothing. Post-copy is another matter: each side has a part
// of the memory then, so there nothing is closed.
#pragma once
#include "host/port/host.h"

G_BEGIN_DECLS

/** An unanswered SYN is sent again after 1, 3 and 7 s: who has not answered then drops it. */
#define FERRY_PATH_CONNECT_MS 8000
/** For so long nothing may be acknowledged while there is something to acknowledge. */
#define FERRY_PATH_SILENT_MS 9000
/** Where acknowledgements of what came before still come (the way back is open, and so the other
 * side's own packets do): for so long something new must have waited, besides. */
#define FERRY_PATH_UNANSWERED_MS 4000
/** With the guest paused for the switch-over, so many times the pause that is allowed, but at least
 * FERRY_PATH_SWITCHOVER_MIN_MS, are granted to a connection that acknowledges nothing. */
#define FERRY_PATH_SWITCHOVER_FACTOR 2
#define FERRY_PATH_SWITCHOVER_MIN_MS 3000
/** A path whose acknowledgements are older is silent at the moment. */
#define FERRY_PATH_PAUSE_SILENT_MS 1500

typedef enum {
  FERRY_PATH_GOOD,
  FERRY_PATH_PORT_SILENT, /* nobody answers at the port */
  FERRY_PATH_LINK_DEAD,   /* nothing is acknowledged any more */
  FERRY_PATH_FROZEN,      /* the same, with the guest paused for the switch-over */
} FerryPathVerdict;

typedef struct {
  const GArray *connections; /* FerryHostConnection */
  gboolean post_copy;        /* asked for or begun */
  gint64 switchover_us;      /* when the guest was paused for it; 0: it runs */
  gint64 allowed_ms;         /* pause that is allowed now; 0: not known */
} FerryPathSeen;

/** What was seen before, by connection. */
typedef struct {
  GHashTable *connecting; /* id -> gint64 us of the first look that saw it connecting */
  GHashTable *acks;       /* id -> what was seen of its acknowledgements */
} FerryPathGuard;

/** Before anything has been looked at. */
void ferry_path_guard_init(FerryPathGuard *guard);
void ferry_path_guard_clear(FerryPathGuard *guard);
/** The verdict at `now_us`, and of which connection (unless it is good). */
FerryPathVerdict ferry_path_guard_judge(FerryPathGuard *guard, const FerryPathSeen *seen,
                                        gint64 now_us, FerryHostConnection *of);
/** For how long the target's hypervisor has acknowledged nothing of what this host's sent it, in
 * ms; 0: not for FERRY_PATH_SILENT_MS. At each look. Nothing is closed for that, as the connection
 * may carry other migrations as well. */
gint64 ferry_path_control_silent_ms(FerryPathGuard *guard, const GArray *connections, gint64 now_us,
                                    FerryHostConnection *of);
/** The reason that a verdict ends a migration with; NULL: it is good. */
const char *ferry_path_verdict_reason(FerryPathVerdict verdict);
/** The words for it, with what was seen and what to do. `target` is the host's name, `address` its
 * address, `frozen_ms` how long the guest has been paused. Free with g_free. */
char *ferry_path_verdict_message(FerryPathVerdict verdict, const FerryHostConnection *of,
                                 const char *target, const char *address, gint64 frozen_ms);

G_END_DECLS
