// SPDX-License-Identifier: Apache-2.0
// A migration's resolved configuration into libvirt's flags and typed parameters, by the model's
// table. Only what depends on the VM or the network is said here.
#include "host/libvirt/libvirt_migrate_params.h"
#include "model/flags/migration_flags.h"
#include <string.h>

/* Whether a migration that may be offline, and sends a definition only, has a use for it. */
static gboolean migrate_params_applies(const FerryMigrateRequest *r, const char *name) {
  return !ferry_migration_flag_on(r->config, "offline") || ferry_migration_flag_find(name)->offline;
}

static gboolean migrate_params_wanted(const FerryMigrateRequest *r, const FerryMigrationFlag *f) {
  const char *name = f->field.name;
  gboolean offline = ferry_migration_flag_on(r->config, "offline");
  gboolean persist = ferry_migration_persists(r->config, r->persistent);
  if (g_str_equal(name, "persistDestination"))
    return persist;
  /* Never so that no definition would be left, unless somebody overrides that. */
  if (g_str_equal(name, "undefineSource"))
    return ferry_json_bool(r->config, name, r->persistent && persist && !(offline && r->active)) &&
           (persist || !r->persistent ||
            ferry_migration_flag_on(r->config, "unsafeMigrationOverride"));
  if (g_str_equal(name, "copyStorageAll") && r->copy_disks &&
      !ferry_migration_flag_on(r->config, "copyStorageIncremental"))
    return TRUE;
  return ferry_migration_flag_on(r->config, name) != f->inverted;
}

unsigned ferry_libvirt_migrate_flags(const FerryMigrateRequest *r) {
  unsigned flags = 0;
  for (const FerryMigrationFlag *f = ferry_migration_flags; f->field.name; f++)
    if (f->flag && migrate_params_applies(r, f->field.name) && migrate_params_wanted(r, f))
      flags |= f->flag;
  return flags;
}

typedef struct {
  virTypedParameterPtr *params;
  int *n, max;
} List;

static gboolean add_string(List *list, const char *name, const char *value) {
  return virTypedParamsAddString(list->params, list->n, &list->max, name, value) == 0;
}

static gboolean add_number(List *list, const FerryMigrationFlag *f, gint64 value) {
  if (f->scale)
    value = value / f->scale + (value % f->scale != 0);
  if (f->type == FERRY_PARAM_INT)
    return virTypedParamsAddInt(list->params, list->n, &list->max, f->param, (int)value) == 0;
  return virTypedParamsAddULLong(list->params, list->n, &list->max, f->param,
                                 (unsigned long long)value) == 0;
}

static gboolean add_value(List *list, const FerryMigrationFlag *f, const json_t *value) {
  switch (f->type) {
  case FERRY_PARAM_NONE:
    break;
  case FERRY_PARAM_INT:
  case FERRY_PARAM_ULLONG:
    if (!json_is_integer(value) || (f->scale && json_integer_value(value) == 0))
      return TRUE; /* a rate of 0 is none */
    return add_number(list, f, json_integer_value(value));
  case FERRY_PARAM_STRING:
    return !json_is_string(value) || add_string(list, f->param, json_string_value(value));
  case FERRY_PARAM_STRINGS:
    for (gsize i = 0; i < json_array_size(value); i++)
      if (!add_string(list, f->param, json_string_value(json_array_get(value, i))))
        return FALSE;
    return TRUE;
  }
  return TRUE;
}

/* Where the data goes unless it was said: to the address on the migration's network, and the
 * target listens there only. */
static gboolean add_address(List *list, const FerryMigrateRequest *r) {
  if (!r->address || !*r->address || !ferry_migration_uses_network(r->config))
    return TRUE;
  gboolean six = strchr(r->address, ':') != NULL;
  g_autofree char *uri = g_strdup_printf(six ? "tcp://[%s]" : "tcp://%s", r->address);
  return add_string(list, VIR_MIGRATE_PARAM_URI, uri) &&
         (json_object_get(r->config, "listenAddress") ||
          add_string(list, VIR_MIGRATE_PARAM_LISTEN_ADDRESS, r->address));
}

/* The name by which libvirtd's own TLS knows the target: certificates seldom have the addresses
 * of a migration network. */
static gboolean add_tls_name(List *list, const FerryMigrateRequest *r) {
  if (!(ferry_libvirt_migrate_flags(r) & VIR_MIGRATE_TLS) ||
      json_object_get(r->config, "tlsDestination") || json_object_get(r->config, "migrateURI") ||
      !r->dest_uri)
    return TRUE;
  g_autoptr(GUri) uri = g_uri_parse(r->dest_uri, G_URI_FLAGS_NONE, NULL);
  const char *host = uri ? g_uri_get_host(uri) : NULL;
  gboolean tls = uri && strstr(g_uri_get_scheme(uri), "+tls") != NULL;
  if (!tls || !host || !*host || g_hostname_is_ip_address(host))
    return TRUE;
  return add_string(list, VIR_MIGRATE_PARAM_TLS_DESTINATION, host);
}

gboolean ferry_libvirt_migrate_params(const FerryMigrateRequest *r, virTypedParameterPtr *params,
                                      int *n) {
  List list = {params, n, 0};
  *params = NULL;
  *n = 0;
  for (const FerryMigrationFlag *f = ferry_migration_flags; f->field.name; f++)
    if (f->param && migrate_params_applies(r, f->field.name) &&
        !add_value(&list, f, json_object_get(r->config, f->field.name)))
      return FALSE;
  const FerryMigrationFlag *post = ferry_migration_flag_find("postCopyBandwidth");
  gint64 bandwidth = ferry_json_int(r->config, "bandwidthPerMigration", 0);
  if (bandwidth > 0 && migrate_params_applies(r, post->field.name) &&
      ferry_migration_flag_on(r->config, "allowPostCopy") &&
      !json_object_get(r->config, post->field.name) && !add_number(&list, post, bandwidth))
    return FALSE;
  for (guint i = 0; r->copy_disks && r->disks && r->disks[i] && i < 256; i++)
    if (!json_object_get(r->config, "migrateDisks") &&
        !add_string(&list, VIR_MIGRATE_PARAM_MIGRATE_DISKS, r->disks[i]))
      return FALSE;
  return add_address(&list, r) && add_tls_name(&list, r);
}
