// SPDX-License-Identifier: Apache-2.0
// Theory of operation: what the server knows becomes members of one document, what this machine
// knows texts with the names of their files. Each may be missing, which is no error: whoever
// reports a bug has what he may see, and the text in a member's place says why there is no more.
// Everything is bounded where it is read. Nothing is taken out until all is there: one pass over
// all of it gives an address or a name the same word everywhere.
#include "cli/core/report.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/rfc3339.h"
#include "cli/core/resource.h"
#include "cli/view/redact.h"
#include "cli/view/redact_names.h"
#include <gio/gio.h>
#include <string.h>

#define MAX_EVENTS 500
#define MAX_OBJECTS 100                    /* of a kind */
#define MAX_TEXT ((gsize)4 * 1024 * 1024)  /* of a file, its end */
#define MAX_FILE ((gsize)64 * 1024 * 1024) /* larger ones are not read at all */
#define JOURNAL_LINES "20000"
#define MARGIN_MS 60000

/* ---- from the server ---- */

static void add_object(FerryCli *cli, json_t *report, const char *what, const FerryKind *kind,
                       const char *ns, const char *name) {
  g_autoptr(GError) error = NULL;
  if (!name)
    return;
  g_autofree char *path = ferry_resource_path(kind, ns, name, NULL);
  json_t *object = ferry_client_request(cli->client, "GET", path, NULL, NULL, NULL, NULL, &error);
  json_object_set_new(report, what, object ? object : json_string(error->message));
}

/* The last `max` items of a list that `keep` (may be NULL) takes. */
static void add_list(FerryCli *cli, json_t *report, const char *what, const FerryKind *kind,
                     const char *ns, const char *field, gsize max,
                     gboolean (*keep)(const json_t *object, const json_t *report)) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) list = ferry_cli_list(cli, kind, ns, NULL, field, NULL, NULL, &error);
  if (!list) {
    json_object_set_new(report, what, json_string(error->message));
    return;
  }
  json_t *kept = json_array();
  size_t i;
  json_t *item;
  json_array_foreach(ferry_json_get(list, "items"), i, item) {
    if (!keep || keep(item, report))
      json_array_append(kept, item);
  }
  while (json_array_size(kept) > max)
    json_array_remove(kept, 0);
  json_object_set_new(report, what, kept);
}

static void add_events(FerryCli *cli, json_t *report, const char *what, const char *ns,
                       const char *name) {
  if (!name)
    return;
  g_autofree char *field = g_strconcat("involvedObject.name=", name, NULL);
  add_list(cli, report, what, &ferry_kind_event, ns, field, MAX_EVENTS, NULL);
}

/* Whether the migration's configuration came of it: an origin names it as one of its words. */
static gboolean policy_was_used(const json_t *policy, const json_t *report) {
  const char *name = ferry_json_str(policy, "metadata.name"), *key;
  const json_t *migration = json_object_get(report, "migration");
  json_t *origin;
  if (!g_strcmp0(name, ferry_json_str(migration, "status.migrationState.migrationPolicyName")))
    return TRUE;
  json_object_foreach(ferry_json_get(migration, "status.configurationOrigins"), key, origin) {
    g_auto(GStrv) words =
        g_strsplit_set(json_is_string(origin) ? json_string_value(origin) : "", " \"/:,", -1);
    if (name && g_strv_contains((const char *const *)words, name))
      return TRUE;
  }
  return FALSE;
}

