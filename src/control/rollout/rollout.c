// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a step reads status.hosts, takes each host that is under way one row further
// (rollout_host.c), begins with more of those that are Queued, and writes all of that at once. The
// hosts are chosen in the first step: those of the selector that no other rollout has, which is
// decided here and not when the rollout is taken, as steps come one after the other. How much one
// step begins or taints is bounded: its own write wakes the loop, which goes on with the rest.
#include "control/rollout/rollout.h"
#include "base/rfc3339.h"
#include "control/conditions.h"
#include "control/rollout/rollout_host.h"
#include "model/field/object_meta.h"
#include "model/listing/selector.h"
#include "model/migration/reasons.h"
#include "policy/placement.h"

static FerryPhase phase_of_host(const json_t *entry) {
  return ferry_phase_parse(ferry_json_str(entry, "phase"));
}

/* ---- the beginning ---- */

/* The hosts by name, each Queued, without those that another one has: two that were asked for at
 * once know nothing of each other when they are taken, and their first steps come one by one. */
static json_t *choose_hosts(FerryStore *store, const json_t *rollout) {
  const char *own = ferry_json_str(rollout, "metadata.name");
  g_autoptr(GPtrArray) all = ferry_store_list(store, &ferry_kind_rollout, NULL, NULL);
  g_autoptr(FerrySelector) selector =
      ferry_selector_parse_labels(ferry_json_str(rollout, "spec.selector"), NULL);
  g_autoptr(GPtrArray) nodes = ferry_store_list(store, &ferry_kind_node, NULL, NULL);
  json_t *hosts = json_array();
  for (guint i = 0; i < nodes->len; i++)
    if (ferry_selector_matches(selector, nodes->pdata[i]) &&
        !ferry_rollout_of_host((json_t *const *)all->pdata, all->len, own,
                               ferry_json_str(nodes->pdata[i], "metadata.name")))
      json_array_append_new(hosts, json_pack("{s:O, s:s}", "nodeName",
                                             ferry_json_get(nodes->pdata[i], "metadata.name"),
                                             "phase", ferry_phase_name(FERRY_PHASE_QUEUED)));
  return hosts;
}

/* ---- whose turn it is ---- */

typedef struct {
  json_t *entry; /* borrowed */
  gboolean ready;
  guint vms;
} Turn;

/* One that answers before one that does not, then the one with the fewest VMs: a host without any
 * is done first, and has room for the next one's. Of two alike the first by name (the sort is
 * stable). */
static gint turn_order(gconstpointer a, gconstpointer b, gpointer unused) {
  const Turn *x = a, *y = b;
  if (x->ready != y->ready)
    return x->ready ? -1 : 1;
  return (x->vms > y->vms) - (x->vms < y->vms);
}

static GArray *turns_of(const FerryRolloutStep *s, const json_t *hosts) {
  GArray *turns = g_array_new(FALSE, FALSE, sizeof(Turn));
  gsize i;
  json_t *entry;
  json_array_foreach((json_t *)hosts, i, entry) {
    if (phase_of_host(entry) != FERRY_PHASE_QUEUED)
      continue;
    const char *name = ferry_json_str(entry, "nodeName");
    g_autoptr(json_t) node = ferry_store_get(s->store, &ferry_kind_node, "", name);
    Turn turn = {entry, ferry_node_is_ready(node), ferry_rollout_host_vms(s->store, name)};
    g_array_append_val(turns, turn);
  }
  g_array_sort_with_data(turns, turn_order, NULL);
  return turns;
}

static gint64 hosts_under_way(const json_t *hosts) {
  gint64 n = 0;
  gsize i;
  json_t *entry;
  json_array_foreach((json_t *)hosts, i, entry) n +=
      ferry_rollout_is_under_way(phase_of_host(entry));
  return n;
}

/* FERRY_ROLLOUT_BEGINS at a time; its own write wakes the loop for the rest. */
static void begin_hosts(const FerryRolloutStep *s, json_t *hosts) {
  gint64 max = ferry_json_int(s->rollout, "spec.maxUnavailable", 1);
  gint64 under_way = hosts_under_way(hosts);
  if (s->paused || under_way >= max)
    return;
  g_autoptr(GArray) turns = turns_of(s, hosts);
  for (guint i = 0; i < turns->len && i < FERRY_ROLLOUT_BEGINS && under_way < max; i++) {
    json_t *entry = g_array_index(turns, Turn, i).entry;
    ferry_rollout_host_begin(s, entry);
    under_way += ferry_rollout_is_under_way(phase_of_host(entry));
  }
}

