// SPDX-License-Identifier: Apache-2.0
// A field without a rule fails here: each field of what says how a VM is migrated either has a
// right of its own in its kind's table (FerryField.right), or is listed below with the reason why
// the right to write the object is enough. A new field is in neither and has to be thought about.
#include "model/kinds/kind.h"
#include <string.h>

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct {
  const char *reason;
  const char *const *names;
} plain[] = {
    {"which VM, to which of the hosts that ferryd lists, and when: what migrating is",
     NAMES("vmiName", "targetNode", "addedNodeSelector", "priority", "nodeName", "deadline",
           "notBefore", "retries", "forecastOnly", "offline", "live", "postCopyResume",
           "abortOnError", "paused", "undefineSource", "persistDestination", "changeProtection",
           "nodeDrainTaintKey")},
    {"refused whoever writes it", NAMES("sendTo", "receive")},
    {"names an object whose own writer needed the right for what it sets; who has a policy count "
     "for "
     "others by its name needs it as well (api/rights/policy_rights.c)",
     NAMES("policy", "defaultPolicy", "preset", "network")},
    {"which VMs a policy is for", NAMES("namespaceSelector", "virtualMachineInstanceSelector")},
    {"how much of the links and of the hosts' places migrations take",
     NAMES("parallelMigrationsPerCluster", "parallelOutboundMigrationsPerNode",
           "parallelInboundMigrationsPerNode", "bandwidthPerMigration", "bandwidth",
           "postCopyBandwidth", "availableSwitchoverBandwidth", "parallel", "parallelConnections",
           "zeroCopy")},
    {"which of the hosts that ferryd lists is better, and which not: nobody gets a host by it that "
     "he can't name",
     NAMES("placement", "nodeAffinity", "preferredNodeAffinity", "vmAffinity",
           "preferredVMAffinity", "vmAntiAffinity", "preferredVMAntiAffinity",
           "memoryReservePercent", "maxProcessorOvercommit", "evictionStrategy")},
    {"memory that RDMA locks: only with a migrateURI, which has a right", NAMES("rdmaPinAll")},
    {"how long it may take and how the guest may be slowed or stopped for it",
     NAMES("completionTimeoutSeconds", "completionTimeoutPerGiB", "progressTimeout",
           "migrationProgressTimeout", "stallingLimit", "onStalling", "dirtyRateSeconds",
           "maxDowntimeMs", "maxDowntime", "maxDuration", "maxSlowdown", "prefer", "onInfeasible",
           "strict", "observeOnly", "schedule", "allowAutoConverge", "autoConvergeInitial",
           "autoConvergeIncrement", "allowPostCopy", "allowWorkloadDisruption")},
    {"how the memory that is sent is packed",
     NAMES("compression", "compressed", "compressionMethods", "compressionMTLevel",
           "compressionMTThreads", "compressionMTDThreads", "compressionXBZRLECache",
           "compressionZlibLevel", "compressionZstdLevel")},
    {"which of the VM's disks are copied, to the paths that they have",
     NAMES("copyStorageAll", "copyStorageIncremental", "copyStorageSynchronousWrites",
           "migrateDisks", "migrateDisksDetectZeroes")},
    {"lets nothing new start, which moves nothing; who and when is the server's to say",
     NAMES("reason", "by", "since")},
    {"through libvirtd's own connection, whose address ferryd builds",
     NAMES("peerToPeer", "tunnelled")},
};

static const FerryKind *const kinds[] = {&ferry_kind_vmim, &ferry_kind_migration_policy,
                                         &ferry_kind_kubevirt, &ferry_kind_evacuation};
/* What field_rights.c asks for; the roles that may are in rbac_shipped.c and docs/rights.md. */
static const char *const rights[] = {"uris", "destinationxml", "unsafe", NULL};

static gboolean is_plain(const char *name) {
  for (gsize i = 0; i < G_N_ELEMENTS(plain); i++)
    if (g_strv_contains(plain[i].names, name))
      return TRUE;
  return FALSE;
}

typedef struct {
  GString *problems;
  GHashTable *seen; /* name -> its right, or "" */
} Found;

