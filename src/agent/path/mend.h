// SPDX-License-Identifier: Apache-2.0
// What is done about a post-copy whose connection broke, or seems to have: a table of what both
// hosts have of the VM. Pure: no lock, no clock, no I/O.
#pragma once
#include "host/port/host.h"
#include "model/migration/recovery.h"

G_BEGIN_DECLS

/** A path that is open for so long again and carries nothing will not carry this connection any
 * more: TCP asks again within as long as it was cut, and up to two minutes. */
#define FERRY_RECOVERY_PATIENCE_MS 10000
/** How often the target's agent is asked to close what leads nowhere. */
#define FERRY_RECOVERY_CLOSE_MS 5000

/** A target of which neither libvirtd nor the path has answered for so long may be dead: what both
 * hosts have decides then. */
#define FERRY_RECOVERY_SILENT_MS 120000

/** What the source has of the VM. */
typedef enum {
  FERRY_MEND_HERE_OVER,   /* it is not in post-copy (any more) */
  FERRY_MEND_HERE_SENDS,  /* it has not noticed anything, but nothing moves */
  FERRY_MEND_HERE_BROKEN, /* it has */
  FERRY_MEND_HERE_LAST
} FerryMendHere;
/** What the target has. */
typedef enum {
  FERRY_MEND_THERE_UNKNOWN, /* its libvirtd can't be asked */
  FERRY_MEND_THERE_GONE,    /* no such machine */
  FERRY_MEND_THERE_RUNS,    /* it has all of it: it runs, and nothing of a migration is open */
  FERRY_MEND_THERE_WAITS,   /* it has not noticed that the connection broke */
  FERRY_MEND_THERE_BROKEN,  /* it has */
  FERRY_MEND_THERE_LAST
} FerryMendThere;
/** What the source has, by the words of libvirt; `state` NULL: it could not be asked. Pure. */
FerryMendHere ferry_mend_here(const FerryDomainState *state);
/** The same of what the target has. */
FerryMendThere ferry_mend_there(const FerryDomainState *state);

typedef struct {
  FerryMendHere here;
  FerryMendThere there;
  gboolean allowed;     /* the hosts' versions can resume it; asked where the target is known */
  gboolean stopped;     /* a person wants no more tries */
  gboolean path_up;     /* the target's address answers, or that can't be told from here */
  gint64 path_up_ms;    /* how long it has answered */
  gint64 next_try_ms;   /* until the next try is due; <= 0: now */
  gint64 next_close_ms; /* the same of asking the target to close its end */
  gint64 silent_ms;     /* how long neither libvirtd nor the path of the target has answered */
} FerryMendSeen;

typedef enum {
  FERRY_MEND_NONE,   /* nothing is broken: it is settled as any */
  FERRY_MEND_WAIT,   /* it may get better by itself */
  FERRY_MEND_BREAK,  /* the source is to give its dead connection up */
  FERRY_MEND_CLOSE,  /* the target's agent is to close it there */
  FERRY_MEND_RESUME, /* libvirt is called again */
  FERRY_MEND_STOP,   /* what both hosts have decides how it ended */
} FerryMendAct;
typedef struct {
  FerryMendAct act;
  FerryRecoveryState state; /* to be shown; NONE with FERRY_MEND_NONE */
} FerryMendAnswer;

/** Every combination has an answer. Never RESUME, nor BREAK of what lives, unless `allowed`. */
FerryMendAnswer ferry_mend_judge(const FerryMendSeen *seen);
/** The pause before the try after `tries`, in ms: 2 s and twice as long each time, 30 s at most. */
gint64 ferry_mend_pause_ms(gint64 tries);

G_END_DECLS
