// SPDX-License-Identifier: Apache-2.0
// A rule is a row: a term, what it needs or excludes, and what libvirt or QEMU say to it. A term is
// a field that is on or given, FIELD=VALUE for a list that holds the value or a URI of that scheme,
// or "tls". What one row cannot say is a function below the table.
#include "policy/flags/migration_flags_rules.h"
#include "model/flags/resume_defects.h"
#include "base/quantity.h"
#include "model/kinds/policy_layers.h"
#include "policy/network/network.h"
#include "convergence/schedule.h"
#include "model/domain/copied_disks.h"
#include <string.h>

#define COPY "copyStorageAll copyStorageIncremental"
#define SILENT "libvirt accepts it without a word and ignores it"

typedef struct {
  const char *term;
  enum { NEEDS, EXCLUDES } relation;
  const char *others;     /* terms: one of them is needed, each of them is excluded */
  const char *says;       /* libvirt's or QEMU's own words */
  const char *until_qemu; /* QEMU from which on it is no rule any more; NULL: none */
} Rule;

static const Rule flag_rules[] = {
    {"tunnelled", NEEDS, "peerToPeer",
     "cannot perform tunnelled migration without using peer2peer flag"},
    {"tunnelled", EXCLUDES, "migrateURI", "migration URI is not supported by tunnelled migration"},
    {"tunnelled", EXCLUDES, "listenAddress",
     "listen address is not supported by tunnelled migration"},
    {"tunnelled", EXCLUDES, "disksPort disksURI",
     "disk port address is not supported by tunnelled migration"},
    {"tunnelled", EXCLUDES, COPY,
     "migration of non-shared storage is not supported with tunnelled migration and this QEMU"},
    {"tunnelled", EXCLUDES, "allowPostCopy", "post-copy is not supported with tunnelled migration"},
    {"tunnelled", EXCLUDES, "parallel",
     "VIR_MIGRATE_TUNNELLED and VIR_MIGRATE_PARALLEL are mutually exclusive"},
    {"tunnelled", EXCLUDES, "tls", "TLS handshake failed"},
    {"tunnelled", EXCLUDES, "offline", "tunnelled offline migration does not make sense"},
    {"offline", EXCLUDES, "copyStorageAll", "offline migration cannot handle non-shared storage"},
    {"offline", EXCLUDES, "copyStorageIncremental",
     "offline migration cannot handle non-shared storage"},
    {"copyStorageAll", EXCLUDES, "copyStorageIncremental",
     "VIR_MIGRATE_NON_SHARED_DISK and VIR_MIGRATE_NON_SHARED_INC are mutually exclusive"},
    {"copyStorageSynchronousWrites", NEEDS, COPY,
     "VIR_MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES requires VIR_MIGRATE_NON_SHARED_DISK or "
     "VIR_MIGRATE_NON_SHARED_INC"},
    {"migrateDisks", NEEDS, COPY,
     "use of 'VIR_MIGRATE_PARAM_MIGRATE_DISKS' requires use of 'VIR_MIGRATE_NON_SHARED_DISK' or "
     "'VIR_MIGRATE_NON_SHARED_INC' flag"},
    {"migrateDisksDetectZeroes", NEEDS, COPY,
     "use of 'VIR_MIGRATE_PARAM_MIGRATE_DISKS_DETECT_ZEROES' requires use of "
     "'VIR_MIGRATE_NON_SHARED_DISK' or 'VIR_MIGRATE_NON_SHARED_INC' flag"},
    {"disksPort", NEEDS, COPY, SILENT},
    {"disksURI", NEEDS, COPY, SILENT},
    {"disksPort", EXCLUDES, "disksURI",
     "Both port and URI requested for disk migration while being mutually exclusive"},
    {"disksURI=unix", EXCLUDES, "tls", "NBD migration with TLS is not supported over UNIX socket"},
    {"copyStorageSynchronousWrites", NEEDS, "live",
     "a guest that does not run writes nothing that could be held back"},
    {"allowPostCopy", NEEDS, "live",
     "post-copy migration is not supported with non-live or paused migration"},
    {"allowPostCopy", EXCLUDES, "paused",
     "post-copy migration is not supported with non-live or paused migration"},
    {"allowPostCopy", EXCLUDES, "parallel", "Postcopy is not yet compatible with multifd",
     "10.1.0"},
    {"postCopyBandwidth", NEEDS, "allowPostCopy", SILENT},
    {"postCopyResume", NEEDS, "allowPostCopy",
     "resuming failed post-copy migration requires post-copy to be enabled"},
    {"allowAutoConverge", NEEDS, "live", SILENT},
    {"autoConvergeInitial", NEEDS, "allowAutoConverge", "Turn auto convergence on to tune it"},
    {"autoConvergeIncrement", NEEDS, "allowAutoConverge", "Turn auto convergence on to tune it"},
    {"parallelConnections", NEEDS, "parallel", "Turn parallel migration on to tune it"},
    {"zeroCopy", NEEDS, "parallel", "zero-copy is only available for parallel migration"},
    {"zeroCopy", EXCLUDES, "compressed tls",
     "Zero copy only available for non-compressed non-TLS multifd migration"},
    {"compressionMethods", NEEDS, "compressed", SILENT},
    {"compressionMTLevel", NEEDS, "compressionMethods=mt",
     "Turn multithread compression on to tune it"},
    {"compressionMTThreads", NEEDS, "compressionMethods=mt",
     "Turn multithread compression on to tune it"},
    {"compressionMTDThreads", NEEDS, "compressionMethods=mt",
     "Turn multithread compression on to tune it"},
    {"compressionXBZRLECache", NEEDS, "compressionMethods=xbzrle",
     "Turn xbzrle compression on to tune it"},
    {"compressionZlibLevel", NEEDS, "compressionMethods=zlib",
     "Turn zlib compression on to tune it"},
    {"compressionZstdLevel", NEEDS, "compressionMethods=zstd",
     "Turn zstd compression on to tune it"},
    {"compressionMethods=zlib", NEEDS, "parallel",
     "Compression method 'zlib' is only supported with parallel migration"},
    {"compressionMethods=zstd", NEEDS, "parallel",
     "Compression method 'zstd' is only supported with parallel migration"},
    {"compressionMethods=xbzrle", EXCLUDES, "parallel",
     "Compression method 'xbzrle' isn't supported with parallel migration"},
    {"compressionMethods=mt", EXCLUDES, "parallel",
     "Compression method 'mt' isn't supported with parallel migration"},
    {"compressionMethods=mt", EXCLUDES, "allowPostCopy",
     "Postcopy is not currently compatible with compression"},
    {"compressionMethods=zlib", EXCLUDES, "compressionMethods=zstd",
     "Only one compression method could be specified with parallel compression"},
    {"tlsDestination", NEEDS, "tls", SILENT},
    {"rdmaPinAll", NEEDS, "migrateURI=rdma", SILENT},
    {"migrateURI=rdma", EXCLUDES, "tls", "TLS is not used with an rdma URI"},
    {"migrateURI=rdma", EXCLUDES, "parallel", "an rdma URI has one connection"},
    {"migrateURI=unix", EXCLUDES, "listenAddress",
     "Usage of listen-address is forbidden when migration URI uses UNIX transport method"},
};

