// SPDX-License-Identifier: Apache-2.0
#include "agent/link/job_check.h"
#include <string.h>

#define UUID "11111111-2222-4333-8444-555555555555"
#define STATE "status.migrationState."

static json_t *job(void) {
  return json_pack("{ss,ss,s{ss,ss},s{ss},s{ss,s{ss,ss,ss,ss,ss,ss,s{s{}}}}}", "apiVersion",
                   "kubevirt.io/v1", "kind", "VirtualMachineInstanceMigration", "metadata", "name",
                   "m", "namespace", "default", "spec", "vmiName", "db", "status", "phase",
                   "Scheduled", "migrationState", "vmiUID", UUID, "domainName", "db", "sourceNode",
                   "h1", "targetNode", "h2", "targetNodeAddress", "10.9.0.2", "targetURI",
                   "qemu+tls://h2/system", "migrationConfiguration", "intent");
}

static json_t *node(const char *name, const char *address, const char *more) {
  return json_pack("{s{ss},s{s[{ss,ss}],s[{ss,s[s]}],s{s{ss,ss}}}}", "metadata", "name", name,
                   "status", "addresses", "type", "InternalIP", "address", address, "interfaces",
                   "name", "mig0", "addresses", more, "hypervisor", "peer", "scheme", "tls", "host",
                   name);
}

static gboolean source_takes(const json_t *m, const FerryJobHere *here, const json_t *target,
                             const char *part) {
  g_autoptr(GError) error = NULL;
  gboolean ok = ferry_job_check_source(m, here, target, &error);
  g_assert_cmpint(ok, ==, error == NULL);
  if (error && part && !strstr(error->message, part))
    g_error("\"%s\" does not name %s", error->message, part);
  if (!part)
    g_assert_no_error(error);
  return ok;
}

static const FerryJobHere here = {"h1", UUID, "db"};

static void test_source_takes_what_fits(void) {
  g_autoptr(json_t) m = job();
  g_autoptr(json_t) h2 = node("h2", "10.0.0.2", "10.9.0.2/24");
  g_assert_true(source_takes(m, &here, h2, NULL));
  ferry_json_set_str(m, STATE "migrationConfiguration.listenAddress", "0.0.0.0");
  ferry_json_set_str(m, "spec.listenAddress", "0.0.0.0");
  g_assert_true(source_takes(m, &here, h2, NULL));
}

/* One thing at a time is made to be what an attacker would like. */
static void test_source_refuses(void) {
  static const struct {
    const char *path, *value, *part;
  } bad[] = {
      {STATE "sourceNode", "h3", "sourceNode"},
      {STATE "vmiUID", "21111111-2222-4333-8444-555555555555", "vmiUID"},
      {STATE "domainName", "other", "domainName"},
      {STATE "targetNode", "h3", "targetNode"},
      {STATE "targetNode", "h1", "targetNode"},
      {STATE "targetURI", "qemu+ext://h2/system?command=id", "targetURI"},
      {STATE "targetURI", "qemu+tls://h3/system", "targetURI"},
      {STATE "targetURI", "qemu+tls://h2/system?no_verify=1", "targetURI"},
      {STATE "targetURI", "qemu+tcp://h2/system", "targetURI"},
      {STATE "targetNodeAddress", "10.9.0.3", "targetNodeAddress"},
      {STATE "targetNodeAddress", "10.9.0.20", "targetNodeAddress"},
      {STATE "targetNodeAddress", "10.9.0.", "targetNodeAddress"},
      {STATE "migrationConfiguration.listenAddress", "10.0.0.66", "listenAddress"},
      {STATE "migrationConfiguration.migrateURI", "exec://id", "migrateURI"},
      {STATE "migrationConfiguration.migrateURI", "tcp://10.6.6.6:49152", "migrateURI"},
      {STATE "migrationConfiguration.disksURI", "tcp://10.6.6.6:49153", "disksURI"},
      {STATE "migrationConfiguration.graphicsURI", "spice://evil:5900", "graphicsURI"},
      {STATE "migrationConfiguration.tlsDestination", "evil", "tlsDestination"},
      {STATE "migrationConfiguration.destinationName", "other", "destinationName"},
      {STATE "migrationConfiguration.destinationXML", "<domain/>", "destinationXML"},
      {STATE "migrationConfiguration.persistentXML", "<domain/>", "persistentXML"},
      {"spec.targetNode", "h4", "spec.targetNode"},
  };
  g_autoptr(json_t) h2 = node("h2", "10.0.0.2", "10.9.0.2/24");
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(json_t) m = job();
    ferry_json_set_str(m, bad[i].path, bad[i].value);
    if (source_takes(m, &here, h2, bad[i].part))
      g_error("taken: %s = %s", bad[i].path, bad[i].value);
  }
  static const char *const needed[] = {STATE "vmiUID", STATE "domainName", STATE "targetNode",
                                       STATE "targetURI", STATE "sourceNode"};
  for (gsize i = 0; i < G_N_ELEMENTS(needed); i++) {
    g_autoptr(json_t) m = job();
    json_object_del(ferry_json_get(m, "status.migrationState"), strrchr(needed[i], '.') + 1);
    g_assert_false(source_takes(m, &here, h2, strrchr(needed[i], '.') + 1));
  }
  g_autoptr(json_t) m = job();
  g_assert_false(source_takes(m, &here, NULL, "targetNode"));
  FerryJobHere gone = {"h1", NULL, NULL};
  g_assert_false(source_takes(m, &gone, h2, "vmiUID"));
  ferry_json_set_bool(m, "spec.disableTLS", FALSE);
  ferry_json_set_bool(m, STATE "migrationConfiguration.disableTLS", TRUE);
  g_assert_false(source_takes(m, &here, h2, "disableTLS"));
}

static void test_target(void) {
  g_autoptr(json_t) h1 = node("h1", "10.0.0.1", "10.9.0.1/24");
  g_autoptr(json_t) h2 = node("h2", "10.0.0.2", "10.9.0.2/24");
  g_autoptr(json_t) m = job();
  g_assert_true(ferry_job_check_target(m, "h2", h1, h2, NULL));
  g_assert_false(ferry_job_check_target(m, "h3", h1, h2, NULL));
  g_assert_false(ferry_job_check_target(m, "h2", NULL, h2, NULL));
  g_assert_false(ferry_job_check_target(m, "h2", h2, h2, NULL));
  ferry_json_set_str(m, STATE "targetNodeAddress", "0.0.0.0");
  g_assert_false(ferry_job_check_target(m, "h2", h1, h2, NULL));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/agent/job_check/fits", test_source_takes_what_fits);
  g_test_add_func("/agent/job_check/refuses", test_source_refuses);
  g_test_add_func("/agent/job_check/target", test_target);
  return g_test_run();
}
