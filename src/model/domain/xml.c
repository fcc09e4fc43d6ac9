// SPDX-License-Identifier: Apache-2.0
#include "model/domain/xml.h"
#include "base/compare.h"
#include <libxml/parser.h>
#include <string.h>

gboolean ferry_xml_is(const xmlNode *node, const char *name) {
  return node && node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

xmlNode *ferry_xml_child(const xmlNode *node, const char *name) {
  for (xmlNode *n = node ? node->children : NULL; n; n = n->next)
    if (ferry_xml_is(n, name))
      return n;
  return NULL;
}

char *ferry_xml_value(const xmlAttr *attribute) {
  xmlChar *raw = xmlNodeListGetString(attribute->doc, attribute->children, 1);
  char *text = g_strdup(raw ? (const char *)raw : "");
  xmlFree(raw);
  return text;
}

char *ferry_xml_attribute(const xmlNode *node, const char *name) {
  for (const xmlAttr *a = node ? node->properties : NULL; a; a = a->next)
    if (strcmp((const char *)a->name, name) == 0)
      return ferry_xml_value(a);
  return NULL;
}

char *ferry_xml_own_text(const xmlNode *node) {
  GString *text = g_string_new(NULL);
  for (const xmlNode *n = node->children; n; n = n->next)
    if ((n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE) && n->content)
      g_string_append(text, (const char *)n->content);
  return g_strstrip(g_string_free(text, FALSE));
}

guint64 ferry_xml_memory_unit(const char *unit) {
  static const struct {
    const char *name;
    guint64 bytes;
  } units[] = {{"b", 1},
               {"bytes", 1},
               {"KB", 1000},
               {"k", 1024},
               {"K", 1024},
               {"KiB", 1024},
               {"MB", 1000000},
               {"M", 1 << 20},
               {"MiB", 1 << 20},
               {"GB", 1000000000},
               {"G", 1 << 30},
               {"GiB", 1 << 30},
               {"TB", 1000000000000},
               {"T", 1ULL << 40},
               {"TiB", 1ULL << 40}};
  guint64 bytes = unit ? 0 : 1024;
  for (gsize i = 0; unit && i < G_N_ELEMENTS(units); i++)
    if (strcmp(units[i].name, unit) == 0)
      bytes = units[i].bytes;
  return bytes;
}

void ferry_xml_canonical(const xmlNode *node, GString *out) {
  g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
  const char *space = node->ns && node->ns->href ? (const char *)node->ns->href : NULL;
  g_string_append_printf(out, "<%s%s%s", space ? space : "", space ? ":" : "",
                         (const char *)node->name);
  for (const xmlAttr *a = node->properties; a; a = a->next) {
    g_autofree char *value = ferry_xml_value(a);
    g_autofree char *quoted = g_markup_escape_text(value, -1);
    g_ptr_array_add(parts, g_strdup_printf(" %s=\"%s\"", (const char *)a->name, quoted));
  }
  g_ptr_array_sort(parts, ferry_compare_text_at);
  for (guint i = 0; i < parts->len; i++)
    g_string_append(out, g_ptr_array_index(parts, i));
  g_autofree char *text = ferry_xml_own_text(node);
  g_autofree char *quoted = g_markup_escape_text(text, -1);
  g_string_append_printf(out, ">%s", quoted);
  for (const xmlNode *n = node->children; n; n = n->next)
    if (n->type == XML_ELEMENT_NODE)
      ferry_xml_canonical(n, out);
  g_string_append(out, "</>");
}