/* ---- terms ---- */

/* libvirt's default method where none is named. */
static gboolean has_method(const json_t *config, const char *method) {
  const json_t *list = ferry_migration_flags_given(config, "compressionMethods");
  if (json_array_size(list))
    return ferry_json_has_word(list, method);
  return g_str_equal(method, "xbzrle") && ferry_migration_flag_on(config, "compressed") &&
         !ferry_migration_flag_on(config, "parallel");
}

static gboolean has_scheme(const json_t *config, const char *name, const char *scheme) {
  const char *uri = json_string_value(ferry_migration_flags_given(config, name));
  gsize len = strlen(scheme);
  return uri && g_ascii_strncasecmp(uri, scheme, len) == 0 && uri[len] == ':';
}

static gboolean flags_rules_holds(const json_t *config, const char *term) {
  if (g_str_equal(term, "tls"))
    return !ferry_migration_flag_on(config, "disableTLS") &&
           !ferry_migration_flag_on(config, "offline");
  const char *equals = strchr(term, '=');
  if (equals) {
    g_autofree char *name = g_strndup(term, (gsize)(equals - term));
    return g_str_equal(name, "compressionMethods") ? has_method(config, equals + 1)
                                                   : has_scheme(config, name, equals + 1);
  }
  const FerryMigrationFlag *row = ferry_migration_flag_find(term);
  if (row && row->flag)
    return ferry_migration_flag_on(config, term);
  const json_t *value = ferry_migration_flags_given(config, term);
  return value && !(json_is_array(value) && json_array_size(value) == 0);
}

