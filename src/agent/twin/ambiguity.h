// SPDX-License-Identifier: Apache-2.0
// Never two copies of one VM, where libvirt leaves it open who has it.
//
// Once the source's guest is paused for the switch-over and the source's libvirtd loses the
// target's, nobody knows whether the target's copy runs: the target's libvirtd may have been told
// to go on and may do so as late as it likes (it hung, say). libvirt resumes the source's copy all
// the same, and two run. So the source's copy is suspended again at once, and it is decided by what
// the target says once it can be asked:
// - it runs there, and has run for longer than it can have run here: it moved, and the copy here is
//   destroyed;
// - it is not there any more: the target gave it up, and it goes on here;
// - it is there and does not run: it may yet be resumed; the answer is waited for;
// - it cannot be asked: it stays suspended, which loses nothing, and that is said.
// Where the error is no connection's, the target's libvirtd has said itself that it failed, or QEMU
// has not sent all: only the source can go on then, and nothing of this happens.
#pragma once
#include "host/port/host.h"

G_BEGIN_DECLS

/** For so long a copy must have been seen running on the target before the one that is suspended
 * here is destroyed: much longer than the latter can have run after libvirt resumed it. */
#define FERRY_AMBIGUITY_CERTAIN_MS 2000
/** For so long the target must keep saying that it has no copy before this one goes on. */
#define FERRY_AMBIGUITY_ABSENT_MS 500

/** Whether a migration that failed with `error` (NULL: it did not) may have arrived all the same.
 * `switchover_us`: when the guest was paused for it, 0: it was not. In post-copy the answer is no:
 * which side has what is known there. Pure. */
gboolean ferry_ambiguity_arises(const GError *error, gint64 switchover_us, gboolean post_copy);

typedef enum {
  FERRY_AMBIGUITY_OPEN,   /* ask again */
  FERRY_AMBIGUITY_STAYED, /* it goes on here */
  FERRY_AMBIGUITY_MOVED,  /* it runs there: the copy here is destroyed */
} FerryAmbiguityAnswer;

/** What was heard of the target so far; zero-initialised at first. */
typedef struct {
  gint64 runs_us, absent_us; /* since when it says so without a break; 0: it does not */
  gboolean asked;            /* it has answered at least once */
} FerryAmbiguity;

/** One answer of the target; `peer` NULL: it could not be asked. Pure. */
FerryAmbiguityAnswer ferry_ambiguity_hear(FerryAmbiguity *ambiguity, const FerryDomainState *peer,
                                          gint64 now_us);

G_END_DECLS
