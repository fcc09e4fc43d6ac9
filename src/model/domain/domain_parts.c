// SPDX-License-Identifier: Apache-2.0
// Theory of operation: what a host may set for itself is taken out of the parsed document, by the
// rows of the table below; what is left of each part is written canonically (ferry_xml_canonical)
// and digested. An element that no row knows counts as it stands: rather a difference too many is
// told than one too few.
#include "model/domain/domain_parts.h"
#include "base/compare.h"
#include "base/random.h"
#include "model/domain/xml.h"
#include <libxml/parser.h>
#include <string.h>

#define DEEPEST 32 /* elements in one another; libvirt writes some ten */
#define NAME_BYTES 120
#define DIGEST_DIGITS 16

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

/* What a host sets for itself: attribute `attr` (NULL: the whole element) of `element` in a device
 * `device` (NULL: in any). With `when`, only where an attribute of the device says so. */
static const struct {
  const char *device, *element, *attr, *when, *says;
} own_rows[] = {
    {NULL, "seclabel", NULL, NULL, NULL},
    {NULL, "backingStore", NULL, NULL, NULL},
    {NULL, "mirror", NULL, NULL, NULL},
    {NULL, "privateData", NULL, NULL, NULL},
    {NULL, "source", "index", NULL, NULL},
    {NULL, "source", "path", "type", "pty"},
    {"interface", "target", "dev", NULL, NULL},
    {"interface", "source", "portid", NULL, NULL},
    {"interface", "source", "bridge", "type", "network"},
    {"channel", "target", "state", NULL, NULL},
    {"console", "console", "tty", NULL, NULL},
    {"graphics", "graphics", "port", "autoport", "yes"},
    {"graphics", "graphics", "tlsPort", "autoport", "yes"},
    {"graphics", "graphics", "websocket", "autoport", "yes"},
};

/* Of the whole domain: what the guest changes, and what each host sets. */
static const char *const skipped_elements[] = {"currentMemory", "seclabel", "resource", NULL};

static gboolean row_fits(gsize i, const xmlNode *device, const xmlNode *node) {
  if (!ferry_xml_is(node, own_rows[i].element) ||
      (own_rows[i].device && !ferry_xml_is(device, own_rows[i].device)))
    return FALSE;
  g_autofree char *value = own_rows[i].when ? ferry_xml_attribute(device, own_rows[i].when) : NULL;
  return !own_rows[i].when || g_strcmp0(value, own_rows[i].says) == 0;
}

/* libvirt names them after devices in the order of the document; a person's begin with "ua-". */
static gboolean is_given_alias(const xmlNode *node) {
  g_autofree char *name = ferry_xml_is(node, "alias") ? ferry_xml_attribute(node, "name") : NULL;
  return name && !g_str_has_prefix(name, "ua-");
}

/* A socket in a directory that libvirt makes for the running domain ("/domain-7-web/", or of later
 * ones "/qemu/channel/7-web/"). */
static void drop_made_path(xmlNode *node) {
  g_autofree char *path = ferry_xml_is(node, "source") ? ferry_xml_attribute(node, "path") : NULL;
  if (path && (strstr(path, "/domain-") || strstr(path, "/libvirt/qemu/channel/")))
    xmlUnsetProp(node, (const xmlChar *)"path");
}

static void drop_own(const xmlNode *device, xmlNode *node, guint depth) {
  for (gsize i = 0; i < G_N_ELEMENTS(own_rows); i++)
    if (own_rows[i].attr && row_fits(i, device, node))
      xmlUnsetProp(node, (const xmlChar *)own_rows[i].attr);
  drop_made_path(node);
  for (xmlNode *n = node->children, *next; n && depth < DEEPEST; n = next) {
    gboolean drop = is_given_alias(n);
    next = n->next;
    for (gsize i = 0; !drop && i < G_N_ELEMENTS(own_rows); i++)
      drop = !own_rows[i].attr && row_fits(i, device, n);
    if (drop) {
      xmlUnlinkNode(n);
      xmlFreeNode(n);
    } else if (n->type == XML_ELEMENT_NODE) {
      drop_own(device, n, depth + 1);
    }
  }
}

/* Under `name`, or "name 2" and so on where it is taken. */
static void parts_put(json_t *parts, const char *name, const char *text) {
  g_autofree char *digest = ferry_sha256_hex(text, strlen(text));
  digest[DIGEST_DIGITS] = '\0';
  g_autofree char *valid = g_utf8_make_valid(name, (gssize)MIN(strlen(name), NAME_BYTES));
  g_autofree char *key = g_strdup(valid);
  for (guint n = 2; json_object_get(parts, key); n++) {
    g_free(key);
    key = g_strdup_printf("%s %u", valid, n);
  }
  json_object_set_new(parts, key, json_string(digest));
}

