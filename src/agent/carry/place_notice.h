// SPDX-License-Identifier: Apache-2.0
// Whether the network was told where a VM is now. QEMU announces a guest that has arrived with a
// few broadcasts; here it is listened for them where they leave the host, from before the guest
// runs, and what was not heard there is said again, by this agent, through the guest's bridge.
//
// What becomes of them beyond the host can't be seen from it. One thread alone; no lock.
#pragma once
#include "agent/carry/nics.h"

G_BEGIN_DECLS

typedef struct {
  GPtrArray *places; /* owned; one for each port that leads out, of each interface */
} FerryPlaceNotice;

typedef enum {
  FERRY_PLACE_NOTICED,
  FERRY_PLACE_REPEATED, /* it was, but only when the agent did it */
  FERRY_PLACE_UNSEEN,
} FerryPlaceNoticed;

/** Listens from now on at the bridges of `nics` (FerryNic). `trouble` (may be NULL): why somewhere
 * it can't; free with g_free. */
void ferry_place_notice_init(FerryPlaceNotice *a, const GArray *nics, char **trouble);
void ferry_place_notice_clear(FerryPlaceNotice *a);

/** The guest runs here now: waits until its announcements were heard everywhere, and repeats what
 * was not; two seconds at most. `where` becomes the ports at which it had to be repeated, or was
 * not heard; free with g_free. Where nothing leads out there is nobody to tell. */
FerryPlaceNoticed ferry_place_notice_verify(FerryPlaceNotice *a, char **where);

G_END_DECLS
