// SPDX-License-Identifier: Apache-2.0
// A report is merged in one pass: the node in one commit, the domains in batches of up to BATCH
// objects a commit. A report says what is, not what changed, so merging it twice is harmless, and
// half a report that was merged before a crash is completed by the agent's next full one. A
// conflict repeats the batch, from what is stored then, and in the end one by one, so that an
// object that others write to all the time holds up nobody else.
//
// Two reports of one node may be merged at once. The Node has the newer one's number before any of
// its domains is written, so the older one looks for that after it has read what it changes and
// before it commits: either it finds the number there, or what it has read is in conflict by then.
//
// What a report costs grows with what it brings: the migrations under way are looked up once a
// report, VMs are found by UUID, and the names of all VMs are gathered only where a name is new
// (and then once a report). A domain that has not changed costs a comparison.
#include "control/inventory.h"
#include "model/migration/reasons.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "control/conditions.h"
#include "control/inventory_left_out.h"
#include "control/inventory_merge.h"
#include "control/inventory_new.h"
#include "control/migration.h"
#include "control/node.h"
#include "control/network.h"
#include "control/node_claims.h"
#include "control/relevant.h"
#include "model/agents/domain_record.h"
#include "model/migration/phase.h"
#include "policy/placement.h"
#include "control/write_warnings.h"

#define MAX_TRIES 20
#define TRIES_OF_MANY 3 /* before a batch is cut in two */
#define BATCH 256
/* Longer than a silent agent stays Ready: for the time in which ferryd itself was away. */
#define FRESH_MS (2 * FERRY_NODE_GRACE_MS)

gboolean ferry_inventory_is_migrating(FerryStore *store, const char *vmi_uid) {
  g_autoptr(json_t) vmi = ferry_store_get_by_uid(store, &ferry_kind_vmi, vmi_uid);
  if (!vmi)
    return FALSE;
  g_autofree char *key = g_strdup_printf("%s/%s", ferry_json_str(vmi, "metadata.namespace"),
                                         ferry_json_str(vmi, "metadata.name"));
  g_autoptr(GPtrArray) all = ferry_store_select(store, &ferry_kind_vmim, FERRY_BY_VM, key);
  for (guint i = 0; i < all->len; i++)
    if (!ferry_migration_is_final(g_ptr_array_index(all, i)))
      return TRUE;
  return FALSE;
}

/* ---- what is known beside the report ---- */

static gboolean has_begun(const json_t *m) {
  return ferry_phase_of(m) == FERRY_PHASE_RUNNING;
}

static void gather_migrations(FerryReport *r) {
  r->migrations = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  r->all_migrations = ferry_relevant_migrations(r->store);
  for (guint i = 0; i < r->all_migrations->len; i++) {
    json_t *m = g_ptr_array_index(r->all_migrations, i);
    char *key = g_strdup_printf("%s/%s", ferry_json_str(m, "metadata.namespace"),
                                ferry_json_str(m, "spec.vmiName"));
    /* several may wait for one VM; the one that runs counts */
    if (!g_hash_table_contains(r->migrations, key) || has_begun(m))
      g_hash_table_replace(r->migrations, key, m);
    else
      g_free(key);
  }
}

static json_t *migration_of(const FerryReport *r, const json_t *vmi) {
  g_autofree char *key = g_strdup_printf("%s/%s", ferry_json_str(vmi, "metadata.namespace"),
                                         ferry_json_str(vmi, "metadata.name"));
  return g_hash_table_lookup(r->migrations, key);
}

static FerryHostWord judge_host(const FerryReport *r, const char *name) {
  g_autoptr(json_t) node = ferry_store_get(r->store, &ferry_kind_node, "", name);
  if (!node)
    return FERRY_HOST_GONE;
  gint64 heard = ferry_rfc3339_parse(ferry_json_str(node, "status.agent.lastReportTime"));
  return ferry_node_is_ready(node) && r->now_ms - heard <= FRESH_MS ? FERRY_HOST_SPEAKS
                                                                    : FERRY_HOST_SILENT;
}

