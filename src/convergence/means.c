// SPDX-License-Identifier: Apache-2.0
// Theory of operation: every set of possible means that fits together is priced for each guest that
// this one may be: the one that was measured or taught, else a handful that write slower and faster
// than the path; and for each gain that compression may have: what it was the last time, else from
// none to what pages of idle desktops give. The mean over those is what a set costs. What is
// compressed takes processors: those that are to spare cost nothing, beyond them the guest and the
// compressing threads share; a set that takes more from the guest than it may be slowed is not
// chosen. Where a guest of these can't be moved within its intent at all, that costs as much as a
// good deal of lost work, so that with a doubt the set is chosen whose worst case is better.
//
// zstd's rates are those of level 1 on one core, blocks of 512 KiB as QEMU makes them: 700 MiB/s of
// pages that can't be compressed, about 320 of mixed ones, more where less comes out.
#include "convergence/means.h"
#include "base/quantity.h"
#include <math.h>

#define CONNECTIONS 8
#define EACH (1250 * FERRY_MIB_REAL)    /* what one connection carries */
#define EACH_TLS (480 * FERRY_MIB_REAL) /* ... encrypted, by one processor */
#define XBZRLE (800 * FERRY_MIB_REAL)   /* compared and packed by the migration's one thread */
#define FAIR 0.5         /* share of a busy guest's time that other threads can take */
#define MOST_STOLEN 0.03 /* of the guest's time: more is taken by nobody who was not asked */
#define NOWHERE 4.0      /* what it costs not to be moved, in seconds of work */
#define SLACK 0.25       /* of the earliest end, for a cheaper one */
#define FEWER 0.15       /* share of what a guest may be that may stay for a cheaper set */
#define WORTH 0.95       /* more means must cost so much less */
#define SETS 16

const FerryMeanRow ferry_means[FERRY_MEANS] = {
    {FERRY_MEAN_POST_COPY, "post-copy", 0, FERRY_MEAN_PARALLEL, "10.1.0",
     "The capability must be on from the start; it costs nothing until it is used."},
    {FERRY_MEAN_PARALLEL, "parallel", 0, FERRY_MEAN_XBZRLE, NULL,
     "Several connections, a thread and a processor each where data is encrypted or compressed."},
    {FERRY_MEAN_ZSTD, "zstd", FERRY_MEAN_PARALLEL, FERRY_MEAN_XBZRLE, NULL,
     "Compresses all pages, by a thread a connection."},
    {FERRY_MEAN_XBZRLE, "xbzrle", 0, 0, NULL,
     "Sends what changed in pages that its cache still holds."},
    {FERRY_MEAN_AUTO_CONVERGE, "auto-converge", 0, 0, NULL,
     "QEMU slows the guest by itself, in steps, after it has outpaced two checks."},
};

gboolean ferry_means_fit(unsigned means, gboolean together) {
  for (gsize i = 0; i < FERRY_MEANS; i++) {
    const FerryMeanRow *row = &ferry_means[i];
    if ((means & row->mean) &&
        ((row->needs & ~means) || ((row->excludes & means) && !(row->until_qemu && together))))
      return FALSE;
  }
  return TRUE;
}

double ferry_means_zstd_rate(double gain) {
  return gain <= 1.05 ? 700 * FERRY_MIB_REAL
                      : MAX(300 * FERRY_MIB_REAL, 320 * FERRY_MIB_REAL * pow(gain / 1.5, 0.7));
}

static void carry_zstd(const FerryMeansPlace *p, int n, double gain, FerryMeansCarried *out) {
  double core = ferry_means_zstd_rate(gain), each = p->tls ? EACH_TLS : EACH;
  double one = 1 / (1 / core + (p->tls ? 1 / (gain * each) : 0)); /* bytes of a thread a second */
  double wanted = MIN(MIN(p->wire, n * each) * gain, n * one), demand = wanted / one;
  double spare = MAX(0, p->spare), over = MAX(0, demand - spare);
  double taken = MIN(over, p->vcpus * FAIR);
  double most = MIN(n, spare + p->vcpus); /* a guest that stands still needs no processors */
  out->stolen = taken / p->vcpus;
  out->first = out->rate = over > 0 ? (spare + taken) * one : wanted;
  out->stopped = MIN(MIN(p->link, n * each) * gain, most * one);
}

