// SPDX-License-Identifier: Apache-2.0
// Never two copies of one VM, where libvirt leaves it open who has it.
//
// Once the source's guest is paused for the switch-over and the source's libvirtd loses the
// target's, nobody knows whether the target's copy runs: the target's libvirtd may have been told
// to go on and may do so as late as it likes (it hung, say). libvirt resumes the source's copy all
// the same, and two run. So the copy whose right to run is not known is suspended at once, on the
// source (agent/migration/run/doubt.c) as on the target (twin_guard.c), and it is decided by what
// the other host says once it can be asked:
// - it runs there, and has run for certain longer than the one here ran: the copy here is
//   destroyed;
// - it is not there any more: it goes on here;
// - it is there and does not run: both hosts' agents say how long their copy has run since the
//   switch-over. The one that ran longer for certain goes on; the target's does where the source's
//   was held at once; else the policy's onAmbiguity or a person (ferry resolve) says which;
// - it cannot be asked: it stays suspended, which loses nothing, and that is said.
// Durations are each host's own; times of two hosts are never subtracted.
// Where the error is no connection's, the target's libvirtd has said itself that it failed, or QEMU
// has not sent all: only the source can go on then, and nothing of this happens there.
#pragma once
#include "host/port/host.h"
#include "model/migration/doubt.h"

G_BEGIN_DECLS

/** By so much longer a copy must have run than the other one to have run longer for certain. */
#define FERRY_AMBIGUITY_CERTAIN_MS 2000
/** For so long the other host must keep saying that it has no copy before this one goes on. */
#define FERRY_AMBIGUITY_ABSENT_MS 500
/** How often it is asked. */
#define FERRY_AMBIGUITY_ASK_MS 500

/** Whether a migration that failed with `error` (NULL: it did not) may have arrived all the same.
 * `switchover_us`: when the guest was paused for it, 0: it was not. In post-copy the answer is no:
 * which side has what is known there. Pure. */
gboolean ferry_ambiguity_arises(const GError *error, gint64 switchover_us, gboolean post_copy);

/** What to tell where the copy here could not be resumed for `error`, as libvirt's lock manager or
 * QEMU's own locks know of another one that holds the VM's disks: on `other`, it seems (NULL: not
 * known). NULL: it is no such error. Free with g_free. Pure. */
char *ferry_ambiguity_locked_text(const GError *error, const char *other);

typedef enum {
  FERRY_AMBIGUITY_OPEN,   /* ask again */
  FERRY_AMBIGUITY_STAYED, /* it goes on here */
  FERRY_AMBIGUITY_MOVED,  /* the other host has it: the copy here is destroyed */
  FERRY_AMBIGUITY_LET_GO, /* not answered, and somebody else has let the copy here go on */
} FerryAmbiguityAnswer;

/** What was heard of the other host so far; zero-initialised at first, but for `ran_ms`. */
typedef struct {
  gint64 ran_ms; /* how long the copy here ran since the switch-over; -1: not known, so that no
                    running there is longer for certain */
  gint64 runs_us, absent_us; /* since when the other host says so without a break; 0: it does not */
  gboolean asked;            /* it has answered at least once */
} FerryAmbiguity;

/** One answer of the other host; `peer` NULL: it could not be asked. Pure. */
FerryAmbiguityAnswer ferry_ambiguity_hear(FerryAmbiguity *ambiguity, const FerryDomainState *peer,
                                          gint64 now_us);

/** Whether the record says that the other copy went on: then its absence proves nothing, as it may
 * have been shut down or moved since, and the copy of `side` is out of date. Pure. */
gboolean ferry_ambiguity_went_on(const json_t *migration, FerrySide side);

/** What the migration's record says for the copy of `side`: a person's word, what the other host's
 * agent says, or the policy's. `ran_ms`: as above; `peer`: the other host's copy at this moment,
 * NULL: it could not be asked. Pure. */
FerryAmbiguityAnswer ferry_ambiguity_read(const json_t *migration, FerrySide side, gint64 ran_ms,
                                          const FerryDomainState *peer);

G_END_DECLS