static FerryHostWord inventory_word_of(FerryReport *r, const char *node) {
  gpointer known;
  if (!node)
    return FERRY_HOST_SPEAKS;
  if (g_hash_table_lookup_extended(r->words, node, NULL, &known))
    return (FerryHostWord)GPOINTER_TO_INT(known);
  FerryHostWord word = judge_host(r, node);
  g_hash_table_insert(r->words, g_strdup(node), GINT_TO_POINTER(word));
  return word;
}

static void report_init(FerryReport *r, FerryStore *store, const char *node, gint64 now_ms) {
  *r = (FerryReport){.store = store, .node = node, .now_ms = now_ms};
  r->words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  r->look = g_ptr_array_new_with_free_func(g_free);
  r->planned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  gather_migrations(r);
}

static void report_clear(FerryReport *r) {
  g_hash_table_unref(r->words);
  g_hash_table_unref(r->planned);
  g_ptr_array_unref(r->look);
  g_hash_table_unref(r->migrations);
  g_ptr_array_unref(r->all_migrations);
  g_clear_pointer(&r->names, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FerryReport, report_clear)

/* ---- one domain ---- */

static const char *inventory_claimed(const json_t *vmi) {
  return ferry_condition_status(vmi, FERRY_CONDITION_CLAIMED_BY_ANOTHER_HOST);
}

/* A condition of names where one is new, or where there was one. */
static void plan_names(FerryReport *r, const json_t *stored, json_t *vmi) {
  const char *uid = ferry_json_str(vmi, "metadata.uid");
  const char *name = ferry_json_str(vmi, "spec.domainName");
  gboolean same = stored && g_strcmp0(ferry_json_str(stored, "spec.domainName"), name) == 0;
  if (!name ||
      (same && !r->names && !ferry_condition_status(stored, FERRY_CONDITION_DUPLICATE_NAME)))
    return;
  const char *other = ferry_inventory_other_of_name(r, name, uid);
  if (other) {
    ferry_condition_set(vmi, FERRY_CONDITION_DUPLICATE_NAME, "True",
                        ferry_reason_name(FERRY_REASON_NAME_USED_TWICE),
                        "another VM with another UUID has the same domain name", r->now_ms);
    if (!same)
      g_ptr_array_add(r->look, g_strdup(other));
  } else {
    ferry_condition_remove(vmi, FERRY_CONDITION_DUPLICATE_NAME);
  }
}

/* What the VM's own words say in vain is an event, once. */
static void warn_of_words(FerryReport *r, FerryPlan *plan, const json_t *stored,
                          const json_t *vmi) {
  if (!ferry_write_vm_says_more(stored, vmi))
    return;
  g_autoptr(GPtrArray) networks = ferry_store_list(r->store, &ferry_kind_network, NULL, NULL);
  g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
  FerryWriteWorld world = {(json_t *const *)networks->pdata, networks->len, NULL, 0};
  ferry_write_warnings(&ferry_kind_vmi, vmi, &world, texts);
  for (guint i = 0; i < texts->len; i++)
    ferry_plan_event(plan, vmi, "Warning", ferry_reason_name(FERRY_REASON_SETTING_IGNORED),
                     texts->pdata[i], r->now_ms);
}

static void plan_domain(FerryReport *r, FerryPlan *plan, const FerryReported *item) {
  g_autoptr(json_t) stored = ferry_store_get_by_uid(r->store, &ferry_kind_vmi, item->uuid);
  if (!stored && !item->record)
    return;
  g_autoptr(json_t) vmi =
      stored ? json_copy(stored) : ferry_inventory_new_vmi(r, plan, item->record);
  FerryVmiContext context = {migration_of(r, vmi),
                             inventory_word_of(r, ferry_json_str(vmi, "status.nodeName"))};
  if (item->record)
    ferry_vmi_merge_record(vmi, r->node, item->record, r->now_ms);
  else if (!item->look)
    ferry_vmi_remove_node(vmi, r->node);
  if (json_array_size(ferry_json_get(vmi, "status.domains")) == 0 && !context.migration) {
    ferry_plan_event(plan, vmi, "Normal", ferry_reason_name(FERRY_REASON_GONE),
                     "the domain is no longer on any host", r->now_ms);
    if (ferry_condition_status(vmi, FERRY_CONDITION_DUPLICATE_NAME))
      ferry_inventory_name_left(r, vmi);
    ferry_plan_write(plan, FERRY_WRITE_DELETE, &ferry_kind_vmi, g_steal_pointer(&vmi), FALSE);
    return;
  }
  ferry_vmi_derive(vmi, &context, r->now_ms);
  plan_names(r, stored, vmi);
  warn_of_words(r, plan, stored, vmi);
  if (inventory_claimed(vmi) && !(stored && inventory_claimed(stored)))
    ferry_plan_event(
        plan, vmi, "Warning", ferry_reason_name(FERRY_REASON_CLAIMED_BY_ANOTHER_HOST),
        ferry_json_str(ferry_condition_find(vmi, FERRY_CONDITION_CLAIMED_BY_ANOTHER_HOST),
                       "message"),
        r->now_ms);
  if (!stored)
    ferry_plan_write(plan, FERRY_WRITE_CREATE, &ferry_kind_vmi, g_steal_pointer(&vmi), FALSE);
  else if (!json_equal(stored, vmi))
    ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_vmi, g_steal_pointer(&vmi), FALSE);
}

