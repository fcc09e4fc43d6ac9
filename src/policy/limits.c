// SPDX-License-Identifier: Apache-2.0
#include "policy/limits.h"
#include "model/kinds/policy_layers.h"
#include "model/migration/migration.h"
#include "model/migration/reasons.h"
#include "model/migration/phase.h"

#define OUTBOUND "parallelOutboundMigrationsPerNode"
#define INBOUND "parallelInboundMigrationsPerNode"

/* What of a waiting migration is looked at again and again; borrowed. */
typedef struct {
  int rank;
  const char *created, *name, *uid, *from;
  gboolean held_back; /* by another migration of its VM: it leaves nothing now */
} LimitsEntry;

struct FerryLimits {
  GArray *waiting;                          /* of LimitsEntry, in no order */
  GHashTable *outbound, *inbound;           /* node -> number of active ones */
  GHashTable *outbound_held, *inbound_held; /* node -> the least that one of them allows */
  guint active;
  gint64 per_cluster, per_source, per_target;
};

static int limits_rank(const json_t *migration) {
  static const char *const order[] = {"system-critical", "user-triggered", "system-maintenance"};
  const char *p = ferry_json_str(migration, "spec.priority");
  for (int i = 0; p && i < (int)G_N_ELEMENTS(order); i++)
    if (g_str_equal(order[i], p))
      return i;
  return G_N_ELEMENTS(order);
}

static gint limits_compare(const LimitsEntry *x, const LimitsEntry *y) {
  int d = x->rank - y->rank;
  if (!d)
    d = g_strcmp0(x->created, y->created);
  if (!d)
    d = g_strcmp0(x->name, y->name);
  return d ? d : g_strcmp0(x->uid, y->uid);
}

static LimitsEntry waiting_of(const json_t *m) {
  return (LimitsEntry){.rank = limits_rank(m),
                       .created = ferry_json_str(m, "metadata.creationTimestamp"),
                       .name = ferry_json_str(m, "metadata.name"),
                       .uid = ferry_json_str(m, "metadata.uid"),
                       .from = ferry_json_str(m, "status.migrationState.sourceNode"),
                       .held_back =
                           g_strcmp0(ferry_json_str(m, "status.queue.reason"),
                                     ferry_reason_name(FERRY_REASON_ALREADY_MIGRATING)) == 0};
}

static const LimitsEntry *waiting_at(const FerryLimits *l, guint i) {
  return &g_array_index(l->waiting, LimitsEntry, i);
}

/* The migration of that uid; NULL where it does not wait. */
static const LimitsEntry *waiting_find(const FerryLimits *l, const char *uid) {
  for (guint i = 0; i < l->waiting->len; i++)
    if (g_strcmp0(waiting_at(l, i)->uid, uid) == 0)
      return waiting_at(l, i);
  return NULL;
}

/* Whether `other` comes before `one`; before one that does not wait come all. */
static gboolean goes_before(const LimitsEntry *other, const LimitsEntry *one) {
  return !one || (other != one && limits_compare(other, one) < 0);
}

static void limits_count(GHashTable *table, const char *node) {
  if (node)
    g_hash_table_insert(table, (gpointer)node,
                        GINT_TO_POINTER(GPOINTER_TO_INT(g_hash_table_lookup(table, node)) + 1));
}

/* What an active migration's own policy allows its node; a limit of the cluster's is everybody's
 * and may have changed since. */
static void limits_hold(GHashTable *table, const char *node, const json_t *m, const char *name) {
  const char *origin = ferry_json_str(ferry_json_get(m, "status.configurationOrigins"), name);
  gint64 limit =
      ferry_json_int(ferry_json_get(m, "status.migrationState.migrationConfiguration"), name, 0);
  if (!node || limit <= 0 || limit > G_MAXINT || !origin || ferry_origin_is_cluster(origin) ||
      ferry_origin_is_default(origin))
    return;
  gint64 there = GPOINTER_TO_INT(g_hash_table_lookup(table, node));
  if (!there || limit < there)
    g_hash_table_insert(table, (gpointer)node, GINT_TO_POINTER((gint)limit));
}

/* The limit of `node`, 0: none; `held`: it is that of a migration under way. */
static gint64 limit_of(GHashTable *table, const char *node, gint64 own, gboolean *held) {
  gint64 theirs = GPOINTER_TO_INT(g_hash_table_lookup(table, node));
  *held = theirs > 0 && (own <= 0 || theirs < own);
  return *held ? theirs : own;
}

