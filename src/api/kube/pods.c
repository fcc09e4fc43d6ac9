// SPDX-License-Identifier: Apache-2.0
// Theory of operation: `kubectl drain` knows pods only. So each VM that runs on a host is shown as
// one pod there, made up from the VM when it is asked for and stored nowhere: its name and uid are
// made of VM and host, so it is gone as soon as the VM is elsewhere. Evicting it starts a migration
// of the VM with the highest priority; while that waits in the queue, or no host can take the VM,
// the answer is 429 with the reason, which kubectl prints and asks again after.
#include "api/internal.h"
#include "base/random.h"
#include "model/field/object_meta.h"
#include "model/migration/migration.h"
#include "model/migration/evacuation.h"
#include "policy/config.h"
#include "policy/limits.h"
#include "policy/migration_admission.h"

#include <string.h>

static const char *const pod_fields[] = {"spec.nodeName", "status.phase", "spec.restartPolicy",
                                         NULL};

/* Of no use but for selectors and messages: pods are neither stored nor in discovery. */
static const FerryKind pod_kind = {
    .group = "",
    .version = "v1",
    .kind = "Pod",
    .plural = "pods",
    .singular = "pod",
    .namespaced = TRUE,
    .field_selectors = pod_fields,
};

#define POD_PREFIX "virt-launcher-"
#define SHORTENED_LEAST 200 /* bytes of a name that was too long */

static char *pod_name(const json_t *vmi, const char *node) {
  g_autofree char *plain =
      g_strdup_printf(POD_PREFIX "%s-%s", ferry_json_str(vmi, "metadata.name"), node);
  if (strlen(plain) <= 253)
    return g_steal_pointer(&plain);
  g_autofree char *hash = ferry_sha256_hex(plain, strlen(plain));
  return g_strdup_printf("%.200s-%.12s", plain, hash);
}

/* A UUID of the VM on that host: another one on another. */
static char *pod_uid(const json_t *vmi, const char *node) {
  g_autofree char *text = g_strconcat(ferry_json_str(vmi, "metadata.uid"), "/", node, NULL);
  g_autofree char *h = ferry_sha256_hex(text, strlen(text));
  return g_strdup_printf("%.8s-%.4s-%.4s-%.4s-%.12s", h, h + 8, h + 12, h + 16, h + 20);
}

static json_t *pod_metadata(const json_t *vmi, const char *node) {
  g_autofree char *name = pod_name(vmi, node);
  g_autofree char *uid = pod_uid(vmi, node);
  json_t *labels = json_object();
  if (ferry_json_get(vmi, "metadata.labels"))
    json_object_update(labels, ferry_json_get(vmi, "metadata.labels"));
  json_object_set_new(labels, "kubevirt.io", json_string("virt-launcher"));
  return json_pack("{s:s, s:O, s:s, s:O*, s:O*, s:o, s:{s:O}, s:[{s:s, s:s, s:O, s:O, s:b, s:b}]}",
                   "name", name, "namespace", ferry_json_get(vmi, "metadata.namespace"), "uid", uid,
                   "resourceVersion", ferry_json_get(vmi, "metadata.resourceVersion"),
                   "creationTimestamp", ferry_json_get(vmi, "metadata.creationTimestamp"), "labels",
                   labels, "annotations", "kubevirt.io/domain",
                   ferry_json_get(vmi, "metadata.name"), "ownerReferences", "apiVersion",
                   "kubevirt.io/v1", "kind", "VirtualMachineInstance", "name",
                   ferry_json_get(vmi, "metadata.name"), "uid", ferry_json_get(vmi, "metadata.uid"),
                   "controller", 1, "blockOwnerDeletion", 1);
}

/* What the VM takes of its host, as a container's requests and limits. */
static json_t *pod_resources(const json_t *vmi) {
  g_autofree char *cpu =
      g_strdup_printf("%" G_GINT64_FORMAT, ferry_json_int(vmi, "spec.domain.cpu.cores", 1));
  json_t *guest = ferry_json_get(vmi, "spec.domain.memory.guest");
  gint64 bytes = ferry_json_int(vmi, "status.guestMemoryBytes", 0);
  g_autofree char *memory = json_is_string(guest) ? g_strdup(json_string_value(guest))
                                                  : g_strdup_printf("%" G_GINT64_FORMAT, bytes);
  return json_pack("{s:{s:s, s:s}, s:{s:s, s:s}}", "requests", "cpu", cpu, "memory", memory,
                   "limits", "cpu", cpu, "memory", memory);
}