/* Whether the number of a report that is newer than this one stands in `node`. */
static gboolean is_numbered_later(const FerryReport *r, const json_t *node) {
  return r->sequence > 0 && ferry_json_int(node, "status.agent.reportSequence", 0) > r->sequence;
}

/* A report that a newer one has overtaken on its way (its sender gave it up, and the server came to
 * it late) says what is not so any more. */
static gboolean is_overtaken(const FerryReport *r) {
  g_autoptr(json_t) node = ferry_store_get(r->store, &ferry_kind_node, "", r->node);
  return is_numbered_later(r, node);
}

static gboolean merge_batch(FerryReport *r, const FerryReported *items, guint n, GError **error) {
  for (guint i = 0;; i++) {
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    g_autoptr(GError) local = NULL;
    g_hash_table_remove_all(r->planned);
    for (guint k = 0; k < n; k++)
      plan_domain(r, plan, &items[k]);
    if (is_overtaken(r) || ferry_plan_commit(plan, r->store, &local))
      return TRUE;
    if (!ferry_error_came_between(local) || (n == 1 && i == MAX_TRIES)) {
      g_propagate_error(error, g_steal_pointer(&local));
      return FALSE;
    }
    if (n > 1 && i == TRIES_OF_MANY)
      return merge_batch(r, items, n / 2, error) && merge_batch(r, items + n / 2, n - n / 2, error);
  }
}

static gboolean merge_all(FerryReport *r, const GArray *items, GError **error) {
  for (guint i = 0; i < items->len; i += BATCH)
    if (!merge_batch(r, &g_array_index(items, FerryReported, i), MIN(BATCH, items->len - i), error))
      return FALSE;
  return TRUE;
}

/* ---- the node ---- */

static void take_fields(json_t *node, const json_t *reported) {
  static const char *const keys[] = {"addresses", "capacity",      "allocatable",
                                     "nodeInfo",  "hypervisor",    "interfaces",
                                     "resources", "resourceKinds", "looks"};
  for (gsize i = 0; reported && i < G_N_ELEMENTS(keys); i++) {
    json_t *v = json_object_get(reported, keys[i]);
    if (v) {
      g_autofree char *path = g_strconcat("status.", keys[i], NULL);
      ferry_json_set(node, path, json_deep_copy(v));
    }
  }
  /* A report of what the host is that does not say this any more does not know it any more. */
  if (json_object_get(reported, "interfaces"))
    ferry_json_set(node, "status.routes", json_deep_copy(json_object_get(reported, "routes")));
  if (json_object_get(reported, "hypervisor"))
    ferry_json_set(node, "status.sharedFileSystems",
                   json_deep_copy(json_object_get(reported, "sharedFileSystems")));
}

