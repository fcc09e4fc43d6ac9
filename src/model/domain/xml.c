// SPDX-License-Identifier: Apache-2.0
#include "model/domain/xml.h"
#include <string.h>

xmlNode *ferry_xml_child(const xmlNode *node, const char *name) {
  for (xmlNode *n = node ? node->children : NULL; n; n = n->next)
    if (n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0)
      return n;
  return NULL;
}