void ferry_means_carry(const FerryMeansPlace *p, unsigned means, int connections,
                       const FerryMeansGain *gain, FerryMeansCarried *out) {
  int n = means & FERRY_MEAN_PARALLEL ? MAX(1, connections) : 1;
  double each = (p->tls ? EACH_TLS : EACH) * n;
  *out = (FerryMeansCarried){MIN(p->wire, each), MIN(p->wire, each), MIN(p->link, each), 0};
  if (means & FERRY_MEAN_ZSTD) {
    carry_zstd(p, n, gain->zstd > 0 ? gain->zstd : 1, out);
  } else if ((means & FERRY_MEAN_XBZRLE) && gain->xbzrle > 0) {
    out->rate = MIN(out->rate * gain->xbzrle, MAX(XBZRLE, out->rate * MIN(1, gain->xbzrle)));
    out->stopped = MIN(out->stopped * gain->xbzrle, MAX(XBZRLE, out->rate));
  }
}

/* ---- pricing ---- */

typedef struct {
  unsigned means;
  int connections;
  double cost, seconds; /* means over all guests; seconds: of those that get there */
  double moved;         /* share of those */
} MeansSet;

/* One guest, one gain. TRUE: it gets there within the intent. */
static gboolean means_price(const FerryMeansInput *in, const FerryMeansPlace *place,
                            const MeansSet *set, const FerryWriter *w, const FerryMeansGain *gain,
                            double *cost, double *seconds) {
  FerryMeansCarried c;
  FerryForecast all[FERRY_FORECASTS];
  FerryForecastWish wish = in->wish;
  FerryWriter slowed = *w;
  ferry_means_carry(place, set->means, set->connections, gain, &c);
  if (!(set->means & FERRY_MEAN_POST_COPY))
    wish.post_copy = FALSE;
  if (!(set->means & FERRY_MEAN_AUTO_CONVERGE))
    wish.max_slowdown = 0;
  slowed.write_rate *= 1 - c.stolen;
  double more = wish.bytes / c.first - wish.bytes / c.rate; /* the first pass has its own rate */
  if (wish.max_duration > 0)
    wish.max_duration = MAX(0.001, wish.max_duration - more);
  FerryPath path = {c.rate, MAX(c.stopped, c.rate), place->eps};
  ferry_forecast(&slowed, &path, &wish, all);
  const FerryForecast *best = ferry_forecast_best(all, &wish);
  if (!best || c.stolen > MIN(MOST_STOLEN, in->wish.max_slowdown) + 1e-9)
    return FALSE;
  *seconds = best->cost.seconds + more;
  *cost = ferry_prefer_cost(wish.prefer, best->cost.lost + c.stolen * *seconds, *seconds);
  return TRUE;
}

/* How a guest of which nothing is known may write: shares of the path's rate, and seconds of it. */
static const struct {
  double rate, set;
} unknown_means[] = {{0.3, 0.5}, {0.3, 2}, {0.8, 0.5}, {0.8, 2}, {1.6, 0.5}, {1.6, 2}};

#define GUESTS ((guint)G_N_ELEMENTS(unknown_means))

static guint means_guests(const FerryMeansInput *in, double wire, FerryWriter out[GUESTS]) {
  double most = 0.8 * in->wish.bytes;
  if (in->writer) {
    out[0] = *in->writer;
    return 1;
  }
  for (guint i = 0; i < GUESTS; i++)
    out[i] = (FerryWriter){.pattern = FERRY_WRITER_UNIFORM,
                           .working_set = MIN(unknown_means[i].set * wire, most),
                           .write_rate = unknown_means[i].rate * wire};
  return GUESTS;
}

#define GAINS 3

static void means_gains(const FerryMeansInput *in, FerryMeansGain out[GAINS]) {
  static const FerryMeansGain guessed[GAINS] = {{1, 0.95}, {1.6, 1}, {2.8, 2}};
  static const double about[GAINS] = {0.85, 1, 1.1}; /* of what was gained the last time */
  for (int i = 0; i < GAINS; i++) {
    const FerryMeansGain *g = &in->gain;
    out[i].zstd = g->zstd > 0 ? MAX(1, g->zstd * about[i]) : guessed[i].zstd;
    out[i].xbzrle = g->xbzrle > 0 ? g->xbzrle * about[i] : guessed[i].xbzrle;
  }
}

