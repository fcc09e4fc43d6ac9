// SPDX-License-Identifier: Apache-2.0
// Theory of operation: bindings and roles are looked up by who asks, not searched: a snapshot maps
// each user and group to the rules it has and where. It is made anew when one of the four kinds has
// changed, which a cursor on the store's change log tells; a request that finds nothing new costs a
// comparison of two revisions. A snapshot is immutable and reference counted, so a request goes on
// with the one that it began with.
#include "api/auth/rbac.h"
#include "store/store.h"

typedef struct {
  char *ns;      /* where the rules hold; NULL: everywhere */
  json_t *rules; /* a role's own list */
} Grant;

typedef struct {
  gint refs;
  GHashTable *grants; /* "u" or "g" and a name -> GPtrArray of Grant */
} Snapshot;

struct FerryRbac {
  FerryStore *store;
  GMutex lock; /* the rest */
  FerryWatch *watch;
  gint64 seen;
  Snapshot *snapshot;
  guint64 generation; /* of the snapshot */
};

static void grant_free(gpointer data) {
  Grant *grant = data;
  g_free(grant->ns);
  json_decref(grant->rules);
  g_free(grant);
}

static void snapshot_unref(Snapshot *s) {
  if (!s || !g_atomic_int_dec_and_test(&s->refs))
    return;
  g_hash_table_unref(s->grants);
  g_free(s);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Snapshot, snapshot_unref)

static json_t *rules_of_role(FerryStore *store, const json_t *binding, const char *ns) {
  const char *kind = ferry_json_str(binding, "roleRef.kind");
  const char *name = ferry_json_str(binding, "roleRef.name");
  if (!name)
    return NULL;
  g_autoptr(json_t) role = NULL;
  if (g_strcmp0(kind, "ClusterRole") == 0)
    role = ferry_store_get(store, &ferry_kind_cluster_role, "", name);
  else if (g_strcmp0(kind, "Role") == 0 && ns)
    role = ferry_store_get(store, &ferry_kind_role, ns, name);
  json_t *rules = json_object_get(role, "rules");
  return json_is_array(rules) ? json_incref(rules) : NULL;
}

static void add_binding(Snapshot *s, FerryStore *store, const json_t *binding, const char *ns) {
  g_autoptr(json_t) rules = rules_of_role(store, binding, ns);
  gsize i;
  json_t *subject;
  json_array_foreach(ferry_json_get(binding, "subjects"), i, subject) {
    const char *kind = ferry_json_str(subject, "kind"), *name = ferry_json_str(subject, "name");
    gboolean user = g_strcmp0(kind, "User") == 0;
    if (!rules || !name || (!user && g_strcmp0(kind, "Group") != 0))
      continue;
    g_autofree char *key = g_strconcat(user ? "u" : "g", name, NULL);
    GPtrArray *list = g_hash_table_lookup(s->grants, key);
    if (!list) {
      list = g_ptr_array_new_with_free_func(grant_free);
      g_hash_table_insert(s->grants, g_steal_pointer(&key), list);
    }
    Grant *grant = g_new0(Grant, 1);
    grant->ns = g_strdup(ns);
    grant->rules = json_incref(rules);
    g_ptr_array_add(list, grant);
  }
}

static Snapshot *snapshot_new(FerryStore *store) {
  Snapshot *s = g_new0(Snapshot, 1);
  s->refs = 1;
  s->grants =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  g_autoptr(GPtrArray) local = ferry_store_list(store, &ferry_kind_role_binding, NULL, NULL);
  for (guint i = 0; i < local->len; i++) {
    const char *ns = ferry_json_str(g_ptr_array_index(local, i), "metadata.namespace");
    if (ns && *ns)
      add_binding(s, store, g_ptr_array_index(local, i), ns);
  }
  g_autoptr(GPtrArray) global =
      ferry_store_list(store, &ferry_kind_cluster_role_binding, NULL, NULL);
  for (guint i = 0; i < global->len; i++)
    add_binding(s, store, g_ptr_array_index(global, i), NULL);
  return s;
}

