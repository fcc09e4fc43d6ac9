// SPDX-License-Identifier: Apache-2.0
// Steps into a parsed document.
#pragma once
#include <glib.h>
#include <libxml/tree.h>

G_BEGIN_DECLS

/** The first element `name` among the children of `node` (may be NULL), whatever its namespace, or
 * NULL. Pure. */
xmlNode *ferry_xml_child(const xmlNode *node, const char *name);

G_END_DECLS
