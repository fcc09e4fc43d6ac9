// SPDX-License-Identifier: Apache-2.0
// The XML that copying disks needs: disks of a domain with their backing chains' first link, and
// libvirt's storage volumes and pools. Read with the limits of domain_xml.c.
#include "host/libvirt/storage/disks_xml.h"
#include "host/port/domain_xml.h"
#include "model/domain/xml.h"
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#define MAX_DISKS 256

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

static xmlDoc *disks_xml_parse(const char *xml) {
  gsize len = xml ? strlen(xml) : 0;
  if (!len || len > FERRY_DOMAIN_XML_MAX_BYTES)
    return NULL;
  xmlDoc *doc = xmlReadMemory(xml, (int)len, NULL, NULL,
                              XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  if (doc && doc->intSubset) /* entities */
    g_clear_pointer(&doc, xmlFreeDoc);
  return doc;
}

static char *disks_xml_attr(const xmlNode *node, const char *name) {
  xmlChar *raw = node ? xmlGetNoNsProp((xmlNode *)node, (const xmlChar *)name) : NULL;
  char *text = raw && strlen((const char *)raw) <= FERRY_DOMAIN_XML_MAX_TEXT
                   ? g_strdup((const char *)raw)
                   : NULL;
  xmlFree(raw);
  return text;
}

static char *disks_xml_text_of(const xmlNode *node) {
  xmlChar *raw = node ? xmlNodeGetContent(node) : NULL;
  char *text = raw && strlen((const char *)raw) <= FERRY_DOMAIN_XML_MAX_TEXT
                   ? g_strdup((const char *)raw)
                   : NULL;
  xmlFree(raw);
  return text ? g_strstrip(text) : NULL;
}

static void disks_xml_put(json_t *object, const char *key, const xmlNode *node, const char *name) {
  g_autofree char *value = disks_xml_attr(node, name);
  if (value && *value)
    json_object_set_new(object, key, json_string(value));
}

static json_t *disks_xml_parse_disk(const xmlNode *node) {
  json_t *disk = json_object();
  const xmlNode *source = ferry_xml_child(node, "source"),
                *backing = ferry_xml_child(node, "backingStore");
  g_autofree char *device = disks_xml_attr(node, "device");
  disks_xml_put(disk, "type", node, "type");
  disks_xml_put(disk, "name", ferry_xml_child(node, "target"), "dev");
  disks_xml_put(disk, "path", source, "file");
  disks_xml_put(disk, "path", source, "dev");
  disks_xml_put(disk, "path", source, "volume");
  disks_xml_put(disk, "pool", source, "pool");
  disks_xml_put(disk, "format", ferry_xml_child(node, "driver"), "type");
  disks_xml_put(disk, "backing", ferry_xml_child(backing, "source"), "file");
  disks_xml_put(disk, "backing", ferry_xml_child(backing, "source"), "dev");
  disks_xml_put(disk, "backingFormat", ferry_xml_child(backing, "format"), "type");
  gboolean readonly = ferry_xml_child(node, "readonly") || g_strcmp0(device, "cdrom") == 0;
  json_object_set_new(disk, "readonly", json_boolean(readonly));
  json_object_set_new(disk, "shareable", json_boolean(ferry_xml_child(node, "shareable") != NULL));
  return disk;
}

json_t *ferry_disks_xml_parse(const char *xml) {
  g_autoptr(xmlDoc) doc = disks_xml_parse(xml);
  const xmlNode *devices = doc ? ferry_xml_child(xmlDocGetRootElement(doc), "devices") : NULL;
  json_t *list = doc ? json_array() : NULL;
  for (const xmlNode *n = devices ? devices->children : NULL; n; n = n->next)
    if (ferry_xml_is(n, "disk") && json_array_size(list) < MAX_DISKS)
      json_array_append_new(list, disks_xml_parse_disk(n));
  return list;
}

static void disks_xml_add_text(xmlNode *parent, const char *name, const char *text) {
  xmlNewTextChild(parent, NULL, (const xmlChar *)name, (const xmlChar *)text);
}

static xmlNode *add_node(xmlNode *parent, const char *name) {
  return xmlNewChild(parent, NULL, (const xmlChar *)name, NULL);
}

static char *disks_xml_dump(xmlDoc *doc) {
  xmlChar *raw = NULL;
  int len = 0;
  xmlDocDumpMemory(doc, &raw, &len);
  char *text = g_strndup((const char *)raw, (gsize)MAX(len, 0));
  xmlFree(raw);
  return text;
}

static xmlNode *new_root(xmlDoc *doc, const char *name) {
  xmlNode *root = xmlNewNode(NULL, (const xmlChar *)name);
  xmlDocSetRootElement(doc, root);
  return root;
}

char *ferry_disks_volume_xml(const json_t *disk) {
  g_autoptr(xmlDoc) doc = xmlNewDoc((const xmlChar *)"1.0");
  xmlNode *root = new_root(doc, "volume");
  g_autofree char *name = g_path_get_basename(ferry_json_str(disk, "path"));
  g_autofree char *size =
      g_strdup_printf("%" G_GINT64_FORMAT, ferry_json_int(disk, "sizeBytes", 0));
  disks_xml_add_text(root, "name", name);
  disks_xml_add_text(root, "capacity", size); /* bytes unless a unit says otherwise */
  disks_xml_add_text(root, "allocation", "0");
  xmlNode *format = add_node(add_node(root, "target"), "format");
  xmlSetProp(format, (const xmlChar *)"type", (const xmlChar *)ferry_json_str(disk, "format"));
  const char *backing = ferry_json_str(disk, "backing");
  if (backing) {
    const char *backing_format = ferry_json_str(disk, "backingFormat");
    xmlNode *store = add_node(root, "backingStore");
    disks_xml_add_text(store, "path", backing);
    xmlSetProp(add_node(store, "format"), (const xmlChar *)"type",
               (const xmlChar *)(backing_format ? backing_format : "raw"));
  }
  return disks_xml_dump(doc);
}

char *ferry_disks_pool_xml(const char *name, const char *directory) {
  g_autoptr(xmlDoc) doc = xmlNewDoc((const xmlChar *)"1.0");
  xmlNode *root = new_root(doc, "pool");
  xmlSetProp(root, (const xmlChar *)"type", (const xmlChar *)"dir");
  disks_xml_add_text(root, "name", name);
  disks_xml_add_text(add_node(root, "target"), "path", directory);
  return disks_xml_dump(doc);
}

gboolean ferry_disks_volume_parse(const char *xml, gint64 *capacity, char **format) {
  g_autoptr(xmlDoc) doc = disks_xml_parse(xml);
  const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
  g_autofree char *text = disks_xml_text_of(ferry_xml_child(root, "capacity"));
  guint64 bytes;
  /* libvirt prints bytes */
  if (!text || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &bytes, NULL))
    return FALSE;
  *capacity = (gint64)bytes;
  *format = disks_xml_attr(ferry_xml_child(ferry_xml_child(root, "target"), "format"), "type");
  return TRUE;
}

char *ferry_disks_pool_path(const char *xml) {
  g_autoptr(xmlDoc) doc = disks_xml_parse(xml);
  return doc ? disks_xml_text_of(
                   ferry_xml_child(ferry_xml_child(xmlDocGetRootElement(doc), "target"), "path"))
             : NULL;
}

char *ferry_disks_nvram_path(const char *xml) {
  g_autoptr(xmlDoc) doc = disks_xml_parse(xml);
  const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
  const xmlNode *nvram = ferry_xml_child(ferry_xml_child(root, "os"), "nvram");
  char *path = disks_xml_attr(ferry_xml_child(nvram, "source"), "file");
  if (!path && nvram && !ferry_xml_child(nvram, "source"))
    path = disks_xml_text_of(nvram);
  if (path && !g_path_is_absolute(path))
    g_clear_pointer(&path, g_free);
  return path;
}
