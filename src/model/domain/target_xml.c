// SPDX-License-Identifier: Apache-2.0
#include "model/domain/target_xml.h"
#include "model/domain/xml.h"
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

static json_t *target_xml_attributes(const xmlNode *node) {
  json_t *out = json_object();
  for (const xmlAttr *a = node->properties; a; a = a->next) {
    xmlChar *value = xmlGetNoNsProp((xmlNode *)node, a->name);
    if (value)
      ferry_json_set_str(out, (const char *)a->name, (const char *)value);
    xmlFree(value);
  }
  return out;
}

static gboolean is_disk(const xmlNode *node, const char *name) {
  if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, "disk") != 0)
    return FALSE;
  const xmlNode *target = ferry_xml_child(node, "target");
  xmlChar *dev = target ? xmlGetNoNsProp((xmlNode *)target, (const xmlChar *)"dev") : NULL;
  gboolean same = g_strcmp0((const char *)dev, name) == 0;
  xmlFree(dev);
  return same;
}

json_t *ferry_target_xml_disk_source(const char *xml, const char *name) {
  if (!xml || !name)
    return NULL;
  g_autoptr(xmlDoc) doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL,
                                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  if (!doc || doc->intSubset) /* what that declares could grow without end */
    return NULL;
  const xmlNode *devices = ferry_xml_child(xmlDocGetRootElement(doc), "devices");
  for (const xmlNode *n = devices ? devices->children : NULL; n; n = n->next) {
    const xmlNode *source = is_disk(n, name) ? ferry_xml_child(n, "source") : NULL;
    if (source)
      return target_xml_attributes(source);
  }
  return NULL;
}
