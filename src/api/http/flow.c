// SPDX-License-Identifier: Apache-2.0
// Theory of operation: each level has seats of its own, so that one level's load takes nothing of
// another's. Within a level each flow (a user, or an address where nobody is known) has a queue,
// and the queues are served by start-time fair queueing: a request's virtual start is the later of
// the level's virtual time and the end of its flow's request before it, its end is the start plus
// its cost; the least start goes next, and the level's virtual time follows it. So a flow that was
// silent is served at once but gains no credit for its silence, and one that sends without pause
// waits for every other one, longer the more its requests cost.
#include "api/http/flow.h"

const FerryLevelRule ferry_level_rules[FERRY_LEVELS] = {
    [FERRY_LEVEL_EXEMPT] = {"exempt", 0, 0, 0, 0, 0},
    [FERRY_LEVEL_AGENTS] = {"agents", 8, 128, 2048, 20000, 0},
    [FERRY_LEVEL_CONTROL] = {"control", 4, 64, 512, 20000, 0},
    [FERRY_LEVEL_WORK] = {"work", 8, 128, 1024, 20000, 2},
    [FERRY_LEVEL_HEAVY] = {"heavy", 2, 256, 1024, 20000, 15},
    [FERRY_LEVEL_ANONYMOUS] = {"anonymous", 1, 8, 64, 5000, 10},
};

typedef struct {
  gpointer request;
  double start; /* virtual */
  gint64 since_us;
} Waiting;

typedef struct {
  char *name;
  GQueue waiting; /* Waiting */
  double end;     /* virtual end of its latest request */
} Flow;

typedef struct {
  GHashTable *flows; /* name -> Flow; those that wait, or whose virtual end is still to come */
  double now;        /* virtual time */
  guint waiting, running;
} Level;

struct FerryFlows {
  const FerryLevelRule *rules;
  Level levels[FERRY_LEVELS];
};

static void flow_free(gpointer data) {
  Flow *flow = data;
  g_queue_clear_full(&flow->waiting, g_free);
  g_free(flow->name);
  g_free(flow);
}

FerryFlows *ferry_flows_new(const FerryLevelRule *rules) {
  FerryFlows *flows = g_new0(FerryFlows, 1);
  flows->rules = rules;
  for (gsize i = 0; i < FERRY_LEVELS; i++)
    flows->levels[i].flows = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, flow_free);
  return flows;
}

void ferry_flows_free(FerryFlows *flows) {
  for (gsize i = 0; i < FERRY_LEVELS; i++)
    g_hash_table_unref(flows->levels[i].flows);
  g_free(flows);
}

/* Flows that wait for nothing are forgotten where there are too many, at first those that owe
 * nothing: what the others owe is less than what many names would cost. */
static gboolean is_spent(gpointer key, gpointer value, gpointer data) {
  const Flow *flow = value;
  const Level *level = data;
  return flow->waiting.length == 0 && flow->end <= level->now;
}

static gboolean is_empty(gpointer key, gpointer value, gpointer data) {
  return ((const Flow *)value)->waiting.length == 0;
}

static Flow *flow_of(Level *level, const char *name, guint most) {
  Flow *flow = g_hash_table_lookup(level->flows, name);
  if (flow)
    return flow;
  if (g_hash_table_size(level->flows) >= 2 * most &&
      g_hash_table_foreach_remove(level->flows, is_spent, level) < most)
    g_hash_table_foreach_remove(level->flows, is_empty, level);
  flow = g_new0(Flow, 1);
  flow->name = g_strdup(name);
  g_hash_table_insert(level->flows, flow->name, flow);
  return flow;
}

gboolean ferry_flows_put(FerryFlows *flows, FerryLevel l, const char *name, double cost,
                         gpointer request, gint64 now_us, guint *retry_s) {
  const FerryLevelRule *rule = &flows->rules[l];
  Level *level = &flows->levels[l];
  const Flow *there = g_hash_table_lookup(level->flows, name);
  if (level->waiting >= rule->total || (there && there->waiting.length >= rule->per_flow)) {
    *retry_s = there && there->waiting.length >= rule->per_flow ? 1 : 5;
    return FALSE;
  }
  Flow *flow = flow_of(level, name, MAX(rule->total, 64));
  Waiting *w = g_new0(Waiting, 1);
  w->request = request;
  w->since_us = now_us;
  w->start = MAX(level->now, flow->end);
  flow->end = w->start + MAX(cost, 1);
  g_queue_push_tail(&flow->waiting, w);
  level->waiting++;
  return TRUE;
}

static gpointer flow_unqueue(Level *level, Flow *flow) {
  Waiting *w = g_queue_pop_head(&flow->waiting);
  gpointer request = w->request;
  level->waiting--;
  g_free(w);
  return request;
}

/* The flow whose first request has waited longest, or else has the least virtual start. */
static Flow *first_flow(const Level *level, gboolean by_time) {
  Flow *best = NULL;
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, level->flows);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    Flow *flow = value;
    const Waiting *head = g_queue_peek_head(&flow->waiting);
    const Waiting *than = best ? g_queue_peek_head(&best->waiting) : NULL;
    if (head && (!than || (by_time ? head->since_us < than->since_us : head->start < than->start)))
      best = flow;
  }
  return best;
}

gpointer ferry_flows_take(FerryFlows *flows, FerryLevel l) {
  Level *level = &flows->levels[l];
  if (level->waiting == 0 || level->running >= flows->rules[l].seats)
    return NULL;
  Flow *flow = first_flow(level, FALSE);
  const Waiting *head = g_queue_peek_head(&flow->waiting);
  level->now = MAX(level->now, head->start);
  level->running++;
  return flow_unqueue(level, flow);
}

void ferry_flows_done(FerryFlows *flows, FerryLevel l) {
  g_return_if_fail(flows->levels[l].running > 0);
  flows->levels[l].running--;
}

gpointer ferry_flows_take_late(FerryFlows *flows, FerryLevel l, gint64 now_us) {
  Level *level = &flows->levels[l];
  if (level->waiting == 0)
    return NULL;
  Flow *flow = first_flow(level, TRUE);
  const Waiting *head = g_queue_peek_head(&flow->waiting);
  return now_us - head->since_us > (gint64)flows->rules[l].wait_ms * 1000
             ? flow_unqueue(level, flow)
             : NULL;
}

guint ferry_flows_waiting(const FerryFlows *flows, FerryLevel level) {
  return flows->levels[level].waiting;
}

guint ferry_flows_running(const FerryFlows *flows, FerryLevel level) {
  return flows->levels[level].running;
}
