// SPDX-License-Identifier: Apache-2.0
// Parameters of the local socket's verbs: which there are, and what migrate's become.
#include "agent/rpc/params.h"
#include "base/error.h"
#include "base/quantity.h"
#include "convergence/schedule.h"
#include "model/kinds/policy_fields.h"
#include "model/migration/phase.h"
#include "model/kinds/change_fields.h"
#include <string.h>

typedef struct {
  const char *name;
  json_type type; /* JSON_TRUE: a boolean */
  /* the name that the resolved configuration, or a change, has for it; NULL: handled apart */
  const char *config;
  const char *like; /* the field whose limits a number has where it is not `config` */
  gint64 max;       /* of a number from 1 that no field has */
  gboolean off;     /* 0 is good, too, whatever the field says: as if it was not given */
} Param;

static const Param migrate_params[] = {
    {"vmId", JSON_STRING},
    {"vmID", JSON_STRING},
    {"dst", JSON_STRING},
    {"dstqemu", JSON_STRING},
    {"dstparams", JSON_STRING},
    {"mode", JSON_STRING},
    {"method", JSON_STRING},
    {"consoleAddress", JSON_STRING},
    {"downtime", JSON_INTEGER, FERRY_FIELD_MAX_DOWNTIME},
    {"compressed", JSON_TRUE, "compressed"},
    {"autoConverge", JSON_TRUE, "allowAutoConverge"},
    {"migrationProgressTimeout", JSON_INTEGER, "migrationProgressTimeout", .off = TRUE},
    {"stallingLimit", JSON_INTEGER, "stallingLimit"},
    {"convergenceSchedule", JSON_OBJECT, "schedule"},
    {"maxBandwidth", JSON_INTEGER, .like = "bandwidthMiBps"},
    {"tunneled", JSON_TRUE, "tunnelled"},
    {"abortOnError", JSON_TRUE, "abortOnError"},
    {"parallel", JSON_INTEGER, "parallelConnections"},
    {"encrypted", JSON_TRUE},
    {"zerocopy", JSON_TRUE, "zeroCopy"},
    {"postcopy", JSON_TRUE, "allowPostCopy"},
    {"outgoingLimit", JSON_INTEGER, .max = FERRY_LOCAL_MAX_RUNNING},
    {"incomingLimit", JSON_INTEGER, .like = "parallelInboundMigrationsPerNode"},
    {NULL},
};
static const Param change_params[] = {{"vmId", JSON_STRING},
                                      {"vmID", JSON_STRING},
                                      {"downtime", JSON_INTEGER, "downtimeMs"},
                                      {"maxBandwidth", JSON_INTEGER, "bandwidthMiBps"},
                                      {"migrationTechnique", JSON_STRING, "technique"},
                                      {"stallingLimit", JSON_INTEGER, "stallingLimitSeconds"},
                                      {NULL}};
static const Param vm_params[] = {{"vmId", JSON_STRING}, {"vmID", JSON_STRING}, {NULL}};
static const Param restore_params[] = {{"dst", JSON_STRING}, {NULL}};

/* Limits of a number: those of the field that it becomes. */
static void limits_of(const Param *p, gint64 *min, gint64 *max) {
  const char *name = p->like ? p->like : p->config;
  const FerryField *field = ferry_change_field(name);
  if (!field && name)
    field = ferry_configuration_field(name);
  *min = p->off ? 0 : field ? field->min : 1;
  *max = field ? field->max : p->max;
}

static gboolean check_one(const Param *p, const json_t *value, GError **error) {
  gboolean right = p->type == JSON_TRUE ? json_is_boolean(value) : json_typeof(value) == p->type;
  gint64 n = json_integer_value(value), min, max;
  limits_of(p, &min, &max);
  if (right && (p->type != JSON_INTEGER || (n >= min && n <= max)) &&
      json_string_length(value) <= 4096)
    return TRUE;
  static const char *const names[] = {
      [JSON_OBJECT] = "an object", [JSON_STRING] = "a text", [JSON_TRUE] = "true or false"};
  if (p->type == JSON_INTEGER)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "%s: expected a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                p->name, min, max);
  else
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s: expected %s", p->name,
                names[p->type]);
  return FALSE;
}

static gboolean check_params(const Param *table, const json_t *params, GError **error) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)params, key, value) {
    const Param *p = table;
    while (p->name && !g_str_equal(p->name, key))
      p++;
    if (!p->name) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%.100s: no such parameter", key);
      return FALSE;
    }
    if (!check_one(p, value, error))
      return FALSE;
  }
  return TRUE;
}

const char *ferry_local_vm_of(const json_t *params) {
  const char *vm = ferry_json_str(params, "vmID");
  return vm ? vm : ferry_json_str(params, "vmId");
}

gboolean ferry_local_is_file(const json_t *params) {
  return g_strcmp0(ferry_json_str(params, "mode"), "file") == 0;
}

/* What the parameters must be together. */
static const char *params_disagreement(const json_t *params) {
  const char *vm = ferry_local_vm_of(params), *dst = ferry_json_str(params, "dst");
  const char *mode = ferry_json_str(params, "mode"), *method = ferry_json_str(params, "method");
  const char *image = ferry_json_str(params, "dstparams");
  if (!vm || !g_uuid_string_is_valid(vm))
    return "vmID: expected the VM's UUID";
  if (!dst || !*dst)
    return "dst: expected the other host, or with mode \"file\" a path";
  if (mode && !g_str_equal(mode, "remote") && !g_str_equal(mode, "file"))
    return "mode: expected \"remote\" or \"file\"";
  if (method && !g_str_equal(method, "online"))
    return "method: expected \"online\"";
  if (ferry_local_is_file(params) && !g_path_is_absolute(dst))
    return "dst: with mode \"file\" expected an absolute path";
  if (image && (!ferry_local_is_file(params) || !g_path_is_absolute(image)))
    return "dstparams: expected an absolute path, and mode \"file\"";
  return NULL;
}