/* The pod of a VM that runs, on the host that has it; NULL where it runs nowhere. */
static json_t *pod_of(const json_t *vmi) {
  const char *node = ferry_json_str(vmi, "status.nodeName");
  if (!node || !ferry_vmi_is_active(vmi))
    return NULL;
  json_t *since = ferry_json_get(vmi, "metadata.creationTimestamp");
  return json_pack(
      "{s:s, s:s, s:o, s:{s:s, s:s, s:[{s:s, s:s, s:o}]}, s:{s:s, s:O*, s:[{s:s, s:s}], "
      "s:[{s:s, s:b, s:i, s:s, s:{s:{s:O*}}}]}}",
      "apiVersion", "v1", "kind", "Pod", "metadata", pod_metadata(vmi, node), "spec", "nodeName",
      node, "restartPolicy", "Never", "containers", "name", "compute", "image", "libvirt-domain",
      "resources", pod_resources(vmi), "status", "phase", ferry_phase_name(FERRY_PHASE_RUNNING),
      "startTime", since, "conditions", "type", "Ready", "status", "True", "containerStatuses",
      "name", "compute", "ready", 1, "restartCount", 0, "image", "libvirt-domain", "state",
      "running", "startedAt", since);
}

static gboolean has_pod_named(const json_t *vmi, const char *name) {
  const char *node = ferry_json_str(vmi, "status.nodeName");
  g_autofree char *own = node && ferry_vmi_is_active(vmi) ? pod_name(vmi, node) : NULL;
  return g_strcmp0(own, name) == 0;
}

/* By what stands before each dash of the name; NULL: none, or the name was shortened. */
static json_t *find_by_parts(FerryRequest *req, const char *ns, const char *name) {
  const char *rest = g_str_has_prefix(name, POD_PREFIX) ? name + strlen(POD_PREFIX) : NULL;
  for (const char *dash = rest ? strchr(rest, '-') : NULL; dash; dash = strchr(dash + 1, '-')) {
    g_autofree char *vmi_name = g_strndup(rest, (gsize)(dash - rest));
    g_autoptr(json_t) vmi = ferry_store_get(req->api->store, &ferry_kind_vmi, ns, vmi_name);
    if (vmi && has_pod_named(vmi, name))
      return g_steal_pointer(&vmi);
  }
  return NULL;
}

/* The VM whose pod has this name in the namespace. New reference. */
static json_t *pods_find_vmi(FerryRequest *req, const char *ns, const char *name, GError **error) {
  json_t *found = find_by_parts(req, ns, name);
  if (found)
    return found;
  g_autoptr(GPtrArray) vmis = strlen(name) >= SHORTENED_LEAST
                                  ? ferry_store_list(req->api->store, &ferry_kind_vmi, ns, NULL)
                                  : NULL;
  for (guint i = 0; vmis && i < vmis->len; i++) {
    json_t *vmi = g_ptr_array_index(vmis, i);
    if (has_pod_named(vmi, name))
      return json_incref(vmi);
  }
  ferry_set_not_found(error, &pod_kind, name);
  return NULL;
}

static gboolean list_pods(FerryRequest *req, const char *ns, GError **error) {
  g_autoptr(FerrySelector) labels = NULL;
  g_autoptr(FerrySelector) fields = NULL;
  if (ferry_query_bool(req, "watch")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_METHOD_NOT_ALLOWED,
                "pods cannot be watched: they stand for VMs; watch virtualmachineinstances");
    return FALSE;
  }
  if (!ferry_request_selectors(req, &labels, &fields, error))
    return FALSE;
  gint64 revision;
  g_autoptr(GPtrArray) vmis = ferry_store_list(req->api->store, &ferry_kind_vmi, ns, &revision);
  json_t *items = json_array();
  for (guint i = 0; i < vmis->len; i++) {
    g_autoptr(json_t) pod = pod_of(g_ptr_array_index(vmis, i));
    if (pod && ferry_selector_matches(labels, pod) && ferry_selector_matches(fields, pod))
      json_array_append(items, pod);
  }
  g_autofree char *rv = g_strdup_printf("%" G_GINT64_FORMAT, revision);
  ferry_respond_json(req, 200,
                     json_pack("{s:s, s:s, s:{s:s}, s:o}", "kind", "PodList", "apiVersion", "v1",
                               "metadata", "resourceVersion", rv, "items", items));
  return TRUE;
}

