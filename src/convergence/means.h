// SPDX-License-Identifier: Apache-2.0
// The means that can only be chosen before a migration starts: post-copy's capability, several
// connections, compression, auto-converge with its own climb. What goes with what is a table; which
// of them are worth it is priced by the model. Pure. Bytes, seconds, bytes per second.
#pragma once
#include "convergence/forecast.h"

G_BEGIN_DECLS

typedef enum {
  FERRY_MEAN_POST_COPY = 1 << 0,
  FERRY_MEAN_PARALLEL = 1 << 1, /* several connections */
  FERRY_MEAN_ZSTD = 1 << 2,
  FERRY_MEAN_XBZRLE = 1 << 3,
  FERRY_MEAN_AUTO_CONVERGE = 1 << 4,
} FerryMean;

#define FERRY_MEANS 5

/** A row of the table. */
typedef struct {
  FerryMean mean;
  const char *name;       /* "post-copy", "parallel", "zstd", "xbzrle", "auto-converge" */
  unsigned needs;         /* FerryMean bits that must be chosen with it */
  unsigned excludes;      /* ... that may not; either row may say it */
  const char *until_qemu; /* QEMU from which on it excludes nothing any more; NULL: none */
  const char *doc;
} FerryMeanRow;

/** All FERRY_MEANS of them, in the order of their bits. */
extern const FerryMeanRow ferry_means[FERRY_MEANS];

/** What carries the data, and what it may cost. */
typedef struct {
  double wire;  /* of the path while the guest runs: its rate, or the cap; 0: not known */
  double link;  /* ... at the switch-over, where a cap is lifted; 0: not known */
  double eps;   /* fixed cost of the switch-over */
  double spare; /* processors that have nothing to do, on the busier of the two hosts; < 0: it is
                   not known, and nothing is chosen that needs them */
  int vcpus;    /* the guest's; at least 1 */
  gboolean tls;
} FerryMeansPlace;

/** Bytes of memory per byte on the wire; 0: not known. */
typedef struct {
  double zstd;
  double xbzrle; /* of what was sent before */
} FerryMeansGain;

/** What a set of means makes of the place. */
typedef struct {
  double first;   /* rate of the first pass, in bytes of memory */
  double rate;    /* ... of those that follow */
  double stopped; /* ... while the guest stands still */
  double stolen;  /* share of the guest's time that compressing takes from it, 0..1 */
} FerryMeansCarried;

typedef struct {
  FerryMeansPlace place;
  unsigned possible;         /* FerryMean bits: both hosts can, and nobody decided otherwise */
  unsigned fixed;            /* ... somebody asked for: they are in whatever is chosen */
  gboolean together;         /* both QEMUs take post-copy with several connections (10.1) */
  int connections;           /* that somebody asked for; 0: to be chosen */
  FerryMeansGain gain;       /* of the last migration of this guest */
  const FerryWriter *writer; /* what the guest is known to write; NULL: nothing */
  FerryForecastWish wish;    /* post_copy and max_slowdown: whether it is allowed at all */
} FerryMeansInput;

typedef struct {
  unsigned means;         /* FerryMean bits, the fixed ones among them */
  int connections;        /* of PARALLEL */
  double cost, plain;     /* of it, and of the fixed ones alone: seconds of the guest's work */
  double seconds, before; /* ... and how long they take */
  gboolean tried;         /* nothing is known of what it gains here */
} FerryMeansChoice;

/** Whether these means go together. */
gboolean ferry_means_fit(unsigned means, gboolean together);
/** Bytes a second that one processor compresses of pages of which zstd makes a `gain`th part. */
double ferry_means_zstd_rate(double gain);
/** How fast `means` send with `connections`, and what that takes from the guest. */
void ferry_means_carry(const FerryMeansPlace *place, unsigned means, int connections,
                       const FerryMeansGain *gain, FerryMeansCarried *out);
/** Chooses what costs the least over all that the guest may be, among what ends within a quarter
 * more than the earliest of all; more means only where they are clearly worth it. */
void ferry_means_choose(const FerryMeansInput *in, FerryMeansChoice *out);
/** "zstd, parallel" of some bits; "none". Free with g_free. */
char *ferry_means_names(unsigned means);
/** Why, in words. Free with g_free. */
char *ferry_means_text(const FerryMeansInput *in, const FerryMeansChoice *choice);

G_END_DECLS
