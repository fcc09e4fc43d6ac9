// SPDX-License-Identifier: Apache-2.0
// libvirt's names and numbers in the port's words; states are those of libvirt's own test driver.
#include "host/libvirt/libvirt_state.h"
#include <string.h>

static void test_state(void) {
  virConnectPtr conn = virConnectOpen("test:///default");
  virDomainPtr domain = virDomainLookupByName(conn, "test");
  FerryDomainState state;
  g_autoptr(GError) error = NULL;
  g_assert_true(ferry_libvirt_state(domain, &state, &error));
  g_assert_no_error(error);
  g_assert_true(state.exists && state.active && state.persistent);
  g_assert_cmpint(state.state, ==, FERRY_VM_RUNNING);
  g_assert_cmpint(state.id, ==, 1);

  g_assert_cmpint(virDomainSuspend(domain), ==, 0);
  g_assert_true(ferry_libvirt_state(domain, &state, NULL));
  g_assert_cmpint(state.state, ==, FERRY_VM_PAUSED);
  g_assert_cmpstr(state.reason, ==, "user");

  g_assert_cmpint(virDomainDestroy(domain), ==, 0);
  g_assert_true(ferry_libvirt_state(domain, &state, NULL));
  g_assert_true(state.exists);
  g_assert_false(state.active);
  g_assert_cmpint(state.state, ==, FERRY_VM_SHUTOFF);
  g_assert_cmpstr(state.reason, ==, "destroyed");
  g_assert_cmpint(state.id, ==, -1);

  g_assert_cmpint(virDomainUndefine(domain), ==, 0);
  g_assert_true(ferry_libvirt_state(domain, &state, NULL)); /* gone is an answer, and no error */
  g_assert_false(state.exists);
  g_assert_cmpint(state.state, ==, FERRY_VM_GONE);
  g_assert_null(virGetLastError());
  virDomainFree(domain);
  virConnectClose(conn);
}

static void test_stats(void) {
  virTypedParameterPtr params = NULL;
  int n = 0, most = 0;
  FerryJobStats stats;
  virTypedParamsAddInt(&params, &n, &most, VIR_DOMAIN_JOB_OPERATION,
                       VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
  virTypedParamsAddULLong(&params, &n, &most, VIR_DOMAIN_JOB_MEMORY_REMAINING, 4096);
  virTypedParamsAddULLong(&params, &n, &most, VIR_DOMAIN_JOB_DATA_TOTAL, G_MAXUINT64);
  virTypedParamsAddInt(&params, &n, &most, VIR_DOMAIN_JOB_AUTO_CONVERGE_THROTTLE, 20);
  virTypedParamsAddULLong(&params, &n, &most, "of_a_later_libvirt", 7);
  ferry_libvirt_stats(params, n, &stats);
  g_assert_true(stats.migration_out && !stats.migration_in);
  g_assert_cmpstr(stats.operation, ==, "migration-out");
  g_assert_cmpint(stats.memory_remaining, ==, 4096);
  g_assert_cmpint(stats.data_total, ==, G_MAXINT64);
  g_assert_cmpint(stats.throttle_percent, ==, 20);
  g_assert_cmpint(stats.downtime_ms, ==, -1); /* what was not said */
  params[0].value.i = 1000;                   /* an operation of a later libvirt */
  ferry_libvirt_stats(params, n, &stats);
  g_assert_cmpstr(stats.operation, ==, "unknown");
  g_assert_false(stats.migration_out);
  virTypedParamsFree(params, n);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  virInitialize();
  g_test_add_func("/libvirt_state/state", test_state);
  g_test_add_func("/libvirt_state/stats", test_stats);
  return g_test_run();
}
