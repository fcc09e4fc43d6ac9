// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a definition is walked once, and what could make a host do something is
// written down as a path and a canonical text. It errs to the side of too much: whatever is in a
// namespace, every attribute or text that begins with a slash, each device by its type. What is
// the same in two definitions has the same digest, so that an agent can tell what a VM has without
// telling what that is (a kernel's command line may hold a secret).
#include "model/domain/domain_resources.h"
#include "base/random.h"
#include "model/domain/xml.h"

#include <string.h>

typedef struct {
  GPtrArray *out;
  GString *path;
} DomainResourcesWalk;

static gboolean is_one_of(const xmlNode *node, const char *const *names) {
  return g_strv_contains(names, (const char *)node->name);
}

static void resource_free(gpointer data) {
  FerryDomainResource *r = data;
  g_free(r->path);
  g_free(r->value);
  g_free(r->digest);
  g_free(r);
}

static void domain_resources_note(DomainResourcesWalk *w, const char *attr, const char *value,
                                  gboolean program) {
  FerryDomainResource *r = g_new0(FerryDomainResource, 1);
  r->path = g_strconcat(w->path->str, attr ? "@" : "", attr, NULL);
  r->value = g_strdup(value);
  r->program = program;
  g_autofree char *both = g_strconcat(r->path, "\n", r->value, NULL);
  r->digest = ferry_sha256_hex(both, strlen(both));
  r->digest[32] = '\0';
  g_ptr_array_add(w->out, r);
}

static void note_whole(DomainResourcesWalk *w, const xmlNode *node, gboolean program) {
  g_autoptr(GString) text = g_string_new(NULL);
  ferry_xml_canonical(node, text);
  domain_resources_note(w, NULL, text->str, program);
}

/* ---- what is worth a note ---- */

/* Read as a whole, text and all. */
static const char *const program_elements[] = {
    "emulator", "loader",  "nvram",   "varstore",   "kernel",     "initrd",          "dtb",
    "cmdline",  "shim",    "table",   "acpi_table", "bootloader", "bootloader_args", "init",
    "initarg",  "initenv", "initdir", "inituser",   "initgroup",  "script",          "downscript",
    "seclabel", "binary",  NULL};
static const char *const opening_elements[] = {"source", "backend", "log", "reservations", NULL};
/* Whatever they say: a path may be relative, too. */
static const char *const path_attributes[] = {"file",    "dev",      "dir",        "path",
                                              "socket",  "template", "rendernode", "xauth",
                                              "logFile", "tap",      "vhost",      NULL};
/* Here such an attribute is a name that the guest sees, or of a boot device. */
static const char *const inner_elements[] = {"target", "boot", NULL};

static gboolean is_inner(const xmlNode *node, const char *attr) {
  return is_one_of(node, inner_elements) && (g_str_equal(attr, "dev") || g_str_equal(attr, "dir"));
}

static gboolean of_program(const DomainResourcesWalk *w, const xmlNode *node) {
  return g_str_has_prefix(w->path->str, "os/") || ferry_xml_is(node, "hostdev") ||
         is_one_of(node, program_elements);
}

static void note_attributes(DomainResourcesWalk *w, const xmlNode *node) {
  for (const xmlAttr *a = node->properties; a; a = a->next) {
    const char *name = (const char *)a->name;
    g_autofree char *value = ferry_xml_value(a);
    gboolean raw =
        ferry_xml_is(node, "disk") && (g_str_equal(name, "rawio") || g_str_equal(name, "sgio") ||
                                       (g_str_equal(name, "device") && g_str_equal(value, "lun")));
    if (a->ns || raw)
      domain_resources_note(w, name, value, TRUE);
    else if (!is_inner(node, name) && (*value == '/' || g_strv_contains(path_attributes, name)))
      domain_resources_note(w, name, value, of_program(w, node));
  }
}

/* Which kind of a device it is; which one of the VM's, for disks and interfaces, others look at. */
static void append_type(GString *path, const xmlNode *node) {
  static const char *const attrs[] = {"type", "mode", "bus"};
  for (gsize i = 0; i < G_N_ELEMENTS(attrs); i++) {
    g_autofree char *value =
        ferry_xml_is(node, "disk") ? NULL : ferry_xml_attribute(node, attrs[i]);
    if (value)
      g_string_append_printf(path, "[%s=%s]", attrs[i], value);
  }
}

