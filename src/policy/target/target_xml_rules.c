// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a definition for the target is for what differs between hosts, the places of
// disks and the names of networks. libvirtd runs the rest as root, so all that model/
// domain_resources.c finds in it must be in the VM's definition already: spec.domain.hostResources
// holds the digests of what the source's agent saw there. What the agent didn't report is not
// known, and refused.
#include "policy/target/target_xml_rules.h"
#include "base/error.h"
#include "model/domain/domain_resources.h"
#include "model/domain/xml.h"

#include <string.h>

/* More than that nobody reads. */
#define MAX_CAUSES 20

typedef struct {
  const json_t *vmi;
  const char *field;
  GError *causes;
  guint left;
} TargetXmlRulesCheck;

static void G_GNUC_PRINTF(2, 3)
    target_xml_rules_cause(TargetXmlRulesCheck *c, const char *format, ...) {
  if (c->left == 0)
    return;
  va_list ap;
  va_start(ap, format);
  g_autofree char *text = g_strdup_vprintf(format, ap);
  va_end(ap);
  c->left--;
  ferry_error_add_cause(c->causes, "FieldValueForbidden", c->field, "Forbidden: %s", text);
}

static char *target_xml_rules_shown(const char *text) {
  g_autofree char *first = g_strndup(text, 200);
  return g_utf8_make_valid(first, -1);
}

static void check_resources(TargetXmlRulesCheck *c, const xmlNode *domain, gboolean unsafe) {
  const json_t *known = ferry_json_get(c->vmi, "spec.domain.hostResources");
  g_autoptr(GPtrArray) all = ferry_domain_resources(domain);
  g_autoptr(GHashTable) have = g_hash_table_new(g_str_hash, g_str_equal);
  gsize k;
  json_t *one;
  json_array_foreach((json_t *)known, k, one) {
    if (json_is_string(one))
      g_hash_table_add(have, (gpointer)json_string_value(one));
  }
  for (guint i = 0; i < all->len; i++) {
    const FerryDomainResource *r = g_ptr_array_index(all, i);
    if ((unsafe && !r->program) || !g_hash_table_add(have, r->digest))
      continue;
    g_autofree char *path = target_xml_rules_shown(r->path),
                    *value = target_xml_rules_shown(r->value);
    target_xml_rules_cause(
        c, "%s%s%s: the VM's present definition %s it; leave it as virsh dumpxml prints it%s", path,
        *value ? ": " : "", value, known ? "does not have" : "is not known to have",
        r->program ? "" : ", or say unsafeMigrationOverride: true (--unsafe)");
  }
}

static gboolean vm_has(const json_t *vmi, const char *list, const char *key, const char *value) {
  const json_t *one;
  gsize i;
  json_array_foreach(ferry_json_get(vmi, list), i, one) {
    const char *own = ferry_json_str(one, key);
    if (own && value && g_ascii_strcasecmp(own, value) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Disks and interfaces may lie elsewhere, but must be the VM's. */
static void check_devices(TargetXmlRulesCheck *c, const xmlNode *devices) {
  static const struct {
    const char *element, *child, *attr, *list, *key;
  } known[] = {
      {"disk", "target", "dev", "spec.domain.devices.disks", "name"},
      {"interface", "mac", "address", "spec.domain.devices.interfaces", "macAddress"},
  };
  for (const xmlNode *n = devices->children; n; n = n->next)
    for (gsize i = 0; n->type == XML_ELEMENT_NODE && i < G_N_ELEMENTS(known); i++) {
      if (strcmp((const char *)n->name, known[i].element) != 0)
        continue;
      g_autofree char *is = ferry_xml_attribute(ferry_xml_child(n, known[i].child), known[i].attr);
      g_autofree char *text = target_xml_rules_shown(is ? is : "none");
      if (!vm_has(c->vmi, known[i].list, known[i].key, is))
        target_xml_rules_cause(
            c,
            "devices/%s: the VM has none with <%s %s='%s'>; a migration changes where a device "
            "is on the host, and adds none; or say unsafeMigrationOverride: true (--unsafe)",
            known[i].element, known[i].child, known[i].attr, text);
    }
}

void ferry_target_xml_rules_check(const xmlNode *domain, const json_t *vmi, const char *field,
                                  gboolean unsafe, GError *causes) {
  TargetXmlRulesCheck c = {vmi, field, causes, MAX_CAUSES};
  check_resources(&c, domain, unsafe);
  for (const xmlNode *n = domain->children; !unsafe && n; n = n->next)
    if (ferry_xml_is(n, "devices"))
      check_devices(&c, n);
}
