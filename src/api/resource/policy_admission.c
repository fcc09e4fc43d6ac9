// SPDX-License-Identifier: Apache-2.0
// What a policy says must make sense as a whole before it is stored, because it is read only when a
// migration is in a hurry. The shipped ones are objects like any other, so that lists, watches and
// names work, but nobody may change them, and who
// deletes one finds it made anew: `kubectl delete --all` has nothing to stumble over.
#include "api/resource/policy_admission.h"
#include "api/http/request.h"
#include "model/field/object_meta.h"
#include "base/random.h"
#include "base/rfc3339.h"
#include "policy/freeze.h"
#include "policy/policy_check.h"
#include "policy/preset_policies.h"

static gboolean policy_admission_judge(FerryRequest *req, const json_t *object, GError **error) {
  g_autoptr(GPtrArray) policies =
      ferry_store_list(req->api->store, &ferry_kind_migration_policy, NULL, NULL);
  return ferry_policy_admit(req->found.kind, object, (json_t *const *)policies->pdata,
                            policies->len, error);
}

static gboolean policy_admission_shipped(const json_t *object, GError **error) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
              "migrationpolicies.migrations.kubevirt.io \"%s\" is forbidden: it is one of Ferry's "
              "presets and may not be changed; make a policy of your own with spec.preset: %s",
              ferry_json_str(object, "metadata.name"), ferry_json_str(object, "metadata.name"));
  return FALSE;
}

static gboolean is_labelled(const json_t *object) {
  return json_object_get(ferry_json_get(object, "metadata.labels"), FERRY_PRESET_LABEL) != NULL;
}

static gboolean refuse_label(const json_t *object, GError **error) {
  g_set_error(
      error, FERRY_ERROR, FERRY_ERROR_FORBIDDEN,
      "migrationpolicies.migrations.kubevirt.io \"%s\" is forbidden: the label %s marks the "
      "policies that Ferry ships; leave it out",
      ferry_json_str(object, "metadata.name"), FERRY_PRESET_LABEL);
  return FALSE;
}

static void sign_freeze(FerryRequest *req, const json_t *old, json_t *object) {
  if (req->found.kind == &ferry_kind_kubevirt)
    ferry_freeze_sign(old, object, req->user->name, ferry_clock_wall_ms(req->api->clock));
}

gboolean ferry_admit_policy_create(FerryRequest *req, json_t *object, GError **error) {
  sign_freeze(req, NULL, object);
  if (req->found.kind == &ferry_kind_migration_policy && is_labelled(object))
    return refuse_label(object, error);
  return policy_admission_judge(req, object, error);
}

gboolean ferry_admit_policy_update(FerryRequest *req, const json_t *old, json_t *object,
                                   GError **error) {
  sign_freeze(req, old, object);
  if (req->found.kind == &ferry_kind_migration_policy && ferry_preset_is_builtin(old))
    return policy_admission_shipped(old, error);
  if (req->found.kind == &ferry_kind_migration_policy && is_labelled(object))
    return refuse_label(object, error);
  return policy_admission_judge(req, object, error);
}

static json_t *make_policy(FerryApi *api, const FerryPreset *preset) {
  g_autofree char *uid = ferry_random_uuid();
  g_autofree char *now = ferry_rfc3339_format(ferry_clock_wall_ms(api->clock));
  return json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:i, s:{s:s}, s:{s:s}}, s:o}", "apiVersion",
                   "migrations.kubevirt.io/v1alpha1", "kind", "MigrationPolicy", "metadata", "name",
                   preset->name, "uid", uid, "creationTimestamp", now, "generation", 1, "labels",
                   FERRY_PRESET_LABEL, preset->name, "annotations", "ferry.migration/description",
                   preset->doc, "spec", ferry_preset_spec(preset));
}

void ferry_policy_restore(FerryRequest *req, const json_t *object, GArray *writes,
                          GPtrArray *keep) {
  const char *name = ferry_json_str(object, "metadata.name");
  gsize n;
  const FerryPreset *presets = ferry_preset_all(&n);
  if (req->found.kind != &ferry_kind_migration_policy || !ferry_preset_is_builtin(object))
    return;
  for (gsize i = 0; i < n; i++) {
    if (g_strcmp0(presets[i].name, name) != 0)
      continue;
    GPtrArray *made = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
    FerryWrite write = {.op = FERRY_WRITE_CREATE,
                        .kind = req->found.kind,
                        .ns = "",
                        .name = presets[i].name,
                        .object = make_policy(req->api, &presets[i])};
    g_ptr_array_add(made, write.object);
    g_ptr_array_add(keep, made);
    g_array_append_val(writes, write);
    g_free(req->write.told);
    req->write.told =
        g_strdup_printf("%s is one of Ferry's presets: it is there again, as it is shipped", name);
  }
}

static gboolean make_preset(FerryApi *api, const FerryPreset *preset, GError **error) {
  g_autoptr(json_t) there =
      ferry_store_get(api->store, &ferry_kind_migration_policy, "", preset->name);
  g_autoptr(json_t) object = make_policy(api, preset);
  if (there && (!ferry_preset_is_builtin(there) ||
                json_equal(json_object_get(there, "spec"), json_object_get(object, "spec"))))
    return TRUE;
  if (there) {
    ferry_json_set(object, "metadata", json_deep_copy(json_object_get(there, "metadata")));
    ferry_json_set_int(object, "metadata.generation",
                       ferry_json_int(there, "metadata.generation", 1) + 1);
  }
  FerryWrite write = {.op = there ? FERRY_WRITE_UPDATE : FERRY_WRITE_CREATE,
                      .kind = &ferry_kind_migration_policy,
                      .ns = "",
                      .name = preset->name,
                      .object = object,
                      .revision = there ? ferry_object_revision(there) : 0};
  return ferry_store_commit(api->store, &write, 1, NULL, error);
}

gboolean ferry_api_make_presets(FerryApi *api, GError **error) {
  gsize n;
  const FerryPreset *presets = ferry_preset_all(&n);
  for (gsize i = 0; i < n; i++)
    if (!make_preset(api, &presets[i], error))
      return FALSE;
  return TRUE;
}
