// SPDX-License-Identifier: Apache-2.0
// A domain's XML into a record. libvirt wrote the frame, but whoever may define a domain chose what
// is in it, so this reads it as coming from outside: libxml2 without network and entities, a size
// limit, at most MAX_DEVICES of a kind, MAX_LABELS labels, and numbers that cannot overflow.
#include "host/port/domain_xml.h"
#include "base/error.h"
#include "model/domain/domain_needs.h"
#include "model/domain/domain_resources.h"
#include "model/domain/domain_traits.h"
#include "model/domain/xml.h"
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#define MAX_DEVICES 256
#define MAX_LABELS 64

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

/* Valid UTF-8 of at most FERRY_DOMAIN_XML_MAX_TEXT bytes, or NULL. */
static char *domain_xml_text_of(const xmlNode *node) {
  if (!node)
    return NULL;
  xmlChar *raw = xmlNodeGetContent(node);
  char *text = raw ? g_strndup((const char *)raw, FERRY_DOMAIN_XML_MAX_TEXT) : NULL;
  xmlFree(raw);
  if (!text)
    return NULL;
  char *valid = g_utf8_make_valid(g_strstrip(text), -1);
  g_free(text);
  return valid;
}

static char *domain_xml_attr(const xmlNode *node, const char *name) {
  xmlChar *raw = node ? xmlGetNoNsProp((xmlNode *)node, (const xmlChar *)name) : NULL;
  if (!raw)
    return NULL;
  g_autofree char *text = g_strndup((const char *)raw, FERRY_DOMAIN_XML_MAX_TEXT);
  xmlFree(raw);
  return g_utf8_make_valid(text, -1);
}

static void domain_xml_put(json_t *object, const char *key, const char *value) {
  if (value && *value)
    json_object_set_new(object, key, json_string(value));
}

static void put_attr(json_t *object, const char *key, const xmlNode *node, const char *name) {
  g_autofree char *value = domain_xml_attr(node, name);
  domain_xml_put(object, key, value);
}

static void put_true(json_t *object, const char *key, gboolean value) {
  if (value)
    json_object_set_new(object, key, json_true());
}

static gboolean domain_xml_says(const xmlNode *node, const char *name, const char *value) {
  g_autofree char *text = domain_xml_attr(node, name);
  return g_strcmp0(text, value) == 0;
}

static gint64 memory_bytes(const xmlNode *node) {
  g_autofree char *text = domain_xml_text_of(node);
  g_autofree char *unit = domain_xml_attr(node, "unit");
  guint64 n = 0;
  if (!text || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &n, NULL))
    return -1;
  guint64 scale = ferry_xml_memory_unit(unit);
  return scale && n <= G_MAXINT64 / scale ? (gint64)(n * scale) : -1;
}

static void parse_disk(const xmlNode *node, json_t *list) {
  g_autofree char *device = domain_xml_attr(node, "device");
  xmlNode *source = ferry_xml_child(node, "source");
  if (g_strcmp0(device, "floppy") == 0 && !source)
    return;
  json_t *disk = json_object();
  g_autofree char *type = domain_xml_attr(node, "type");
  put_attr(disk, "name", ferry_xml_child(node, "target"), "dev");
  domain_xml_put(disk, "type", type);
  static const char *const source_attrs[] = {"file", "dev", "name", "volume", "dir"};
  for (gsize i = 0; i < G_N_ELEMENTS(source_attrs) && !json_object_get(disk, "source"); i++)
    put_attr(disk, "source", source, source_attrs[i]);
  put_attr(disk, "format", ferry_xml_child(node, "driver"), "type");
  put_attr(disk, "cache", ferry_xml_child(node, "driver"), "cache");
  put_attr(disk, "startupPolicy", source, "startupPolicy");
  put_attr(disk, "blockJob", ferry_xml_child(node, "mirror"), "job");
  json_object_set_new(
      disk, "readonly",
      json_boolean(ferry_xml_child(node, "readonly") || g_strcmp0(device, "cdrom") == 0));
  json_object_set_new(disk, "shareable", json_boolean(ferry_xml_child(node, "shareable") != NULL));
  put_true(disk, "reservations", ferry_xml_child(source, "reservations") != NULL);
  json_array_append_new(list, disk);
}

