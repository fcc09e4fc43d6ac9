// SPDX-License-Identifier: Apache-2.0
// Theory of operation: every change of a stored object is one loop: read, change, put back what
// clients may not change, validate, admit, commit against the revision that was read; again when
// somebody else was faster and the client named no revision of its own. Nothing is written unless
// all of it passed.
#include "api/resource/write.h"
#include "api/resource/apply.h"
#include "api/auth/audit.h"
#include "api/auth/authz.h"
#include "api/http/negotiate.h"
#include "api/http/query.h"
#include "api/http/respond.h"
#include "api/lookup/find.h"
#include "api/resource/admission.h"
#include "api/resource/end.h"
#include "api/rights/field_rights.h"
#include "api/resource/patch.h"
#include "api/resource/stored_words.h"
#include "api/resource/tuning.h"
#include "api/resource/write_options.h"
#include "model/field/object_meta.h"
#include "api/rights/node_restriction.h"
#include "base/random.h"
#include "base/rfc3339.h"
#include "model/validate/validate.h"
#include "control/write_warnings.h"

#include <string.h>

/* apiVersion, kind, name and namespace of `object` against the URL; fills in what is missing. */
static gboolean match_url(FerryRequest *req, json_t *object, GError **error) {
  g_autofree char *version = ferry_kind_api_version(req->found.kind);
  const char *v = ferry_json_str(object, "apiVersion"), *k = ferry_json_str(object, "kind");
  if (!json_is_object(object))
    return ferry_error_bad_request(error, "the body must be one object");
  if (!json_is_object(json_object_get(object, "metadata"))) {
    if (json_object_get(object, "metadata") && !json_is_null(json_object_get(object, "metadata")))
      return ferry_error_bad_request(error, "metadata must be an object");
    json_object_set_new(object, "metadata", json_object());
  }
  if ((v && !ferry_kind_has_api_version(req->found.kind, v)) ||
      (k && ferry_kind_by_gvk(version, k) != req->found.kind)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "%s, Kind=%s in the data does not match the expected %s, Kind=%s of the URL",
                v ? v : version, k ? k : req->found.kind->kind, version, req->found.kind->kind);
    return FALSE;
  }
  json_object_set_new(object, "apiVersion", json_string(version));
  json_object_set_new(object, "kind", json_string(req->found.kind->kind));
  const char *ns = ferry_json_str(object, "metadata.namespace");
  if (!req->found.kind->namespaced) {
    ferry_json_set(object, "metadata.namespace", NULL);
  } else if (ns && *ns && !g_str_equal(ns, req->found.ns)) {
    return ferry_error_bad_request(
        error, "the namespace of the provided object does not match the namespace sent on "
               "the request");
  } else {
    ferry_json_set_str(object, "metadata.namespace", req->found.ns);
  }
  return TRUE;
}

static void emit_warnings(FerryRequest *req, GPtrArray *warnings) {
  for (guint i = 0; i < warnings->len; i++)
    ferry_respond_warning(req, g_ptr_array_index(warnings, i));
}

/* ---- create ---- */

/* Whether the namespace is there to take something new. */
static gboolean namespace_takes(FerryRequest *req, GError **error) {
  if (!req->found.kind->namespaced)
    return TRUE;
  g_autoptr(json_t) ns = ferry_store_get(req->api->store, &ferry_kind_namespace, "", req->found.ns);
  if (!ns) {
    ferry_set_not_found(error, &ferry_kind_namespace, req->found.ns);
    g_free(req->form.error_name);
    req->form.error_name = g_strdup(req->found.ns);
    req->form.error_kind = &ferry_kind_namespace;
    return FALSE;
  }
  if (!ferry_json_str(ns, "metadata.deletionTimestamp"))
    return TRUE;
  g_autofree char *what = ferry_qualified(req->found.kind);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
              "%s is forbidden: unable to create new content in namespace %s because it is being "
              "terminated",
              what, req->found.ns);
  if (error)
    ferry_error_add_cause(*error, "NamespaceTerminating", "metadata.namespace",
                          "namespace %s is being terminated", req->found.ns);
  return FALSE;
}

static const char *const server_owned[] = {"uid",        "creationTimestamp",
                                           "generation", "deletionTimestamp",
                                           "selfLink",   "deletionGracePeriodSeconds"};

