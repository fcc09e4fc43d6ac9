// SPDX-License-Identifier: Apache-2.0
#include "model/domain/xml.h"
#include <libxml/parser.h>
#include <string.h>

static void test_child(void) {
  const char *text = "<a><!-- b --><c/>b<x:b xmlns:x='urn:x' n='1'/><b n='2'><b n='3'/></b></a>";
  xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL, 0);
  const xmlNode *root = xmlDocGetRootElement(doc);
  const xmlNode *b = ferry_xml_child(root, "b");
  g_assert_nonnull(b);
  xmlChar *n = xmlGetNoNsProp((xmlNode *)b, (const xmlChar *)"n");
  g_assert_cmpstr((const char *)n, ==, "1");
  xmlFree(n);
  g_assert_nonnull(ferry_xml_child(root, "c"));
  g_assert_null(ferry_xml_child(ferry_xml_child(root, "c"), "b"));
  g_assert_null(ferry_xml_child(root, "a"));
  g_assert_null(ferry_xml_child(NULL, "a"));
  xmlFreeDoc(doc);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/xml/child", test_child);
  return g_test_run();
}
