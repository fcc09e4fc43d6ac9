// SPDX-License-Identifier: Apache-2.0
// Objects that a report makes, and their names. A host's administrator decides names, labels and
// namespace of his own domains (they are in the domains' XML), but not without bounds: one node has
// at most FERRY_REPORT_MAX_DOMAINS VMs and makes at most FERRY_REPORT_MAX_NAMESPACES namespaces,
// none of them one that is Kubernetes' or Ferry's own; a VM that asks for more is in namespace
// default.
#include "base/random.h"
#include "base/rfc3339.h"
#include "control/inventory_new.h"
#include "control/inventory_left_out.h"
#include "control/inventory_merge.h"
#include "model/agents/domain_record.h"
#include "model/validate/validate.h"

#define MADE_BY "ferry.migration/reported-by" /* label of a namespace that a report made */

/* ---- names of domains ---- */

static void note_name(GHashTable *names, const char *name, const char *uid) {
  GHashTable *uids = g_hash_table_lookup(names, name);
  if (!uids) {
    uids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_insert(names, g_strdup(name), uids);
  }
  if (!g_hash_table_contains(uids, uid))
    g_hash_table_add(uids, g_strdup(uid));
}

/* All VMs whose domain has the name are looked up when it is asked for first. */
static void gather_name(FerryReport *r, const char *name) {
  if (!r->names)
    r->names =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_hash_table_unref);
  if (g_hash_table_contains(r->names, name))
    return;
  g_autoptr(GPtrArray) all = ferry_store_select(r->store, &ferry_kind_vmi, FERRY_BY_DOMAIN, name);
  for (guint i = 0; i < all->len; i++) {
    const char *uid = ferry_json_str(g_ptr_array_index(all, i), "metadata.uid");
    if (uid)
      note_name(r->names, name, uid);
  }
}

const char *ferry_inventory_other_of_name(FerryReport *r, const char *name, const char *uid) {
  gather_name(r, name);
  note_name(r->names, name, uid);
  GHashTableIter iter;
  gpointer other;
  g_hash_table_iter_init(&iter, g_hash_table_lookup(r->names, name));
  while (g_hash_table_iter_next(&iter, &other, NULL))
    if (!g_str_equal(other, uid))
      return other;
  return NULL;
}

void ferry_inventory_name_left(FerryReport *r, const json_t *vmi) {
  const char *name = ferry_json_str(vmi, "spec.domainName");
  const char *uid = ferry_json_str(vmi, "metadata.uid");
  const char *other = name ? ferry_inventory_other_of_name(r, name, uid) : NULL;
  if (other)
    g_ptr_array_add(r->look, g_strdup(other));
  if (name) /* where it stays after all, it is noted again */
    g_hash_table_remove(g_hash_table_lookup(r->names, name), uid);
}

/* ---- namespaces ---- */

static gboolean is_reserved(const char *ns) {
  return g_str_has_prefix(ns, "kube-") || g_str_equal(ns, "kubevirt") ||
         g_str_has_prefix(ns, "ferry-");
}

static gboolean may_make_namespace(const FerryReport *r) {
  g_autoptr(GPtrArray) all = ferry_store_list(r->store, &ferry_kind_namespace, NULL, NULL);
  guint made = 0;
  for (guint i = 0; i < all->len; i++) {
    const json_t *labels = ferry_json_get(g_ptr_array_index(all, i), "metadata.labels");
    made += g_strcmp0(json_string_value(json_object_get(labels, MADE_BY)), r->node) == 0;
  }
  GHashTableIter iter;
  gpointer key;
  g_hash_table_iter_init(&iter, r->planned);
  while (g_hash_table_iter_next(&iter, &key, NULL))
    made += !strchr(key, '/') && !g_str_equal(key, "default");
  return made < FERRY_REPORT_MAX_NAMESPACES;
}

static void plan_namespace(FerryReport *r, FerryPlan *plan, const char *ns) {
  g_autofree char *now = ferry_rfc3339_format(r->now_ms);
  g_autofree char *uid = ferry_random_uuid();
  json_t *object =
      json_pack("{ss,ss,s{ss,ss,ss,s{ss}},s{},s{ss}}", "apiVersion", "v1", "kind", "Namespace",
                "metadata", "name", ns, "uid", uid, "creationTimestamp", now, "labels",
                "kubernetes.io/metadata.name", ns, "spec", "status", "phase", "Active");
  if (!g_str_equal(ns, "default") && ferry_format_check("label-value", r->node, NULL))
    json_object_set_new(ferry_json_get(object, "metadata.labels"), MADE_BY, json_string(r->node));
  ferry_plan_write(plan, FERRY_WRITE_CREATE, &ferry_kind_namespace, object, FALSE);
  g_hash_table_add(r->planned, g_strdup(ns));
}

