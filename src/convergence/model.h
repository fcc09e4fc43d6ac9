// SPDX-License-Identifier: Apache-2.0
// The model behind the convergence controller: what a guest writes, and what it costs to move it.
// Pure. Units: bytes, seconds, bytes per second, all as double; a rate is in bytes of guest memory
// (compression makes it larger than what the wire carries). model.c prices a move, fit.c makes a
// writer of what was measured.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Residual of a fit up to which it is believed. */
#define FERRY_TRUSTED 0.15
/** Longest time that is told, in seconds: a rate that is next to nothing makes one that no number
 * holds. */
#define FERRY_LONGEST_S 1e9

/** How a guest's writes are spread over its working set. */
typedef enum {
  FERRY_WRITER_IDLE,
  FERRY_WRITER_UNIFORM, /* any page as likely as any other */
  FERRY_WRITER_CYCLIC,  /* one page after the other, round and round */
  FERRY_WRITER_SKEWED,  /* 80 % of the writes go to 20 % of the pages */
} FerryWriterPattern;

/** "idle", "uniform", "cyclic", "skewed". */
const char *ferry_writer_pattern_name(FerryWriterPattern pattern);

/** A guest as the model sees it. */
typedef struct {
  FerryWriterPattern pattern;
  double working_set; /* W: bytes that it writes at all */
  double write_rate;  /* w: bytes/s */
  double residual;    /* relative error of the fit, root mean square; up to FERRY_TRUSTED it is
                         believed */
  guint rounds;       /* how many rounds were fitted */
} FerryWriter;

/** One pass over memory: what it added to what there was to send. A round under a throttle p counts
 * as seconds x (1 - p). */
typedef struct {
  double seconds;
  double dirtied; /* unique bytes that were written and were not still to be sent anyway */
  double rest;    /* what was still to be sent of the pass before when it ended */
} FerryRound;

/** U(t): unique bytes written in `seconds`. */
double ferry_writer_unique(const FerryWriter *writer, double seconds);
/** Fits W, w and the pattern to `n` rounds, newest last; the newest weigh most. Two rounds of
 * different length are the least; FALSE with fewer or with nothing to learn from them. A fit with
 * a residual above FERRY_TRUSTED is tried again without the oldest rounds. `memory`: the guest's,
 * in bytes; W is at most that; INFINITY: unknown. */
gboolean ferry_writer_fit(FerryWriter *writer, const FerryRound *rounds, guint n, double memory);

/** What one round alone lets one think of a guest. How much of the working set was dirtied in it is
 * unknown: a time constant as long as the round lies between "all of it" and "a vanishing part",
 * which for a pass no longer than that is wrong by 1.6 at most. */
FerryWriter ferry_writer_guess(double seconds, double dirtied, double memory);

/** Fits W and w of a guest that is taken to write in `pattern` to the newest two rounds; FALSE
 * where they teach nothing. Two rounds alone cannot tell one pattern from another. */
gboolean ferry_writer_fit_as(FerryWriter *writer, FerryWriterPattern pattern,
                             const FerryRound *rounds, guint n, double memory);

/** What carries the data. */
typedef struct {
  double rate;        /* B: while the guest runs, under the cap if there is one */
  double switch_rate; /* L: at the switch-over, where the cap is lifted; rate where unknown */
  double eps;         /* fixed cost of the switch-over */
} FerryPath;

/** D*: the smallest limit (pause without eps) with which pre-copy converges; 0: any. */
double ferry_model_min_downtime(const FerryWriter *writer, const FerryPath *path);
/** What remains after a pass once passes have stopped shrinking, in bytes; 0: they never stop. */
double ferry_model_plateau(const FerryWriter *writer, double rate);
/** The bandwidth at which D* is `limit` seconds. */
double ferry_model_min_rate(const FerryWriter *writer, double limit);
/** p*: the smallest throttle (0..1) at which pre-copy converges under `limit` seconds. */
double ferry_model_min_throttle(const FerryWriter *writer, const FerryPath *path, double limit);
/** Closed form of the time from the end of the first pass to the switch-over of a uniform writer
 * with `v1` bytes to send under `limit`; INFINITY where it does not converge. */
double ferry_model_precopy_seconds(const FerryWriter *writer, const FerryPath *path, double v1,
                                   double limit);
/** The least that any migration of `bytes` non-zero bytes takes. */
double ferry_model_lower_bound(const FerryPath *path, double bytes);

typedef enum {
  FERRY_OPTION_PRECOPY,  /* raise the downtime limit to `limit` and wait */
  FERRY_OPTION_THROTTLE, /* the same with the guest slowed by `throttle` */
  FERRY_OPTION_SUSPEND,  /* pause now until the rest has moved */
  FERRY_OPTION_POSTCOPY, /* switch now, fetch the rest on demand */
} FerryOptionKind;

/** One way to end a migration from here, and its price. */
typedef struct {
  FerryOptionKind kind;
  double limit;    /* seconds */
  double throttle; /* 0..1 */
  double seconds;  /* from now to the end, the pause included; INFINITY: never */
  double pause;    /* longest time the guest stands still, eps included */
  double lost;     /* seconds of work that the guest loses */
  double bytes;    /* still to be sent */
} FerryOption;

/** What is worth more where both can't be had (`intent.prefer`; in the order of its words). */
typedef enum {
  FERRY_PREFER_PAUSE,    /* the guest loses as little as it can */
  FERRY_PREFER_BALANCED, /* a second longer is worth 0.2 s of its work */
  FERRY_PREFER_TIME,     /* the earliest end that is allowed */
  FERRY_PREFERS,
} FerryPrefer;

/** What an end costs that loses `lost` seconds of the guest's work and takes `seconds`: in seconds
 * of work. */
double ferry_prefer_cost(FerryPrefer prefer, double lost, double seconds);
/** The share of the earliest end's time that may be spent beyond it on a cheaper end. */
double ferry_prefer_slack(FerryPrefer prefer);

/** Plays QEMU's rule (send until what remains is below limit x rate, look again, switch over if it
 * still is) for a guest with `pending` bytes to send. Gives up after `horizon` seconds. */
FerryOption ferry_model_precopy(const FerryWriter *writer, const FerryPath *path, double pending,
                                double limit, double throttle, double horizon);
/** The price of pausing the guest now and sending `pending` bytes while it stands. */
FerryOption ferry_model_suspend(const FerryPath *path, double pending);
/** `preempt`: requested pages overtake the stream (postcopy-preempt). `touched`: bytes of `pending`
 * that the guest is going to touch soon. */
FerryOption ferry_model_postcopy(const FerryPath *path, double pending, double touched,
                                 gboolean preempt);
/** The share of a throttle `p` (0..1) that a guest feels, 0..1, which wrote at `before` bytes/s
 * without it and is fitted with `under` in the time that is left to it: one with processor time to
 * spare writes as much as ever, and loses nothing. */
double ferry_model_felt(double before, double under, double p);
/** The stall that QEMU's throttle `p` (0..1) makes, in seconds: 10 ms x p / (1 - p). */
double ferry_model_throttle_stall(double p);

G_END_DECLS
