// SPDX-License-Identifier: Apache-2.0
// One odd domain must not hide its host: a domain that can't be judged is left out and named, and
// the rest of the report counts. A report that can't be read as one is refused whole.
//
// The figures of memory, processors and disks are bounded so that no sum over FERRY_REPORT_MAX_
// DOMAINS of them leaves 64 bits; by the host's own capacity they are not, for a host may promise
// more than it has.
#include "model/agents/domain_record.h"
#include "model/domain/domain_limits.h"
#include "model/domain/domain_needs.h"
#include "model/domain/domain_resources.h"
#include "model/domain/domain_traits.h"
#include "model/domain/domain_states.h"
#include "model/kinds/shared_fields.h"
#include "model/validate/validate.h"

G_STATIC_ASSERT(FERRY_RECORD_MAX_MEMORY <= G_MAXINT64 / FERRY_REPORT_MAX_DOMAINS);
G_STATIC_ASSERT(FERRY_RECORD_MAX_DISK_SIZE <= G_MAXINT64 / FERRY_RECORD_MAX_DEVICES);

/* Of a domain's metadata; far more than a person writes there. */
#define SETTINGS_MAX_BYTES 16384

static const FerryField record_job[] = {
    STR("type", "migration.", .max = 64),
    STR("operation", "What libvirt calls it.", .max = 64),
    END,
};

static const FerryField record_disk[] = {
    STR("name", "Name of the disk in the guest, such as vda.", .max = 256),
    STR("type", "What the disk is on the host.", .max = 64),
    STR("source", "Path, or protocol and name, of the disk's data.", .max = 4096),
    STR("format", "Format of the data.", .max = 64),
    BOOL("readonly", "Whether the guest can only read it."),
    BOOL("shareable", "Whether several guests may use it at once."),
    BOOL("reservations", "Whether the guest may reserve it."),
    BOOL("shared", "Whether its file is on storage that other hosts share."),
    STR("startupPolicy", "What libvirt does where its file is missing.", .max = 64),
    STR("cache", "Cache mode of QEMU.", .max = 64),
    STR("blockJob", "The copy of the disk that is under way.", .max = 64),
    INT("sizeBytes", "Size that the guest sees.", .unit = FERRY_UNIT_BYTES, .min = 0,
        .max = FERRY_RECORD_MAX_DISK_SIZE),
    END,
};

static const FerryField record_interface[] = {
    STR("name", "Name of the device on the host.", .max = 256),
    STR("macAddress", "MAC address.", .max = 64),
    STR("type", "How it is connected.", .max = 64),
    STR("source", "Bridge, network or device it is connected to.", .max = 256),
    STR("model", "Model of the device.", .max = 64),
    END,
};

static const FerryField record_host_device[] = {
    STR("name", "Name or address of the device on the host.", .max = 256),
    STR("type", "Kind of device.", .max = 64),
    END,
};

static const FerryField record_filesystem[] = {
    STR("name", "Tag by which the guest mounts it.", .max = 256),
    STR("driver", "What serves it.", .max = 64),
    STR("source", "Directory of the host, or socket.", .max = 4096),
    END,
};

static const FerryField record_need[] = {
    STR("kind", "What it is.", REQUIRED, .max = 32),
    STR("name", "Which one.", REQUIRED, .max = 4352),
    END,
};

