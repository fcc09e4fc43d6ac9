// SPDX-License-Identifier: Apache-2.0
#include "policy/network_check.h"
#include "base/limits.h"
#include "model/kinds/kind.h"
#include "model/migration/migration.h"
#include "policy/network/network.h"
#include "policy/policy_check.h"

#define ROLE "migration"

/* "default/a, default/b" of those that the network carries; empty: none. */
static GString *network_check_carried(const char *name, json_t *const *migrations, gsize n) {
  GString *text = g_string_new(NULL);
  guint found = 0;
  for (gsize i = 0; i < n; i++) {
    const json_t *m = migrations[i];
    if (ferry_migration_is_final(m) ||
        g_strcmp0(ferry_json_str(m, "status.migrationState.network"), name) != 0)
      continue;
    if (found++ < FERRY_NAMED_MAX)
      g_string_append_printf(text, "%s%s/%s", found > 1 ? ", " : "",
                             ferry_json_str(m, "metadata.namespace"),
                             ferry_json_str(m, "metadata.name"));
    else if (found == FERRY_NAMED_MAX + 1)
      g_string_append(text, ", ...");
  }
  return text;
}

/* "db (default/a), ..." of VMs that move at this moment; empty: none does. */
static GString *network_check_moving(json_t *const *migrations, gsize n) {
  GString *text = g_string_new(NULL);
  guint found = 0;
  for (gsize i = 0; i < n; i++) {
    const json_t *m = migrations[i];
    FerryPhase phase = ferry_phase_of(m);
    if (phase < FERRY_PHASE_SCHEDULED || ferry_phase_is_final(phase) ||
        ferry_migration_is_forecast(m))
      continue;
    if (found++ < FERRY_NAMED_MAX)
      g_string_append_printf(
          text, "%s%s (%s/%s)", found > 1 ? ", " : "", ferry_json_str(m, "spec.vmiName"),
          ferry_json_str(m, "metadata.namespace"), ferry_json_str(m, "metadata.name"));
    else if (found == FERRY_NAMED_MAX + 1)
      g_string_append(text, ", ...");
  }
  return text;
}

/* oVirt's rule: the role is granted and taken while nothing moves, or the queue behind what moves
 * would go another way than its head. */
static gboolean check_role(const json_t *old, const json_t *network, json_t *const *migrations,
                           gsize n, GError **error) {
  gboolean had = ferry_network_has_role(old, ROLE), has = ferry_network_has_role(network, ROLE);
  g_autoptr(GString) moving = had != has ? network_check_moving(migrations, n) : NULL;
  if (!moving || moving->len == 0)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
              "Operation cannot be fulfilled on networks.ferry.migration \"%s\": the role \"" ROLE
              "\" cannot be %s while VMs migrate: %s; wait for their end or cancel them first, or "
              "make the Network with spec.roles: []",
              ferry_json_str(network ? network : old, "metadata.name"),
              has ? "granted" : "taken from it", moving->str);
  return FALSE;
}

static gboolean network_check_differs(const json_t *old, const json_t *network, const char *path) {
  const json_t *a = ferry_json_get(old, path), *b = ferry_json_get(network, path);
  return a && b ? !json_equal(a, b) : a != b;
}

/* What the write would take from migrations under way, static; NULL: nothing. */
static const char *network_check_loss(const json_t *old, const json_t *network) {
  if (!network)
    return "it cannot be deleted";
  if (ferry_network_has_role(old, ROLE) && !ferry_network_has_role(network, ROLE))
    return "the role \"" ROLE "\" cannot be taken from it";
  if (network_check_differs(old, network, "spec.subnets"))
    return "its subnets cannot be changed";
  if (network_check_differs(old, network, "spec.interface"))
    return "its interface cannot be changed";
  return NULL;
}

static gboolean check_carried(const json_t *old, const json_t *network, json_t *const *migrations,
                              gsize n, GError **error) {
  const char *name = ferry_json_str(old, "metadata.name"),
             *what = old ? network_check_loss(old, network) : NULL;
  if (!what)
    return TRUE;
  g_autoptr(GString) busy = network_check_carried(name, migrations, n);
  if (busy->len == 0)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
              "Operation cannot be fulfilled on networks.ferry.migration \"%s\": %s while it "
              "carries migrations (%s); wait for their end or cancel them first",
              name, what, busy->str);
  return FALSE;
}

/* One network has the role, or nobody could say which one a migration takes. One that had it
 * already beside another is left alone: older versions let that happen. */
static gboolean check_only_holder(const json_t *old, const json_t *network, json_t *const *networks,
                                  gsize n, GError **error) {
  if (!network || !ferry_network_has_role(network, ROLE) || ferry_network_has_role(old, ROLE))
    return TRUE;
  const char *name = ferry_json_str(network, "metadata.name");
  GError *causes = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_INVALID, "invalid");
  for (gsize i = 0; i < n; i++) {
    const char *other = ferry_json_str(networks[i], "metadata.name");
    if (g_strcmp0(other, name) == 0 || !ferry_network_has_role(networks[i], ROLE))
      continue;
    ferry_error_add_cause(causes, "FieldValueForbidden", "spec.roles",
                          "Forbidden: Network \"%s\" has the role \"" ROLE "\", and only one can: "
                          "take it from there first (spec.roles: []), or give this one spec.roles: "
                          "[] and name it in a policy's or a migration's network",
                          other);
    break;
  }
  return ferry_policy_answer(&ferry_kind_network, name, causes, error);
}

gboolean ferry_network_check(const json_t *old, const json_t *network, json_t *const *networks,
                             gsize n_networks, json_t *const *migrations, gsize n_migrations,
                             GError **error) {
  return check_carried(old, network, migrations, n_migrations, error) &&
         check_role(old, network, migrations, n_migrations, error) &&
         check_only_holder(old, network, networks, n_networks, error);
}
