// SPDX-License-Identifier: Apache-2.0
#include "policy/migratable.h"

static void add(json_t *out, const char *reason, char *message) {
  json_array_append_new(out, json_pack("{ss,ss}", "reason", reason, "message", message));
  g_free(message);
}

gboolean ferry_disk_is_local(const json_t *disk) {
  return !ferry_json_bool(disk, "shared", TRUE) && !ferry_json_bool(disk, "readonly", FALSE) &&
         !ferry_json_bool(disk, "shareable", FALSE) && ferry_json_str(disk, "source");
}

json_t *ferry_migratable_reasons(const json_t *vmi) {
  json_t *out = json_array();
  gsize i;
  json_t *item;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.devices.hostDevices"), i, item) {
    const char *name = ferry_json_str(item, "name"), *type = ferry_json_str(item, "type");
    add(out, "HostDeviceNotLiveMigratable",
        g_strdup_printf("host device %s (%s) is passed through from the host; detach it first",
                        name ? name : "?", type ? type : "unknown type"));
  }
  json_array_foreach(ferry_json_get(vmi, "spec.domain.devices.interfaces"), i, item) {
    if (g_strcmp0(ferry_json_str(item, "type"), "hostdev") == 0)
      add(out, "InterfaceNotLiveMigratable",
          g_strdup_printf("interface %s is a passed-through device of the host",
                          ferry_json_str(item, "macAddress") ? ferry_json_str(item, "macAddress")
                                                             : "?"));
  }
  const char *cpu = ferry_json_str(vmi, "spec.domain.cpu.model");
  if (cpu && g_str_equal(cpu, "host-passthrough"))
    add(out, "CPUModeLiveMigratable",
        g_strdup("the CPU mode host-passthrough ties the VM to this very CPU; use host-model"));
  return out;
}