static void parse_interface(const xmlNode *node, json_t *list) {
  json_t *nic = json_object();
  xmlNode *source = ferry_xml_child(node, "source");
  put_attr(nic, "name", ferry_xml_child(node, "target"), "dev");
  put_attr(nic, "macAddress", ferry_xml_child(node, "mac"), "address");
  put_attr(nic, "type", node, "type");
  put_attr(nic, "model", ferry_xml_child(node, "model"), "type");
  static const char *const source_attrs[] = {"bridge", "network", "dev", "path", "name"};
  for (gsize i = 0; i < G_N_ELEMENTS(source_attrs) && !json_object_get(nic, "source"); i++)
    put_attr(nic, "source", source, source_attrs[i]);
  if (!json_object_get(nic, "name"))
    put_attr(nic, "name", ferry_xml_child(node, "alias"), "name");
  json_array_append_new(list, nic);
}

static void parse_hostdev(const xmlNode *node, json_t *list) {
  json_t *dev = json_object();
  g_autofree char *mode = domain_xml_attr(node, "mode");
  g_autofree char *type = domain_xml_attr(node, "type");
  put_attr(dev, "name", ferry_xml_child(node, "alias"), "name");
  domain_xml_put(dev, "type", type ? type : mode);
  if (!json_object_get(dev, "name")) {
    g_autofree char *name = g_strdup_printf("hostdev%zu", json_array_size(list));
    domain_xml_put(dev, "name", name);
  }
  json_array_append_new(list, dev);
}

/* Memory that is shared with others of the host. libvirt moves it where this VM is its master, and
 * refuses the rest and the legacy model. */
static void parse_shmem(const xmlNode *node, json_t *list) {
  const xmlNode *model = ferry_xml_child(node, "model");
  if (domain_xml_says(node, "role", "master") && model &&
      !domain_xml_says(model, "type", "ivshmem"))
    return;
  json_t *dev = json_pack("{s:s}", "type", "shmem");
  put_attr(dev, "name", node, "name");
  json_array_append_new(list, dev);
}

static void parse_filesystem(const xmlNode *node, json_t *list) {
  json_t *fs = json_object();
  xmlNode *source = ferry_xml_child(node, "source");
  put_attr(fs, "name", ferry_xml_child(node, "target"), "dir");
  put_attr(fs, "driver", ferry_xml_child(node, "driver"), "type");
  static const char *const source_attrs[] = {"dir", "file", "name", "socket"};
  for (gsize i = 0; i < G_N_ELEMENTS(source_attrs) && !json_object_get(fs, "source"); i++)
    put_attr(fs, "source", source, source_attrs[i]);
  json_array_append_new(list, fs);
}

static void parse_devices(const xmlNode *devices, json_t *record) {
  json_t *disks = json_array(), *nics = json_array(), *hostdevs = json_array();
  json_t *filesystems = json_array();
  for (xmlNode *n = devices ? devices->children : NULL; n; n = n->next) {
    if (ferry_xml_is(n, "disk") && json_array_size(disks) < MAX_DEVICES)
      parse_disk(n, disks);
    else if (ferry_xml_is(n, "interface") && json_array_size(nics) < MAX_DEVICES)
      parse_interface(n, nics);
    else if (ferry_xml_is(n, "hostdev") && json_array_size(hostdevs) < MAX_DEVICES)
      parse_hostdev(n, hostdevs);
    else if (ferry_xml_is(n, "shmem") && json_array_size(hostdevs) < MAX_DEVICES)
      parse_shmem(n, hostdevs);
    else if (ferry_xml_is(n, "filesystem") && json_array_size(filesystems) < MAX_DEVICES)
      parse_filesystem(n, filesystems);
  }
  json_object_set_new(record, "disks", disks);
  json_object_set_new(record, "interfaces", nics);
  json_object_set_new(record, "hostDevices", hostdevs);
  json_object_set_new(record, "filesystems", filesystems);
}

