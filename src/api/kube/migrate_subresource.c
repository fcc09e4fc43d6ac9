// SPDX-License-Identifier: Apache-2.0
// PUT .../virtualmachines/NAME/migrate of subresources.kubevirt.io, as virtctl sends it: makes a
// migration of the VM and answers 202 without waiting for anything.
#include "api/kube/migrate_subresource.h"
#include "api/http/negotiate.h"
#include "api/http/respond.h"
#include "api/lookup/find.h"
#include "api/resource/write.h"
#include "api/resource/write_options.h"

#include <string.h>

static const FerryKind vm_kind = {.group = "subresources.kubevirt.io",
                                  .version = "v1",
                                  .kind = "VirtualMachine",
                                  .plural = "virtualmachines",
                                  .singular = "virtualmachine",
                                  .namespaced = TRUE};

/* MigrateOptions, all of it optional. */
static gboolean migrate_subresource_read_options(FerryRequest *req, json_t *spec, gboolean *dry,
                                                 GError **error) {
  g_autoptr(json_t) body = req->asked.body->len ? ferry_request_body(req, error) : json_object();
  if (!body)
    return FALSE;
  if (!json_is_object(body)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "the body must be a MigrateOptions object: {\"dryRun\": [\"All\"], "
                "\"addedNodeSelector\": {\"LABEL\": \"VALUE\"}}");
    return FALSE;
  }
  json_t *selector = json_object_get(body, "addedNodeSelector");
  if (selector && !json_is_null(selector))
    json_object_set(spec, "addedNodeSelector", selector);
  return ferry_request_dry_run(req, body, dry, error);
}

gboolean ferry_serve_migrate_subresource(FerryRequest *req, GError **error) {
  gboolean dry;
  g_autoptr(json_t) spec = json_object();
  if (!migrate_subresource_read_options(req, spec, &dry, error))
    return FALSE;
  req->found.kind = &ferry_kind_vmi;
  g_autoptr(json_t) vmi = ferry_resource_find(req, NULL);
  if (!vmi) {
    req->found.kind = &vm_kind;
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
                "virtualmachine.kubevirt.io \"%s\" not found", req->found.name);
    return FALSE;
  }
  json_object_set(spec, "vmiName", ferry_json_get(vmi, "metadata.name"));
  g_autoptr(json_t) wish = json_pack("{s:s, s:s, s:{s:s}, s:O}", "apiVersion", "kubevirt.io/v1",
                                     "kind", "VirtualMachineInstanceMigration", "metadata",
                                     "generateName", "kubevirt-migrate-vm-", "spec", spec);
  if (dry)
    g_hash_table_replace(req->asked.query, g_strdup("dryRun"), g_strdup("All"));
  req->found.kind = &ferry_kind_vmim;
  req->found.name = NULL;
  g_autoptr(json_t) made = ferry_resource_make(req, wish, error);
  if (!made)
    return FALSE;
  ferry_respond_text(req, 202, "application/json", "");
  return TRUE;
}
