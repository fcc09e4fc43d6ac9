// SPDX-License-Identifier: Apache-2.0
// DELETE of one object and of collections, and the cancel of a migration. An object with finalizers
// stays, marked, until its controller has taken the last one off.
//
// A delete reads, checks the preconditions and the kind's rules, and commits with
// compare-and-swap, again and again until nobody was in between. A collection is deleted one by
// one, until one cannot be. A cancel is a write of the migration's status that its controller and
// agent act on; it is refused once post-copy has begun.
#include "api/resource/delete.h"
#include "api/auth/audit.h"
#include "api/http/negotiate.h"
#include "api/http/query.h"
#include "api/http/respond.h"
#include "api/lookup/find.h"
#include "api/resource/admission.h"
#include "api/resource/end.h"
#include "api/resource/read.h"
#include "api/resource/write.h"
#include "api/resource/write_options.h"
#include "model/field/object_meta.h"
#include "base/rfc3339.h"
#include "model/migration/phase.h"
#include "model/migration/recovery.h"

#include <string.h>

gboolean ferry_check_delete_options(const json_t *options, GError **error) {
  static const char *const texts[] = {"uid", "resourceVersion"};
  const json_t *preconditions = json_object_get(options, "preconditions");
  gboolean right = !preconditions || json_is_object(preconditions) || json_is_null(preconditions);
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    const json_t *value = json_object_get(preconditions, texts[i]);
    right &= !value || json_is_string(value) || json_is_null(value);
  }
  if (!right)
    g_set_error(
        error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
        "preconditions: Invalid value: expected {\"uid\": TEXT, \"resourceVersion\": TEXT}, "
        "each of them optional");
  return right;
}

/* The DeleteOptions of the body; NULL without an error where there are none. */
static gboolean read_options(FerryRequest *req, json_t **options, GError **error) {
  *options = NULL;
  if (req->asked.body->len == 0)
    return TRUE;
  *options = ferry_request_body(req, error);
  if (*options && !json_is_object(*options)) {
    g_clear_pointer(options, json_decref);
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "the body of a DELETE must be a DeleteOptions object");
    return FALSE;
  }
  req->write.forced = ferry_json_int(*options, "gracePeriodSeconds", -1) == 0;
  if (*options && !ferry_check_delete_options(*options, error))
    g_clear_pointer(options, json_decref);
  return *options != NULL;
}

gboolean ferry_check_preconditions(FerryRequest *req, const json_t *options, const json_t *object,
                                   GError **error) {
  static const struct {
    const char *wanted, *path, *text;
  } checks[] = {{"preconditions.uid", "metadata.uid", "UID"},
                {"preconditions.resourceVersion", "metadata.resourceVersion", "ResourceVersion"}};
  for (gsize i = 0; i < G_N_ELEMENTS(checks); i++) {
    const char *wanted = ferry_json_str(options, checks[i].wanted);
    const char *real = ferry_json_str(object, checks[i].path);
    if (!wanted || g_strcmp0(wanted, real) == 0)
      continue;
    g_autofree char *what = ferry_qualified(req->found.kind);
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "Operation cannot be fulfilled on %s \"%s\": Precondition failed: %s in "
                "precondition: %s, %s in object meta: %s",
                what, ferry_json_str(object, "metadata.name"), checks[i].text, wanted,
                checks[i].text, real);
    return FALSE;
  }
  return TRUE;
}

