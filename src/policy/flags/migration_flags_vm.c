// SPDX-License-Identifier: Apache-2.0
// What a migration's flags mean to this VM: its disks, its definition, and what is left of the
// flags where only the definition moves. What goes together by itself is in
// migration_flags_rules.c.
// Each function takes the resolved configuration beside the VM and adds a cause for every flag
// that cannot do what it is asked for there.
#include "policy/flags/migration_flags_vm.h"
#include "model/domain/domain_states.h"
#include "model/flags/migration_flags.h"
#include "base/error.h"
#include "model/domain/copied_disks.h"
#include "model/kinds/policy_fields.h"
#include "model/kinds/policy_layers.h"
#include "model/migration/phase.h"
#include "policy/flags/migratable.h"
#include "policy/target/target_xml_rules.h"
#include "model/domain/xml.h"
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlParserCtxt, xmlFreeParserCtxt)

const json_t *ferry_migration_flags_given(const json_t *config, const char *name) {
  const json_t *value = json_object_get(config, name);
  return json_is_null(value) ? NULL : value;
}

void ferry_migration_flags_cause(GError *causes, const char *name, const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  g_autofree char *text = g_strdup_vprintf(format, ap);
  va_end(ap);
  g_autofree char *field = g_strconcat("spec.", name, NULL);
  ferry_error_add_cause(causes, "FieldValueInvalid", field, "Invalid value: %s", text);
}

/* ---- offline ---- */

/* Rows of the table in migration_flags_rules.c say these. */
static gboolean has_rule(const char *name) {
  static const char *const names[] = {"tunnelled", "copyStorageAll", "copyStorageIncremental",
                                      NULL};
  return g_strv_contains(names, name);
}

/* Whether a field concerns only a guest that runs meanwhile. */
static gboolean running_only(const char *name, const FerryMigrationFlag *flag) {
  if (flag)
    return !flag->offline && !has_rule(name);
  const FerryPolicyField *field = ferry_policy_field_find(name);
  return field && field->running;
}

void ferry_migration_flags_check_offline(const FerryFlagsContext *c, GError *causes) {
  if (!ferry_migration_flag_on(c->config, "offline"))
    return;
  const char *name;
  json_t *from;
  json_object_foreach((json_t *)c->origins, name, from) {
    const FerryMigrationFlag *flag = ferry_migration_flag_find(name);
    const json_t *value = ferry_migration_flags_given(c->config, name);
    if (!ferry_origin_is_migration(json_string_value(from)) || !running_only(name, flag) ||
        !value || json_is_false(value))
      continue; /* to ask that something shall not be is no demand */
    ferry_migration_flags_cause(
        causes, name,
        "%s and offline exclude each other: an offline migration moves a definition and sends no "
        "memory and no disks; leave %s out",
        name, name);
  }
}

/* ---- definitions ---- */

static char *migration_flags_vm_content(const xmlNode *root, const char *name) {
  const xmlNode *n = ferry_xml_child(root, name);
  xmlChar *raw = n ? xmlNodeGetContent(n) : NULL;
  char *text = n ? g_strstrip(g_strndup(raw ? (const char *)raw : "", 1024)) : NULL;
  xmlFree(raw);
  return text;
}