static char *words_of(const char *terms, const char *joint) {
  g_auto(GStrv) list = g_strsplit(terms, " ", -1);
  for (guint i = 0; list[i]; i++)
    if (g_str_equal(list[i], "tls")) {
      g_free(list[i]);
      list[i] = g_strdup("TLS");
    }
  return g_strjoinv(joint, list);
}

/* Where a value came from, if not from the migration itself. */
static void add_origin(GString *out, const FerryFlagsContext *c, const char *term) {
  g_autofree char *field = g_strndup(term, strcspn(term, "="));
  const char *from = json_string_value(json_object_get(c->origins, field));
  if (from && !ferry_origin_is_migration(from) && !ferry_origin_is_default(from))
    g_string_append_printf(out, " (%s comes from %s)", field, from);
}

/* What to do where TLS is in the way. */
static void add_tls_advice(GString *out, const FerryFlagsContext *c, const char *term) {
  if (!g_str_equal(term, "tunnelled")) {
    g_string_append(out, "; say disableTLS: true (--no-tls) to send without encryption");
    return;
  }
  add_origin(out, c, "disableTLS"); /* somebody said false, or it would be true */
  g_string_append(out, "; leave disableTLS: false (--tls) out, for libvirtd's own connection "
                       "carries the data and is encrypted where it is TLS or SSH; or leave "
                       "tunnelled (--tunnelled) out");
}

static const char *flags_rules_version(const json_t *node, const char *what) {
  g_autofree char *path = g_strconcat("status.hypervisor.", what, NULL);
  return ferry_json_str(node, path);
}

/* Whether the host is known to have a QEMU from `since` on. */
static gboolean has_qemu(const json_t *node, const char *since) {
  const char *have = flags_rules_version(node, "qemuVersion");
  return have && ferry_version_compare(have, since) >= 0;
}

/* Whether the migration itself says it, not a policy or the VM. */
static gboolean is_own(const FerryFlagsContext *c, const char *name) {
  g_autofree char *field = g_strndup(name, strcspn(name, "="));
  return ferry_origin_is_migration(json_string_value(json_object_get(c->origins, field)));
}

/* An offline migration leaves out what a policy says of memory and disks, and one that isn't live
 * what only slows the guest: they are refused only to who asks for both. */
static gboolean is_left_out(const FerryFlagsContext *c, const Rule *rule) {
  gboolean offline = ferry_migration_flag_on(c->config, "offline");
  if (g_str_equal(rule->term, "offline"))
    return offline && !is_own(c, rule->others);
  if (g_str_equal(rule->others, "offline") || g_str_equal(rule->others, "live"))
    return !is_own(c, rule->term) && !g_str_equal(rule->term, "allowPostCopy");
  return FALSE;
}

static void check_flag_rule(const FerryFlagsContext *c, const Rule *rule, GError *causes) {
  if (is_left_out(c, rule))
    return;
  if (!flags_rules_holds(c->config, rule->term) ||
      (rule->until_qemu && c->source && has_qemu(c->source, rule->until_qemu)))
    return; /* what the target's lacks, ferry_migration_flags_lacking says, of each candidate */
  g_auto(GStrv) others = g_strsplit(rule->others, " ", -1);
  g_autofree char *field = g_strndup(rule->term, strcspn(rule->term, "="));
  gboolean found = FALSE;
  for (guint i = 0; others[i]; i++) {
    if (!flags_rules_holds(c->config, others[i]))
      continue;
    found = TRUE;
    if (rule->relation == NEEDS)
      return;
    g_autofree char *other = words_of(others[i], "");
    g_autoptr(GString) more = g_string_new(NULL);
    add_origin(more, c, rule->term);
    if (g_str_equal(others[i], "tls"))
      add_tls_advice(more, c, rule->term);
    else
      add_origin(more, c, others[i]);
    ferry_migration_flags_cause(causes, field, "%s and %s exclude each other: %s%s", rule->term,
                                other, rule->says, more->str);
  }
  if (!found && rule->relation == NEEDS) {
    g_autofree char *list = words_of(rule->others, " or ");
    g_autoptr(GString) more = g_string_new(NULL);
    add_origin(more, c, rule->term);
    ferry_migration_flags_cause(causes, field, "%s needs %s: %s%s", rule->term, list, rule->says,
                                more->str);
  }
}

/* ---- what a row cannot say ---- */