FerryLimits *ferry_limits_new(json_t *const *migrations, gsize n, const json_t *config) {
  FerryLimits *l = g_new0(FerryLimits, 1);
  l->waiting = g_array_new(FALSE, FALSE, sizeof(LimitsEntry));
  l->outbound = g_hash_table_new(g_str_hash, g_str_equal);
  l->inbound = g_hash_table_new(g_str_hash, g_str_equal);
  l->outbound_held = g_hash_table_new(g_str_hash, g_str_equal);
  l->inbound_held = g_hash_table_new(g_str_hash, g_str_equal);
  l->per_cluster = ferry_json_int(config, "parallelMigrationsPerCluster", 0);
  l->per_source = ferry_json_int(config, OUTBOUND, 0);
  l->per_target = ferry_json_int(config, INBOUND, 0);
  for (gsize i = 0; i < n; i++) {
    FerryPhase phase = ferry_phase_of(migrations[i]);
    if (ferry_migration_is_put_off(migrations[i]))
      continue;
    if (phase <= FERRY_PHASE_PENDING) {
      LimitsEntry w = waiting_of(migrations[i]);
      g_array_append_val(l->waiting, w);
    } else if (!ferry_phase_is_final(phase)) {
      l->active++;
      const char *from = ferry_json_str(migrations[i], "status.migrationState.sourceNode");
      const char *to = ferry_json_str(migrations[i], "status.migrationState.targetNode");
      limits_count(l->outbound, from);
      limits_count(l->inbound, to);
      limits_hold(l->outbound_held, from, migrations[i], OUTBOUND);
      limits_hold(l->inbound_held, to, migrations[i], INBOUND);
    }
  }
  return l;
}

void ferry_limits_free(FerryLimits *l) {
  if (!l)
    return;
  g_array_unref(l->waiting);
  g_hash_table_unref(l->outbound);
  g_hash_table_unref(l->inbound);
  g_hash_table_unref(l->outbound_held);
  g_hash_table_unref(l->inbound_held);
  g_free(l);
}

guint ferry_limits_position(const FerryLimits *l, const char *uid) {
  const LimitsEntry *own = waiting_find(l, uid);
  guint place = own ? 1 : 0;
  for (guint i = 0; own && i < l->waiting->len; i++)
    place += goes_before(waiting_at(l, i), own);
  return place;
}

/* Those that wait before it to leave the same node: none of them is overtaken, or one that allows
 * no other beside it would wait for ever. */
static gint64 limits_ahead(const FerryLimits *l, const LimitsEntry *own, const char *source) {
  gint64 n = 0;
  for (guint i = 0; i < l->waiting->len; i++) {
    const LimitsEntry *w = waiting_at(l, i);
    n += !w->held_back && g_strcmp0(w->from, source) == 0 && goes_before(w, own);
  }
  return n;
}

/* Those before it that its own source's limit does not hold back: free slots are theirs. */
static gint64 limits_claimed(const FerryLimits *l, const LimitsEntry *own) {
  gint64 n = 0;
  for (guint i = 0; i < l->waiting->len; i++) {
    const LimitsEntry *w = waiting_at(l, i);
    gboolean held;
    if (!goes_before(w, own))
      continue;
    gint64 theirs = w->from ? limit_of(l->outbound_held, w->from, l->per_source, &held) : 0;
    n += theirs <= 0 || GPOINTER_TO_INT(g_hash_table_lookup(l->outbound, w->from)) < theirs;
  }
  return n;
}

gboolean ferry_limits_admit(const FerryLimits *l, const char *uid, const char *source,
                            char **reason) {
  gboolean held;
  gint64 out = GPOINTER_TO_INT(g_hash_table_lookup(l->outbound, source));
  gint64 limit = limit_of(l->outbound_held, source, l->per_source, &held);
  const LimitsEntry *own = waiting_find(l, uid);
  gint64 before = limits_ahead(l, own, source);
  if (limit > 0 && out + before >= limit) {
    g_autofree char *waiting =
        out < limit ? g_strdup_printf(" and %" G_GINT64_FORMAT " wait to do so before it", before)
                    : g_strdup("");
    *reason = g_strdup_printf("%" G_GINT64_FORMAT
                              " migrations leave node %s%s, the limit is %" G_GINT64_FORMAT
                              " (" OUTBOUND "%s)",
                              out, source, waiting, limit, held ? " of one that is under way" : "");
    return FALSE;
  }
  if (l->per_cluster <= 0)
    return TRUE;
  if (own && limits_claimed(l, own) < l->per_cluster - (gint64)l->active)
    return TRUE;
  *reason =
      g_strdup_printf("%u migrations are active in the cluster, the limit is %" G_GINT64_FORMAT
                      " (parallelMigrationsPerCluster)",
                      l->active, l->per_cluster);
  return FALSE;
}

gboolean ferry_limits_inbound_ok(const FerryLimits *l, const char *target, char **reason) {
  gboolean held;
  gint64 in = GPOINTER_TO_INT(g_hash_table_lookup(l->inbound, target));
  gint64 limit = limit_of(l->inbound_held, target, l->per_target, &held);
  if (limit <= 0 || in < limit)
    return TRUE;
  *reason =
      g_strdup_printf("%" G_GINT64_FORMAT " migrations arrive there, the limit is %" G_GINT64_FORMAT
                      " (" INBOUND "%s)",
                      in, limit, held ? " of one that is under way" : "");
  return FALSE;
}
