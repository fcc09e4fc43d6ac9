// SPDX-License-Identifier: Apache-2.0
#include "agent/carry/nics.h"
#include <string.h>

#define NICS_MAX 16

static void nic_clear(gpointer data) {
  FerryNic *nic = data;
  g_free(nic->device);
  g_free(nic->bridge);
}

static void add_nic(GArray *nics, const json_t *interface) {
  const char *device = ferry_json_str(interface, "name");
  FerryNic nic = {0};
  if (nics->len >= NICS_MAX || !device ||
      !ferry_mac_parse(ferry_json_str(interface, "macAddress"), nic.mac))
    return;
  nic.bridge = ferry_guest_port_bridge(device);
  if (!nic.bridge)
    return;
  nic.device = g_strdup(device);
  g_strlcpy(nic.mac_text, ferry_json_str(interface, "macAddress"), sizeof nic.mac_text);
  g_array_append_val(nics, nic);
}

GArray *ferry_nics_look(FerryHost *host, const char *uuid) {
  GArray *nics = g_array_new(FALSE, TRUE, sizeof(FerryNic));
  g_array_set_clear_func(nics, nic_clear);
  g_autoptr(json_t) record = host->local ? ferry_host_record(host, uuid, NULL) : NULL;
  gsize i;
  json_t *interface;
  if (!ferry_json_bool(record, "active", FALSE))
    return nics;
  json_array_foreach(json_object_get(record, "interfaces"), i, interface) add_nic(nics, interface);
  return nics;
}

gboolean ferry_nics_have(const GArray *nics, const guint8 mac[FERRY_MAC_BYTES]) {
  for (guint i = 0; i < nics->len; i++)
    if (memcmp(g_array_index(nics, FerryNic, i).mac, mac, FERRY_MAC_BYTES) == 0)
      return TRUE;
  return FALSE;
}