static void check_values(const FerryFlagsContext *c, GError *causes) {
  const json_t *config = c->config;
  gint64 cache = ferry_json_int(config, "compressionXBZRLECache", 4096);
  if (cache & (cache - 1))
    ferry_migration_flags_cause(
        causes, "compressionXBZRLECache",
        "%" G_GINT64_FORMAT ": Parameter 'xbzrle_cache_size' expects a power of two no less than "
        "the target page size",
        cache);
  if (ferry_migration_flag_on(config, "compressed") &&
      ferry_migration_flag_on(config, "parallel") &&
      !json_array_size(ferry_migration_flags_given(config, "compressionMethods")))
    ferry_migration_flags_cause(
        causes, "compressionMethods",
        "none: No compression algorithm selected for parallel migration; name zlib or zstd");
  const char *uri = json_string_value(ferry_migration_flags_given(config, "disksURI"));
  if (has_scheme(config, "migrateURI", "unix")) {
    if (flags_rules_holds(config, "tls") && !ferry_migration_flags_given(config, "tlsDestination"))
      ferry_migration_flags_cause(
          causes, "tlsDestination",
          "none: Explicit destination hostname is required for TLS migration over UNIX socket");
    if ((flags_rules_holds(config, "copyStorageAll") ||
         flags_rules_holds(config, "copyStorageIncremental")) &&
        !uri)
      ferry_migration_flags_cause(
          causes, "disksURI",
          "none: NBD URI must be supplied when migration URI uses UNIX transport method");
  }
  static const char *const ways[] = {"migrateURI", "tunnelled"};
  for (gsize i = 0; i < G_N_ELEMENTS(ways); i++)
    if (flags_rules_holds(config, ways[i]) && is_own(c, "network"))
      ferry_migration_flags_cause(
          causes, ways[i], "%s and network exclude each other: each says where the data goes",
          ways[i]);
  gint64 most = G_MAXINT64 / FERRY_MIB - 1; /* QEMU's rate is a signed number of bytes */
  static const char *const rates[] = {"bandwidthPerMigration", "postCopyBandwidth",
                                      "availableSwitchoverBandwidth"};
  for (gsize i = 0; i < G_N_ELEMENTS(rates); i++)
    if (ferry_json_int(config, rates[i], 0) / FERRY_MIB > most)
      ferry_migration_flags_cause(
          causes, rates[i], "bandwidth must be less than %" G_GINT64_FORMAT " MiB/s", most + 1);
}

/* ---- versions ---- */

static void free_lack(gpointer data) {
  FerryFlagLack *lack = data;
  g_free(lack->text);
  g_free(lack);
}

/* Takes `text`. */
static void add_lack(GPtrArray *out, const char *field, char *text) {
  FerryFlagLack *lack = g_new(FerryFlagLack, 1);
  *lack = (FerryFlagLack){field, text};
  g_ptr_array_add(out, lack);
}

/* `what`: how the text names what the field asks for. */
static void flags_rules_lacks(GPtrArray *out, const json_t *node, const char *field,
                              const char *what, const char *program, const char *key,
                              const char *since, const char *until) {
  const char *have = flags_rules_version(node, key), *name = ferry_json_str(node, "metadata.name");
  if (!have)
    return;
  if (since && ferry_version_compare(have, since) < 0)
    add_lack(out, field,
             g_strdup_printf("node %s has %s %s: %s needs %s %s or newer", name, program, have,
                             what, program, since));
  if (until && ferry_version_compare(have, until) >= 0)
    add_lack(out, field,
             g_strdup_printf("node %s has %s %s: %s was removed in %s %s", name, program, have,
                             what, program, until));
}

/* A distribution may have fixed it in an older version: then unsafeMigrationOverride. */
static void check_resume(GPtrArray *out, const json_t *config, const json_t *node) {
  const char *have = flags_rules_version(node, "libvirtVersion"),
             *defect = ferry_resume_defect(have);
  if (defect && ferry_migration_flag_on(config, "postCopyResume") &&
      !ferry_migration_flag_on(config, "unsafeMigrationOverride"))
    add_lack(out, "postCopyResume",
             g_strdup_printf("node %s has libvirt %s: postCopyResume needs another version, for "
                             "%s; update libvirt there to %s or newer and restart "
                             "libvirtd (the VM's QEMU goes on), or say unsafeMigrationOverride: "
                             "true (--unsafe) where it is fixed",
                             ferry_json_str(node, "metadata.name"), have, defect,
                             ferry_resume_fixed_in(have)));
}