static void visit(Found *f, const char *path, const FerryField *field) {
  if (field->flags & FERRY_FIELD_KEPT) /* it does nothing */
    return;
  const char *right = field->right ? field->right : "";
  const char *before = g_hash_table_lookup(f->seen, field->name);
  if (before && !g_str_equal(before, right))
    g_string_append_printf(f->problems, "%s: has a right in one kind and not in another\n", path);
  g_hash_table_insert(f->seen, (gpointer)field->name, (gpointer)right);
  if (field->right && is_plain(field->name))
    g_string_append_printf(f->problems, "%s: has a right and is listed without one\n", path);
  if (!field->right && !is_plain(field->name))
    g_string_append_printf(f->problems,
                           "%s: has no rule; give it .right in its kind's table, or list it in "
                           "tests/model/kinds/test-field_rights.c with the reason\n",
                           path);
  if (field->right && !g_strv_contains(rights, field->right))
    g_string_append_printf(f->problems, "%s: right \"%s\" is not known\n", path, field->right);
  if (field->type == FERRY_TYPE_LIST && field->fields)
    g_string_append_printf(f->problems, "%s: rights of objects in lists are not asked for\n", path);
}

static void walk(Found *f, const char *path, const FerryField *fields) {
  for (; fields && fields->name; fields++) {
    g_autofree char *at = g_strdup_printf("%s.%s", path, fields->name);
    if (fields->type == FERRY_TYPE_OBJECT && fields->fields)
      walk(f, at, fields->fields);
    else
      visit(f, at, fields);
  }
}

static Found found_new(void) {
  return (Found){g_string_new(NULL), g_hash_table_new(g_str_hash, g_str_equal)};
}

static void found_clear(Found *f) {
  g_string_free(f->problems, TRUE);
  g_hash_table_unref(f->seen);
}

static void every_field_has_a_rule(void) {
  Found f = found_new();
  for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
    for (const FerryField *top = kinds[i]->fields; top->name; top++) {
      g_autofree char *path = g_strdup_printf("%s.%s", kinds[i]->kind, top->name);
      if (g_str_equal(top->name, "spec"))
        walk(&f, path, top->fields);
      else if (!g_str_equal(top->name, "status")) /* which nobody's spec is */
        g_string_append_printf(f.problems, "%s: neither spec nor status\n", path);
    }
  for (gsize i = 0; i < G_N_ELEMENTS(plain); i++)
    for (gsize k = 0; plain[i].names[k]; k++)
      if (!g_hash_table_contains(f.seen, plain[i].names[k]))
        g_string_append_printf(f.problems, "%s: listed, but no kind has it\n", plain[i].names[k]);
  g_assert_cmpstr(f.problems->str, ==, "");
  g_assert_cmpuint(g_hash_table_size(f.seen), >, 60);
  found_clear(&f);
}

/* That the walk sees what it shall. */
static void a_field_that_was_forgotten(void) {
  static const FerryField deep[] = {{.name = "newThing", .type = FERRY_TYPE_BOOLEAN},
                                    {.name = "disableTLS", .right = "unsafe"},
                                    {.name = "migrateURI", .right = "url"},
                                    {.name = "policy", .right = "unsafe"},
                                    {.name = NULL}};
  static const FerryField spec[] = {{.name = "inner", .type = FERRY_TYPE_OBJECT, .fields = deep},
                                    {.name = "disableTLS", .type = FERRY_TYPE_BOOLEAN},
                                    {.name = "list", .type = FERRY_TYPE_LIST, .fields = deep},
                                    {.name = NULL}};
  static const char *const wanted[] = {
      "x.inner.newThing: has no rule", "right \"url\" is not known",
      "x.inner.policy: has a right and is listed", "x.disableTLS: has a right in one kind",
      "x.list: rights of objects"};
  Found f = found_new();
  walk(&f, "x", spec);
  for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
    g_assert_nonnull(strstr(f.problems->str, wanted[i]));
  found_clear(&f);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/field-rights/every-field", every_field_has_a_rule);
  g_test_add_func("/field-rights/forgotten", a_field_that_was_forgotten);
  return g_test_run();
}