/* What changes with each VM that comes or goes, and is told anew with the next report: telemetry.
 */
static void take_totals(json_t *node, const json_t *reported) {
  static const char *const paths[] = {"status.runningVMs", "status.memoryUsedBytes",
                                      "status.processorsUsed"};
  for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
    json_t *total = json_object_get(reported, strchr(paths[i], '.') + 1);
    if (total)
      ferry_json_set(node, paths[i], json_incref(total));
  }
}

/* Typed clients refuse a Node whose nodeInfo lacks one of its members. */
static void complete_node_info(json_t *node) {
  const json_t *info = ferry_json_get(node, "status.nodeInfo");
  const FerryField *f = ferry_field_find(ferry_kind_node.fields, "status.nodeInfo");
  for (const FerryField *m = info && f ? f->fields : NULL; m && m->name; m++)
    if (!json_is_string(json_object_get(info, m->name)))
      json_object_set_new(ferry_json_own(node, "status.nodeInfo"), m->name, json_string(""));
}

/* An agent that runs elsewhere hears late, or not at all, of a copy that libvirt resumes there. */
static void condition_unguarded(json_t *node, gint64 now_ms) {
  const char *name = ferry_json_str(node, "metadata.name");
  if (g_strcmp0(ferry_json_str(node, "status.agent.mode"), "remote") != 0) {
    ferry_condition_remove(node, FERRY_CONDITION_COPIES_UNGUARDED);
    return;
  }
  g_autofree char *text = g_strdup_printf(
      "the agent of %s runs on another machine: where a migration leaves it open who has the VM, a "
      "copy there is held late, or not at all while that machine can't reach it. Start "
      "ferry-agentd "
      "on %s itself, or give both hosts a lock manager",
      name, name);
  ferry_condition_set(node, FERRY_CONDITION_COPIES_UNGUARDED, "True",
                      ferry_reason_name(FERRY_REASON_REMOTE_AGENT), text, now_ms);
}

/* Where a firewall knows connections by their state, those of a VM that moves there or from there
 * are not known on the other host. */
static void condition_connections(json_t *node, gint64 now_ms) {
  const char *name = ferry_json_str(node, "metadata.name");
  gboolean remote = g_strcmp0(ferry_json_str(node, "status.agent.mode"), "remote") == 0;
  const char *why = remote ? "it runs on another machine"
                           : ferry_json_str(node, "status.hypervisor.connectionsObstacle");
  if (!why) {
    ferry_condition_remove(node, FERRY_CONDITION_CONNECTIONS_NOT_CARRIED);
    return;
  }
  g_autofree char *text = g_strdup_printf(
      "the agent of %s can't carry along which connections of a VM are established (%s): where a "
      "host's firewall goes by that, they break when the VM moves",
      name, why);
  ferry_condition_set(node, FERRY_CONDITION_CONNECTIONS_NOT_CARRIED, "True",
                      ferry_reason_name(FERRY_REASON_CONNECTIONS_NOT_READABLE), text, now_ms);
}

/* Whether a report of less than all leaves open how things are on the host: the agent's session is
 * new, or it was silent, and what was stored before that is no evidence any more. */
static gboolean lacks_inventory(const json_t *node) {
  gint64 epoch = ferry_json_int(node, "status.agent.epoch", 0);
  gint64 known = ferry_json_int(node, "status.agent.inventoryEpoch", epoch);
  return epoch > 0 && (known != epoch || ferry_condition_is_unknown(node, FERRY_CONDITION_READY));
}