/* The target's QEMU binds to it; libvirt finds out only after it was started. */
static void check_listen_address(GPtrArray *out, const json_t *config, const json_t *node) {
  const char *address = json_string_value(ferry_migration_flags_given(config, "listenAddress"));
  const json_t *interfaces = ferry_json_get(node, "status.interfaces");
  if (!address || !json_array_size(interfaces) || g_str_equal(address, "0.0.0.0") ||
      g_str_equal(address, "::"))
    return;
  g_autoptr(GString) have = g_string_new(NULL);
  gsize i, k;
  json_t *interface, *item;
  json_array_foreach((json_t *)interfaces, i, interface) {
    json_array_foreach(json_object_get(interface, "addresses"), k, item) {
      g_autofree char *ip = g_strdup(json_string_value(item) ? json_string_value(item) : "");
      ip[strcspn(ip, "/")] = '\0';
      if (g_str_equal(ip, address))
        return;
      g_string_append_printf(have, "%s%s", have->len ? ", " : "", ip);
    }
  }
  add_lack(out, "listenAddress",
           g_strdup_printf(
               "\"%s\": Failed to bind socket: node %s does not have this address; it has %s",
               address, ferry_json_str(node, "metadata.name"), have->str));
}

/* Rows that hold only until a version of QEMU, of the target's. */
static void check_exclusions(GPtrArray *out, const json_t *config, const json_t *node) {
  const char *have = flags_rules_version(node, "qemuVersion");
  for (gsize i = 0; i < G_N_ELEMENTS(flag_rules); i++) {
    const Rule *r = &flag_rules[i];
    if (r->until_qemu && r->relation == EXCLUDES && flags_rules_holds(config, r->term) &&
        flags_rules_holds(config, r->others) && !has_qemu(node, r->until_qemu))
      add_lack(out, r->term,
               g_strdup_printf("node %s has QEMU %s: %s needs QEMU %s or newer where "
                               "there is %s, too: %s",
                               ferry_json_str(node, "metadata.name"),
                               have ? have : "of an unknown version", r->term, r->until_qemu,
                               r->others, r->says));
  }
}

GPtrArray *ferry_migration_flags_lacking(const json_t *config, const json_t *node,
                                         gboolean is_target) {
  GPtrArray *out = g_ptr_array_new_with_free_func(free_lack);
  if (is_target) {
    check_resume(out, config, node);
    check_listen_address(out, config, node);
    check_exclusions(out, config, node);
  }
  for (const FerryMigrationFlag *f = ferry_migration_flags; f->field.name; f++) {
    const char *name = f->field.name;
    if (f->inverted ? ferry_migration_flag_on(config, name) : !flags_rules_holds(config, name))
      continue;
    const char *what = f->inverted ? "TLS" : name;
    flags_rules_lacks(out, node, name, what, "libvirt", "libvirtVersion", f->since_libvirt, NULL);
    flags_rules_lacks(out, node, name, what, "QEMU", "qemuVersion", f->since_qemu, f->until_qemu);
  }
  static const struct {
    const char *method, *libvirt, *qemu, *until_qemu;
  } methods[] = {{"mt", NULL, "2.4.0", "9.1.0"},
                 {"zlib", "9.4.0", "5.0.0", NULL},
                 {"zstd", "9.4.0", "5.0.0", NULL}};
  for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
    if (!has_method(config, methods[i].method))
      continue;
    g_autofree char *what = g_strconcat("compression method ", methods[i].method, NULL);
    flags_rules_lacks(out, node, "compressionMethods", what, "libvirt", "libvirtVersion",
                      methods[i].libvirt, NULL);
    flags_rules_lacks(out, node, "compressionMethods", what, "QEMU", "qemuVersion", methods[i].qemu,
                      methods[i].until_qemu);
  }
  const json_t *features = ferry_json_get(node, "status.hypervisor.features");
  if (has_scheme(config, "migrateURI", "rdma") && json_array_size(features) &&
      !ferry_json_has_word(features, "rdma"))
    add_lack(
        out, "migrateURI",
        g_strdup_printf("node %s has no RDMA migration", ferry_json_str(node, "metadata.name")));
  return out;
}

static void check_versions(const json_t *config, const json_t *node, gboolean is_target,
                           GError *causes) {
  g_autoptr(GPtrArray) missing = ferry_migration_flags_lacking(config, node, is_target);
  for (guint i = 0; i < missing->len; i++) {
    const FerryFlagLack *lack = missing->pdata[i];
    ferry_migration_flags_cause(causes, lack->field, "%s", lack->text);
  }
}