/* Both a kind's table and its rules may say that a field cannot change: one reason, said once. */
static gboolean forbidden_already(const GError *invalid, const FerryCause *cause) {
  for (guint i = 0; i < ferry_error_n_causes(invalid); i++) {
    const FerryCause *other = ferry_error_cause(invalid, i);
    if (g_str_equal(cause->reason, "FieldValueForbidden") &&
        g_str_equal(other->reason, cause->reason) && g_strcmp0(other->field, cause->field) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Refuses by what validation found (`invalid`, taken) together with what admission says (`more`,
 * taken, may be NULL). A name that was made up here is shown as what it was made of. */
static void write_refuse(FerryRequest *req, const json_t *client, GError *invalid, GError *more,
                         GError **error) {
  const char *given = ferry_json_str(client, "metadata.name");
  const char *generate = ferry_json_str(client, "metadata.generateName");
  g_autofree char *name = given && *given         ? g_strdup(given)
                          : generate && *generate ? g_strconcat(generate, "*", NULL)
                                                  : g_strdup(req->found.name);
  gboolean rules = more && g_error_matches(more, FERRY_ERROR, FERRY_ERROR_INVALID);
  guint n = ferry_error_n_causes(invalid), also = rules ? ferry_error_n_causes(more) : 0;
  if (n == 0 && also == 0) {
    g_error_free(invalid);
    g_propagate_error(error, more);
    return;
  }
  for (guint i = 0; i < also; i++) {
    const FerryCause *cause = ferry_error_cause(more, i);
    if (!forbidden_already(invalid, cause))
      ferry_error_add_cause(invalid, cause->reason, cause->field, "%s", cause->message);
  }
  g_clear_error(&more);
  ferry_validate_answer(req->found.kind, name, invalid, error);
}

/* Stores what was admitted, as a new object or, where an agent tells it again, as the one that
 * there is. New reference to what is stored; dry: to what would be. */
static json_t *store_new(FerryRequest *req, json_t *object, gboolean dry, GError **error) {
  const char *name = ferry_json_str(object, "metadata.name");
  const char *ns = req->found.ns ? req->found.ns : "";
  g_autoptr(json_t) again = ferry_node_restriction_repeat(req, object);
  if (dry && again)
    return g_steal_pointer(&again);
  if (dry) {
    g_autoptr(json_t) there = ferry_store_get(req->api->store, req->found.kind, ns, name);
    if (!there) {
      ferry_audit_changed(req, NULL, object, TRUE);
      return json_incref(object);
    }
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_ALREADY_EXISTS, "exists");
    ferry_store_error(error, req->found.kind, name);
    return NULL;
  }
  const char *revision = ferry_json_str(again, "metadata.resourceVersion");
  FerryWrite write = {.op = again ? FERRY_WRITE_UPDATE : FERRY_WRITE_CREATE,
                      .kind = req->found.kind,
                      .ns = ns,
                      .name = name,
                      .object = again ? again : object,
                      .in_namespace = req->found.kind->namespaced,
                      .revision = revision ? g_ascii_strtoll(revision, NULL, 10) : 0};
  json_t *stored = NULL;
  g_autoptr(GError) problem = NULL;
  if (!ferry_store_commit(req->api->store, &write, 1, &stored, &problem)) {
    if (!again && g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_CONFLICT) &&
        !namespace_takes(req, error)) /* it went since it was looked at */
      return NULL;
    ferry_store_error(&problem, req->found.kind, name);
    g_propagate_error(error, g_steal_pointer(&problem));
    return NULL;
  }
  ferry_audit_changed(req, NULL, stored, FALSE);
  return stored;
}

/* What a person wrote that has no effect, or another than it seems. */
static void warn_of_content(FerryRequest *req, const json_t *stored, GPtrArray *warnings) {
  FerryWriteNeeds needs = ferry_write_needs(req->found.kind);
  if (req->user->node || needs == FERRY_WRITE_NEEDS_NOTHING)
    return;
  g_autoptr(GPtrArray) all = ferry_store_list(
      req->api->store, needs == FERRY_WRITE_NEEDS_NODES ? &ferry_kind_node : &ferry_kind_network,
      NULL, NULL);
  json_t *const *list = (json_t *const *)all->pdata;
  FerryWriteWorld world = needs == FERRY_WRITE_NEEDS_NODES
                              ? (FerryWriteWorld){NULL, 0, list, all->len}
                              : (FerryWriteWorld){list, all->len, NULL, 0};
  ferry_write_warnings(req->found.kind, stored, &world, warnings);
}

/* One try with one name; `object` is the client's (borrowed). New reference to what is stored. */
static json_t *create_once(FerryRequest *req, const json_t *client, FerryUnknown unknown,
                           gboolean dry, GPtrArray *warnings, GError **error) {
  g_autoptr(json_t) draft = json_deep_copy(client);
  json_t *meta = json_object_get(draft, "metadata");
  const char *generate = ferry_json_str(draft, "metadata.generateName");
  const char *given = ferry_json_str(draft, "metadata.name");
  if (generate && *generate && (!given || !*given)) {
    g_autofree char *suffix = ferry_random_suffix(5);
    g_autofree char *name = g_strconcat(generate, suffix, NULL);
    ferry_json_set_str(draft, "metadata.name", name);
  }
  for (gsize i = 0; i < G_N_ELEMENTS(server_owned); i++)
    json_object_del(meta, server_owned[i]);
  if (req->found.kind->has_status)
    json_object_del(draft, "status");
  g_autoptr(GError) invalid = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_INVALID, "invalid");
  gboolean whole;
  g_autoptr(json_t) object = ferry_validate_collect(req->found.kind, draft, NULL, unknown, warnings,
                                                    invalid, &whole, error);
  if (!object)
    return NULL;
  if (!ferry_check_field_rights(req, NULL, object, error))
    return NULL;
  ferry_apply_defaults(req->found.kind, object);
  g_autofree char *uid = ferry_random_uuid();
  g_autofree char *now = ferry_rfc3339_format(ferry_clock_wall_ms(req->api->clock));
  ferry_json_set_str(object, "metadata.uid", uid);
  ferry_json_set_str(object, "metadata.creationTimestamp", now);
  ferry_json_set_int(object, "metadata.generation", 1);
  ferry_apply_created(req, object);
  GError *more = NULL;
  if ((whole && !ferry_admit_create(req, object, &more)) || ferry_error_n_causes(invalid)) {
    write_refuse(req, client, g_steal_pointer(&invalid), more, error);
    return NULL;
  }
  return store_new(req, object, dry, error);
}