/* The namespace that a domain gets: the one it asks for, where it may. */
static const char *settle_namespace(FerryReport *r, FerryPlan *plan, const char *wanted) {
  const char *ns = wanted && ferry_format_check("dns-label", wanted, NULL) && !is_reserved(wanted)
                       ? wanted
                       : "default";
  for (;;) {
    g_autoptr(json_t) there = ferry_store_get(r->store, &ferry_kind_namespace, "", ns);
    gboolean ending = ferry_json_str(there, "metadata.deletionTimestamp") != NULL;
    gboolean last = g_str_equal(ns, "default");
    if ((there && (last || !ending)) || g_hash_table_contains(r->planned, ns))
      return ns;
    if (last || (!ending && may_make_namespace(r))) {
      plan_namespace(r, plan, ns);
      return ns;
    }
    ns = "default";
  }
}

/* ---- VMs ---- */

typedef struct {
  const FerryReport *report;
  const char *ns;
} NameScope;

static gboolean name_taken(const char *name, gpointer data) {
  const NameScope *scope = data;
  g_autofree char *key = g_strdup_printf("%s/%s", scope->ns, name);
  if (g_hash_table_contains(scope->report->planned, key))
    return TRUE;
  g_autoptr(json_t) there = ferry_store_get(scope->report->store, &ferry_kind_vmi, scope->ns, name);
  return there != NULL;
}

json_t *ferry_inventory_new_vmi(FerryReport *r, FerryPlan *plan, const json_t *record) {
  const char *ns = settle_namespace(r, plan, ferry_json_str(record, "namespace"));
  NameScope scope = {r, ns};
  const char *uuid = ferry_json_str(record, "uuid");
  g_autofree char *name = ferry_vmi_name(ferry_json_str(record, "name"), uuid, name_taken, &scope);
  g_autofree char *now = ferry_rfc3339_format(r->now_ms);
  g_hash_table_add(r->planned, g_strdup_printf("%s/%s", ns, name));
  return json_pack("{ss,ss,s{ss,ss,ss,ss,si},s{},s{}}", "apiVersion", "kubevirt.io/v1", "kind",
                   "VirtualMachineInstance", "metadata", "name", name, "namespace", ns, "uid", uuid,
                   "creationTimestamp", now, "generation", 0, "spec", "status");
}

gboolean ferry_inventory_check_room(FerryReport *r, const json_t *body, GError **error) {
  guint fresh = 0, has = 0;
  gsize i;
  json_t *d;
  json_array_foreach(json_object_get(body, "domains"), i, d) {
    g_autoptr(json_t) there =
        ferry_store_get_by_uid(r->store, &ferry_kind_vmi, ferry_json_str(d, "uuid"));
    fresh += !ferry_json_find(ferry_json_get(there, "status.domains"), "nodeName", r->node);
  }
  if (fresh == 0)
    return TRUE;
  g_autoptr(GPtrArray) all = ferry_store_select(r->store, &ferry_kind_vmi, FERRY_BY_NODE, r->node);
  for (guint k = 0; k < all->len; k++)
    has += ferry_json_find(ferry_json_get(g_ptr_array_index(all, k), "status.domains"), "nodeName",
                           r->node) != NULL;
  /* a full report takes away what it does not name */
  if (ferry_json_bool(body, "full", FALSE) && !ferry_inventory_has_nameless(body))
    has = MIN(has, (guint)(json_array_size(json_object_get(body, "domains")) - fresh +
                           json_array_size(json_object_get(body, "leftOut")) +
                           json_array_size(json_object_get(body, "present"))));
  if (has + fresh <= FERRY_REPORT_MAX_DOMAINS)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
              "the report is invalid: domains: node %s would have %u domains; at most %d are kept",
              r->node, has + fresh, FERRY_REPORT_MAX_DOMAINS);
  if (error)
    ferry_error_add_cause(*error, "FieldValueInvalid", "domains", "Too many: %u: at most %d",
                          has + fresh, FERRY_REPORT_MAX_DOMAINS);
  return FALSE;
}