static const FerryField record_fields[] = {
    STR("uuid", "libvirt's UUID.", REQUIRED, .pattern = "uuid", .max = 36),
    STR("name", "Name of the domain.", REQUIRED, .max = 1024),
    STR("namespace", "Namespace, from the domain's metadata.", .max = 4096),
    STR("state", "State as libvirt names it.", REQUIRED, .values = ferry_domain_states_reported),
    STR("reason", "Why it is in that state.", .max = 256),
    INT("id", "Number of the running domain; -1: not running.", .unit = FERRY_UNIT_NUMBER,
        .min = -1, .max = G_MAXINT32),
    BOOL("active", "Whether it has a running QEMU."),
    BOOL("silent", "Whether its QEMU does not answer."),
    BOOL("persistent", "Whether it is defined there."),
    OBJ("job", record_job, "The migration that libvirt is busy with."),
    INT("memoryBytes", "Memory of the guest.", .unit = FERRY_UNIT_BYTES, .min = 0,
        .max = FERRY_RECORD_MAX_MEMORY),
    BYTES("memoryHardLimitBytes", "Hard limit of <memtune>; 0: none."),
    INT("vcpus", "Virtual processors.", .unit = FERRY_UNIT_COUNT, .min = 0, .max = 65536),
    STR("cpuModel", "Processor model of the guest.", .max = 256),
    BOOL("invariantTSC", "Whether it requires invtsc."),
    WHOLE("tscFrequencyHz", FERRY_UNIT_HZ, "Frequency of the guest's time stamp counter."),
    BOOL("hypervReenlightenment", "Whether the guest has it."),
    BOOL("hypervPassthrough", "Whether the guest has it."),
    STR("launchSecurity", "Protection of the guest from its host.", .max = 64),
    STR("machineType", "Machine type of QEMU.", .max = 256),
    OBJS("disks", record_disk, "Disks.", .max = FERRY_RECORD_MAX_DEVICES),
    OBJS("interfaces", record_interface, "Network interfaces.", .max = FERRY_RECORD_MAX_DEVICES),
    OBJS("hostDevices", record_host_device, "Devices of the host.",
         .max = FERRY_RECORD_MAX_DEVICES),
    OBJS("filesystems", record_filesystem, "Directories of the host.",
         .max = FERRY_RECORD_MAX_DEVICES),
    STRS("snapshots", "Names of its snapshots.", .max = FERRY_DOMAIN_SNAPSHOTS_MAX),
    STRS("blockers", "QEMU's own reasons against moving it.", .max = FERRY_DOMAIN_BLOCKERS_MAX),
    BOOL("managedSave", "Whether its memory is kept in a file of libvirt's (managed save)."),
    OBJS("needs", record_need, "What its definition needs of a host.",
         .max = FERRY_DOMAIN_NEEDS_MAX),
    STRS("traits", "Words for what of its definition versions of libvirt get wrong.",
         .max = FERRY_DOMAIN_TRAITS_MAX),
    STRS("hostResources", "Digests of what its definition uses of the host.",
         .max = FERRY_DOMAIN_RESOURCES_MAX),
    MAP("labels", "Labels, from the domain's metadata.", .max = 1000),
    MAP("annotations", "Annotations, from the domain's metadata; they are not taken over.",
        .max = 1000),
    ANY("migrationPolicy", "Migration settings, from the domain's metadata."),
    END,
};

const FerryField ferry_fields_report[] = {
    WHOLE("epoch", FERRY_UNIT_NUMBER, "Of the agent's session."),
    WHOLE("sequence", FERRY_UNIT_NUMBER, "Higher than that of any report sent before."),
    BOOL("full", "Whether all domains are named: in domains, or in present."),
    ANY("node", "What the host is."),
    OBJS("domains", record_fields, "Domains as they are now.", .max = FERRY_REPORT_MAX_DOMAINS),
    STRS("removed", "UUIDs of domains that are gone.", .pattern = "uuid",
         .max = FERRY_REPORT_MAX_DOMAINS),
    STR("looksHash", "Of what this agent was told to look for.", .max = 64),
    STRS("present", "Of a full report: UUIDs of domains that reports just before it told of.",
         .pattern = "uuid", .max = FERRY_REPORT_MAX_DOMAINS),
    END,
};

/* Of a Node's status: conditions and agent are ferryd's. */
static const char *const of_node[] = {"addresses",       "capacity",       "allocatable",
                                      "nodeInfo",        "hypervisor",     "interfaces",
                                      "routes",          "runningVMs",     "sharedFileSystems",
                                      "memoryUsedBytes", "processorsUsed", "resources",
                                      "resourceKinds",   "looks",          NULL};

static const FerryField of_report[] = {
    BOOL("connected", "Whether the agent reaches its libvirtd."),
    STR("connectionError", "Why not.", .max = MESSAGE_MAX_LENGTH),
    END,
};

static json_t *validate_node(const json_t *node, GPtrArray *unknown, GError *invalid) {
  g_autoptr(json_t) status = json_object();
  g_autoptr(json_t) rest = json_object();
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)node, key, value)
      json_object_set(g_strv_contains(of_node, key) ? status : rest, key, value);
  const FerryField *fields = ferry_field_find(ferry_kind_node.fields, "status")->fields;
  json_t *out = ferry_validate_fields(fields, "node", status, unknown, invalid);
  g_autoptr(json_t) more = ferry_validate_fields(of_report, "node", rest, unknown, invalid);
  json_object_update(out, more);
  return out;
}

/* One VM has one UUID, however a report spells it. */
static json_t *domain_record_lower(const json_t *text) {
  g_autofree char *plain = g_ascii_strdown(json_string_value(text), -1);
  return json_string(plain);
}

static void lower_uuids(json_t *report) {
  static const char *const lists[] = {"removed", "present"};
  gsize i;
  json_t *one;
  for (gsize k = 0; k < G_N_ELEMENTS(lists); k++) {
    json_t *list = json_object_get(report, lists[k]);
    json_array_foreach(list, i, one) json_array_set_new(list, i, domain_record_lower(one));
  }
}

/* ---- domains, each by itself ---- */

typedef struct {
  GPtrArray *unknown;
  json_t *taken, *left_out;
  GHashTable *seen; /* UUIDs of `taken`, borrowed */
} Domains;