/* Paths that one of which nothing is known may be. */
static guint means_places(const FerryMeansInput *in, FerryMeansPlace out[3]) {
  static const double rates[] = {60 * FERRY_MIB_REAL, 119 * FERRY_MIB_REAL, 1190 * FERRY_MIB_REAL};
  guint n = in->place.wire > 0 ? 1 : G_N_ELEMENTS(rates);
  for (guint i = 0; i < n; i++) {
    out[i] = in->place;
    if (n > 1)
      out[i].wire = rates[i];
    out[i].link = MAX(out[i].link, out[i].wire);
  }
  return n;
}

static void means_judge(const FerryMeansInput *in, MeansSet *set) {
  FerryWriter guests[GUESTS];
  FerryMeansGain gains[GAINS];
  FerryMeansPlace places[3];
  guint n_places = means_places(in, places), all = 0, moved = 0;
  guint n_gains = set->means & (FERRY_MEAN_ZSTD | FERRY_MEAN_XBZRLE) ? GAINS : 1;
  double cost = 0, seconds = 0;
  means_gains(in, gains);
  for (guint p = 0; p < n_places; p++) {
    guint n = means_guests(in, places[p].wire, guests);
    for (guint i = 0; i < n * n_gains; i++, all++) {
      double c, s;
      if (!means_price(in, &places[p], set, &guests[i / n_gains], &gains[i % n_gains], &c, &s)) {
        cost += NOWHERE;
        continue;
      }
      cost += c;
      seconds += s;
      moved++;
    }
  }
  set->cost = cost / all;
  set->moved = (double)moved / all;
  set->seconds = moved ? seconds / moved : INFINITY;
}

/* As many as there are processors for, so that the guest keeps its own; without compression and TLS
 * more than one carry no more than the link does. */
static int means_connections(const FerryMeansInput *in, unsigned means) {
  if (!(means & FERRY_MEAN_PARALLEL))
    return 0;
  if (in->connections > 0)
    return in->connections;
  return CLAMP((int)floor(in->place.spare), 1, CONNECTIONS);
}

/* Capabilities that cost nothing are never left out of a set that they fit into. */
static gboolean means_whole(unsigned set, const FerryMeansInput *in) {
  return (set & FERRY_MEAN_POST_COPY) || !(in->possible & FERRY_MEAN_POST_COPY) ||
         !ferry_means_fit(set | FERRY_MEAN_POST_COPY, in->together);
}

static guint means_sets(const FerryMeansInput *in, MeansSet out[SETS]) {
  guint n = 0;
  for (unsigned set = 0; set < 1u << FERRY_MEANS && n < SETS; set++) {
    unsigned chosen = set & ~in->fixed;
    gboolean needs_cpu = chosen & (FERRY_MEAN_PARALLEL | FERRY_MEAN_ZSTD);
    if ((set & in->fixed) != in->fixed || (chosen & ~in->possible) ||
        !ferry_means_fit(set, in->together) || !means_whole(set, in) ||
        (needs_cpu && in->place.spare <= 0))
      continue;
    out[n++] = (MeansSet){.means = set, .connections = means_connections(in, set)};
  }
  return n;
}

static guint means_count(unsigned means) {
  return (guint)__builtin_popcount(means & ~(unsigned)FERRY_MEAN_POST_COPY);
}

/* Sets come in the order of their bits; fewer means first where they cost about the same. */
static gboolean means_beats(const MeansSet *a, const MeansSet *b) {
  guint more = means_count(a->means), less = means_count(b->means);
  if (more > less)
    return a->cost < WORTH * b->cost;
  return more < less ? WORTH * a->cost <= b->cost : a->cost < b->cost;
}

/* Who knows nothing of what xbzrle gains tries it only for a guest that nothing else moves: pages
 * that it does not find cost it time. How many are left. */
static guint means_leave_out(const FerryMeansInput *in, MeansSet *sets, guint n) {
  gboolean may = in->gain.xbzrle > 0;
  double others = in->writer ? 0 : 1;
  guint left = 0;
  for (guint i = 0; i < n; i++)
    if (!(sets[i].means & ~in->fixed & FERRY_MEAN_XBZRLE))
      others = MAX(others, sets[i].moved);
  for (guint i = 0; i < n; i++)
    if (may || others <= 0 || !(sets[i].means & ~in->fixed & FERRY_MEAN_XBZRLE))
      sets[left++] = sets[i];
  return left;
}