/* The document, or NULL after a cause. No network, no entities. */
static xmlDoc *flags_vm_parse(const char *field, const char *text, GError *causes) {
  g_autoptr(xmlParserCtxt) context = xmlNewParserCtxt();
  if (!context)
    return NULL;
  g_autoptr(xmlDoc) doc =
      xmlCtxtReadMemory(context, text, (int)strlen(text), NULL, NULL,
                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  const xmlError *fault = xmlCtxtGetLastError(context);
  if (!doc) {
    g_autofree char *why = g_strndup(fault && fault->message ? fault->message : "", 200);
    g_autofree char *valid = g_utf8_make_valid(g_strchomp(why), -1);
    ferry_migration_flags_cause(
        causes, field, "no XML: line %d: %s; expected a domain's XML, as virsh dumpxml prints it",
        fault ? fault->line : 0, valid);
    return NULL;
  }
  if (doc->intSubset) { /* what it declares could grow without end */
    ferry_migration_flags_cause(
        causes, field,
        "the XML has a DOCTYPE; expected a domain's XML, as virsh dumpxml prints it");
    return NULL;
  }
  const xmlNode *root = xmlDocGetRootElement(doc);
  if (!root || strcmp((const char *)root->name, "domain") != 0) {
    ferry_migration_flags_cause(
        causes, field, "the XML is a <%.64s>; expected a <domain>, as virsh dumpxml prints it",
        root ? (const char *)root->name : "");
    return NULL;
  }
  return g_steal_pointer(&doc);
}

/* libvirt (measured) wants name and UUID of the source, also where destinationName renames. */
static void check_same(const char *field, const xmlNode *root, const char *element,
                       const char *wanted, GError *causes) {
  g_autofree char *is = migration_flags_vm_content(root, element);
  if (!wanted || (is && g_ascii_strcasecmp(is, wanted) == 0 &&
                  (g_str_equal(element, "uuid") || g_str_equal(is, wanted))))
    return;
  g_autofree char *first = g_strndup(is ? is : "none", 200);
  g_autofree char *shown = g_utf8_make_valid(first, -1);
  const char *more = g_str_equal(element, "name")
                         ? "; destinationName (--dname) gives it another name on the target"
                         : "";
  ferry_migration_flags_cause(
      causes, field, "Target domain %s '%s' does not match source '%s'; keep the source's <%s>%s",
      element, shown, wanted, element, more);
}

/* libvirt (measured) looks at neither: it replaces the name by the running domain's, and defines
 * whatever UUID it finds, or a new one, so that the VM is another one after its next start and
 * cannot be moved on meanwhile. */
static void check_persistent(const FerryFlagsContext *c, const xmlNode *root, GError *causes) {
  const char *uid = ferry_json_str(c->vmi, "metadata.uid");
  const char *own = ferry_json_str(c->vmi, "spec.domainName");
  const char *renamed =
      json_string_value(ferry_migration_flags_given(c->config, "destinationName"));
  g_autofree char *name = migration_flags_vm_content(root, "name"),
                  *uuid = migration_flags_vm_content(root, "uuid");
  if (own && g_strcmp0(name, own) != 0 && (!renamed || g_strcmp0(name, renamed) != 0)) {
    g_autofree char *first = g_strndup(name ? name : "none", 200);
    g_autofree char *shown = g_utf8_make_valid(first, -1);
    ferry_migration_flags_cause(
        causes, "persistentXML",
        "domain name '%s' is not the source's '%s': libvirt accepts it without a word and ignores "
        "it; keep the source's <name>; destinationName (--dname) gives it another on the target",
        shown, own);
  }
  if (uid && (!uuid || g_ascii_strcasecmp(uuid, uid) != 0)) {
    g_autofree char *first = g_strndup(uuid ? uuid : "none", 200);
    g_autofree char *shown = g_utf8_make_valid(first, -1);
    ferry_migration_flags_cause(
        causes, "persistentXML",
        "domain uuid '%s' is not the source's '%s': the VM would be another one after its next "
        "start; keep the source's <uuid>",
        shown, uid);
  }
}

/* libvirt looks at the definition with which the target starts the VM, once it has begun. */
static void check_rdma(const FerryFlagsContext *c, const xmlNode *root, GError *causes) {
  const char *uri = json_string_value(ferry_migration_flags_given(c->config, "migrateURI"));
  const char *limit = ferry_json_str(c->vmi, "spec.domain.memory.hardLimit");
  if (!uri || !g_str_has_prefix(uri, "rdma:") || ferry_migration_flag_on(c->config, "offline") ||
      (root ? ferry_xml_child(ferry_xml_child(root, "memtune"), "hard_limit") != NULL
            : g_strcmp0(limit, "0") != 0))
    return;
  ferry_migration_flags_cause(
      causes, "migrateURI",
      "\"%.200s\": cannot start RDMA migration with no memory hard limit set: RDMA locks the VM's "
      "memory; give the VM one (virsh memtune VM --hard-limit KiB), or one on the target by "
      "<memtune><hard_limit> in destinationXML (--xml)",
      uri);
}

void ferry_migration_flags_check_definition(const FerryFlagsContext *c, GError *causes) {
  const char *live = json_string_value(ferry_migration_flags_given(c->config, "destinationXML"));
  const char *persistent =
      json_string_value(ferry_migration_flags_given(c->config, "persistentXML"));
  gboolean unsafe = ferry_migration_flag_on(c->config, "unsafeMigrationOverride");
  if (persistent) {
    g_autoptr(xmlDoc) kept = flags_vm_parse("persistentXML", persistent, causes);
    if (kept && c->vmi) {
      check_persistent(c, xmlDocGetRootElement(kept), causes);
      ferry_target_xml_rules_check(xmlDocGetRootElement(kept), c->vmi, "spec.persistentXML", unsafe,
                                   causes);
    }
  }
  g_autoptr(xmlDoc) doc = live ? flags_vm_parse("destinationXML", live, causes) : NULL;
  if (c->vmi && (doc || !live))
    check_rdma(c, doc ? xmlDocGetRootElement(doc) : NULL, causes);
  if (!doc || !c->vmi)
    return;
  const xmlNode *root = xmlDocGetRootElement(doc);
  check_same("destinationXML", root, "name", ferry_json_str(c->vmi, "spec.domainName"), causes);
  check_same("destinationXML", root, "uuid", ferry_json_str(c->vmi, "metadata.uid"), causes);
  ferry_target_xml_rules_check(root, c->vmi, "spec.destinationXML", unsafe, causes);
}

/* ---- the VM ---- */

static void check_disk(const json_t *vmi, const char *field, const char *name, GError *causes) {
  const json_t *disk =
      ferry_json_find(ferry_json_get(vmi, "spec.domain.devices.disks"), "name", name);
  if (!disk)
    ferry_migration_flags_cause(
        causes, field,
        "\"%.64s\": unable to find disk target '%.64s' for non-shared-storage "
        "migration; ferry describe vmi %s lists its disks",
        name, name, ferry_json_str(vmi, "metadata.name"));
  else if (ferry_json_bool(disk, "readonly", FALSE) || !ferry_json_str(disk, "source"))
    ferry_migration_flags_cause(
        causes, field, "\"%.64s\": Cannot migrate empty or read-only disk %.64s", name, name);
}

/* A copy onto itself: libvirt would begin it, and only locks that work would stop it. */
static void check_shared(const FerryFlagsContext *c, const char *field, const char *name,
                         GError *causes) {
  const json_t *disk =
      ferry_json_find(ferry_json_get(c->vmi, "spec.domain.devices.disks"), "name", name);
  if (ferry_migration_flag_on(c->config, "unsafeMigrationOverride") ||
      !ferry_disk_is_shared(c->config, disk))
    return;
  ferry_migration_flags_cause(
      causes, field,
      "\"%.64s\": disk %.64s (%.256s) is on storage that both hosts share, so it needs no copy, "
      "which would be written onto itself; leave it out, or, where the target has something else "
      "at that place, say unsafeMigrationOverride: true (--unsafe)",
      name, name, ferry_json_str(disk, "source"));
}

static void check_disks(const FerryFlagsContext *c, GError *causes) {
  static const char *const lists[] = {"migrateDisks", "migrateDisksDetectZeroes"};
  const json_t *chosen = ferry_migration_flags_given(c->config, "migrateDisks");
  for (gsize k = 0; k < G_N_ELEMENTS(lists); k++) {
    const json_t *list = ferry_migration_flags_given(c->config, lists[k]);
    for (gsize i = 0; i < json_array_size(list); i++) {
      const char *name = json_string_value(json_array_get(list, i));
      check_disk(c->vmi, lists[k], name, causes);
      check_shared(c, lists[k], name, causes);
      if (k == 1 && chosen && !ferry_json_has_word(chosen, name))
        ferry_migration_flags_cause(causes, lists[k],
                                    "\"%.64s\": migrateDisks does not name it, so it is not copied",
                                    name);
    }
  }
}

/* libvirt refuses these only after it has begun, and says of no disk which one it is. */
static void check_local_disks(const FerryFlagsContext *c, GError *causes) {
  const json_t *disk;
  gboolean copied = ferry_migration_flag_on(c->config, "copyStorageAll") ||
                    ferry_migration_flag_on(c->config, "copyStorageIncremental");
  gsize i;
  if (ferry_migration_flag_on(c->config, "unsafeMigrationOverride") ||
      ferry_migration_flag_on(c->config, "offline") ||
      ferry_migration_flag_on(c->config, "postCopyResume"))
    return;
  json_array_foreach(ferry_json_get(c->vmi, "spec.domain.devices.disks"), i, disk) {
    const char *name = ferry_json_str(disk, "name");
    if (!ferry_disk_is_local(disk) || ferry_disk_is_copied(c->config, disk))
      continue;
    ferry_migration_flags_cause(
        causes, copied ? "migrateDisks" : "copyStorageAll",
        "disk %.64s (%.256s) is on a file system of its host alone: Migration without shared "
        "storage is unsafe; %s, or, where the target has the very same data at that path, say "
        "unsafeMigrationOverride: true (--unsafe)",
        name ? name : "?", ferry_json_str(disk, "source"),
        copied ? "name it, too (--migrate-disks)"
               : "copy the disks with copyStorageAll: true (--copy-storage-all)");
  }
}

static gboolean post_copy_failed(const json_t *vmi) {
  const json_t *domain;
  gsize i;
  json_array_foreach(ferry_json_get(vmi, "status.domains"), i, domain) {
    if (g_strcmp0(ferry_json_str(domain, "reason"), FERRY_VM_REASON_POST_COPY_FAILED) == 0)
      return TRUE;
  }
  return FALSE;
}

void ferry_migration_flags_check_vm(const FerryFlagsContext *c, GError *causes) {
  const json_t *config = c->config;
  gboolean persistent = ferry_json_bool(c->vmi, "spec.persistent", FALSE);
  gboolean active = ferry_vmi_is_active(c->vmi);
  gboolean offline = ferry_migration_flag_on(config, "offline");
  gboolean persist = ferry_migration_persists(config, persistent);
  check_disks(c, causes);
  check_local_disks(c, causes);
  if (offline && !ferry_migration_persists(config, persistent))
    ferry_migration_flags_cause(
        causes, "persistDestination",
        "false: offline migration must be specified with the persistent flag set");
  else if (offline && !persistent)
    ferry_migration_flags_cause(
        causes, "offline", "true: the VM has no persistent definition to move; define it first");
  if (offline && active && ferry_json_bool(config, "undefineSource", FALSE))
    ferry_migration_flags_cause(
        causes, "undefineSource",
        "true: the VM runs here and stays; an offline move of a VM that runs only copies its "
        "definition");
  if (persistent && !persist && ferry_json_bool(config, "undefineSource", FALSE) &&
      !ferry_migration_flag_on(config, "unsafeMigrationOverride"))
    ferry_migration_flags_cause(
        causes, "undefineSource",
        "true: with persistDestination: false no host would keep the VM's definition, and it "
        "would be gone once the VM stops; leave undefineSource out (--undefinesource), or let the "
        "target define it (--persistent), or say unsafeMigrationOverride: true (--unsafe) to "
        "lose it");
  if (ferry_migration_flags_given(config, "persistentXML") && !persist)
    ferry_migration_flags_cause(causes, "persistentXML",
                                "it needs persistDestination: "
                                "libvirt accepts it without a word and ignores it");
  if (ferry_migration_flag_on(config, "postCopyResume") && !post_copy_failed(c->vmi))
    ferry_migration_flags_cause(
        causes, "postCopyResume",
        "true: domain '%s' is not being migrated: no post-copy migration of it has failed",
        ferry_json_str(c->vmi, "spec.domainName"));
}
