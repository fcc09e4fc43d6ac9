// SPDX-License-Identifier: Apache-2.0
// A node tells of its kinds in two ways: of some all that it has (resourceKinds, its interfaces),
// so that what isn't named is missing; of the rest what was looked for, each with what is wrong.
#include "policy/target/needs_rules.h"
#include "model/domain/copied_disks.h"
#include "model/domain/domain_needs.h"
#include "model/domain/domain_traits.h"
#include "model/flags/migration_flags.h"
#include "model/migration/reasons.h"
#include <libxml/parser.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

static const struct {
  FerryReason reason;
  const char *what, *remedy; /* remedy: what to do, after "; " */
} need_rules[FERRY_NEEDS] = {
    [FERRY_NEED_BRIDGE] = {FERRY_REASON_BRIDGE_MISSING, "bridge",
                           "make it there, or name another one by destinationXML (--xml)"},
    [FERRY_NEED_INTERFACE] = {FERRY_REASON_INTERFACE_MISSING, "interface",
                              "name another one by destinationXML (--xml)"},
    [FERRY_NEED_NETWORK] = {FERRY_REASON_NETWORK_MISSING, "libvirt network",
                            "define and start it there (virsh net-define, net-start)"},
    [FERRY_NEED_POOL] = {FERRY_REASON_POOL_MISSING, "storage pool",
                         "define and start it there (virsh pool-define, pool-start)"},
    [FERRY_NEED_VOLUME] = {FERRY_REASON_VOLUME_MISSING, "volume",
                           "refresh the pool there if the file exists (virsh pool-refresh)"},
    [FERRY_NEED_SECRET] = {FERRY_REASON_SECRET_MISSING, "secret",
                           "define it there and set its value (virsh secret-set-value)"},
    [FERRY_NEED_FILE] = {FERRY_REASON_FILE_MISSING, "file", "copy it there"},
    [FERRY_NEED_DIRECTORY] = {FERRY_REASON_DIRECTORY_MISSING, "directory", "make it there"},
    [FERRY_NEED_ADDRESS] = {FERRY_REASON_ADDRESS_MISSING, "address",
                            "let the display listen on one that all hosts have"},
    [FERRY_NEED_PORT] = {FERRY_REASON_PORT_TAKEN, "free port",
                         "end that program, or let the display take any port (autoport='yes')"},
    [FERRY_NEED_HUGEPAGES] = {FERRY_REASON_HUGEPAGES_MISSING, "huge pages, of a size in KiB:",
                              "set some aside there (virsh allocpages)"},
};

/* Whether the node has told its interfaces, and one is called so. */
static gboolean has_interface(const json_t *node, const char *name, gboolean *told) {
  const json_t *all = ferry_json_get(node, "status.interfaces");
  *told = json_array_size(all) > 0;
  return ferry_json_find(all, "name", name) != NULL;
}

static const json_t *find_resource(const json_t *node, const char *kind, const char *name) {
  gsize i;
  json_t *one;
  json_array_foreach(ferry_json_get(node, "status.resources"), i, one) {
    if (g_strcmp0(ferry_json_str(one, "kind"), kind) == 0 &&
        g_strcmp0(ferry_json_str(one, "name"), name) == 0)
      return one;
  }
  return NULL;
}

/* Why the node can't give it, new text; NULL: it can, or that isn't known. */
static char *lack_of(const json_t *node, FerryNeed need, const char *name) {
  gboolean told = FALSE;
  const char *word = ferry_need_word(need);
  if (need == FERRY_NEED_BRIDGE || need == FERRY_NEED_INTERFACE) {
    /* an agent that is not on the host sees its interfaces in part */
    gboolean local = g_strcmp0(ferry_json_str(node, "status.agent.mode"), "remote") != 0;
    return local && !has_interface(node, name, &told) && told ? g_strdup("it is not there") : NULL;
  }
  const json_t *found = find_resource(node, word, name);
  if (found)
    return g_strdup(ferry_json_str(found, "problem"));
  told = ferry_json_has_word(ferry_json_get(node, "status.resourceKinds"), word);
  return told ? g_strdup("it is not there") : NULL;
}

/* Where a pool isn't there or not active, its volumes are no reason of their own. */
static gboolean is_said_by_pool(const json_t *node, FerryNeed need, const char *name) {
  if (need != FERRY_NEED_VOLUME)
    return FALSE;
  g_autofree char *pool = g_strndup(name, strcspn(name, "/"));
  g_autofree char *why = lack_of(node, FERRY_NEED_POOL, pool);
  return why != NULL;
}

