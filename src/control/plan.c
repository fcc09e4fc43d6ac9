// SPDX-License-Identifier: Apache-2.0
#include "control/plan.h"
#include "base/random.h"
#include "base/rfc3339.h"

typedef struct {
  FerryWriteOp op;
  const FerryKind *kind;
  json_t *object;
  gboolean telemetry;
} Wanted;

struct FerryPlan {
  GArray *writes; /* of Wanted */
  gint64 wake_ms;
};

static void wanted_clear(gpointer p) {
  json_decref(((Wanted *)p)->object);
}

FerryPlan *ferry_plan_new(void) {
  FerryPlan *plan = g_new0(FerryPlan, 1);
  plan->writes = g_array_new(FALSE, FALSE, sizeof(Wanted));
  g_array_set_clear_func(plan->writes, wanted_clear);
  plan->wake_ms = G_MAXINT64;
  return plan;
}

void ferry_plan_free(FerryPlan *plan) {
  if (!plan)
    return;
  g_array_unref(plan->writes);
  g_free(plan);
}

void ferry_plan_write(FerryPlan *plan, FerryWriteOp op, const FerryKind *kind, json_t *object,
                      gboolean telemetry) {
  Wanted w = {op, kind, object, telemetry};
  g_array_append_val(plan->writes, w);
}

void ferry_plan_event(FerryPlan *plan, const json_t *about, const char *type, const char *reason,
                      const char *message, gint64 now_ms) {
  const char *name = ferry_json_str(about, "metadata.name");
  const char *ns = ferry_json_str(about, "metadata.namespace");
  g_autofree char *suffix = ferry_random_hex(8);
  g_autofree char *event_name = g_strdup_printf("%.200s.%s", name, suffix);
  g_autofree char *now = ferry_rfc3339_format(now_ms);
  g_autofree char *uid = ferry_random_uuid();
  /* kubectl looks for a node's events by the node's name in place of its uid */
  const char *about_uid = g_strcmp0(ferry_json_str(about, "kind"), ferry_kind_node.kind) == 0
                              ? name
                              : ferry_json_str(about, "metadata.uid");
  json_t *e = json_pack(
      "{ss,ss,s{ss,ss,ss,ss},s{ss?,ss?,ss?,ss?,ss?},ss,ss,ss,si,ss,ss,s{ss},ss,ss}", "apiVersion",
      "v1", "kind", "Event", "metadata", "name", event_name, "namespace",
      ns && *ns ? ns : "default", "uid", uid, "creationTimestamp", now, "involvedObject",
      "apiVersion", ferry_json_str(about, "apiVersion"), "kind", ferry_json_str(about, "kind"),
      "name", name, "namespace", ns, "uid", about_uid, "reason", reason, "message", message, "type",
      type, "count", 1, "firstTimestamp", now, "lastTimestamp", now, "source", "component",
      "ferryd", "reportingComponent", "ferryd", "reportingInstance", "");
  json_t *involved = json_object_get(e, "involvedObject");
  if (!ns || !*ns)
    json_object_del(involved, "namespace");
  ferry_plan_write(plan, FERRY_WRITE_CREATE, &ferry_kind_event, e, FALSE);
}

void ferry_plan_wake(FerryPlan *plan, gint64 when_ms) {
  plan->wake_ms = MIN(plan->wake_ms, when_ms);
}

gint64 ferry_plan_wake_time(const FerryPlan *plan) {
  return plan->wake_ms;
}

gboolean ferry_plan_is_empty(const FerryPlan *plan) {
  return plan->writes->len == 0;
}

gboolean ferry_plan_is_light(const FerryPlan *plan) {
  for (guint i = 0; i < plan->writes->len; i++)
    if (!g_array_index(plan->writes, Wanted, i).telemetry)
      return FALSE;
  return plan->writes->len > 0;
}

gboolean ferry_plan_commit(const FerryPlan *plan, FerryStore *store, GError **error) {
  if (plan->writes->len == 0)
    return TRUE;
  g_autofree FerryWrite *writes = g_new0(FerryWrite, plan->writes->len);
  for (guint i = 0; i < plan->writes->len; i++) {
    const Wanted *w = &g_array_index(plan->writes, Wanted, i);
    const char *ns = ferry_json_str(w->object, "metadata.namespace");
    const char *revision = ferry_json_str(w->object, "metadata.resourceVersion");
    writes[i] = (FerryWrite){
        .op = w->op,
        .kind = w->kind,
        .ns = ns && w->kind->namespaced ? ns : "",
        .name = ferry_json_str(w->object, "metadata.name"),
        .object = w->object,
        .revision =
            w->op == FERRY_WRITE_CREATE || !revision ? 0 : g_ascii_strtoll(revision, NULL, 10),
        .telemetry = w->telemetry,
        /* an event goes by itself when its hour is over */
        .in_namespace = w->kind->namespaced && w->kind != &ferry_kind_event,
    };
  }
  return ferry_store_commit(store, writes, plan->writes->len, NULL, error);
}
