// SPDX-License-Identifier: Apache-2.0
// When people are told that a migration stalls, or that its post-copy broke. Pure: what was seen
// and the time come in.
#pragma once
#include "convergence/controller.h"

G_BEGIN_DECLS

typedef struct {
  gint64 limit_s; /* 0: stalling is not told */
  gboolean told;
  gboolean deaf; /* told for another reason: the target's hypervisor does not hear this host's */
} FerryStalling;

/** Stalling is told after `limit_s`; 0: not at all. */
void ferry_stall_set_limit(FerryStalling *state, gint64 limit_s);
/** It was told that it stalls, or that it does no longer. */
void ferry_stall_set_told(FerryStalling *state, gboolean told);
/** The target's hypervisor hears this host's, or does not. */
void ferry_stall_set_deaf(FerryStalling *state, gboolean deaf);
/** Whether it stalls, by what the controller says. */
gboolean ferry_stall_judge(const FerryStalling *state, const FerryConvergenceStall *seen,
                           gboolean post_copy);
/** Whether that is to be told now: it is news, and nothing else is in its way that was told and
 * lasts. */
gboolean ferry_stall_is_news(const FerryStalling *state, gboolean stalls);
/** It, or its end, in words. Free with g_free. */
char *ferry_stall_text(const FerryConvergenceStall *seen, gboolean stalls, gboolean post_copy);

/** A hypervisor that does not answer. */
typedef struct {
  gint64 since_us; /* 0: it answers */
  gboolean told;
} FerrySilence;

/** What is silent for so long is told of: by then it is known whether that is libvirtd or one QEMU.
 */
#define FERRY_SILENCE_MS 5000
/** One look at the job: whether the hypervisor was `silent`. Whether that is to be told now. */
gboolean ferry_silence_tells(FerrySilence *state, gboolean silent, gint64 now_us);

/** A connection that broke in post-copy. libvirt's call goes on until both QEMUs have noticed, and
 * one that only waits for memory never does: a person has to close its connection, and is told. */
typedef struct {
  gint64 moved, moved_us; /* bytes of memory, and since when it is that many */
  gint64 asked_us;        /* when the domain was last asked */
  enum { FERRY_BROKEN_UNTOLD, FERRY_BROKEN_IDLE, FERRY_BROKEN_HERE } told;
} FerryBrokenLink;

/** Its call is made again: nothing is known of the new connection. */
void ferry_broken_reset(FerryBrokenLink *state);
/** What nothing moved for so long is told of. */
#define FERRY_BROKEN_S 10
/** Whether the domain is to be asked if it has noticed. `processed`: bytes of memory so far. */
gboolean ferry_broken_is_due(FerryBrokenLink *state, gint64 processed, gint64 now_us);
/** Whether that is to be told; `here`: the source has noticed. */
gboolean ferry_broken_tells(FerryBrokenLink *state, gboolean here);

G_END_DECLS
