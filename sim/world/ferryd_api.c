// SPDX-License-Identifier: Apache-2.0
// What the API does with an agent's requests, by the same rules and in the same order as
// src/api/resource/write.c and src/api/auth/node_join.c.
#include "sim/world/ferryd_api.h"
#include "base/patch/patch.h"
#include "base/random.h"
#include "base/rfc3339.h"
#include "control/inventory.h"
#include "model/agents/agent_rules.h"
#include "model/field/object_meta.h"
#include "model/migration/migration.h"
#include "model/validate/validate.h"

#define MAX_TRIES 50

/* Of an object that was read; 0: of none. */
static gint64 read_revision(const json_t *old) {
  const char *text = ferry_json_str(old, "metadata.resourceVersion");
  return text ? g_ascii_strtoll(text, NULL, 10) : 0;
}

gint64 ferry_ferryd_now(void) {
  return ferry_clock_wall_ms(ferry_clock_system());
}

gboolean ferry_ferryd_enter(FerryWorldFerryd *f, FerryWorldVisit *visit, GError **error) {
  if (!ferry_ferryd_serves(f)) {
    g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "ferryd cannot be reached");
    return FALSE;
  }
  *visit = (FerryWorldVisit){f, f->process, ferry_fiber_become(f->process)};
  f->inside++;
  return TRUE;
}

gboolean ferry_ferryd_leave(const FerryWorldVisit *visit, GError **error) {
  FerryWorldFerryd *f = visit->ferryd;
  gboolean answered = !visit->process->dead;
  ferry_fiber_become(visit->caller);
  f->inside--;
  ferry_fiber_wake(&f->inside, TRUE);
  if (!answered && error) {
    g_clear_error(error);
    g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
                        "ferryd went away before it answered");
  }
  return answered;
}

static gint64 epoch_of(FerryWorldFerryd *f, const char *node) {
  g_autoptr(json_t) object = ferry_store_get(f->store, &ferry_kind_node, "", node);
  return ferry_json_int(object, "status.agent.epoch", -1);
}

gboolean ferry_ferryd_commit(FerryWorldFerryd *f, FerryWriteOp op, const FerryKind *kind,
                             const char *ns, const json_t *old, json_t *object, gboolean telemetry,
                             GError **error) {
  FerryWrite write = {.op = op,
                      .kind = kind,
                      .ns = ns,
                      .name = ferry_json_str(object, "metadata.name"),
                      .object = object,
                      .revision = op == FERRY_WRITE_CREATE ? 0 : read_revision(old),
                      .telemetry = telemetry,
                      .in_namespace = op == FERRY_WRITE_CREATE && kind->namespaced};
  return ferry_store_commit(f->store, &write, 1, NULL, error);
}

gboolean ferry_ferryd_is_conflict(const GError *error) {
  return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_CONFLICT) ||
         g_error_matches(error, FERRY_ERROR, FERRY_ERROR_ALREADY_EXISTS);
}

/* ---- sessions and reports ---- */

static gboolean raise_node_epoch(FerryWorldFerryd *f, const char *node, gint64 *epoch,
                                 GError **error) {
  for (guint i = 0;; i++) {
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) old = ferry_store_get(f->store, &ferry_kind_node, "", node);
    g_autofree char *now = ferry_rfc3339_format(ferry_ferryd_now());
    g_autofree char *uid = ferry_random_uuid();
    g_autoptr(json_t) object =
        old ? ferry_json_copy_along(old, "status.agent")
            : json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:{}, s:{}}", "apiVersion", "v1", "kind",
                        "Node", "metadata", "name", node, "uid", uid, "creationTimestamp", now,
                        "spec", "status");
    *epoch = old ? ferry_json_int(old, "status.agent.epoch", 0) + 1
                 : MAX(ferry_store_revision(f->store), 1);
    ferry_json_set_int(object, "status.agent.epoch", *epoch);
    ferry_json_set_str(object, "status.agent.connectedAt", now);
    if (ferry_ferryd_commit(f, old ? FERRY_WRITE_UPDATE : FERRY_WRITE_CREATE, &ferry_kind_node, "",
                            old, object, FALSE, &problem))
      return TRUE;
    if (!ferry_ferryd_is_conflict(problem) || i == MAX_TRIES) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return FALSE;
    }
  }
}

json_t *ferry_ferryd_session(FerryWorldFerryd *f, const char *node, FerryWorldProcess *agent,
                             const json_t *body, GError **error) {
  FerryWorldVisit visit;
  gint64 epoch = 0;
  if (!ferry_ferryd_enter(f, &visit, error))
    return NULL;
  g_mutex_lock(&f->sessions);
  gboolean ok = raise_node_epoch(f, node, &epoch, error);
  if (ok && !visit.process->dead)
    g_hash_table_replace(f->served, g_strdup(node), agent);
  g_mutex_unlock(&f->sessions);
  return ferry_ferryd_leave(&visit, error) && ok ? json_pack("{s:I}", "epoch", (json_int_t)epoch)
                                                 : NULL;
}

