// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the bound is the largest of some sums over rates, as for any shop whose
// machines are links. The forecast is a fluid: between two events (a move begins, one ends) all
// rates are constant, so that time is advanced from event to event. Ends are put in the order of
// the moves where several fall together, so that it is the same everywhere.
#include "policy/place/moves_bound.h"

#include <math.h>

#define BEGINS_MS 1500 /* from the turn to the first byte, and from the last one to the end */
#define LEAST_PROGRESS                                                                             \
  10 /* a guest that writes faster is stopped or slowed: a tenth of the rate                       \
      */

/* Of a link, one way: what goes over it and what it lets through. */
typedef struct {
  gint64 bytes, rate, cap; /* cap: the largest of its moves', 0 where one has none */
  gint64 at_once;
  gboolean capped;
} LinkSum;

static gint64 lower_rate(gint64 a, gint64 b) {
  return a <= 0 ? b : b <= 0 ? a : MIN(a, b);
}

static gint64 duration_ms(gint64 bytes, gint64 rate) {
  return rate > 0 ? (gint64)((double)bytes * 1000 / (double)rate) : 0;
}

static char *link_key(const FerryMove *m, gboolean out) {
  return g_strdup_printf("the link %s %s%s%s", out ? "out of" : "into", out ? m->source : m->target,
                         m->network ? " on Network " : "", m->network ? m->network : "");
}

static void link_take(GHashTable *links, const FerryMove *m, gboolean out) {
  g_autofree char *key = link_key(m, out);
  LinkSum *sum = g_hash_table_lookup(links, key);
  if (!sum) {
    sum = g_new0(LinkSum, 1);
    sum->capped = TRUE;
    sum->rate = out ? m->out : m->in;
    g_hash_table_insert(links, g_steal_pointer(&key), sum);
  }
  sum->bytes += m->bytes;
  sum->cap = MAX(sum->cap, m->cap);
  sum->capped &= m->cap > 0;
  sum->at_once = MAX(sum->at_once, out ? m->at_once_out : m->at_once_in);
}

static gint64 link_rate(const LinkSum *sum) {
  gboolean slots = sum->capped && sum->at_once > 0;
  return lower_rate(sum->rate, slots ? sum->cap * sum->at_once : 0);
}

/* Takes `text`. */
static void take_longest(gint64 ms, char *text, gint64 *longest, char **by) {
  if (ms <= *longest) {
    g_free(text);
    return;
  }
  *longest = ms;
  g_free(*by);
  *by = text;
}

gint64 ferry_moves_bound(const FerryMove *moves, gsize n, char **by) {
  g_autoptr(GHashTable) links = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  gint64 longest = 0;
  *by = NULL;
  for (gsize i = 0; i < n; i++) {
    const FerryMove *m = &moves[i];
    link_take(links, m, TRUE);
    link_take(links, m, FALSE);
    gint64 rate = lower_rate(m->cap, lower_rate(m->out, m->in));
    take_longest(duration_ms(m->bytes, rate), g_strdup("the largest of them by itself"), &longest,
                 by);
  }
  g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(links), (GCompareFunc)g_strcmp0);
  for (GList *at = keys; at; at = at->next) {
    const LinkSum *sum = g_hash_table_lookup(links, at->data);
    take_longest(duration_ms(sum->bytes, link_rate(sum)), g_strdup(at->data), &longest, by);
  }
  return longest;
}

/* ---- forecast ---- */

enum { WAITS, RUNS, ENDED };

typedef struct {
  FerryMove *moves;
  gsize n;
  gint64 at_once;
  int *state;
  double *left;    /* bytes of each that are still to be sent */
  GArray *running; /* gsize: which, few beside all */
} Fluid;

static FerryMove *fluid_at(const Fluid *f, guint i) {
  return &f->moves[g_array_index(f->running, gsize, i)];
}

static guint fluid_running(const Fluid *f, const char *source, const char *target) {
  guint count = 0;
  for (guint i = 0; i < f->running->len; i++)
    count += (!source || g_str_equal(fluid_at(f, i)->source, source)) &&
             (!target || g_str_equal(fluid_at(f, i)->target, target));
  return count;
}

static gboolean fluid_has_room(const Fluid *f, const FerryMove *m) {
  return (f->at_once <= 0 || fluid_running(f, NULL, NULL) < f->at_once) &&
         (m->at_once_out <= 0 || fluid_running(f, m->source, NULL) < m->at_once_out) &&
         (m->at_once_in <= 0 || fluid_running(f, NULL, m->target) < m->at_once_in);
}

/* Bytes of memory that it gets done in a second, now. */
static double fluid_rate(const Fluid *f, const FerryMove *m) {
  double out = m->out > 0 ? (double)m->out / fluid_running(f, m->source, NULL) : INFINITY;
  double in = m->in > 0 ? (double)m->in / fluid_running(f, NULL, m->target) : INFINITY;
  double rate = MIN(out, in);
  if (m->cap > 0)
    rate = MIN(rate, (double)m->cap);
  return MAX(rate - (double)m->writes, rate / LEAST_PROGRESS);
}

static void fluid_begin(Fluid *f) {
  for (gsize i = 0; i < f->n; i++) {
    if (f->state[i] != WAITS || !fluid_has_room(f, &f->moves[i]))
      continue;
    f->state[i] = RUNS;
    g_array_append_val(f->running, i);
  }
}

/* Goes on to the next end. FALSE: nothing runs. */
static gboolean fluid_step(Fluid *f, double *now_ms) {
  double soonest = INFINITY;
  g_autofree double *rates = g_new0(double, f->running->len + 1);
  for (guint i = 0; i < f->running->len; i++) {
    rates[i] = fluid_rate(f, fluid_at(f, i));
    soonest = MIN(soonest, f->left[g_array_index(f->running, gsize, i)] / rates[i]);
  }
  if (!isfinite(soonest))
    return FALSE;
  *now_ms += soonest * 1000;
  for (guint i = f->running->len; i-- > 0;) {
    gsize which = g_array_index(f->running, gsize, i);
    f->left[which] -= rates[i] * soonest;
    if (f->left[which] >= 1)
      continue;
    f->state[which] = ENDED;
    f->moves[which].ends_ms = (gint64)*now_ms;
    g_array_remove_index(f->running, i);
  }
  return TRUE;
}

static gboolean has_rate(const FerryMove *m) {
  return m->cap > 0 || m->out > 0 || m->in > 0;
}

gint64 ferry_moves_forecast(FerryMove *moves, gsize n, gint64 at_once) {
  g_autofree int *state = g_new0(int, n + 1);
  g_autofree double *left = g_new0(double, n + 1);
  g_autoptr(GArray) running = g_array_new(FALSE, FALSE, sizeof(gsize));
  Fluid f = {moves, n, at_once, state, left, running};
  double now_ms = 0;
  for (gsize i = 0; i < n; i++) {
    moves[i].ends_ms = -1;
    if (!has_rate(&moves[i]))
      return -1;
  }
  for (gsize i = 0; i < n; i++) { /* the time around a copy, as bytes that could go meanwhile */
    gint64 alone = lower_rate(moves[i].cap, lower_rate(moves[i].out, moves[i].in));
    left[i] = (double)moves[i].bytes + (double)alone * BEGINS_MS / 1000;
  }
  do
    fluid_begin(&f);
  while (fluid_step(&f, &now_ms));
  return (gint64)now_ms;
}