gboolean ferry_inventory_wants_all(FerryStore *store, const char *name) {
  g_autoptr(json_t) node = ferry_store_get(store, &ferry_kind_node, "", name);
  return lacks_inventory(node);
}

/* `libvirt_ok`: as the report says, TRUE where it says nothing. */
static void condition_ready(const FerryReport *r, json_t *node, const json_t *reported,
                            gboolean libvirt_ok, gboolean partial) {
  const char *why = ferry_json_str(reported, "connectionError");
  if (!libvirt_ok)
    ferry_condition_set(node, FERRY_CONDITION_READY, "False",
                        ferry_reason_name(FERRY_REASON_LIBVIRT_UNREACHABLE),
                        why ? why : "the agent has no connection to libvirtd", r->now_ms);
  else if ((reported || ferry_condition_is_unknown(node, FERRY_CONDITION_READY)) &&
           !(partial && !ferry_condition_holds(node, FERRY_CONDITION_READY)))
    ferry_condition_set(node, FERRY_CONDITION_READY, "True",
                        ferry_reason_name(FERRY_REASON_AGENT_REPORTS), "the agent reports",
                        r->now_ms);
}

/* `back` gets whether the host spoke no more before this. */
static void plan_node(FerryReport *r, FerryPlan *plan, const json_t *body, gboolean *back) {
  g_autoptr(json_t) stored = ferry_store_get(r->store, &ferry_kind_node, "", r->node);
  if (!stored || is_numbered_later(r, stored))
    return; /* made when the agent's session begins */
  const json_t *reported = json_object_get(body, "node");
  gboolean anew = json_object_get(reported, "hypervisor") ||
                  json_object_get(reported, "addresses") || json_object_get(reported, "interfaces");
  g_autoptr(json_t) node = anew ? json_deep_copy(stored) : json_copy(stored);
  take_fields(node, reported);
  ferry_inventory_note_left_out(plan, node, body, r->now_ms);
  if (anew) {
    g_autoptr(GPtrArray) nodes = ferry_store_list(r->store, &ferry_kind_node, NULL, NULL);
    g_autoptr(GPtrArray) networks = ferry_store_list(r->store, &ferry_kind_network, NULL, NULL);
    ferry_node_claims_apply(plan, node, stored, (json_t *const *)nodes->pdata, nodes->len,
                            (json_t *const *)networks->pdata, networks->len, r->now_ms);
    ferry_node_addresses_reduce(node);
    ferry_network_judge_node(node, (json_t *const *)networks->pdata, networks->len, r->now_ms,
                             plan);
  }
  complete_node_info(node);
  condition_unguarded(node, r->now_ms);
  condition_connections(node, r->now_ms);
  gboolean libvirt_ok = !reported || ferry_json_bool(reported, "connected", TRUE);
  gboolean whole = ferry_json_bool(body, "full", FALSE);
  gint64 epoch = ferry_json_int(node, "status.agent.epoch", 0);
  condition_ready(r, node, reported, libvirt_ok, epoch > 0 && !whole);
  gboolean more = !json_equal(stored, node);
  take_totals(node, reported);
  g_autofree char *now = ferry_rfc3339_format_ms(r->now_ms);
  if (whole || !libvirt_ok || !lacks_inventory(stored))
    ferry_json_set_str(node, "status.agent.lastReportTime", now);
  if (whole && epoch > 0)
    ferry_json_set_int(node, "status.agent.inventoryEpoch", epoch);
  if (json_object_get(body, "sequence"))
    ferry_json_set(node, "status.agent.reportSequence",
                   json_incref(json_object_get(body, "sequence")));
  json_t *ready = ferry_json_own_found(ferry_json_own(node, "status.conditions"), "type",
                                       ferry_condition_name(FERRY_CONDITION_READY));
  g_autofree char *seconds = ferry_rfc3339_format(r->now_ms);
  ferry_json_set_str(ready, "lastHeartbeatTime", seconds);
  gboolean is_ready = ferry_node_is_ready(node);
  *back = is_ready && judge_host(r, r->node) != FERRY_HOST_SPEAKS;
  if (g_strcmp0(ferry_condition_status(stored, FERRY_CONDITION_READY),
                ferry_condition_status(node, FERRY_CONDITION_READY)) != 0)
    ferry_plan_event(
        plan, node, libvirt_ok ? "Normal" : "Warning",
        ferry_reason_name(libvirt_ok ? FERRY_REASON_NODE_READY : FERRY_REASON_NODE_NOT_READY),
        libvirt_ok ? "the agent reports" : "libvirtd cannot be reached", r->now_ms);
  ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, g_steal_pointer(&node), !more);
}