/* Whether roles or bindings have changed since the snapshot; the lock is held. */
static gboolean is_stale(FerryRbac *rbac) {
  gint64 now = ferry_store_revision(rbac->store);
  if (rbac->snapshot && rbac->seen == now)
    return FALSE;
  gboolean stale = rbac->snapshot == NULL;
  g_autoptr(GError) error = NULL;
  FerryChange *change;
  while (rbac->watch && (change = ferry_watch_next(rbac->watch, &error))) {
    stale |= change->kind == &ferry_kind_role || change->kind == &ferry_kind_cluster_role ||
             change->kind == &ferry_kind_role_binding ||
             change->kind == &ferry_kind_cluster_role_binding;
    ferry_change_unref(change);
  }
  if (!rbac->watch || error) { /* the log has moved past: begin again */
    g_clear_pointer(&rbac->watch, ferry_watch_free);
    rbac->watch = ferry_store_watch_now(rbac->store, NULL, NULL, NULL, NULL);
    stale = TRUE;
  }
  rbac->seen = now;
  return stale;
}

static Snapshot *snapshot_now(FerryApi *api, guint64 *generation) {
  FerryRbac *rbac = api->rbac;
  g_mutex_lock(&rbac->lock);
  if (is_stale(rbac)) {
    snapshot_unref(rbac->snapshot);
    rbac->snapshot = snapshot_new(rbac->store);
    rbac->generation++;
  }
  Snapshot *s = rbac->snapshot;
  g_atomic_int_inc(&s->refs);
  if (generation)
    *generation = rbac->generation;
  g_mutex_unlock(&rbac->lock);
  return s;
}

/* Whether one of the rules that `key` has in `ns` covers `access`; without `access` they are
 * collected in `all`. */
static gboolean look_up(const Snapshot *s, char prefix, const char *name, const char *ns,
                        const FerryAccess *access, GPtrArray *all) {
  g_autofree char *key = g_strdup_printf("%c%s", prefix, name);
  const GPtrArray *list = g_hash_table_lookup(s->grants, key);
  for (guint i = 0; list && i < list->len; i++) {
    const Grant *grant = g_ptr_array_index(list, i);
    if (grant->ns && g_strcmp0(grant->ns, ns) != 0)
      continue;
    gsize r;
    json_t *rule;
    json_array_foreach(grant->rules, r, rule) {
      if (all)
        g_ptr_array_add(all, json_incref(rule));
      else if (ferry_rbac_rule_covers(rule, access))
        return TRUE;
    }
  }
  return FALSE;
}

gboolean ferry_rbac_allows(FerryApi *api, const FerryUser *user, const FerryAccess *access) {
  g_autoptr(Snapshot) s = snapshot_now(api, NULL);
  const char *ns = access->path ? NULL : access->ns;
  if (look_up(s, 'u', user->name, ns, access, NULL))
    return TRUE;
  for (gsize i = 0; user->groups && user->groups[i]; i++)
    if (look_up(s, 'g', user->groups[i], ns, access, NULL))
      return TRUE;
  return FALSE;
}

guint64 ferry_rbac_generation(FerryApi *api) {
  guint64 generation;
  g_autoptr(Snapshot) s = snapshot_now(api, &generation);
  return generation;
}

GPtrArray *ferry_rbac_rules_of(FerryApi *api, const FerryUser *user, const char *ns) {
  g_autoptr(Snapshot) s = snapshot_now(api, NULL);
  GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  look_up(s, 'u', user->name, ns, NULL, all);
  for (gsize i = 0; user->groups && user->groups[i]; i++)
    look_up(s, 'g', user->groups[i], ns, NULL, all);
  return all;
}

void ferry_rbac_start(FerryApi *api) {
  api->rbac = g_new0(FerryRbac, 1);
  api->rbac->store = api->store;
  g_mutex_init(&api->rbac->lock);
}

void ferry_rbac_stop(FerryApi *api) {
  if (!api->rbac)
    return;
  g_clear_pointer(&api->rbac->watch, ferry_watch_free);
  snapshot_unref(api->rbac->snapshot);
  g_mutex_clear(&api->rbac->lock);
  g_clear_pointer(&api->rbac, g_free);
}
