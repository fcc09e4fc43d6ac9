// SPDX-License-Identifier: Apache-2.0
// One table: a place is a path of elements below <domain>, of which the last may have to have an
// attribute that says something. Versions are libvirt's own, by its release notes and the
// description of its XML.
#include "model/domain/domain_traits.h"
#include "model/domain/xml.h"
#include <string.h>

typedef struct {
  const char *word, *path;
  const char *attribute;         /* NULL: the element itself */
  const char *value;             /* NULL: any; "!x": another than x; "x*": one that begins so */
  const char *also, *also_value; /* a second attribute, or NULL */
  const char *since;             /* NULL: it is no matter of who knows it */
  gboolean refused;              /* an older one refuses it, and does not drop it */
} Trait;

static const Trait domain_traits[] = {
    /* what defects are about */
    {"emulated", "", "type", "qemu", NULL, NULL, NULL},
    {"video-virtio", "devices/video/model", "type", "virtio", NULL, NULL, NULL},
    {"tpm-emulator", "devices/tpm/backend", "type", "emulator", NULL, NULL, NULL},
    {"cpu-threads", "cpu/topology", "threads", "!1", NULL, NULL, NULL},
    {"cpu-vmx", "cpu/feature", "name", "vmx", "policy", "!disable", NULL},
    {"cpu-vmx-parts-off", "cpu/feature", "name", "vmx-*", "policy", "disable", NULL},
    {"interface-queues", "devices/interface/driver", "queues", "!1", NULL, NULL, NULL},
    /* what older ones drop */
    {"crypto", "devices/crypto", NULL, NULL, NULL, NULL, "9.1.0"},
    {"disk-discard-no-unref", "devices/disk/driver", "discard_no_unref", NULL, NULL, NULL, "9.5.0"},
    {"disk-iothreads", "devices/disk/driver/iothreads", NULL, NULL, NULL, NULL, "10.0.0"},
    {"filesystem-idmap", "devices/filesystem/idmap", NULL, NULL, NULL, NULL, "10.0.0"},
    {"cpu-clusters", "cpu/topology", "clusters", "!1", NULL, NULL, "10.1.0"},
    {"memory-dynamic-slots", "devices/memory/target", "dynamicMemslots", NULL, NULL, NULL,
     "10.1.0"},
    {"controller-mem-reserve", "devices/controller/target", "memReserve", NULL, NULL, NULL,
     "10.3.0"},
    {"pstore", "devices/pstore", NULL, NULL, NULL, NULL, "10.6.0"},
    {"ps2", "features/ps2", NULL, NULL, NULL, NULL, "10.7.0", .refused = TRUE},
    {"disk-data-store", "devices/disk/source/dataStore", NULL, NULL, NULL, NULL, "10.10.0"},
    {"tpm-profile", "devices/tpm/backend/profile", NULL, NULL, NULL, NULL, "10.10.0"},
    {"controller-iothreads", "devices/controller/driver/iothreads", NULL, NULL, NULL, NULL,
     "11.2.0"},
    {"disk-throttle-filters", "devices/disk/throttlefilters", NULL, NULL, NULL, NULL, "11.2.0"},
    {"shim", "os/shim", NULL, NULL, NULL, NULL, "11.2.0"},
    {"hostdev-acpi-nodeset", "devices/hostdev/acpi", "nodeset", NULL, NULL, NULL, "11.8.0"},
    {"varstore", "os/varstore", NULL, NULL, NULL, NULL, "12.1.0"},
    {"iommufd", "iommufd", NULL, NULL, NULL, NULL, "12.2.0"},
};

static gboolean trait_value_fits(const char *is, const char *wanted) {
  gsize n = wanted ? strlen(wanted) : 0;
  if (!is || !wanted)
    return is != NULL;
  if (wanted[0] == '!')
    return !g_str_equal(is, wanted + 1);
  if (n && wanted[n - 1] == '*')
    return strncmp(is, wanted, n - 1) == 0;
  return g_str_equal(is, wanted);
}

static gboolean has_trait(const xmlNode *node, const Trait *trait) {
  if (!trait->attribute)
    return TRUE;
  g_autofree char *is = ferry_xml_attribute(node, trait->attribute);
  g_autofree char *other = trait->also ? ferry_xml_attribute(node, trait->also) : NULL;
  if (!trait_value_fits(is, trait->value))
    return FALSE;
  /* a second one that isn't there is another than any */
  return !trait->also ||
         (other ? trait_value_fits(other, trait->also_value) : trait->also_value[0] == '!');
}

/* Whether an element at `path` below `node` is as the trait says. */
static gboolean below_has(const xmlNode *node, const char *path, const Trait *trait) {
  if (!*path)
    return has_trait(node, trait);
  gsize n = strcspn(path, "/");
  const char *rest = path[n] ? path + n + 1 : path + n;
  for (const xmlNode *c = node->children; c; c = c->next)
    if (c->type == XML_ELEMENT_NODE && strlen((const char *)c->name) == n &&
        strncmp((const char *)c->name, path, n) == 0 && below_has(c, rest, trait))
      return TRUE;
  return FALSE;
}

json_t *ferry_domain_traits(const xmlNode *domain) {
  json_t *out = json_array();
  for (gsize i = 0; i < G_N_ELEMENTS(domain_traits); i++)
    if (below_has(domain, domain_traits[i].path, &domain_traits[i]))
      json_array_append_new(out, json_string(domain_traits[i].word));
  return out;
}
G_STATIC_ASSERT(G_N_ELEMENTS(domain_traits) <= FERRY_DOMAIN_TRAITS_MAX);

static const Trait *trait_find(const char *word) {
  for (gsize i = 0; i < G_N_ELEMENTS(domain_traits); i++)
    if (g_strcmp0(domain_traits[i].word, word) == 0)
      return &domain_traits[i];
  return NULL;
}

const char *ferry_domain_trait_since(const char *word) {
  const Trait *trait = trait_find(word);
  return trait ? trait->since : NULL;
}

const char *ferry_domain_trait_place(const char *word) {
  const Trait *trait = trait_find(word);
  return trait ? trait->path : NULL;
}

gboolean ferry_domain_trait_is_refused(const char *word) {
  const Trait *trait = trait_find(word);
  return trait && trait->refused;
}
