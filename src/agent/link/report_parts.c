// SPDX-License-Identifier: Apache-2.0
// ferryd takes requests up to FERRY_JSON_MAX_BYTES, and a host may have thousands of domains. Only
// the last part says that it is all: what is on a host is declared gone by that one report.
#include "agent/link/report_parts.h"

static json_t *part_of(const json_t *report) {
  json_t *part = json_object();
  json_object_set(part, "epoch", json_object_get(report, "epoch"));
  json_object_set_new(part, "full", json_false());
  json_object_set_new(part, "domains", json_array());
  return part;
}

GPtrArray *ferry_report_parts(json_t *report) {
  GPtrArray *parts = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  const json_t *domains = json_object_get(report, "domains");
  g_autoptr(json_t) present = json_array();
  json_t *part = NULL, *domain;
  gsize i, bytes = 0;
  json_array_foreach((json_t *)domains, i, domain) {
    gsize size = json_dumpb(domain, NULL, 0, JSON_COMPACT);
    json_t *list = json_object_get(part, "domains");
    if (!part || json_array_size(list) >= FERRY_REPORT_PART_DOMAINS ||
        (bytes + size > FERRY_REPORT_PART_BYTES && json_array_size(list))) {
      gsize k;
      json_t *told;
      json_array_foreach(list, k, told) json_array_append(present, json_object_get(told, "uuid"));
      part = part_of(report);
      g_ptr_array_add(parts, part);
      bytes = 0;
    }
    json_array_append(json_object_get(part, "domains"), domain);
    bytes += size;
  }
  if (parts->len < 2) {
    g_ptr_array_set_size(parts, 0);
    g_ptr_array_add(parts, json_incref(report));
    return parts;
  }
  json_t *node = json_object_get(report, "node");
  if (node)
    json_object_set(g_ptr_array_index(parts, 0), "node", node);
  json_object_set(part, "removed", json_object_get(report, "removed"));
  if (ferry_json_bool(report, "full", FALSE)) {
    json_object_set_new(part, "full", json_true());
    json_object_set(part, "present", present);
  }
  return parts;
}