json_t *ferry_report_collect(FerryCli *cli, const json_t *migration) {
  const char *ns = ferry_json_str(migration, "metadata.namespace");
  const char *vm = ferry_json_str(migration, "spec.vmiName");
  const char *source = ferry_json_str(migration, "status.migrationState.sourceNode");
  const char *target = ferry_json_str(migration, "status.migrationState.targetNode");
  json_t *report = json_object();
  g_autofree char *now = ferry_rfc3339_format_ms(ferry_clock_wall_ms(ferry_clock_system()));
  json_object_set_new(report, "made", json_string(now));
  json_object_set_new(report, "ferry", json_string("v" FERRY_VERSION));
  g_autoptr(json_t) server =
      ferry_client_request(cli->client, "GET", "/version", NULL, NULL, NULL, NULL, NULL);
  if (server)
    json_object_set(report, "server", server);
  json_object_set_new(report, "migration", json_deep_copy(migration));
  add_object(cli, report, "vm", &ferry_kind_vmi, ns, vm);
  add_object(cli, report, "source", &ferry_kind_node, NULL, source);
  add_object(cli, report, "target", &ferry_kind_node, NULL, target);
  add_list(cli, report, "cluster", &ferry_kind_kubevirt, NULL, NULL, MAX_OBJECTS, NULL);
  add_list(cli, report, "policies", &ferry_kind_migration_policy, NULL, NULL, MAX_OBJECTS,
           policy_was_used);
  add_list(cli, report, "networks", &ferry_kind_network, NULL, NULL, MAX_OBJECTS, NULL);
  add_events(cli, report, "migrationEvents", ns, ferry_json_str(migration, "metadata.name"));
  add_events(cli, report, "vmEvents", ns, vm);
  add_events(cli, report, "sourceEvents", NULL, source);
  add_events(cli, report, "targetEvents", NULL, target);
  return report;
}

/* ---- from this machine ---- */

static void add_text(json_t *texts, const char *name, char *text) {
  gsize len = strlen(text);
  const char *end = text;
  if (len > MAX_TEXT) { /* at a line's beginning: half a secret is not known as one */
    end = strchr(text + len - MAX_TEXT, '\n');
    end = end ? end + 1 : "";
  }
  g_autofree char *valid = g_utf8_make_valid(end, -1);
  json_object_set_new(texts, name, json_string(valid));
  g_free(text);
}

static void add_file(json_t *texts, const char *path, gboolean named) {
  g_autoptr(GError) error = NULL;
  char *text = ferry_file_read(path, MAX_FILE, NULL, &error);
  if (!text && !named)
    return; /* it isn't there, or is not this user's to read */
  g_autofree char *name = g_path_get_basename(path);
  add_text(texts, name, text ? text : g_strdup(error->message));
}

static void add_files(FerryCli *cli, json_t *texts, const char *option) {
  const GPtrArray *files = ferry_args_all(cli->args, option);
  for (guint i = 0; files && i < files->len; i++)
    add_file(texts, files->pdata[i], TRUE);
}

/* What journalctl prints of one unit between two times. Nothing where there is no journal, or
 * nothing in it that this user may read. */
static void add_journal(json_t *texts, const char *unit, gint64 since_ms, gint64 until_ms) {
  g_autofree char *since = g_strdup_printf("--since=@%" G_GINT64_FORMAT, since_ms / 1000);
  g_autofree char *until = g_strdup_printf("--until=@%" G_GINT64_FORMAT, until_ms / 1000 + 1);
  const char *argv[] = {"journalctl",
                        "--quiet",
                        "--no-pager",
                        "--output=short-iso-precise",
                        "--lines=" JOURNAL_LINES,
                        "--unit",
                        unit,
                        since,
                        until,
                        NULL};
  g_autoptr(GSubprocess) child = g_subprocess_newv(
      argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL);
  g_autoptr(GBytes) out = NULL;
  if (!child || !g_subprocess_communicate(child, NULL, NULL, &out, NULL, NULL) || !out)
    return;
  gsize len = 0;
  const char *bytes = g_bytes_get_data(out, &len);
  if (len == 0)
    return;
  g_autofree char *name = g_strconcat(unit, ".log", NULL);
  add_text(texts, name, g_strndup(bytes, len));
}

json_t *ferry_report_local(FerryCli *cli, const json_t *migration) {
  static const char *const configs[] = {"/etc/ferry/ferryd.conf", "/etc/ferry/agent.conf"};
  static const char *const units[] = {"ferryd",   "ferry-agentd", "ferry-trust",
                                      "libvirtd", "virtqemud",    "virtproxyd"};
  json_t *texts = json_object();
  if (ferry_cli_option(cli, "config"))
    add_files(cli, texts, "config");
  else
    for (gsize i = 0; i < G_N_ELEMENTS(configs); i++)
      add_file(texts, configs[i], FALSE);
  gint64 begun = ferry_rfc3339_parse(ferry_json_str(migration, "metadata.creationTimestamp"));
  gint64 ended =
      ferry_rfc3339_parse(ferry_json_str(migration, "status.migrationState.endTimestamp"));
  if (ended < 0)
    ended = ferry_clock_wall_ms(ferry_clock_system());
  for (gsize i = 0; begun >= 0 && i < G_N_ELEMENTS(units); i++)
    add_journal(texts, units[i], begun - MARGIN_MS, ended + MARGIN_MS);
  add_files(cli, texts, "log");
  return texts;
}