json_t *ferry_resource_make(FerryRequest *req, json_t *body, GError **error) {
  FerryUnknown unknown;
  gboolean dry;
  if (!match_url(req, body, error) || !ferry_request_write_options(req, &unknown, error) ||
      !ferry_request_dry_run(req, NULL, &dry, error) || !namespace_takes(req, error))
    return NULL;
  const char *rv = ferry_json_str(body, "metadata.resourceVersion");
  if (rv && *rv) {
    ferry_error_bad_request(error, "resourceVersion should not be set on objects to be created");
    return NULL;
  }
  ferry_json_set(body, "metadata.resourceVersion", NULL);
  g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
  const char *name = ferry_json_str(body, "metadata.name");
  gboolean generated = !name || !*name;
  GMutex *serial = ferry_admit_lock(req, TRUE);
  g_autoptr(json_t) stored = NULL;
  g_autoptr(GError) problem = NULL;
  if (serial)
    g_mutex_lock(serial);
  for (int i = 0; i < 8 && !stored; i++) {
    g_clear_error(&problem);
    g_ptr_array_set_size(warnings, 0);
    stored = create_once(req, body, unknown, dry, warnings, &problem);
    if (!stored &&
        !(generated && g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_ALREADY_EXISTS)))
      break;
  }
  if (serial)
    g_mutex_unlock(serial);
  if (!stored) {
    g_free(req->form.error_name);
    req->form.error_name = g_strdup(name);
    g_propagate_error(error, g_steal_pointer(&problem));
    return NULL;
  }
  warn_of_content(req, stored, warnings);
  emit_warnings(req, warnings);
  return g_steal_pointer(&stored);
}

static gboolean create_object(FerryRequest *req, json_t *body, GError **error) {
  g_autoptr(json_t) stored = ferry_resource_make(req, body, error);
  if (stored)
    ferry_respond_object(req, 201, req->found.kind, stored);
  return stored != NULL;
}

gboolean ferry_resource_create(FerryRequest *req, GError **error) {
  g_autoptr(json_t) body = ferry_request_body(req, error);
  return body && create_object(req, body, error);
}

/* ---- change ---- */

