// SPDX-License-Identifier: Apache-2.0
// Steps into a parsed document, and what stands in it as text.
#pragma once
#include <glib.h>
#include <libxml/tree.h>

G_BEGIN_DECLS

/** The first element `name` among the children of `node` (may be NULL), whatever its namespace, or
 * NULL. Pure. */
xmlNode *ferry_xml_child(const xmlNode *node, const char *name);

/** Whether it is the element `name`, whatever its namespace; FALSE for NULL. Pure. */
gboolean ferry_xml_is(const xmlNode *node, const char *name);
/** What the attribute `name` of `node` (may be NULL) says; NULL: it has none. Free with g_free.
 * Pure. */
char *ferry_xml_attribute(const xmlNode *node, const char *name);
/** What an attribute says. Free with g_free. Pure. */
char *ferry_xml_value(const xmlAttr *attribute);
/** The element's own text, without that of what is in it, and without space around it. Free with
 * g_free. Pure. */
char *ferry_xml_own_text(const xmlNode *node);
/** Bytes of a unit of memory as libvirt writes it ("KiB", "MB", "G"): KiB for NULL, 0 for one that
 * is not known. Pure. */
guint64 ferry_xml_memory_unit(const char *unit);
/** Appends the element and all in it, whatever the order of its attributes and the space between
 * elements; of a foreign one with the name of its namespace, as prefixes are anybody's choice. The
 * same text means the same. Pure. */
void ferry_xml_canonical(const xmlNode *node, GString *out);

G_END_DECLS