/* ---- eviction ---- */

static gboolean later(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean later(GError **error, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_autofree char *text = g_strdup_vprintf(format, ap);
  va_end(ap);
  g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_TOO_MANY_REQUESTS, text);
  return FALSE;
}

static gboolean read_eviction(FerryRequest *req, const char *ns, const char *pod, gboolean *dry,
                              json_t **options, GError **error) {
  g_autoptr(json_t) body = ferry_request_body(req, error);
  if (!body)
    return FALSE;
  const char *version = ferry_json_str(body, "apiVersion"), *kind = ferry_json_str(body, "kind");
  const char *name = ferry_json_str(body, "metadata.name");
  const char *space = ferry_json_str(body, "metadata.namespace");
  if ((g_strcmp0(version, "policy/v1") != 0 && g_strcmp0(version, "policy/v1beta1") != 0) ||
      g_strcmp0(kind, "Eviction") != 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "the body must be an Eviction of policy/v1 or policy/v1beta1, it is %s %s",
                version ? version : "without apiVersion", kind ? kind : "without kind");
    return FALSE;
  }
  if ((name && *name && !g_str_equal(name, pod)) || (space && *space && !g_str_equal(space, ns))) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "name and namespace of the Eviction (%s/%s) do not match the URL (%s/%s)",
                space ? space : "", name ? name : "", ns, pod);
    return FALSE;
  }
  *options = json_incref(json_object_get(body, "deleteOptions"));
  if (*options && !json_is_object(*options) && !json_is_null(*options)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "deleteOptions must be a DeleteOptions object");
    return FALSE;
  }
  return ferry_check_delete_options(*options, error) &&
         ferry_request_dry_run(req, *options, dry, error);
}

static json_t *active_migration(FerryRequest *req, const json_t *vmi) {
  g_autoptr(GPtrArray) all = ferry_store_list(req->api->store, &ferry_kind_vmim,
                                              ferry_json_str(vmi, "metadata.namespace"), NULL);
  for (guint i = 0; i < all->len; i++) {
    json_t *m = g_ptr_array_index(all, i);
    if (!ferry_migration_is_final(m) &&
        g_strcmp0(ferry_json_str(m, "spec.vmiName"), ferry_json_str(vmi, "metadata.name")) == 0)
      return json_incref(m);
  }
  return NULL;
}

/* A migration that an eviction did not ask for: nobody sees to it that the VM leaves. kubectl asks
 * again after a 429; after a 201 it only waits. */
static gboolean another(const json_t *m, const char *source, GError **error) {
  const char *leaves = ferry_object_annotation(m, FERRY_EVACUATES_ANNOTATION);
  const char *name = ferry_json_str(m, "metadata.name");
  if (ferry_migration_is_forecast(m))
    return !later(error, "a forecast of the VM is being made (%s), which takes some seconds", name);
  if (g_strcmp0(leaves, source) == 0)
    return FALSE;
  return !later(error, "migration %s of the VM is under way already (%s)", name,
                ferry_phase_word(m));
}

/* Accepted, or 429 while the migration waits for its turn or for a host. */
static gboolean answer_for(FerryRequest *req, const json_t *m, const char *source, GError **error) {
  const char *name = ferry_json_str(m, "metadata.name");
  FerryPhase phase = ferry_phase_of(m);
  g_autofree char *why = NULL;
  guint place = 0;
  if (phase <= FERRY_PHASE_PENDING) {
    g_autoptr(GPtrArray) all = ferry_store_list(req->api->store, &ferry_kind_vmim, NULL, NULL);
    g_autoptr(json_t) kubevirt =
        ferry_store_get(req->api->store, &ferry_kind_kubevirt, "kubevirt", "kubevirt");
    FerryConfigSources sources = {.kubevirt = kubevirt, .migration = m};
    g_autoptr(json_t) config = ferry_config_resolve(&sources, NULL);
    g_autoptr(FerryLimits) limits = ferry_limits_new((json_t *const *)all->pdata, all->len, config);
    const char *uid = ferry_json_str(m, "metadata.uid");
    place = ferry_limits_position(limits, uid);
    /* place 0: it has left the queue since it was read */
    if (place && !ferry_limits_admit(limits, uid, source, &why))
      return later(error, "migration %s waits at place %u of the queue: %s", name, place, why);
  } else if (phase == FERRY_PHASE_SCHEDULING) {
    g_autoptr(GString) text = g_string_new(NULL);
    gsize i, k;
    json_t *refusal, *reason;
    json_array_foreach(ferry_json_get(m, "status.refusals"), i, refusal)
        json_array_foreach(json_object_get(refusal, "reasons"), k, reason) g_string_append_printf(
            text, "%s%s", text->len ? "; " : "", ferry_json_str(reason, "message"));
    if (text->len)
      return later(error, "migration %s waits for a host: %s", name, text->str);
  }
  ferry_respond_json(req, 201,
                     json_pack("{s:s, s:s, s:{}, s:s, s:s}", "kind", "Status", "apiVersion", "v1",
                               "metadata", "status", "Success", "message",
                               "the VM is being moved to another host"));
  return TRUE;
}

