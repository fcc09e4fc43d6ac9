// SPDX-License-Identifier: Apache-2.0
#include "api/nodes/trust_kept.h"
#include "base/rfc3339.h"
#include "model/field/object_meta.h"

#define GIVEN "status.libvirtTrust.given"

const FerryKind ferry_kind_trust_kept = {
    .group = "internal.ferry.migration",
    .version = "v1",
    .kind = "KeptTrust",
    .plural = "kepttrusts",
    .singular = "kepttrust",
    .doc = "KeptTrust lists certificates for libvirt of a node that was deleted; never served."};

/* What is good still of `from`, and not in `given` already. */
static void add_good(json_t *given, const json_t *from, gint64 now_ms) {
  gsize i;
  json_t *one;
  json_array_foreach(ferry_json_get(from, GIVEN), i, one) {
    const char *serial = ferry_json_str(one, "serial");
    if (serial && ferry_rfc3339_parse(ferry_json_str(one, "ends")) > now_ms &&
        !ferry_json_find(given, "serial", serial))
      json_array_append(given, one);
  }
}

void ferry_trust_kept_restore(FerryApi *api, const char *node, gint64 now_ms, json_t *given) {
  g_autoptr(json_t) kept = ferry_store_get(api->store, &ferry_kind_trust_kept, "", node);
  g_autoptr(json_t) own = json_copy(given);
  json_array_clear(given);
  add_good(given, kept, now_ms); /* the older ones first */
  gsize i;
  json_t *one;
  json_array_foreach(own, i, one) {
    if (!ferry_json_find(given, "serial", ferry_json_str(one, "serial")))
      json_array_append(given, one);
  }
}

guint ferry_trust_kept_writes(FerryApi *api, const json_t *node, GArray *writes, GPtrArray *keep) {
  const char *name = ferry_json_str(node, "metadata.name");
  g_autoptr(json_t) old = ferry_store_get(api->store, &ferry_kind_trust_kept, "", name);
  g_autoptr(json_t) given = json_array();
  gint64 now_ms = ferry_clock_wall_ms(api->clock);
  add_good(given, old, now_ms);
  add_good(given, node, now_ms);
  if (json_array_size(given) == 0 && !old)
    return 0;
  GPtrArray *made = g_ptr_array_new_with_free_func((GDestroyNotify)json_decref);
  json_t *record = json_pack("{s:{s:s}, s:{s:{s:O}}}", "metadata", "name", name, "status",
                             "libvirtTrust", "given", given);
  g_ptr_array_add(made, record);
  g_ptr_array_add(keep, made);
  FerryWrite write = {.op = old ? FERRY_WRITE_UPDATE : FERRY_WRITE_CREATE,
                      .kind = &ferry_kind_trust_kept,
                      .ns = "",
                      .name = ferry_json_str(record, "metadata.name"),
                      .object = record,
                      .revision = ferry_object_revision(old)};
  g_array_append_val(writes, write);
  return (guint)json_array_size(given);
}

void ferry_trust_kept_list(FerryApi *api, GPtrArray *nodes) {
  g_autoptr(GPtrArray) all = ferry_store_list(api->store, &ferry_kind_trust_kept, NULL, NULL);
  gint64 now_ms = ferry_clock_wall_ms(api->clock);
  for (guint i = 0; i < all->len; i++) {
    g_autoptr(json_t) good = json_array();
    add_good(good, g_ptr_array_index(all, i), now_ms);
    if (json_array_size(good))
      g_ptr_array_add(nodes, json_incref(g_ptr_array_index(all, i)));
  }
}