/* Deletes or marks `object` (borrowed). `*left` gets the marked object where it stays. */
static gboolean delete_once(FerryRequest *req, json_t *object, gboolean dry, json_t **left,
                            GError **error) {
  g_autoptr(json_t) instead = NULL;
  *left = NULL;
  if (!ferry_admit_delete(req, object, &instead, error))
    return FALSE;
  const json_t *now = instead ? instead : object;
  const char *name = ferry_json_str(object, "metadata.name");
  FerryWrite write = {.op = FERRY_WRITE_DELETE,
                      .kind = req->found.kind,
                      .ns = req->found.ns ? req->found.ns : "",
                      .name = name,
                      .revision = ferry_object_revision(object)};
  g_autoptr(json_t) marked = NULL;
  /* Access ends at once: no finalizer keeps a host's or a user's credentials good. */
  gboolean at_once = req->found.kind == &ferry_kind_node || req->found.kind == &ferry_kind_user;
  if (!at_once && json_array_size(ferry_json_get(now, "metadata.finalizers")) > 0) {
    marked = json_deep_copy(now);
    if (!ferry_json_str(marked, "metadata.deletionTimestamp")) {
      g_autofree char *time = ferry_rfc3339_format(ferry_clock_wall_ms(req->api->clock));
      ferry_json_set_str(marked, "metadata.deletionTimestamp", time);
      ferry_json_set_int(marked, "metadata.deletionGracePeriodSeconds", 0);
    }
    if (req->found.kind == &ferry_kind_namespace)
      ferry_json_set_str(marked, "status.phase", "Terminating");
    write.op = FERRY_WRITE_UPDATE;
    write.frees = TRUE;
    write.object = marked;
  }
  if (dry) {
    *left = marked ? json_incref(marked) : NULL;
    return TRUE;
  }
  json_t *stored = NULL;
  if (!ferry_resource_end(req, object, &write, &stored, error))
    return FALSE;
  *left = marked ? stored : NULL;
  if (!marked)
    json_decref(stored);
  return TRUE;
}

/* Reads and deletes until nobody is in between. */
static gboolean delete_named(FerryRequest *req, const json_t *options, gboolean dry, json_t **gone,
                             json_t **left, GError **error) {
  for (int i = 0;; i++) {
    g_autoptr(GError) problem = NULL;
    g_autoptr(json_t) object = ferry_resource_find(req, error);
    if (!object || !ferry_check_preconditions(req, options, object, error))
      return FALSE;
    if (delete_once(req, object, dry, left, &problem)) {
      ferry_audit_changed(req, object, *left, dry);
      *gone = g_steal_pointer(&object);
      return TRUE;
    }
    if (!g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_CONFLICT) || i >= FERRY_API_MAX_TRIES ||
        req->write.refused) {
      if (!req->write.refused)
        ferry_store_error(&problem, req->found.kind, req->found.name);
      g_propagate_error(error, g_steal_pointer(&problem));
      return FALSE;
    }
  }
}

gboolean ferry_resource_delete(FerryRequest *req, GError **error) {
  g_autoptr(json_t) options = NULL;
  g_autoptr(json_t) gone = NULL;
  g_autoptr(json_t) left = NULL;
  gboolean dry;
  gint64 grace;
  if (!read_options(req, &options, error) || !ferry_request_dry_run(req, options, &dry, error) ||
      !ferry_query_int(req, "gracePeriodSeconds", -1, &grace, error))
    return FALSE;
  req->write.forced |= grace == 0;
  if (!delete_named(req, options, dry, &gone, &left, error))
    return FALSE;
  if (left) {
    ferry_respond_object(req, 200, req->found.kind, left);
    return TRUE;
  }
  json_t *details =
      json_pack("{s:s*, s:s, s:s*}", "name", ferry_json_str(gone, "metadata.name"), "kind",
                req->found.kind->plural, "uid", ferry_json_str(gone, "metadata.uid"));
  if (*req->found.kind->group)
    json_object_set_new(details, "group", json_string(req->found.kind->group));
  ferry_respond_json(req, 200,
                     json_pack("{s:s, s:s, s:{}, s:s, s:s*, s:o}", "kind", "Status", "apiVersion",
                               "v1", "metadata", "status", "Success", "message", req->write.told,
                               "details", details));
  return TRUE;
}