/* true, false and whole numbers as such, all else as text. */
static json_t *domain_xml_scalar(const char *text) {
  guint64 n;
  if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
    return json_boolean(*text == 't');
  if (g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &n, NULL))
    return json_integer((json_int_t)n);
  return json_string(text);
}

static gboolean domain_xml_ours(const xmlNode *node, const char *name) {
  return ferry_xml_is(node, name) && node->ns && node->ns->href &&
         strcmp((const char *)node->ns->href, FERRY_METADATA_NS) == 0;
}

static void parse_pair(const xmlNode *node, json_t *map) {
  g_autofree char *key = domain_xml_attr(node, "key");
  g_autofree char *value = domain_xml_text_of(node);
  if (key && *key && json_object_size(map) < MAX_LABELS)
    json_object_set_new(map, key, json_string(value ? value : ""));
}

/* <ferry:vm><ferry:namespace>, <ferry:label key="">, <ferry:annotation key="">,
 * <ferry:migrationPolicy> with one element a field of the policy. */
static void parse_metadata(const xmlNode *metadata, json_t *record) {
  json_t *labels = json_object(), *annotations = json_object();
  json_object_set_new(record, "labels", labels);
  json_object_set_new(record, "annotations", annotations);
  const xmlNode *vm = NULL;
  for (const xmlNode *n = metadata ? metadata->children : NULL; n && !vm; n = n->next)
    if (domain_xml_ours(n, "vm"))
      vm = n;
  for (const xmlNode *n = vm ? vm->children : NULL; n; n = n->next) {
    if (domain_xml_ours(n, "namespace")) {
      g_autofree char *ns = domain_xml_text_of(n);
      domain_xml_put(record, "namespace", ns);
    } else if (domain_xml_ours(n, "label")) {
      parse_pair(n, labels);
    } else if (domain_xml_ours(n, "annotation")) {
      parse_pair(n, annotations);
    } else if (domain_xml_ours(n, "migrationPolicy")) {
      json_t *policy = json_object();
      for (const xmlNode *f = n->children; f; f = f->next) {
        g_autofree char *value = f->type == XML_ELEMENT_NODE ? domain_xml_text_of(f) : NULL;
        if (value && json_object_size(policy) < MAX_LABELS)
          json_object_set_new(policy, (const char *)f->name, domain_xml_scalar(value));
      }
      json_object_set_new(record, "migrationPolicy", policy);
    }
  }
}

/* A feature without a policy is required. */
static gboolean has_feature(const xmlNode *cpu, const char *name) {
  for (const xmlNode *n = cpu ? cpu->children : NULL; n; n = n->next)
    if (ferry_xml_is(n, "feature") && domain_xml_says(n, "name", name)) {
      g_autofree char *policy = domain_xml_attr(n, "policy");
      return !policy || g_str_equal(policy, "require") || g_str_equal(policy, "force");
    }
  return FALSE;
}

static void parse_cpu(const xmlNode *root, json_t *record) {
  const xmlNode *cpu = ferry_xml_child(root, "cpu");
  g_autofree char *mode = domain_xml_attr(cpu, "mode");
  g_autofree char *model = domain_xml_text_of(ferry_xml_child(cpu, "model"));
  if (model && *model && g_strcmp0(mode, "host-passthrough") != 0)
    domain_xml_put(record, "cpuModel", model);
  else
    domain_xml_put(record, "cpuModel", mode);
  put_true(record, "invariantTSC", has_feature(cpu, "invtsc"));
  g_autofree char *count = domain_xml_text_of(ferry_xml_child(root, "vcpu"));
  guint64 vcpus = 0;
  const xmlNode *vcpu = ferry_xml_child(root, "vcpu");
  g_autofree char *current = domain_xml_attr(vcpu, "current");
  if ((current && g_ascii_string_to_unsigned(current, 10, 0, 65536, &vcpus, NULL)) ||
      (count && g_ascii_string_to_unsigned(count, 10, 0, 65536, &vcpus, NULL)))
    ferry_json_set_int(record, "vcpus", (gint64)vcpus);
}