static gboolean merge_node(FerryReport *r, const json_t *body, gboolean *back, GError **error) {
  for (guint i = 0;; i++) {
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    g_autoptr(GError) local = NULL;
    *back = FALSE;
    plan_node(r, plan, body, back);
    if (ferry_plan_commit(plan, r->store, &local))
      return TRUE;
    if (!ferry_error_came_between(local) || i == MAX_TRIES) {
      g_propagate_error(error, g_steal_pointer(&local));
      return FALSE;
    }
  }
}

/* ---- the whole ---- */

typedef struct {
  GArray *list;     /* FerryReported */
  GHashTable *seen; /* UUIDs, borrowed */
} Items;

static void items_clear(Items *items) {
  g_array_unref(items->list);
  g_hash_table_unref(items->seen);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Items, items_clear)

static void items_init(Items *items) {
  items->list = g_array_new(FALSE, FALSE, sizeof(FerryReported));
  items->seen = g_hash_table_new(g_str_hash, g_str_equal);
}

/* Each UUID once: what was said first counts. */
static void inventory_add_item(Items *items, const char *uuid, const json_t *record,
                               gboolean look) {
  FerryReported item = {uuid, record, look};
  if (g_hash_table_add(items->seen, (gpointer)uuid))
    g_array_append_val(items->list, item);
}

/* Of the VMs that the node has or had: which a full report leaves out, and which a host that is
 * back has its word on. */
static void add_others(const FerryReport *r, const json_t *body, const GPtrArray *vmis,
                       gboolean back, Items *items) {
  gboolean full = ferry_json_bool(body, "full", FALSE) && !ferry_inventory_has_nameless(body);
  gsize i;
  json_t *one;
  json_array_foreach(json_object_get(body, "present"), i, one)
      g_hash_table_add(items->seen, (gpointer)json_string_value(one));
  for (guint k = 0; k < vmis->len; k++) {
    const json_t *vmi = g_ptr_array_index(vmis, k);
    const char *uid = ferry_json_str(vmi, "metadata.uid");
    if (full && ferry_json_find(ferry_json_get(vmi, "status.domains"), "nodeName", r->node))
      inventory_add_item(items, uid, NULL, FALSE);
    else if (back && inventory_claimed(vmi) &&
             g_strcmp0(ferry_json_str(vmi, "status.nodeName"), r->node) == 0)
      inventory_add_item(items, uid, NULL, TRUE);
  }
}

/* Names that came or went concern the other VM of that name, too. */
static gboolean merge_looks(FerryReport *r, GError **error) {
  g_auto(Items) items;
  items_init(&items);
  g_autoptr(GPtrArray) uuids = g_steal_pointer(&r->look);
  r->look = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < uuids->len; i++)
    inventory_add_item(&items, g_ptr_array_index(uuids, i), NULL, TRUE);
  return merge_all(r, items.list, error);
}

/* Of a newer agent each report has them: the first one of its session is told of. A sequence is the
 * session's number and, in its lower half, the report's. */
static void warn_unknown(const char *node, const json_t *body, const GPtrArray *unknown) {
  gboolean first = (ferry_json_int(body, "sequence", 0) & G_MAXUINT32) <= 1;
  if (unknown->len && first)
    ferry_warning("the agent's reports have members that this ferryd does not know; they are left "
                  "out (said once for each session)",
                  "FERRY_NODE", node, "FERRY_FIELD", (char *)unknown->pdata[0]);
}