/* Where `causes` is full, more is not needed to leave a domain out. */
static void check_record(const Domains *all, const json_t *one, GError *causes) {
  const char *uuid = ferry_json_str(one, "uuid");
  const json_t *settings = json_object_get(one, "migrationPolicy");
  if (uuid && g_hash_table_contains(all->seen, uuid))
    ferry_error_add_cause(causes, "FieldValueDuplicate", "domain.uuid", "Duplicate value: \"%s\"",
                          uuid);
  if (settings && json_dumpb(settings, NULL, 0, JSON_ENCODE_ANY) > SETTINGS_MAX_BYTES)
    ferry_error_add_cause(causes, "FieldValueInvalid", "domain.migrationPolicy",
                          "Too long: may not be more than %d bytes", SETTINGS_MAX_BYTES);
}

static char *domain_record_shown(const char *text, glong most) {
  if (g_utf8_strlen(text, -1) <= most)
    return g_strdup(text);
  g_autofree char *first = g_utf8_substring(text, 0, most);
  return g_strconcat(first, "…", NULL);
}

static char *domain_record_joined(const GError *causes) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < ferry_error_n_causes(causes); i++) {
    const FerryCause *cause = ferry_error_cause(causes, i);
    g_string_append_printf(text, "%s%s: %s", i ? ", " : "", cause->field, cause->message);
  }
  return g_utf8_make_valid(text->str, (gssize)text->len); /* values are shown cut */
}

static json_t *left_out(const json_t *domain, const GError *causes) {
  const char *uuid = ferry_json_str(domain, "uuid"), *name = ferry_json_str(domain, "name");
  json_t *entry = json_object();
  if (uuid && ferry_format_check("uuid", uuid, NULL))
    json_object_set_new(entry, "uuid", domain_record_lower(json_object_get(domain, "uuid")));
  if (name && *name) {
    g_autofree char *part = domain_record_shown(name, FERRY_LEFT_OUT_NAME_LENGTH);
    ferry_json_set_str(entry, "name", part);
  }
  if (json_is_boolean(json_object_get(domain, "active")))
    json_object_set(entry, "active", json_object_get(domain, "active"));
  g_autofree char *reasons = domain_record_joined(causes);
  g_autofree char *part = domain_record_shown(reasons, FERRY_LEFT_OUT_MESSAGE_LENGTH);
  ferry_json_set_str(entry, "message", part);
  return entry;
}

static void take_domain(Domains *all, const json_t *domain) {
  g_autoptr(GError) causes = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_INVALID, "domain");
  g_autoptr(json_t) one = NULL;
  if (json_is_object(domain)) {
    one = ferry_validate_fields(record_fields, "domain", domain, all->unknown, causes);
    if (ferry_json_str(one, "uuid"))
      json_object_set_new(one, "uuid", domain_record_lower(json_object_get(one, "uuid")));
    check_record(all, one, causes);
  } else {
    ferry_error_add_cause(causes, "FieldValueTypeInvalid", "domain",
                          "Invalid value: expected an object");
  }
  if (ferry_error_n_causes(causes)) {
    json_array_append_new(all->left_out, left_out(domain, causes));
    return;
  }
  g_hash_table_add(all->seen, (gpointer)ferry_json_str(one, "uuid"));
  json_array_append(all->taken, one);
}

static void take_domains(json_t *out, const json_t *domains, GPtrArray *unknown) {
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  Domains all = {unknown, json_array(), json_array(), seen};
  gsize i;
  json_t *domain;
  json_array_foreach((json_t *)domains, i, domain) take_domain(&all, domain);
  json_object_set_new(out, "domains", all.taken);
  json_object_set_new(out, "leftOut", all.left_out);
}

json_t *ferry_report_validate(const json_t *report, GPtrArray *unknown, GError **error) {
  g_autoptr(GError) invalid = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_INVALID, "report");
  if (!json_is_object(report)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "the report is invalid: expected an object");
    return NULL;
  }
  json_t *domains = json_object_get(report, "domains");
  g_autoptr(json_t) frame = json_copy((json_t *)report);
  /* no list, or too long a one, is for the table to refuse */
  gboolean apart = json_is_array(domains) && json_array_size(domains) <= FERRY_REPORT_MAX_DOMAINS;
  if (apart)
    json_object_del(frame, "domains");
  g_autoptr(json_t) out = ferry_validate_fields(ferry_fields_report, "", frame, unknown, invalid);
  const json_t *node = json_object_get(out, "node");
  if (node && !json_is_object(node))
    ferry_error_add_cause(invalid, "FieldValueTypeInvalid", "node",
                          "Invalid value: expected an object");
  else if (node)
    json_object_set_new(out, "node", validate_node(node, unknown, invalid));
  lower_uuids(out);
  if (ferry_error_n_causes(invalid) == 0) {
    if (apart)
      take_domains(out, domains, unknown);
    return g_steal_pointer(&out);
  }
  g_autofree char *causes = domain_record_joined(invalid);
  g_free(invalid->message);
  invalid->message = g_strconcat("the report is invalid: ", causes, NULL);
  g_propagate_error(error, g_steal_pointer(&invalid));
  return NULL;
}
