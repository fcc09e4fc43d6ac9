// SPDX-License-Identifier: Apache-2.0
// Pod: a running VM on its host, for clients that know hosts' load as pods (`kubectl drain`,
// `describe node`). It is made of the VM when it is asked for and stored nowhere: its name and uid
// are made of VM and host, so it is gone as soon as the VM is elsewhere.
#include "base/random.h"
#include "model/kinds/columns.h"
#include "model/kinds/pod.h"
#include "model/kinds/shared_fields.h"
#include "model/migration/phase.h"
#include "model/migration/condition.h"

#include <string.h>

static const FerryField pod_resources_fields[] = {
    MAP("requests", "What the VM takes of its host: cpu in processors, memory as a quantity."),
    MAP("limits", "The same."),
    END,
};

static const FerryField pod_container[] = {
    STR("name", "Always compute.", REQUIRED),
    STR("image", "Always libvirt-domain."),
    OBJ("resources", pod_resources_fields, "What the VM takes of its host."),
    END,
};

static const FerryField pod_spec[] = {
    STR("nodeName", "Node on which the VM runs.", .max = NAME_MAX_LENGTH),
    STR("restartPolicy", "Always Never.", .max = 64),
    OBJS("containers", pod_container, "The VM as a container.", REQUIRED, .max = 1),
    END,
};

static const FerryField pod_running[] = {
    TIME("startedAt", "When the VM was first seen."),
    END,
};

static const FerryField pod_container_state[] = {
    OBJ("running", pod_running, "Since when it runs."),
    END,
};

static const FerryField pod_container_status[] = {
    STR("name", "Always compute.", REQUIRED),
    BOOL("ready", "Always true.", REQUIRED),
    COUNT("restartCount", "Always 0.", REQUIRED),
    STR("image", "Always libvirt-domain."),
    STR("imageID", "Always empty."),
    OBJ("state", pod_container_state, "That it runs."),
    END,
};

static const FerryField pod_status[] = {
    STR("phase", "Always Running: a VM that does not run has no pod.", .values = ferry_pod_phases),
    TIME("startTime", "When the VM was first seen."),
    OBJS("conditions", ferry_fields_condition, "Ready.", .merge_key = "type", .max = 32),
    OBJS("containerStatuses", pod_container_status, "State of the VM as a container.", .max = 1),
    END,
};

static const FerryField pod_fields[] = {
    OBJ("spec", pod_spec, "Where the VM runs, and what it takes."),
    OBJ("status", pod_status, "That it runs."),
    END,
};

static json_t *cell_ready(const json_t *object, gint64 now_ms) {
  return json_string("1/1");
}

static json_t *cell_restarts(const json_t *object, gint64 now_ms) {
  return json_integer(0);
}

static const FerryColumn pod_columns[] = {
    COLUMN_NAME,
    COLUMN_CELL("Ready", "string", cell_ready, "Always 1/1."),
    COLUMN("Status", "string", "status.phase", "Always Running."),
    COLUMN_CELL("Restarts", "integer", cell_restarts, "Always 0."),
    COLUMN_AGE,
    COLUMN_WIDE("Node", "string", "spec.nodeName", "Node on which the VM runs."),
};

/* Of the pod of `vmi` on `node`. */
static char *pod_name_on(const json_t *vmi, const char *node) {
  g_autofree char *plain =
      g_strdup_printf(FERRY_POD_PREFIX "%s-%s", ferry_json_str(vmi, "metadata.name"), node);
  if (strlen(plain) <= NAME_MAX_LENGTH)
    return g_steal_pointer(&plain);
  g_autofree char *hash = ferry_sha256_hex(plain, strlen(plain));
  return g_strdup_printf("%.*s-%.12s", FERRY_POD_SHORTENED, plain, hash);
}

gboolean ferry_pod_is_named(const json_t *vmi, const char *name) {
  const char *node = ferry_json_str(vmi, "status.nodeName");
  g_autofree char *own = node && ferry_vmi_is_active(vmi) ? pod_name_on(vmi, node) : NULL;
  return g_strcmp0(own, name) == 0;
}

/* A UUID of the VM on that host: another one on another. */
static char *pod_uid(const json_t *vmi, const char *node) {
  g_autofree char *text = g_strconcat(ferry_json_str(vmi, "metadata.uid"), "/", node, NULL);
  g_autofree char *h = ferry_sha256_hex(text, strlen(text));
  return g_strdup_printf("%.8s-%.4s-%.4s-%.4s-%.12s", h, h + 8, h + 12, h + 16, h + 20);
}

static json_t *pod_metadata(const json_t *vmi, const char *node) {
  g_autofree char *name = pod_name_on(vmi, node);
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

static json_t *pod_make(const json_t *vmi) {
  const char *node = ferry_json_str(vmi, "status.nodeName");
  if (!node || !ferry_vmi_is_active(vmi))
    return NULL;
  json_t *since = ferry_json_get(vmi, "metadata.creationTimestamp");
  return json_pack(
      "{s:s, s:s, s:o, s:{s:s, s:s, s:[{s:s, s:s, s:o}]}, s:{s:s, s:O*, s:[{s:s, s:s}], "
      "s:[{s:s, s:b, s:i, s:s, s:s, s:{s:{s:O*}}}]}}",
      "apiVersion", "v1", "kind", "Pod", "metadata", pod_metadata(vmi, node), "spec", "nodeName",
      node, "restartPolicy", "Never", "containers", "name", "compute", "image", "libvirt-domain",
      "resources", pod_resources(vmi), "status", "phase", ferry_phase_name(FERRY_PHASE_RUNNING),
      "startTime", since, "conditions", "type", ferry_condition_name(FERRY_CONDITION_READY),
      "status", "True", "containerStatuses", "name", "compute", "ready", 1, "restartCount", 0,
      "image", "libvirt-domain", "imageID", "", "state", "running", "startedAt", since);
}

const FerryKind ferry_kind_pod = {
    .group = "",
    .version = "v1",
    .kind = "Pod",
    .plural = "pods",
    .singular = "pod",
    .short_names = WORDS("po"),
    .namespaced = TRUE,
    .verbs = FERRY_VERB_READ,
    .read_by = FERRY_ROLE_VIEW,
    .fields = pod_fields,
    .columns = pod_columns,
    .n_columns = G_N_ELEMENTS(pod_columns),
    .field_selectors = WORDS("spec.nodeName", "status.phase", "spec.restartPolicy"),
    .doc = "Pod stands for a VM that runs on a node, so that tools which know nodes by their pods "
           "see it; evicting it moves the VM.",
    .instead = "a pod stands for a running VM, which is moved and not written: evict the pod, or "
               "create a VirtualMachineInstanceMigration; drain without --disable-eviction",
    .made_of = &ferry_kind_vmi,
    .make = pod_make,
};