/* Whether this report or a newer one was merged before; `heard` gets when the node's last one was.
 */
static gboolean was_taken(const FerryReport *r, char **heard) {
  g_autoptr(json_t) node = ferry_store_get(r->store, &ferry_kind_node, "", r->node);
  *heard = g_strdup(ferry_json_str(node, "status.agent.lastReportTime"));
  return r->sequence > 0 && r->sequence <= ferry_json_int(node, "status.agent.reportSequence", 0);
}

/* A report whose domains could not be stored does not count: what is stored of them is as old as it
 * was, and the time in the Node is what tells that (ferry_node_was_heard). */
static void inventory_unstamp(const FerryReport *r, const char *heard) {
  g_autofree char *now = ferry_rfc3339_format_ms(r->now_ms);
  for (guint i = 0; i < MAX_TRIES; i++) {
    g_autoptr(json_t) stored = ferry_store_get(r->store, &ferry_kind_node, "", r->node);
    g_autoptr(GError) local = NULL;
    if (g_strcmp0(ferry_json_str(stored, "status.agent.lastReportTime"), now) != 0)
      return; /* a newer one's */
    g_autoptr(FerryPlan) plan = ferry_plan_new();
    json_t *node = ferry_json_copy_along(stored, "status.agent");
    ferry_json_set(node, "status.agent.lastReportTime", heard ? json_string(heard) : NULL);
    if (ferry_json_get(node, "status.agent.inventoryEpoch"))
      ferry_json_set_int(node, "status.agent.inventoryEpoch", 0);
    ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_node, node, TRUE);
    if (ferry_plan_commit(plan, r->store, &local) || !ferry_error_came_between(local))
      return;
  }
}

gboolean ferry_inventory_report(FerryStore *store, const char *node, const json_t *report,
                                gint64 now_ms, GError **error) {
  g_autoptr(GPtrArray) unknown = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(json_t) body = ferry_report_validate(report, unknown, error);
  if (!body)
    return FALSE;
  warn_unknown(node, body, unknown);
  g_auto(FerryReport) r;
  report_init(&r, store, node, now_ms);
  r.sequence = ferry_json_int(body, "sequence", 0);
  g_autofree char *heard = NULL;
  gboolean back = FALSE;
  if (was_taken(&r, &heard))
    return TRUE;
  if (!ferry_inventory_check_room(&r, body, error) || !merge_node(&r, body, &back, error))
    return FALSE;
  g_auto(Items) items;
  items_init(&items);
  g_autoptr(GPtrArray) vmis = NULL;
  gsize i;
  json_t *one;
  json_array_foreach(json_object_get(body, "domains"), i, one)
      inventory_add_item(&items, ferry_json_str(one, "uuid"), one, FALSE);
  /* what is left out is there all the same */
  json_array_foreach(json_object_get(body, "leftOut"), i, one) if (ferry_json_str(one, "uuid"))
      g_hash_table_add(items.seen, (gpointer)ferry_json_str(one, "uuid"));
  json_array_foreach(json_object_get(body, "removed"), i, one)
      inventory_add_item(&items, json_string_value(one), NULL, FALSE);
  if (back || ferry_json_bool(body, "full", FALSE)) {
    vmis = ferry_store_select(store, &ferry_kind_vmi, FERRY_BY_NODE, node);
    add_others(&r, body, vmis, back, &items);
  }
  if (merge_all(&r, items.list, error) && merge_looks(&r, error))
    return TRUE;
  inventory_unstamp(&r, heard);
  return FALSE;
}

gboolean ferry_inventory_forget_node(FerryStore *store, const char *node, gint64 now_ms,
                                     GError **error) {
  g_autoptr(json_t) nothing = json_pack("{sb}", "full", 1);
  return ferry_inventory_report(store, node, nothing, now_ms, error);
}