static gboolean session_is_current(FerryWorldFerryd *f, const char *node, gint64 epoch,
                                   GError **error) {
  gint64 current = epoch_of(f, node);
  if (epoch == current || !f->fences)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
              "stale agent epoch: the request has %" G_GINT64_FORMAT ", node %s is at "
              "%" G_GINT64_FORMAT,
              epoch, node, current);
  return FALSE;
}

/* A session that another one has taken the place of may write nothing any more. */
static void judge_writer(FerryWorldFerryd *f, const char *node, const FerryWorldProcess *agent) {
  if (agent && g_hash_table_lookup(f->served, node) != agent)
    f->broken = "a write of an agent whose session another one has taken over was accepted";
}

json_t *ferry_ferryd_report(FerryWorldFerryd *f, const char *node, FerryWorldProcess *agent,
                            const json_t *body, GError **error) {
  FerryWorldVisit visit;
  if (!ferry_ferryd_enter(f, &visit, error))
    return NULL;
  g_mutex_lock(&f->sessions);
  gboolean ok = session_is_current(f, node, ferry_json_int(body, "epoch", -1), error) &&
                ferry_inventory_report(f->store, node, body, ferry_ferryd_now(), error);
  if (ok)
    judge_writer(f, node, agent);
  g_mutex_unlock(&f->sessions);
  json_t *answer = json_pack("{s:b}", "wantsAll", ferry_inventory_wants_all(f->store, node));
  if (ferry_ferryd_leave(&visit, error) && ok)
    return answer;
  json_decref(answer);
  return NULL;
}

json_t *ferry_ferryd_node(FerryWorldFerryd *f, const char *name, GError **error) {
  FerryWorldVisit visit;
  if (!ferry_ferryd_enter(f, &visit, error))
    return NULL;
  g_autoptr(json_t) node = ferry_store_get(f->store, &ferry_kind_node, "", name);
  if (!node)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND, "nodes \"%s\" not found", name);
  return ferry_ferryd_leave(&visit, error) ? g_steal_pointer(&node) : NULL;
}

/* ---- status ---- */

static json_t *ferryd_api_patched(const FerryWorldPatch *p, const json_t *old, GError **error) {
  g_autoptr(json_t) draft = p->strategic
                                ? ferry_patch_strategic(old, p->patch, ferry_kind_merge_key,
                                                        (gpointer)&ferry_kind_vmim, error)
                                : ferry_patch_merge(old, p->patch);
  if (!draft)
    return NULL;
  g_autoptr(json_t) whole = json_copy((json_t *)old); /* validation makes its own of it */
  json_object_set(whole, "status", json_object_get(draft, "status"));
  return ferry_validate(&ferry_kind_vmim, whole, old, FERRY_UNKNOWN_IGNORE, NULL, error);
}

static gboolean may_patch(FerryWorldFerryd *f, const FerryWorldPatch *p, const json_t *old,
                          json_t *object, GError **error) {
  if (ferry_migration_is_final(old) && !ferry_migration_is_final(object)) {
    g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                        "the migration has ended and stays so");
    return FALSE;
  }
  ferry_agent_rules_settle_times(old, object, ferry_ferryd_now());
  FerryAgentWrite write = {old, object, p->node, p->epoch};
  return ferry_agent_rules_check(&write, error) && session_is_current(f, p->node, p->epoch, error);
}

static gboolean patch_once(FerryWorldFerryd *f, const FerryWorldPatch *p, gboolean *again,
                           GError **error) {
  *again = FALSE;
  g_autoptr(json_t) old = ferry_store_get(f->store, &ferry_kind_vmim, p->ns, p->name);
  if (!old) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND, "migration \"%s\" not found", p->name);
    return FALSE;
  }
  g_autoptr(json_t) object = ferryd_api_patched(p, old, error);
  if (!object || !may_patch(f, p, old, object, error))
    return FALSE;
  g_autoptr(GError) problem = NULL;
  if (ferry_ferryd_commit(f, FERRY_WRITE_UPDATE, &ferry_kind_vmim, p->ns, old, object, p->telemetry,
                          &problem))
    return TRUE;
  *again = ferry_ferryd_is_conflict(problem);
  g_propagate_error(error, g_steal_pointer(&problem));
  return FALSE;
}

json_t *ferry_ferryd_patch(FerryWorldFerryd *f, const FerryWorldPatch *p, GError **error) {
  FerryWorldVisit visit;
  gboolean ok = FALSE, again = TRUE;
  if (!ferry_ferryd_enter(f, &visit, error))
    return NULL;
  g_mutex_lock(&f->sessions);
  for (guint i = 0; !ok && again && i < MAX_TRIES && !visit.process->dead; i++) {
    g_clear_error(error);
    ok = patch_once(f, p, &again, error);
  }
  if (ok)
    judge_writer(f, p->node, p->agent);
  else if (!*error)
    g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "ferryd is gone");
  g_mutex_unlock(&f->sessions);
  return ferry_ferryd_leave(&visit, error) && ok ? json_object() : NULL;
}
