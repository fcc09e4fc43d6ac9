// SPDX-License-Identifier: Apache-2.0
#include "policy/copied_disks.h"
#include "model/migration_flags.h"
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

static const xmlNode *child(const xmlNode *node, const char *name) {
  for (const xmlNode *n = node ? node->children : NULL; n; n = n->next)
    if (n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0)
      return n;
  return NULL;
}

static gboolean attribute_is(const xmlNode *node, const char *name, const char *wanted) {
  xmlChar *value = node ? xmlGetNoNsProp((xmlNode *)node, (const xmlChar *)name) : NULL;
  gboolean same = value && strcmp((const char *)value, wanted) == 0;
  xmlFree(value);
  return same;
}

/* The <source> of a disk in a domain's XML, by the disk's name in the guest; NULL: none. */
static const xmlNode *source_of(const xmlDoc *doc, const char *name) {
  const xmlNode *devices = child(xmlDocGetRootElement((xmlDoc *)doc), "devices");
  for (const xmlNode *n = devices ? devices->children : NULL; n; n = n->next)
    if (n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, "disk") == 0 &&
        attribute_is(child(n, "target"), "dev", name))
      return child(n, "source");
  return NULL;
}

static gboolean is_elsewhere(const json_t *config, const json_t *disk) {
  static const char *const places[] = {"file", "dev", "name", "volume", "dir"};
  const char *xml = ferry_json_str(config, "destinationXML");
  const char *name = ferry_json_str(disk, "name"), *place = ferry_json_str(disk, "source");
  if (!xml || !name || !place)
    return FALSE;
  g_autoptr(xmlDoc) doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL,
                                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  const xmlNode *source = doc && !doc->intSubset ? source_of(doc, name) : NULL;
  for (gsize i = 0; source && i < G_N_ELEMENTS(places); i++)
    if (attribute_is(source, places[i], place))
      return FALSE;
  return source != NULL;
}

static gboolean is_copyable(const json_t *disk) {
  return ferry_json_str(disk, "name") && ferry_json_str(disk, "source") &&
         !ferry_json_bool(disk, "readonly", FALSE) && !ferry_json_bool(disk, "shareable", FALSE);
}

static gboolean copies(const json_t *config) {
  return ferry_migration_flag_on(config, "copyStorageAll") ||
         ferry_migration_flag_on(config, "copyStorageIncremental");
}

gboolean ferry_disk_is_shared(const json_t *config, const json_t *disk) {
  return (ferry_json_bool(disk, "shared", FALSE) ||
          g_strcmp0(ferry_json_str(disk, "type"), "network") == 0) &&
         !is_elsewhere(config, disk);
}

gboolean ferry_disk_is_copied(const json_t *config, const json_t *disk) {
  const json_t *names = json_object_get(config, "migrateDisks");
  const char *name = ferry_json_str(disk, "name");
  if (!copies(config))
    return FALSE;
  for (gsize i = 0; i < json_array_size(names); i++)
    if (g_strcmp0(json_string_value(json_array_get(names, i)), name) == 0)
      return TRUE;
  return !json_array_size(names) && is_copyable(disk) && !ferry_disk_is_shared(config, disk);
}

static void put(json_t *config, json_t *origins, const char *name, json_t *value) {
  json_object_set_new(config, name, value);
  if (origins)
    ferry_json_set_str(origins, name, "automatic");
}

/* Without its disks; what tunes their copy would be refused by libvirt, too. */
static void copy_nothing(json_t *config, json_t *origins) {
  static const char *const flags[] = {"copyStorageAll", "copyStorageIncremental",
                                      "copyStorageSynchronousWrites"};
  static const char *const values[] = {"migrateDisks", "migrateDisksDetectZeroes", "disksPort",
                                       "disksURI"};
  for (gsize i = 0; i < G_N_ELEMENTS(flags); i++)
    if (ferry_migration_flag_on(config, flags[i]))
      put(config, origins, flags[i], json_false());
  for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
    json_object_del(config, values[i]);
    json_object_del(origins, values[i]);
  }
}

void ferry_copied_disks_complete(json_t *config, json_t *origins, const json_t *vmi) {
  g_autoptr(json_t) names = json_array();
  gboolean left_out = FALSE;
  gsize i;
  json_t *disk;
  if (!copies(config) || json_array_size(json_object_get(config, "migrateDisks")))
    return;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.devices.disks"), i, disk) {
    if (ferry_disk_is_copied(config, disk))
      json_array_append(names, json_object_get(disk, "name"));
    else
      left_out |= is_copyable(disk); /* libvirt, which is told no names, would copy it */
  }
  if (left_out && json_array_size(names) == 0)
    copy_nothing(config, origins);
  else if (left_out)
    put(config, origins, "migrateDisks", json_incref(names));
}