/* ---- what may be shown ---- */

/* A host's other names, and the domain that they are in. */
static void name_address(FerryRedactNames *names, const char *word, const json_t *address) {
  const char *type = ferry_json_str(address, "type"), *name = ferry_json_str(address, "address");
  const char *domain = name ? strchr(name, '.') : NULL;
  if (!name || !type || g_str_has_suffix(type, "IP"))
    return;
  ferry_redact_names_add(names, word, name);
  if (domain)
    ferry_redact_names_add(names, "domain", domain + 1);
}

static gboolean name_all(FerryCli *cli, FerryRedactNames *names, const char *word,
                         const FerryKind *kind, GError **error) {
  static const char *const where[] = {"metadata.name", "metadata.uid", "spec.domainName",
                                      "status.hypervisor.peer.host", "status.nodeInfo.hostname"};
  /* Every server has these, and they are words of other things as well. */
  static const char *const everywhere[] = {"default", "kubevirt", NULL};
  g_autoptr(json_t) list = ferry_cli_list(cli, kind, NULL, NULL, NULL, NULL, NULL, error);
  size_t i, k;
  json_t *object, *address;
  if (!list)
    return FALSE;
  json_array_foreach(ferry_json_get(list, "items"), i, object) {
    const char *own = ferry_json_str(object, "metadata.name");
    if (own && kind == &ferry_kind_namespace && g_strv_contains(everywhere, own))
      continue;
    for (gsize w = 0; w < G_N_ELEMENTS(where); w++)
      ferry_redact_names_add(names, word, ferry_json_str(object, where[w]));
    json_array_foreach(ferry_json_get(object, "status.addresses"), k, address)
        name_address(names, word, address);
  }
  return TRUE;
}

/* The migration's own names first: its hosts and its VM may be gone since. */
static void name_own(FerryRedactNames *names, const json_t *report) {
  static const char *const hosts[] = {"status.migrationState.sourceNode",
                                      "status.migrationState.targetNode"};
  const json_t *migration = json_object_get(report, "migration");
  for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++)
    ferry_redact_names_add(names, "host", ferry_json_str(migration, hosts[i]));
  ferry_redact_names_add(names, "vm", ferry_json_str(migration, "spec.vmiName"));
  ferry_redact_names_add(names, "host", g_get_host_name());
}

static gboolean hide_names(FerryCli *cli, json_t **report, json_t **texts, GError **error) {
  g_autoptr(FerryRedactNames) names = ferry_redact_names_new();
  name_own(names, *report);
  if (!name_all(cli, names, "host", &ferry_kind_node, error) ||
      !name_all(cli, names, "vm", &ferry_kind_vmi, error) ||
      !name_all(cli, names, "namespace", &ferry_kind_namespace, error))
    return FALSE;
  json_t *of_report = ferry_redact_names_json(names, *report);
  json_t *of_texts = ferry_redact_names_json(names, *texts);
  json_decref(*report);
  json_decref(*texts);
  *report = of_report;
  *texts = of_texts;
  return TRUE;
}

/* Secrets first: what makes them known as such, "token=" say, may be a VM's name as well. */
gboolean ferry_report_redact(FerryCli *cli, json_t **report, json_t **texts, GError **error) {
  g_autoptr(GHashTable) addresses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  ferry_redact(*report, addresses);
  const char *name;
  json_t *text;
  json_object_foreach(*texts, name, text) {
    g_autofree char *shown = ferry_redact_text(json_string_value(text), addresses);
    json_string_set(text, shown);
  }
  return !ferry_cli_option(cli, "redact-names") || hide_names(cli, report, texts, error);
}