/* Where `downtime` is given and no schedule, the caller takes care of the downtime and of switching
 * to post-copy, as oVirt's engine was to: the same as a change by hand at the start. */
static void take_over(json_t *object, const json_t *params) {
  json_t *downtime = json_object_get(params, "downtime");
  if (!downtime || json_object_get(params, "convergenceSchedule"))
    return;
  ferry_json_set(object, "status.changes",
                 json_pack("[{s:s, s:s, s:s, s:{s:O, s:s}}]", "id", "0", "by", "the local socket",
                           "state", ferry_change_state_name(FERRY_CHANGE_APPLIED), "fields",
                           "downtimeMs", downtime, "technique",
                           ferry_technique_name(FERRY_TECHNIQUE_PRE_COPY)));
}

/* A host as it stands in a URI; it may have its port with it. */
static char *host_in_uri(const char *host) {
  return g_strdup_printf(strchr(host, ':') && g_hostname_is_ip_address(host) ? "[%s]" : "%s", host);
}

json_t *ferry_local_object(const json_t *params, gint64 progress_timeout_s, GError **error) {
  if (!check_params(migrate_params, params, error))
    return NULL;
  const char *wrong = params_disagreement(params);
  if (wrong) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s", wrong);
    return NULL;
  }
  json_t *schedule = json_object_get(params, "convergenceSchedule");
  g_autoptr(FerrySchedule) parsed =
      schedule ? ferry_schedule_parse(schedule, "convergenceSchedule", error) : NULL;
  if (schedule && !parsed) {
    const FerryCause *cause =
        error && ferry_error_n_causes(*error) > 0 ? ferry_error_cause(*error, 0) : NULL;
    g_autofree char *text =
        g_strdup_printf(": %s %s", cause ? cause->field : "", cause ? cause->message : "");
    if (error) {
      GError *whole = g_error_new(FERRY_ERROR, FERRY_ERROR_INVALID, "convergenceSchedule: %s%s",
                                  (*error)->message, cause ? text : "");
      g_clear_error(error);
      g_propagate_error(error, whole);
    }
    return NULL;
  }
  g_autoptr(json_t) config = json_pack("{s:i, s:I}", "completionTimeoutPerGiB", 0,
                                       "progressTimeout", (json_int_t)progress_timeout_s);
  for (const Param *p = migrate_params; p->name; p++)
    if (p->config && json_object_get(params, p->name))
      json_object_set(config, p->config, json_object_get(params, p->name));
  gint64 mib = ferry_json_int(params, "maxBandwidth", 0);
  if (mib > 0)
    json_object_set_new(config, "bandwidthPerMigration", json_integer((json_int_t)mib * FERRY_MIB));
  if (json_object_get(params, "parallel"))
    ferry_json_set_bool(config, "parallel", TRUE);
  ferry_json_set_bool(config, "disableTLS", !ferry_json_bool(params, "encrypted", FALSE));
  if (ferry_schedule_has(parsed, FERRY_STEP_POSTCOPY)) /* must be enabled from the start */
    ferry_json_set_bool(config, "allowPostCopy", TRUE);
  if (parsed && parsed->auto_converge && !json_object_get(params, "autoConverge"))
    ferry_json_set_bool(config, "allowAutoConverge", TRUE);
  const char *console = ferry_json_str(params, "consoleAddress");
  if (console) {
    g_autofree char *host = host_in_uri(console);
    g_autofree char *uri = g_strconcat("spice://", host, NULL);
    ferry_json_set_str(config, "graphicsURI", uri);
  }
  const char *dst = ferry_json_str(params, "dst"), *address = ferry_json_str(params, "dstqemu");
  g_autofree char *host = host_in_uri(dst);
  g_autofree char *uri =
      strstr(dst, "://") ? g_strdup(dst) : g_strdup_printf("qemu+tls://%s/system", host);
  json_t *object = json_pack("{s:{s:s, s:s}, s:{s:s}, s:{s:s, s:{s:s, s:s, s:s*, s:O}}}",
                             "metadata", "namespace", "default", "name", ferry_local_vm_of(params),
                             "spec", "vmiName", ferry_local_vm_of(params), "status", "phase",
                             ferry_phase_name(FERRY_PHASE_SCHEDULED), "migrationState", "vmiUID",
                             ferry_local_vm_of(params), "targetURI", uri, "targetNodeAddress",
                             address, "migrationConfiguration", config);
  take_over(object, params);
  return object;
}

gboolean ferry_local_check(const char *method, const json_t *params, GError **error) {
  static const struct {
    const char *name;
    const Param *table;
  } methods[] = {{"migrate", migrate_params},
                 {"migrateChangeParams", change_params},
                 {"migrateCancel", vm_params},
                 {"getMigrationStatus", vm_params},
                 {"restore", restore_params}};
  for (gsize i = 0; i < G_N_ELEMENTS(methods); i++)
    if (g_str_equal(methods[i].name, method))
      return check_params(methods[i].table, params, error);
  return TRUE;
}

json_t *ferry_local_change_fields(const json_t *params) {
  json_t *fields = json_object();
  for (const Param *p = change_params; p->name; p++)
    if (p->config && json_object_get(params, p->name))
      json_object_set(fields, p->config, json_object_get(params, p->name));
  return fields;
}