/* Where no set moves the guest by what pages usually are, there is nothing to lose: what xbzrle
 * gains of this guest's is found out, with as few other means as there may be. */
static const MeansSet *means_last_resort(const FerryMeansInput *in, const MeansSet *sets, guint n) {
  const MeansSet *best = NULL;
  for (guint i = 0; i < n; i++) {
    if (!in->writer || in->gain.xbzrle > 0 || sets[i].moved > 0)
      return NULL;
    if ((sets[i].means & FERRY_MEAN_XBZRLE) &&
        (!best || means_count(sets[i].means) < means_count(best->means)))
      best = &sets[i];
  }
  return best;
}

static const MeansSet *means_cheapest(const MeansSet *sets, guint n) {
  double earliest = INFINITY, most = 0;
  const MeansSet *best = NULL;
  for (guint i = 0; i < n; i++)
    most = MAX(most, sets[i].moved);
  for (guint i = 0; i < n; i++)
    if (sets[i].moved >= most) /* others have the easy ones */
      earliest = MIN(earliest, sets[i].seconds);
  for (guint i = 0; i < n; i++)
    if (sets[i].moved >= most - FEWER &&
        (sets[i].seconds <= (1 + SLACK) * earliest || !isfinite(earliest)) &&
        (!best || means_beats(&sets[i], best)))
      best = &sets[i];
  return best;
}

void ferry_means_choose(const FerryMeansInput *in, FerryMeansChoice *out) {
  MeansSet sets[SETS];
  guint n = means_sets(in, sets);
  MeansSet plain = {.cost = INFINITY, .seconds = INFINITY, .means = ~0u};
  *out = (FerryMeansChoice){.means = in->fixed, .connections = in->connections};
  for (guint i = 0; i < n; i++) {
    means_judge(in, &sets[i]);
    if (i == 0 || means_count(sets[i].means) < means_count(plain.means))
      plain = sets[i];
  }
  n = means_leave_out(in, sets, n);
  const MeansSet *best = means_last_resort(in, sets, n);
  if (!best)
    best = means_cheapest(sets, n);
  if (!best)
    return;
  unsigned own = best->means & ~in->fixed;
  *out = (FerryMeansChoice){.means = best->means,
                            .connections = best->connections,
                            .cost = best->cost,
                            .plain = plain.cost,
                            .seconds = best->seconds,
                            .before = plain.seconds,
                            .tried = ((own & FERRY_MEAN_ZSTD) && in->gain.zstd <= 0) ||
                                     ((own & FERRY_MEAN_XBZRLE) && in->gain.xbzrle <= 0)};
}

/* ---- words ---- */

char *ferry_means_names(unsigned means) {
  GString *out = g_string_new(NULL);
  for (gsize i = 0; i < FERRY_MEANS; i++)
    if (means & ferry_means[i].mean)
      g_string_append_printf(out, "%s%s", out->len ? ", " : "", ferry_means[i].name);
  return g_string_free(out->len ? out : g_string_append(out, "none"), FALSE);
}

char *ferry_means_text(const FerryMeansInput *in, const FerryMeansChoice *choice) {
  g_autofree char *names = ferry_means_names(choice->means);
  GString *out = g_string_new(names);
  unsigned compressed = choice->means & (FERRY_MEAN_ZSTD | FERRY_MEAN_XBZRLE);
  if (choice->means & FERRY_MEAN_PARALLEL)
    g_string_append_printf(out, " (%d connections)", choice->connections);
  if (in->place.spare >= 0)
    g_string_append_printf(out, "; %.0f processors to spare", in->place.spare);
  double gain = choice->means & FERRY_MEAN_ZSTD ? in->gain.zstd : in->gain.xbzrle;
  if (choice->tried)
    g_string_append(out, "; what it gains here is tried, nothing is known yet");
  else if (compressed && gain > 0)
    g_string_append_printf(out, "; %.1f bytes of memory for each sent the last time", gain);
  if (isfinite(choice->seconds) && isfinite(choice->before) && choice->means != in->fixed)
    g_string_append_printf(out, "; about %.1f s instead of %.1f s", choice->seconds,
                           choice->before);
  if ((in->possible & ~choice->means & FERRY_MEAN_POST_COPY))
    g_string_append(out, "; without post-copy, which does not go with it");
  return g_string_free(out, FALSE);
}