/* A disk's data and an interface's network are other ones on another host. A pty is libvirt's own
 * choice. */
static gboolean may_differ(const xmlNode *device, const xmlNode *source) {
  static const char *const storage[] = {"file", "block", "volume", "network", NULL};
  static const char *const networks[] = {"bridge", "network", NULL};
  g_autofree char *type = ferry_xml_attribute(device, "type");
  if (!ferry_xml_is(source, "source"))
    return FALSE;
  if (ferry_xml_is(device, "disk"))
    return g_strv_contains(storage, type ? type : "file");
  if (ferry_xml_is(device, "interface"))
    return type && g_strv_contains(networks, type);
  return g_strcmp0(type, "pty") == 0;
}

static void domain_resources_visit(DomainResourcesWalk *w, const xmlNode *node);

static void visit_children(DomainResourcesWalk *w, const xmlNode *node) {
  for (const xmlNode *n = node->children; n; n = n->next)
    if (n->type == XML_ELEMENT_NODE)
      domain_resources_visit(w, n);
}

/* An element whose path is there already. */
static void domain_resources_judge(DomainResourcesWalk *w, const xmlNode *node) {
  const xmlNode *parent = node->parent;
  gboolean device = ferry_xml_is(parent, "devices") && ferry_xml_is(parent->parent, "domain");
  g_autofree char *type = ferry_xml_is(node, "seclabel") ? ferry_xml_attribute(node, "type") : NULL;
  if (node->ns) {
    note_whole(w, node, TRUE);
    return;
  }
  if (may_differ(parent, node) && ferry_xml_is(parent->parent, "devices")) {
    visit_children(w, node);
    return;
  }
  if (g_strcmp0(type, "dynamic") == 0 && !xmlFirstElementChild((xmlNode *)node))
    return;
  if (is_one_of(node, program_elements) || is_one_of(node, opening_elements)) {
    note_whole(w, node, of_program(w, node) || ferry_xml_is(parent, "hostdev"));
    return;
  }
  if (device && !ferry_xml_is(node, "disk"))
    domain_resources_note(w, NULL, "", ferry_xml_is(node, "hostdev"));
  note_attributes(w, node);
  g_autofree char *text = ferry_xml_own_text(node);
  if (*text == '/')
    domain_resources_note(w, NULL, text, of_program(w, node));
  visit_children(w, node);
}

static void domain_resources_visit(DomainResourcesWalk *w, const xmlNode *node) {
  gsize mark = w->path->len;
  if (ferry_xml_is(node->parent, "domain") && !node->ns &&
      (ferry_xml_is(node, "metadata") || ferry_xml_is(node, "title") ||
       ferry_xml_is(node, "description") || ferry_xml_is(node, "name")))
    return;
  g_string_append_printf(w->path, "%s%s", mark ? "/" : "", (const char *)node->name);
  if (ferry_xml_is(node->parent, "devices"))
    append_type(w->path, node);
  domain_resources_judge(w, node);
  g_string_truncate(w->path, mark);
}

GPtrArray *ferry_domain_resources(const xmlNode *domain) {
  g_autoptr(GString) path = g_string_new(NULL);
  DomainResourcesWalk w = {g_ptr_array_new_with_free_func(resource_free), path};
  if (domain->ns)
    note_whole(&w, domain, TRUE);
  else
    visit_children(&w, domain);
  return w.out;
}

json_t *ferry_domain_resources_digests(const xmlNode *domain) {
  g_autoptr(GPtrArray) all = ferry_domain_resources(domain);
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  json_t *out = json_array();
  for (guint i = 0; i < all->len && json_array_size(out) < FERRY_DOMAIN_RESOURCES_MAX; i++) {
    const FerryDomainResource *r = g_ptr_array_index(all, i);
    if (g_hash_table_add(seen, r->digest))
      json_array_append_new(out, json_string(r->digest));
  }
  return out;
}