static void judge_need(const json_t *node, const json_t *need, json_t *reasons) {
  const char *name = ferry_json_str(need, "name");
  FerryNeed is = ferry_need_of_word(ferry_json_str(need, "kind"));
  if (is >= FERRY_NEEDS || is == FERRY_NEED_IMAGE || !name || is_said_by_pool(node, is, name))
    return;
  g_autofree char *why = lack_of(node, is, name);
  if (!why)
    return;
  g_autofree char *text =
      g_strdup_printf("node %s lacks the VM's %s %s: %s; %s", ferry_json_str(node, "metadata.name"),
                      need_rules[is].what, name, why, need_rules[is].remedy);
  json_array_append_new(reasons,
                        json_pack("{ss,so}", "reason", ferry_reason_name(need_rules[is].reason),
                                  "message", ferry_json_text(text)));
}

/* What the target's libvirt is too old for, and refuses. */
static void judge_traits(const json_t *vmi, const json_t *node, json_t *reasons) {
  const char *version = ferry_json_str(node, "status.hypervisor.libvirtVersion");
  gsize i;
  json_t *trait;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.traits"), i, trait) {
    const char *word = json_string_value(trait), *since = ferry_domain_trait_since(word);
    if (!version || !since || !ferry_domain_trait_is_refused(word) ||
        ferry_version_compare(version, since) >= 0)
      continue;
    g_autofree char *text = g_strdup_printf(
        "node %s has libvirt %s, which doesn't know <%s>, as libvirt %s does, and refuses the VM; "
        "choose a host with a newer libvirt",
        ferry_json_str(node, "metadata.name"), version, ferry_domain_trait_place(word), since);
    json_array_append_new(reasons, json_pack("{ss,so}", "reason",
                                             ferry_reason_name(FERRY_REASON_SETTING_UNKNOWN),
                                             "message", ferry_json_text(text)));
  }
}

/* An image where a disk is copied to that can't take it. */
static void judge_copies(const json_t *vmi, const json_t *config, const json_t *node,
                         json_t *reasons) {
  gsize i;
  json_t *disk;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.devices.disks"), i, disk) {
    const char *path = ferry_json_str(disk, "source");
    const json_t *there =
        path ? find_resource(node, ferry_need_word(FERRY_NEED_IMAGE), path) : NULL;
    gint64 own = ferry_json_int(disk, "sizeBytes", 0);
    gint64 other = ferry_json_int(there, "sizeBytes", -1);
    if (!there || own <= 0 || other < 0 || own == other || !ferry_disk_is_copied(config, disk))
      continue;
    g_autofree char *text = g_strdup_printf(
        "node %s has %s already, of %" G_GINT64_FORMAT " bytes, and disk %s has %" G_GINT64_FORMAT
        ": look at it there, and remove it, or make it the disk's size",
        ferry_json_str(node, "metadata.name"), path, other, ferry_json_text_at(disk, "name"), own);
    json_array_append_new(reasons, json_pack("{ss,so}", "reason",
                                             ferry_reason_name(FERRY_REASON_DISK_MISMATCH),
                                             "message", ferry_json_text(text)));
  }
}

/* Of the definition that the target gets where another one is given; NULL: it can't be read, which
 * others say. */
static json_t *given_needs(const char *xml) {
  g_autoptr(xmlDoc) doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL,
                                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  const xmlNode *root = doc && !doc->intSubset ? xmlDocGetRootElement(doc) : NULL;
  return root ? ferry_domain_needs(root) : NULL;
}

static gboolean copies_a_volume(const json_t *vmi, const json_t *config) {
  gsize i;
  json_t *disk;
  json_array_foreach(ferry_json_get(vmi, "spec.domain.devices.disks"), i, disk) {
    if (g_strcmp0(ferry_json_str(disk, "type"), "volume") == 0 &&
        ferry_disk_is_copied(config, disk))
      return TRUE;
  }
  return FALSE;
}

json_t *ferry_needs_reasons(const json_t *vmi, const json_t *config, const json_t *node) {
  json_t *reasons = json_array(), *need;
  const char *xml = ferry_json_str(config, "destinationXML");
  g_autoptr(json_t) needs =
      xml ? given_needs(xml) : json_incref(ferry_json_get(vmi, "spec.domain.needs"));
  gboolean makes_volumes = copies_a_volume(vmi, config);
  gsize i;
  json_array_foreach(needs, i, need) {
    FerryNeed is = ferry_need_of_word(ferry_json_str(need, "kind"));
    if (!(is == FERRY_NEED_VOLUME && makes_volumes)) /* libvirt makes it */
      judge_need(node, need, reasons);
  }
  if (!xml) {
    judge_copies(vmi, config, node, reasons);
    judge_traits(vmi, node, reasons);
  }
  return reasons;
}