/* Those that wait for their turn get the taint; FERRY_ROLLOUT_TAINTS at a time. */
static void avoid_queued(const FerryRolloutStep *s, json_t *hosts) {
  guint n = 0;
  gsize i;
  json_t *entry;
  json_array_foreach(hosts, i, entry) {
    if (n == FERRY_ROLLOUT_TAINTS)
      return; /* its own write wakes the loop */
    if (phase_of_host(entry) != FERRY_PHASE_QUEUED || ferry_json_bool(entry, "avoided", FALSE))
      continue;
    n += ferry_rollout_host_avoid(s, ferry_json_str(entry, "nodeName"), TRUE);
    ferry_json_set_bool(entry, "avoided", TRUE);
  }
}

/* ---- what is told ---- */

static guint count_hosts(const json_t *hosts, FerryPhase phase) {
  guint n = 0;
  gsize i;
  json_t *entry;
  json_array_foreach((json_t *)hosts, i, entry) n += phase_of_host(entry) == phase;
  return n;
}

/* "h1: Empty, h2: Emptying", and of those that are Blocked why, too. */
static char *list_hosts(const json_t *hosts, gboolean blocked) {
  GString *text = g_string_new(NULL);
  gsize i;
  json_t *entry;
  json_array_foreach((json_t *)hosts, i, entry) {
    FerryPhase phase = phase_of_host(entry);
    if (blocked ? phase != FERRY_PHASE_BLOCKED : !ferry_rollout_is_under_way(phase))
      continue;
    const char *what = ferry_json_str(entry, blocked ? "message" : "phase");
    g_string_append_printf(text, "%s%s: %s", text->len ? ", " : "",
                           ferry_json_str(entry, "nodeName"), what ? what : "?");
  }
  return g_string_free(text, FALSE);
}

static void tell_blocked(const FerryRolloutStep *s, json_t *copy, const json_t *hosts) {
  g_autofree char *text = list_hosts(hosts, TRUE);
  gboolean before = ferry_condition_holds(copy, FERRY_CONDITION_HOST_BLOCKED);
  if (!*text) {
    ferry_condition_remove(copy, FERRY_CONDITION_HOST_BLOCKED);
    return;
  }
  const char *reason = ferry_reason_name(FERRY_REASON_HOST_NOT_EMPTY);
  ferry_condition_set(copy, FERRY_CONDITION_HOST_BLOCKED, "True", reason, text, s->now_ms);
  if (!before)
    ferry_plan_event(s->plan, copy, "Warning", reason, text, s->now_ms);
}

static void rollout_finish(const FerryRolloutStep *s, json_t *copy, guint done, guint lost) {
  gboolean none = done + lost == 0, failed = none || lost > 0;
  FerryReason reason = failed ? FERRY_REASON_HOSTS_LOST : FERRY_REASON_ROLLED_OUT;
  g_autofree char *text =
      none   ? g_strdup("no host is left for it: other rollouts have them, or they are gone")
      : lost ? g_strdup_printf("%u hosts are done, %u are not there any more", done, lost)
             : g_strdup_printf("%u hosts are done", done);
  ferry_json_set_str(copy, "status.phase",
                     ferry_phase_name(failed ? FERRY_PHASE_FAILED : FERRY_PHASE_SUCCEEDED));
  ferry_condition_set(copy, FERRY_CONDITION_COMPLETE, failed ? "False" : "True",
                      ferry_reason_name(reason), text, s->now_ms);
  ferry_plan_event(s->plan, copy, failed ? "Warning" : "Normal", ferry_reason_name(reason), text,
                   s->now_ms);
}