/* Another's word can take from a schedule what it ends with. */
static void check_flags_schedule(const FerryFlagsContext *c, GError *causes) {
  if (ferry_migration_flag_on(c->config, "offline") || !ferry_migration_flag_on(c->config, "live"))
    return; /* there is nothing to end: nobody writes meanwhile */
  const json_t *object = ferry_migration_flags_given(c->config, "schedule");
  g_autoptr(FerrySchedule) schedule =
      object ? ferry_schedule_parse(object, "schedule", NULL) : NULL;
  const char *from = ferry_json_str(c->origins, "allowPostCopy");
  const char *by = ferry_json_str(c->origins, "schedule");
  if (ferry_schedule_has(schedule, FERRY_STEP_POSTCOPY) &&
      !flags_rules_holds(c->config, "allowPostCopy"))
    ferry_migration_flags_cause(
        causes, "allowPostCopy",
        "false%s%s: the schedule%s%s switches to post-copy; allow it, or end the schedule in "
        "abort or suspend",
        from ? ", as said by " : "", from ? from : "", by ? " of " : "", by ? by : "");
}

void ferry_migration_flags_check(const FerryFlagsContext *c, GError *causes) {
  for (gsize i = 0; i < G_N_ELEMENTS(flag_rules); i++)
    check_flag_rule(c, &flag_rules[i], causes);
  check_values(c, causes);
  check_flags_schedule(c, causes);
  ferry_migration_flags_check_offline(c, causes);
  ferry_migration_flags_check_definition(c, causes);
  if (c->vmi)
    ferry_migration_flags_check_vm(c, causes);
  if (c->source && c->source != c->target)
    check_versions(c->config, c->source, FALSE, causes);
  if (c->target)
    check_versions(c->config, c->target, TRUE, causes);
}

/* ---- what is left to Ferry ---- */

enum { MBPS_PER_CONNECTION = 10000, MBPS_PER_TLS_CONNECTION = 4000, MIN_CONNECTIONS = 2 };
enum { MAX_CONNECTIONS = 16 };

static gint64 flags_rules_processors(const json_t *node) {
  const json_t *value = ferry_json_get(node, "status.capacity.cpu");
  const char *text = json_string_value(value);
  gint64 n = text ? g_ascii_strtoll(text, NULL, 10) : json_integer_value(value);
  return n > 0 ? n : MAX_CONNECTIONS;
}

void ferry_migration_flags_complete(json_t *config, json_t *origins, const json_t *vmi,
                                    const json_t *source, const json_t *target,
                                    const char *address) {
  ferry_copied_disks_complete(config, origins, ferry_json_get(vmi, "spec.domain.devices.disks"));
  if (!ferry_migration_flag_on(config, "parallel") ||
      ferry_migration_flags_given(config, "parallelConnections"))
    return;
  /* One connection fills about this much of a link; encrypting takes a processor each. */
  gint64 each = flags_rules_holds(config, "tls") ? MBPS_PER_TLS_CONNECTION : MBPS_PER_CONNECTION;
  gint64 speed = ferry_network_path_mbps(source, target, address);
  gint64 n = (speed + each - 1) / each;
  n = MIN(n, MIN(flags_rules_processors(source), flags_rules_processors(target)));
  n = CLAMP(n, MIN_CONNECTIONS, MAX_CONNECTIONS);
  json_object_set_new(config, "parallelConnections", json_integer(n));
  if (origins)
    json_object_set_new(origins, "parallelConnections", json_string("automatic"));
}

char *ferry_migration_flags_rules_markdown(void) {
  GString *out = g_string_new("| This | and these | what libvirt or QEMU say |\n|---|---|---|\n");
  for (gsize i = 0; i < G_N_ELEMENTS(flag_rules); i++) {
    const Rule *r = &flag_rules[i];
    g_autofree char *others = words_of(r->others, r->relation == NEEDS ? "` or `" : "`, `");
    g_string_append_printf(out, "| `%s` | %s `%s` | %s%s%s%s |\n", r->term,
                           r->relation == NEEDS ? "needs" : "excludes", others, r->says,
                           r->until_qemu ? " (until QEMU " : "", r->until_qemu ? r->until_qemu : "",
                           r->until_qemu ? ")" : "");
  }
  return g_string_free(out, FALSE);
}