/* Whether `draft` is of this very object, and of the revision of it that its writer has read. */
static gboolean is_of_object(FerryRequest *req, const json_t *old, const json_t *draft,
                             GError **error) {
  const char *name = ferry_json_str(old, "metadata.name");
  const char *said = ferry_json_str(draft, "metadata.name");
  if (said && *said && !g_str_equal(said, name) && !g_str_equal(said, req->found.name)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "the name of the object (%s) does not match the name on the URL (%s)", said,
                req->found.name);
    return FALSE;
  }
  const char *uid = ferry_json_str(draft, "metadata.uid");
  const char *uid_old = ferry_json_str(old, "metadata.uid");
  if (uid && *uid && g_strcmp0(uid, uid_old) != 0) {
    g_autofree char *what = ferry_qualified(req->found.kind);
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "Operation cannot be fulfilled on %s \"%s\": Precondition failed: UID in "
                "precondition: %s, UID in object meta: %s",
                what, name, uid, uid_old);
    return FALSE;
  }
  const char *rv = ferry_json_str(draft, "metadata.resourceVersion");
  if (rv && *rv && g_strcmp0(rv, ferry_json_str(old, "metadata.resourceVersion")) != 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT, "stale");
    ferry_store_error(error, req->found.kind, name);
    return FALSE;
  }
  return TRUE;
}

/* Takes from `old` what this kind of write may not touch. */
static gboolean keep_owned(FerryRequest *req, const json_t *old, json_t **object, GError **error) {
  json_t *draft = *object;
  if (!is_of_object(req, old, draft, error))
    return FALSE;
  const json_t *meta_old = json_object_get(old, "metadata");
  json_t *meta = json_object_get(draft, "metadata");
  if (g_strcmp0(req->found.subresource, "status") == 0) {
    json_t *whole = json_copy((json_t *)old); /* what stays is shared */
    json_object_set_new(whole, "metadata", json_deep_copy(meta_old));
    json_t *s = json_object_get(draft, "status");
    json_t *managed = json_object_get(meta, "managedFields");
    g_autofree char *type = ferry_media_type(req->asked.content_type);
    if (managed && g_str_equal(type, "application/apply-patch+yaml"))
      json_object_set(json_object_get(whole, "metadata"), "managedFields", managed);
    if (s)
      json_object_set(whole, "status", s);
    else
      json_object_del(whole, "status");
    if (req->found.kind == &ferry_kind_node) /* nobody may say which keys are the host's */
      ferry_json_set(whole, "status.libvirtTrust",
                     json_incref(ferry_json_get(old, "status.libvirtTrust")));
    json_decref(draft);
    *object = whole;
    return TRUE;
  }
  if (req->found.kind->has_status) {
    json_t *s = json_object_get(old, "status");
    if (s)
      json_object_set(draft, "status", s);
    else
      json_object_del(draft, "status");
  }
  json_object_set(meta, "name", json_object_get(meta_old, "name"));
  for (gsize i = 0; i < G_N_ELEMENTS(server_owned); i++) {
    json_t *value = json_object_get(meta_old, server_owned[i]);
    if (value)
      json_object_set(meta, server_owned[i], value);
    else
      json_object_del(meta, server_owned[i]);
  }
  json_object_set(meta, "resourceVersion", json_object_get(meta_old, "resourceVersion"));
  return TRUE;
}

/* Whether the two are equal but for `parts`, which are below `along`. */
static gboolean only_differs(const json_t *old, const json_t *object, const char *along,
                             const char *const *parts) {
  g_autoptr(json_t) a = ferry_json_copy_along(old, along);
  g_autoptr(json_t) b = ferry_json_copy_along(object, along);
  for (; *parts; parts++) {
    ferry_json_set(a, *parts, NULL);
    ferry_json_set(b, *parts, NULL);
  }
  return json_equal(a, b);
}

static gboolean check_telemetry(const FerryRequest *req, const json_t *old, const json_t *object,
                                GError **error) {
  static const char *const telemetry[] = {"status.progress", "status.decisions", "status.course",
                                          NULL};
  if (req->asked.telemetry && !only_differs(old, object, "status", telemetry))
    return ferry_error_bad_request(error,
                                   "Ferry-Telemetry: such a write may change status.progress, "
                                   "status.decisions and status.course only; leave the header out");
  return TRUE;
}

