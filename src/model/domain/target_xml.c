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
    g_autofree char *value = ferry_xml_value(a);
    ferry_json_set_str(out, (const char *)a->name, value);
  }
  return out;
}

static gboolean is_disk(const xmlNode *node, const char *name) {
  g_autofree char *dev = ferry_xml_attribute(ferry_xml_child(node, "target"), "dev");
  return ferry_xml_is(node, "disk") && g_strcmp0(dev, name) == 0;
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