static void rollout_count(const FerryRolloutStep *s, json_t *copy, const json_t *hosts) {
  guint total = (guint)json_array_size(hosts), done = count_hosts(hosts, FERRY_PHASE_SUCCEEDED);
  guint lost = count_hosts(hosts, FERRY_PHASE_FAILED);
  g_autofree char *current = list_hosts(hosts, FALSE);
  ferry_json_set_int(copy, "status.total", total);
  ferry_json_set_int(copy, "status.done", done);
  ferry_json_set_int(copy, "status.failed", lost);
  if (*current)
    ferry_json_set(copy, "status.current", ferry_json_text(current));
  else
    json_object_del(json_object_get(copy, "status"), "current");
  tell_blocked(s, copy, hosts);
  if (done + lost == total)
    rollout_finish(s, copy, done, lost);
  else
    ferry_json_set_str(copy, "status.phase",
                       ferry_phase_name(s->paused ? FERRY_PHASE_PAUSED : FERRY_PHASE_RUNNING));
}

/* ---- the rollout ---- */

static void rollout_live(const FerryRolloutStep *s, json_t *copy) {
  json_t *hosts = ferry_json_get(copy, "status.hosts"), *entry;
  gsize i;
  if (!hosts) {
    hosts = choose_hosts(s->store, copy);
    ferry_json_set(copy, "status.hosts", hosts);
  }
  json_array_foreach(hosts, i, entry) {
    if (ferry_rollout_is_under_way(phase_of_host(entry)))
      ferry_rollout_host_step(s, entry);
  }
  begin_hosts(s, hosts);
  avoid_queued(s, hosts);
  rollout_count(s, copy, hosts);
}

/* Whether nothing of it is left on its hosts but their cordons. */
static gboolean rollout_take_back(const FerryRolloutStep *s, json_t *hosts) {
  guint n = 0;
  gsize i;
  json_t *entry;
  json_array_foreach(hosts, i, entry) {
    if (n == FERRY_ROLLOUT_TAINTS)
      return FALSE;
    if (!ferry_json_bool(entry, "avoided", FALSE))
      continue;
    n += ferry_rollout_host_avoid(s, ferry_json_str(entry, "nodeName"), FALSE);
    json_object_del(entry, "avoided");
  }
  json_array_foreach(hosts, i, entry) {
    if (ferry_rollout_is_under_way(phase_of_host(entry)))
      ferry_rollout_host_end_evacuation(s, entry);
  }
  return TRUE;
}

static void rollout_deleted(const FerryRolloutStep *s, json_t *copy) {
  if (!ferry_object_has_finalizer(copy, FERRY_ROLLOUT_FINALIZER))
    return; /* others keep it */
  json_t *hosts = ferry_json_get(copy, "status.hosts");
  gboolean over = rollout_take_back(s, hosts);
  if (over) {
    g_autofree char *left = list_hosts(hosts, FALSE);
    if (*left) {
      g_autofree char *text = g_strdup_printf("it was deleted; still cordoned: %s", left);
      ferry_plan_event(s->plan, copy, "Warning", ferry_reason_name(FERRY_REASON_ROLLOUT_ENDED),
                       text, s->now_ms);
    }
    ferry_object_drop_finalizer(copy, FERRY_ROLLOUT_FINALIZER);
  }
  gboolean gone = over && json_array_size(ferry_json_get(copy, "metadata.finalizers")) == 0;
  ferry_plan_write(s->plan, gone ? FERRY_WRITE_DELETE : FERRY_WRITE_UPDATE, &ferry_kind_rollout,
                   json_incref(copy), FALSE);
}

void ferry_rollout_step(FerryStore *store, const json_t *rollout, gint64 now_ms, FerryPlan *plan) {
  gboolean deleted = ferry_json_get(rollout, "metadata.deletionTimestamp") != NULL;
  if (!deleted && ferry_rollout_is_final(rollout))
    return;
  g_autoptr(json_t) copy = json_deep_copy(rollout);
  FerryRolloutStep s = {.store = store,
                        .name = ferry_json_str(rollout, "metadata.name"),
                        .rollout = rollout,
                        .now_ms = now_ms,
                        .paused = ferry_json_bool(rollout, "spec.paused", FALSE),
                        .plan = plan};
  if (deleted) {
    rollout_deleted(&s, copy);
    return;
  }
  rollout_live(&s, copy);
  if (!json_equal(copy, (json_t *)rollout))
    ferry_plan_write(plan, FERRY_WRITE_UPDATE, &ferry_kind_rollout, json_incref(copy), FALSE);
}
