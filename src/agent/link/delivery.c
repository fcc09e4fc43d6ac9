// SPDX-License-Identifier: Apache-2.0
#include "agent/link/delivery.h"
#include "base/rfc3339.h"

void ferry_delivery_send(FerryDelivery *d, json_t *status) {
  d->ops->send(d, status);
}

void ferry_delivery_telemetry(FerryDelivery *d, json_t *status) {
  d->ops->telemetry(d, status);
}

void ferry_delivery_tell(FerryDelivery *d, const json_t *object, const char *type,
                         const char *reason, const char *message) {
  g_autofree char *now = ferry_rfc3339_format(g_get_real_time() / 1000);
  const char *ns = ferry_json_str(object, "metadata.namespace");
  const char *name = ferry_json_str(object, "metadata.name");
  g_autofree char *prefix = g_strconcat(name, ".", NULL);
  d->ops->event(
      d, json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s, s:s, s:s, s:s*}, s:s, s:s, s:s, s:i, "
                   "s:s, s:s, s:{s:s}}",
                   "apiVersion", "v1", "kind", "Event", "metadata", "generateName", prefix,
                   "namespace", ns, "involvedObject", "apiVersion", "kubevirt.io/v1", "kind",
                   "VirtualMachineInstanceMigration", "namespace", ns, "name", name, "uid",
                   ferry_json_str(object, "metadata.uid"), "type", type, "reason", reason,
                   "message", message, "count", 1, "firstTimestamp", now, "lastTimestamp", now,
                   "source", "component", "ferry-agentd"));
}

FerryDeliveryResult ferry_delivery_flush(FerryDelivery *d, gint64 timeout_ms) {
  return d->ops->flush(d, timeout_ms);
}

void ferry_delivery_live(FerryDelivery *d, gboolean on) {
  if (d->ops->live)
    d->ops->live(d, on);
}

void ferry_delivery_free(FerryDelivery *d) {
  if (d)
    d->ops->free(d);
}
