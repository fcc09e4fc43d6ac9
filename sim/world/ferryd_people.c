// SPDX-License-Identifier: Apache-2.0
// What the API does with people's requests, as src/api/resource does: admission.c, delete.c,
// change.c.
#include "base/random.h"
#include "base/rfc3339.h"
#include "model/field/object_meta.h"
#include "model/migration/migration.h"
#include "model/validate/validate.h"
#include "policy/migration_admission.h"
#include "sim/world/ferryd_api.h"

#define NS "default"
#define ME "ann"
#define MAX_TRIES 50

/* What is asked of a stored migration: the object as it becomes (new reference), or NULL with an
 * error. */
typedef json_t *(*PeopleWish)(const json_t *old, gconstpointer data, GError **error);

static gboolean people_conflict(GError **error, const char *why) {
  g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_CONFLICT, why);
  return FALSE;
}

/* FALSE: `again` says whether somebody else was faster. */
static gboolean change_once(FerryWorldFerryd *f, const char *name, PeopleWish wish,
                            gconstpointer data, gboolean *again, GError **error) {
  g_autoptr(GError) problem = NULL;
  *again = FALSE;
  g_autoptr(json_t) old = ferry_store_get(f->store, &ferry_kind_vmim, NS, name);
  if (!old) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND, "\"%s\" not found", name);
    return FALSE;
  }
  g_autoptr(json_t) object = wish(old, data, error);
  if (!object)
    return FALSE;
  gboolean gone = ferry_json_get(object, "metadata.deletionTimestamp") &&
                  json_array_size(ferry_json_get(object, "metadata.finalizers")) == 0;
  if (ferry_ferryd_commit(f, gone ? FERRY_WRITE_DELETE : FERRY_WRITE_UPDATE, &ferry_kind_vmim, NS,
                          old, object, FALSE, &problem))
    return TRUE;
  *again = ferry_ferryd_is_conflict(problem);
  g_propagate_error(error, g_steal_pointer(&problem));
  return FALSE;
}

static gboolean change_object(FerryWorldFerryd *f, const char *name, PeopleWish wish,
                              gconstpointer data, GError **error) {
  FerryWorldVisit visit;
  g_autoptr(GError) problem = NULL;
  gboolean ok = FALSE, again = TRUE;
  if (!ferry_ferryd_enter(f, &visit, error))
    return FALSE;
  for (guint i = 0; !ok && again && i < MAX_TRIES && !visit.process->dead; i++) {
    g_clear_error(&problem);
    ok = change_once(f, name, wish, data, &again, &problem);
  }
  if (!ferry_ferryd_leave(&visit, error))
    return FALSE;
  if (!ok)
    g_propagate_error(error, g_steal_pointer(&problem));
  return ok;
}

/* ---- migrate ---- */

static json_t *people_new_migration(const char *name, const json_t *spec, GError **error) {
  g_autofree char *uid = ferry_random_uuid();
  g_autofree char *now = ferry_rfc3339_format(ferry_ferryd_now());
  g_autoptr(json_t) draft = json_pack("{s:s, s:s, s:{s:s, s:s}, s:O}", "apiVersion",
                                      "kubevirt.io/v1", "kind", "VirtualMachineInstanceMigration",
                                      "metadata", "name", name, "namespace", NS, "spec", spec);
  json_t *object = ferry_validate(&ferry_kind_vmim, draft, NULL, FERRY_UNKNOWN_STRICT, NULL, error);
  if (!object)
    return NULL;
  ferry_apply_defaults(&ferry_kind_vmim, object);
  ferry_json_set_str(object, "metadata.uid", uid);
  ferry_json_set_str(object, "metadata.creationTimestamp", now);
  ferry_json_set_int(object, "metadata.generation", 1);
  return object;
}

static gboolean people_admit(FerryWorldFerryd *f, json_t *object, GError **error) {
  g_autoptr(GPtrArray) vmis = ferry_store_list(f->store, &ferry_kind_vmi, NULL, NULL);
  g_autoptr(GPtrArray) nodes = ferry_store_list(f->store, &ferry_kind_node, NULL, NULL);
  g_autoptr(GPtrArray) migrations = ferry_store_list(f->store, &ferry_kind_vmim, NULL, NULL);
  g_autoptr(json_t) kubevirt =
      ferry_store_get(f->store, &ferry_kind_kubevirt, "kubevirt", "kubevirt");
  FerryAdmissionState state = {.vmis = (json_t *const *)vmis->pdata,
                               .n_vmis = vmis->len,
                               .nodes = (json_t *const *)nodes->pdata,
                               .n_nodes = nodes->len,
                               .migrations = (json_t *const *)migrations->pdata,
                               .n_migrations = migrations->len,
                               .kubevirt = kubevirt,
                               .sees_all = TRUE};
  if (!ferry_admission_check(&state, object, error))
    return FALSE;
  const json_t *vmi = ferry_admission_find_vmi(&state, NS, ferry_json_str(object, "spec.vmiName"));
  ferry_json_set_str(object, "spec.vmiName", ferry_json_str(vmi, "metadata.name"));
  ferry_object_add_finalizer(object, FERRY_MIGRATION_FINALIZER);
  json_object_set_new(
      object, "status",
      ferry_migration_status_new(ferry_json_str(object, "metadata.creationTimestamp")));
  return TRUE;
}