gboolean ferry_resource_delete_collection(FerryRequest *req, GError **error) {
  g_autoptr(json_t) options = NULL;
  g_autoptr(FerrySelector) labels = NULL;
  g_autoptr(FerrySelector) fields = NULL;
  gboolean dry;
  gint64 revision;
  if (!read_options(req, &options, error) || !ferry_request_dry_run(req, options, &dry, error) ||
      !ferry_request_selectors(req, &labels, &fields, error))
    return FALSE;
  g_autoptr(GPtrArray) all =
      ferry_store_list(req->api->store, req->found.kind,
                       req->found.kind->namespaced ? req->found.ns : NULL, &revision);
  json_t *items = json_array();
  gboolean ok = TRUE;
  for (guint i = 0; ok && i < all->len; i++) {
    json_t *object = g_ptr_array_index(all, i);
    if (!ferry_selector_matches(labels, object) || !ferry_selector_matches(fields, object))
      continue;
    g_autoptr(json_t) gone = NULL;
    g_autoptr(json_t) left = NULL;
    g_autoptr(GError) problem = NULL;
    req->found.name = ferry_json_str(object, "metadata.name");
    ok = delete_named(req, NULL, dry, &gone, &left, &problem);
    if (g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_NOT_FOUND))
      ok = TRUE; /* somebody else removed it */
    else if (problem)
      req->form.error_name = g_strdup(req->found.name);
    req->found.name = NULL;
    if (!ok)
      g_propagate_error(error, g_steal_pointer(&problem));
    else if (gone)
      json_array_append(items, left ? left : gone);
  }
  if (!ok) {
    json_decref(items);
    return FALSE;
  }
  g_autofree char *version = ferry_kind_api_version(req->found.kind);
  g_autofree char *kind = g_strconcat(req->found.kind->kind, "List", NULL);
  g_autofree char *rv = g_strdup_printf("%" G_GINT64_FORMAT, ferry_store_revision(req->api->store));
  req->form.format = FERRY_FORMAT_JSON;
  ferry_respond_json(req, 200,
                     json_pack("{s:s, s:s, s:{s:s}, s:o}", "kind", kind, "apiVersion", version,
                               "metadata", "resourceVersion", rv, "items", items));
  return TRUE;
}

/* ---- cancel ---- */

static json_t *delete_cancelled(FerryRequest *req, const json_t *old, gpointer data,
                                GError **error) {
  FerryPhase phase = ferry_phase_of(old);
  /* one that broke can't go back either, but need not be resumed for ever */
  gboolean post_copy = ferry_mode_of(old) == FERRY_MODE_POST_COPY && !ferry_recovery_is_open(old);
  if (ferry_phase_is_final(phase) || post_copy) {
    g_autofree char *what = ferry_qualified(req->found.kind);
    gboolean post = post_copy && phase == FERRY_PHASE_RUNNING;
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "Operation cannot be fulfilled on %s \"%s\": %s", what, req->found.name,
                post ? "it is in post-copy: the VM runs on the target already and needs the rest "
                       "of its memory from the source, so it cannot go back; wait for its end"
                : phase == FERRY_PHASE_SUCCEEDED
                    ? "it has already succeeded; migrate the VM again to move it elsewhere"
                    : "it has already failed; there is nothing to cancel");
    return NULL;
  }
  if (ferry_json_bool(old, "status.migrationState.abortRequested", FALSE))
    return json_incref((json_t *)old);
  json_t *object = ferry_json_copy_along(old, "status.migrationState");
  ferry_json_set_bool(object, "status.migrationState.abortRequested", TRUE);
  ferry_json_set_str(object, "status.migrationState.abortRequestedBy", req->user->name);
  return object;
}

gboolean ferry_resource_cancel(FerryRequest *req, GError **error) {
  gboolean dry;
  return ferry_request_dry_run(req, NULL, &dry, error) &&
         ferry_resource_replace(req, delete_cancelled, NULL, dry, error);
}