/* Commits what was admitted; an object that waited for this, its last finalizer, ends. */
static json_t *store_changed(FerryRequest *req, const json_t *old, json_t *object, GError **error) {
  const char *name = ferry_json_str(old, "metadata.name");
  gboolean gone = ferry_json_str(object, "metadata.deletionTimestamp") &&
                  json_array_size(ferry_json_get(object, "metadata.finalizers")) == 0;
  FerryWrite write = {.op = gone ? FERRY_WRITE_DELETE : FERRY_WRITE_UPDATE,
                      .kind = req->found.kind,
                      .ns = req->found.ns ? req->found.ns : "",
                      .name = name,
                      .object = object,
                      .revision = ferry_object_revision(old),
                      .telemetry = req->asked.telemetry};
  json_t *stored = NULL;
  gboolean done = gone ? ferry_resource_end(req, old, &write, &stored, error)
                       : ferry_store_commit(req->api->store, &write, 1, &stored, error);
  if (!done) {
    ferry_store_error(error, req->found.kind, name);
    return NULL;
  }
  ferry_audit_changed(req, old, gone ? NULL : object, FALSE);
  return stored;
}

static json_t *modify_once(FerryRequest *req, FerryChangeFunc change, gpointer data,
                           FerryUnknown unknown, gboolean dry, GPtrArray *warnings, gboolean *again,
                           GError **error) {
  *again = FALSE;
  g_autoptr(json_t) old = ferry_resource_find(req, error);
  if (!old)
    return NULL;
  g_autoptr(json_t) changed = change(req, old, data, error);
  if (!changed)
    return NULL;
  gboolean status = g_strcmp0(req->found.subresource, "status") == 0;
  g_autoptr(json_t) draft =
      status ? ferry_json_copy_along(changed, "metadata") : json_deep_copy(changed);
  if (!match_url(req, draft, error))
    return NULL;
  const char *rv = ferry_json_str(changed, "metadata.resourceVersion");
  gboolean pinned = req->write.pins_revision && rv && *rv;
  if (!keep_owned(req, old, &draft, error))
    return NULL;
  ferry_keep_stored_words(req, old, draft);
  gboolean tuning = ferry_change_is_tuning(req, old, draft);
  g_autoptr(GError) invalid = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_INVALID, "invalid");
  gboolean whole;
  g_autoptr(json_t) object = ferry_validate_collect(req->found.kind, draft, tuning ? NULL : old,
                                                    unknown, warnings, invalid, &whole, error);
  if (!object || !ferry_check_field_rights(req, old, object, error))
    return NULL;
  if (!status) {
    ferry_apply_defaults(req->found.kind, object);
    if (!json_equal(json_object_get(old, "spec"), json_object_get(object, "spec")))
      ferry_json_set_int(object, "metadata.generation",
                         ferry_json_int(old, "metadata.generation", 0) + 1);
  }
  ferry_apply_track(req, old, object, invalid);
  GError *more = NULL;
  if ((whole && !ferry_admit_update(req, old, object, &more)) || ferry_error_n_causes(invalid)) {
    write_refuse(req, old, g_steal_pointer(&invalid), more, error);
    return NULL;
  }
  if (!check_telemetry(req, old, object, error) ||
      !ferry_node_restriction_check(req, old, object, error))
    return NULL;
  if (dry) {
    ferry_audit_changed(req, old, object, TRUE);
    return json_incref(object);
  }
  json_t *stored = store_changed(req, old, object, error);
  *again = error && g_error_matches(*error, FERRY_ERROR, FERRY_ERROR_CONFLICT) && !pinned;
  return stored;
}

/* Commits `object` in place of `old` and answers with it. CONFLICT: somebody wrote meanwhile;
 * nothing is answered. */
static gboolean replace_once(FerryRequest *req, const json_t *old, json_t *object, GError **error) {
  FerryWrite write = {.op = FERRY_WRITE_UPDATE,
                      .frees = TRUE, /* a cancel or a change, which ends or eases work */
                      .kind = req->found.kind,
                      .ns = req->found.ns ? req->found.ns : "",
                      .name = req->found.name,
                      .object = object,
                      .revision = ferry_object_revision(old)};
  json_t *stored = NULL;
  if (!ferry_store_commit(req->api->store, &write, 1, &stored, error)) {
    ferry_store_error(error, req->found.kind, req->found.name);
    return FALSE;
  }
  ferry_audit_changed(req, old, stored, FALSE);
  ferry_respond_object(req, 200, req->found.kind, stored);
  json_decref(stored);
  return TRUE;
}

gboolean ferry_resource_replace(FerryRequest *req, FerryChangeFunc change, gpointer data,
                                gboolean dry, GError **error) {
  for (int i = 0;; i++) {
    g_autoptr(json_t) old = ferry_resource_find(req, error);
    g_autoptr(json_t) object = old ? change(req, old, data, error) : NULL;
    if (!object)
      return FALSE;
    if (dry || object == old) {
      ferry_respond_object(req, 200, req->found.kind, object);
      return TRUE;
    }
    g_autoptr(GError) problem = NULL;
    if (replace_once(req, old, object, &problem))
      return TRUE;
    if (!g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_CONFLICT) || i >= FERRY_API_MAX_TRIES) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return FALSE;
    }
  }
}