static void put_node(json_t *parts, const char *name, const xmlNode *node) {
  g_autoptr(GString) text = g_string_new(NULL);
  ferry_xml_canonical(node, text);
  parts_put(parts, name, text->str);
}

/* What a drive holds is a part of its own: libvirt may eject it, and keep the drive. */
static void put_medium(json_t *parts, const char *disk, xmlNode *node) {
  g_autofree char *device = ferry_xml_attribute(node, "device");
  xmlNode *source = ferry_xml_child(node, "source");
  if (g_strcmp0(device, "cdrom") != 0 && g_strcmp0(device, "floppy") != 0)
    return;
  g_autofree char *name = g_strdup_printf("medium of %s", disk);
  if (source) {
    put_node(parts, name, source);
    xmlUnlinkNode(source);
    xmlFreeNode(source);
  }
  /* of what it holds: an empty drive has neither */
  xmlUnsetProp(node, (const xmlChar *)"type");
}

/* What tells a device from others of its sort whatever their order, or NULL: libvirt sorts
 * controllers anew. */
static char *id_of(const xmlNode *node) {
  if (ferry_xml_is(node, "disk"))
    return ferry_xml_attribute(ferry_xml_child(node, "target"), "dev");
  if (ferry_xml_is(node, "interface"))
    return ferry_xml_attribute(ferry_xml_child(node, "mac"), "address");
  if (!ferry_xml_is(node, "controller"))
    return NULL;
  g_autofree char *type = ferry_xml_attribute(node, "type"),
                  *index = ferry_xml_attribute(node, "index");
  return type && index ? g_strdup_printf("%s %s", type, index) : NULL;
}

static void put_device(json_t *parts, xmlNode *node) {
  const char *sort = (const char *)node->name;
  g_autofree char *id = id_of(node);
  g_autofree char *name = id ? g_strdup_printf("%s %s", sort, id) : g_strdup(sort);
  drop_own(node, node, 0);
  if (ferry_xml_is(node, "disk"))
    put_medium(parts, name, node);
  put_node(parts, name, node);
}

static void put_metadata(json_t *parts, const xmlNode *metadata) {
  for (const xmlNode *n = metadata->children; n; n = n->next) {
    const char *space = n->ns && n->ns->href ? (const char *)n->ns->href : "";
    g_autofree char *name = g_strdup_printf("metadata %s", space);
    if (n->type == XML_ELEMENT_NODE)
      put_node(parts, name, n);
  }
}

static json_t *parts_of(const xmlNode *root) {
  json_t *parts = json_object();
  for (xmlNode *n = root->children; n; n = n->next) {
    if (n->type != XML_ELEMENT_NODE || g_strv_contains(skipped_elements, (const char *)n->name))
      continue;
    if (ferry_xml_is(n, "metadata"))
      put_metadata(parts, n);
    else if (!ferry_xml_is(n, "devices"))
      put_node(parts, (const char *)n->name, n);
    for (xmlNode *d = ferry_xml_is(n, "devices") ? n->children : NULL; d; d = d->next)
      if (d->type == XML_ELEMENT_NODE)
        put_device(parts, d);
    if (json_object_size(parts) > FERRY_DOMAIN_PARTS_MAX) {
      json_decref(parts);
      return NULL;
    }
  }
  return parts;
}

json_t *ferry_domain_parts(const char *xml) {
  gsize len = xml ? strlen(xml) : 0;
  if (!len || len > G_MAXINT)
    return NULL;
  g_autoptr(xmlDoc) doc = xmlReadMemory(xml, (int)len, NULL, NULL,
                                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  xmlNode *root = doc && !doc->intSubset ? xmlDocGetRootElement(doc) : NULL;
  return ferry_xml_is(root, "domain") ? parts_of(root) : NULL;
}

json_t *ferry_domain_parts_changed(const json_t *before, const json_t *after) {
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  const char *name;
  json_t *digest;
  json_object_foreach((json_t *)before, name, digest) {
    const json_t *now = json_object_get(after, name);
    if (!now)
      g_ptr_array_add(names, g_strdup_printf("%s (gone)", name));
    else if (!json_equal(digest, (json_t *)now))
      g_ptr_array_add(names, g_strdup(name));
  }
  json_object_foreach((json_t *)after, name, digest) {
    if (!json_object_get(before, name))
      g_ptr_array_add(names, g_strdup_printf("%s (new)", name));
  }
  g_ptr_array_sort(names, ferry_compare_text_at);
  json_t *out = json_array();
  for (guint i = 0; i < names->len; i++)
    json_array_append_new(out, json_string(g_ptr_array_index(names, i)));
  return out;
}