/* A refusal in one line: kubectl prints no causes for what it asks again. */
static gboolean pods_refused(GError *problem, GError **error) {
  guint n = ferry_error_n_causes(problem);
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < n; i++)
    g_string_append_printf(text, "%s%s", i ? "; " : "", ferry_error_cause(problem, i)->message);
  return later(error, "the VM cannot be moved now: %s", n ? text->str : problem->message);
}

static gboolean evict(FerryRequest *req, const char *ns, const char *pod, GError **error) {
  gboolean dry;
  g_autoptr(json_t) options = NULL;
  if (!read_eviction(req, ns, pod, &dry, &options, error))
    return FALSE;
  g_autoptr(json_t) vmi = pods_find_vmi(req, ns, pod, error);
  g_autoptr(json_t) shown = vmi ? pod_of(vmi) : NULL;
  if (!vmi || !ferry_check_preconditions(req, options, shown, error))
    return FALSE;
  g_autofree char *source = g_strdup(ferry_json_str(vmi, "status.nodeName"));
  g_autoptr(json_t) running = active_migration(req, vmi);
  if (running && another(running, source, error))
    return FALSE;
  if (running)
    return answer_for(req, running, source, error);
  req->kind = &ferry_kind_vmim;
  req->ns = ns;
  g_autoptr(GError) problem = NULL;
  /* Asked first: what no host can take is not even begun. */
  g_autoptr(json_t) wish = ferry_evacuation_migration(vmi, source, 1);
  g_hash_table_replace(req->query, g_strdup("dryRun"), g_strdup("All"));
  g_autoptr(json_t) made = ferry_resource_make(req, wish, &problem);
  if (made && !dry) {
    g_hash_table_remove(req->query, "dryRun");
    g_clear_pointer(&made, json_decref);
    g_autoptr(json_t) again = ferry_evacuation_migration(vmi, source, 1);
    made = ferry_resource_make(req, again, &problem);
  }
  req->kind = &pod_kind;
  if (made)
    return answer_for(req, made, source, error);
  if (g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_INVALID) ||
      g_error_matches(problem, FERRY_ERROR, FERRY_ERROR_CONFLICT))
    return pods_refused(problem, error);
  g_propagate_error(error, g_steal_pointer(&problem));
  return FALSE;
}

/* ---- routes ---- */

gboolean ferry_serve_pods(FerryRequest *req, GError **error) {
  const char *ns = req->ns, *name = req->name;
  req->kind = &pod_kind;
  if (!ferry_negotiate(req, FALSE, error))
    return FALSE;
  if (g_str_equal(req->verb, "create")) {
    /* As Kubernetes has it: with a Retry-After client-go would ask again by itself ten times before
     * kubectl could say what it waits for. */
    req->waits_in_words = TRUE;
    return evict(req, ns, name, error);
  }
  if (!name)
    return list_pods(req, ns, error);
  if (g_str_equal(req->verb, "delete")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
                "pods \"%s\" is forbidden: it stands for a running VM, which is moved and not "
                "deleted; drain without --disable-eviction",
                name);
    return FALSE;
  }
  g_autoptr(json_t) vmi = pods_find_vmi(req, ns, name, error);
  if (!vmi)
    return FALSE;
  ferry_respond_json(req, 200, pod_of(vmi));
  return TRUE;
}