gboolean ferry_resource_modify(FerryRequest *req, FerryChangeFunc change, gpointer data,
                               GError **error) {
  FerryUnknown unknown;
  gboolean dry, again = TRUE;
  if (!ferry_request_write_options(req, &unknown, error) ||
      !ferry_request_dry_run(req, NULL, &dry, error))
    return FALSE;
  g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(json_t) stored = NULL;
  g_autoptr(GError) problem = NULL;
  /* A new session of the agent waits for its old one's commits. (A Node is not an agent's to write;
   * one that may by a binding ends it like anybody, see ferry_resource_end.) */
  gboolean agent = req->user->node != NULL && req->found.kind != &ferry_kind_node;
  GMutex *serial = ferry_admit_lock(req, FALSE);
  if (serial)
    g_mutex_lock(serial);
  for (int i = 0; i < FERRY_API_MAX_TRIES && !stored && again; i++) {
    g_clear_error(&problem);
    g_ptr_array_set_size(warnings, 0);
    if (agent)
      g_rw_lock_reader_lock(&req->api->sessions);
    stored = modify_once(req, change, data, unknown, dry, warnings, &again, &problem);
    if (agent)
      g_rw_lock_reader_unlock(&req->api->sessions);
  }
  if (serial)
    g_mutex_unlock(serial);
  if (!stored) {
    g_propagate_error(error, g_steal_pointer(&problem));
    return FALSE;
  }
  warn_of_content(req, stored, warnings);
  emit_warnings(req, warnings);
  ferry_respond_object(req, 200, req->found.kind, stored);
  return TRUE;
}

static json_t *write_replace(FerryRequest *req, const json_t *old, gpointer data, GError **error) {
  return json_incref(data);
}

gboolean ferry_resource_update(FerryRequest *req, GError **error) {
  g_autoptr(json_t) body = ferry_request_body(req, error);
  if (!body)
    return FALSE;
  req->write.pins_revision = TRUE;
  return ferry_resource_modify(req, write_replace, body, error);
}

static json_t *write_patch(FerryRequest *req, const json_t *old, gpointer data, GError **error) {
  return ferry_patch_apply(req, old, data, error);
}

/* An apply patch makes what is not there yet. Of several that come first at once one creates, the
 * others change what it made. */
static gboolean write_apply(FerryRequest *req, json_t *body, GError **error) {
  g_autoptr(GError) problem = NULL;
  for (int i = 0; i < FERRY_API_MAX_TRIES; i++) {
    g_clear_error(&problem);
    g_autoptr(json_t) there = ferry_resource_find(req, &problem);
    if (there || req->found.subresource)
      return ferry_resource_modify(req, write_patch, body, error);
    if (!(req->found.kind->verbs & FERRY_VERB_CREATE))
      break;
    g_clear_error(&problem);
    FerryAccess creates = {.verb = "create",
                           .group = req->found.kind->group,
                           .resource = req->found.kind->plural,
                           .ns = req->found.kind == &ferry_kind_namespace ? req->found.name
                                                                          : req->found.ns,
                           .name = req->found.name};
    if (!ferry_authz_require(req, &creates, &problem))
      break;
    g_autoptr(json_t) first = ferry_patch_apply(req, NULL, body, &problem);
    if (first && create_object(req, first, &problem))
      return TRUE;
    if (!g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_ALREADY_EXISTS))
      break;
  }
  g_propagate_error(error, g_steal_pointer(&problem));
  return FALSE;
}

gboolean ferry_resource_patch(FerryRequest *req, GError **error) {
  g_autoptr(json_t) body = ferry_request_body(req, error);
  if (!body)
    return FALSE;
  g_autofree char *type = ferry_media_type(req->asked.content_type);
  if (!g_str_equal(type, "application/apply-patch+yaml")) {
    req->write.pins_revision = ferry_json_str(body, "metadata.resourceVersion") != NULL;
    return ferry_resource_modify(req, write_patch, body, error);
  }
  const char *manager = ferry_query(req, "fieldManager");
  if (!manager || !*manager)
    return ferry_error_bad_request(error,
                                   "fieldManager: Required value: is required for apply patch");
  return write_apply(req, body, error);
}