gboolean ferry_ferryd_migrate(FerryWorldFerryd *f, const char *name, const json_t *spec,
                              GError **error) {
  FerryWorldVisit visit;
  if (!ferry_ferryd_enter(f, &visit, error))
    return FALSE;
  g_mutex_lock(&f->admission);
  g_autoptr(json_t) object = people_new_migration(name, spec, error);
  gboolean ok =
      object && people_admit(f, object, error) &&
      ferry_ferryd_commit(f, FERRY_WRITE_CREATE, &ferry_kind_vmim, NS, NULL, object, FALSE, error);
  g_mutex_unlock(&f->admission);
  return ferry_ferryd_leave(&visit, ok ? error : NULL) && ok;
}

/* ---- cancel, delete, change ---- */

static json_t *abort_asked(const json_t *old) {
  json_t *object = ferry_json_copy_along(old, "status.migrationState");
  ferry_json_set_bool(object, "status.migrationState.abortRequested", TRUE);
  ferry_json_set_str(object, "status.migrationState.abortRequestedBy", ME);
  return object;
}

static json_t *wish_cancel(const json_t *old, gconstpointer data, GError **error) {
  if (ferry_migration_is_final(old) || ferry_mode_of(old) == FERRY_MODE_POST_COPY) {
    people_conflict(error, "it cannot be cancelled any more");
    return NULL;
  }
  return abort_asked(old);
}

gboolean ferry_ferryd_cancel(FerryWorldFerryd *f, const char *name, GError **error) {
  return change_object(f, name, wish_cancel, NULL, error);
}

static json_t *wish_delete(const json_t *old, gconstpointer data, GError **error) {
  gboolean ended = ferry_migration_is_final(old);
  json_t *object =
      ended || ferry_mode_of(old) == FERRY_MODE_POST_COPY ? json_deep_copy(old) : abort_asked(old);
  json_t *copy = json_deep_copy(object);
  json_decref(object);
  g_autofree char *now = ferry_rfc3339_format(ferry_ferryd_now());
  if (!ferry_json_get(copy, "metadata.deletionTimestamp"))
    ferry_json_set_str(copy, "metadata.deletionTimestamp", now);
  if (ended)
    ferry_object_drop_finalizer(copy, FERRY_MIGRATION_FINALIZER);
  return copy;
}

gboolean ferry_ferryd_delete(FerryWorldFerryd *f, const char *name, GError **error) {
  return change_object(f, name, wish_delete, NULL, error);
}

static json_t *wish_change(const json_t *old, gconstpointer data, GError **error) {
  FerryPhase phase = ferry_phase_of(old);
  const json_t *fields = data;
  if (ferry_migration_is_final(old) || ferry_phase_is_waiting(phase) ||
      ferry_json_bool(old, "status.migrationState.abortRequested", FALSE) ||
      ferry_migration_change_obstacle(
          fields, ferry_mode_of(old) == FERRY_MODE_POST_COPY,
          ferry_json_bool(old, "status.migrationState.migrationConfiguration.allowPostCopy",
                          FALSE))) {
    people_conflict(error, "nothing is in progress that could be changed");
    return NULL;
  }
  json_t *object = json_deep_copy(old);
  json_t *list = ferry_json_get(object, "status.changes");
  if (!list)
    ferry_json_set(object, "status.changes", list = json_array());
  g_autofree char *id = g_strdup_printf("%zu", json_array_size(list) + 1);
  g_autofree char *now = ferry_rfc3339_format_ms(ferry_ferryd_now());
  json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:O, s:s}", "id", id, "by", ME, "time",
                                        now, "fields", fields, "state",
                                        ferry_change_state_name(FERRY_CHANGE_REQUESTED)));
  return object;
}

gboolean ferry_ferryd_change(FerryWorldFerryd *f, const char *name, json_t *fields,
                             GError **error) {
  g_autoptr(json_t) owned = fields;
  return change_object(f, name, wish_change, owned, error);
}

/* ---- the cluster ---- */

void ferry_ferryd_configure(FerryWorldFerryd *f, json_t *config) {
  static const char *const namespaces[] = {"kubevirt", NS};
  FerryWorldVisit visit;
  g_autoptr(GError) error = NULL;
  if (!ferry_ferryd_enter(f, &visit, &error)) {
    json_decref(config);
    return;
  }
  for (gsize i = 0; i < G_N_ELEMENTS(namespaces); i++) {
    g_autoptr(json_t) ns =
        json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", "v1", "kind", "Namespace", "metadata",
                  "name", namespaces[i], "uid", namespaces[i]);
    ferry_ferryd_commit(f, FERRY_WRITE_CREATE, &ferry_kind_namespace, "", NULL, ns, FALSE, NULL);
  }
  g_autoptr(json_t) kubevirt =
      json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:{s:{s:o}}}", "apiVersion", "kubevirt.io/v1",
                "kind", "KubeVirt", "metadata", "name", "kubevirt", "namespace", "kubevirt", "uid",
                "kubevirt", "spec", "configuration", "migrations", config);
  ferry_ferryd_commit(f, FERRY_WRITE_CREATE, &ferry_kind_kubevirt, "kubevirt", NULL, kubevirt,
                      FALSE, NULL);
  ferry_ferryd_leave(&visit, &error);
}