/* How fast the guest's time stamp counter goes, where the domain says so. */
static void parse_clock(const xmlNode *clock, json_t *record) {
  for (const xmlNode *n = clock ? clock->children : NULL; n; n = n->next) {
    if (!ferry_xml_is(n, "timer") || !domain_xml_says(n, "name", "tsc"))
      continue;
    g_autofree char *text = domain_xml_attr(n, "frequency");
    guint64 hz;
    if (text && g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, &hz, NULL))
      ferry_json_set_int(record, "tscFrequencyHz", (gint64)hz);
  }
}

static void parse_hyperv(const xmlNode *hyperv, json_t *record) {
  put_true(record, "hypervPassthrough", domain_xml_says(hyperv, "mode", "passthrough"));
  put_true(record, "hypervReenlightenment",
           domain_xml_says(ferry_xml_child(hyperv, "reenlightenment"), "state", "on"));
}

static void domain_xml_silent(void *context, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void domain_xml_silent(void *context, const char *format, ...) {
}

json_t *ferry_domain_xml_parse(const char *xml, gsize len, GError **error) {
  if (len > FERRY_DOMAIN_XML_MAX_BYTES) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE,
                "the domain's XML has %" G_GSIZE_FORMAT " bytes, at most %d are read", len,
                FERRY_DOMAIN_XML_MAX_BYTES);
    return NULL;
  }
  xmlParserCtxt *parser = xmlNewParserCtxt();
  parser->sax->error = domain_xml_silent;
  parser->sax->warning = domain_xml_silent;
  g_autoptr(xmlDoc) doc =
      xmlCtxtReadMemory(parser, xml, (int)len, "domain.xml", NULL,
                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  g_autofree char *why = parser->lastError.message ? g_strdup(parser->lastError.message) : NULL;
  int line = parser->lastError.line;
  xmlFreeParserCtxt(parser);
  xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
  if (!root || doc->intSubset || !ferry_xml_is(root, "domain")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "this is not a libvirt domain's XML: %s (line %d)",
                !doc             ? (why ? g_strstrip(why) : "it can't be parsed")
                : doc->intSubset ? "it declares entities (DOCTYPE)"
                                 : "its root is not <domain>",
                line);
    return NULL;
  }
  g_autofree char *uuid = domain_xml_text_of(ferry_xml_child(root, "uuid"));
  g_autofree char *name = domain_xml_text_of(ferry_xml_child(root, "name"));
  if (!uuid || !g_uuid_string_is_valid(uuid) || !name || !*name) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "the domain's XML has no valid <%s>",
                name && *name ? "uuid" : "name");
    return NULL;
  }
  json_t *record = json_object();
  g_autofree char *lower = g_ascii_strdown(uuid, -1);
  domain_xml_put(record, "uuid", lower);
  domain_xml_put(record, "name", name);
  gint64 memory = memory_bytes(ferry_xml_child(root, "memory"));
  if (memory >= 0)
    ferry_json_set_int(record, "memoryBytes", memory);
  const xmlNode *limit = ferry_xml_child(ferry_xml_child(root, "memtune"), "hard_limit");
  ferry_json_set_int(record, "memoryHardLimitBytes", limit ? MAX(memory_bytes(limit), 0) : 0);
  parse_cpu(root, record);
  parse_clock(ferry_xml_child(root, "clock"), record);
  parse_hyperv(ferry_xml_child(ferry_xml_child(root, "features"), "hyperv"), record);
  put_attr(record, "launchSecurity", ferry_xml_child(root, "launchSecurity"), "type");
  put_attr(record, "machineType", ferry_xml_child(ferry_xml_child(root, "os"), "type"), "machine");
  parse_devices(ferry_xml_child(root, "devices"), record);
  parse_metadata(ferry_xml_child(root, "metadata"), record);
  json_object_set_new(record, "needs", ferry_domain_needs(root));
  json_object_set_new(record, "traits", ferry_domain_traits(root));
  json_object_set_new(record, "hostResources", ferry_domain_resources_digests(root));
  return record;
}
