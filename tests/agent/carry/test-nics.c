// SPDX-License-Identifier: Apache-2.0
// Which of a VM's interfaces are on a bridge of the kernel's.
#include "agent/carry/nics.h"
#include "host/network_bed.h"

static json_t *record; /* NULL: there is no such domain */

static json_t *fake_record(FerryHost *host, const char *uuid, GError **error) {
  if (!record)
    g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN, "no domain");
  return json_deep_copy(record);
}

static guint n_found(gboolean local, const char *text) {
  static const FerryHostOps ops = {.record = fake_record};
  FerryHost host = {&ops, local};
  g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');
  record = json_loads(json, 0, NULL);
  g_autoptr(GArray) nics = ferry_nics_look(&host, "11111111-2222-4333-8444-555555555555");
  g_clear_pointer(&record, json_decref);
  return nics->len;
}

#define NIC(name, mac) "{'active':true,'interfaces':[{'name':'" name "','macAddress':'" mac "'}]}"

static void test_found(void) {
  g_assert_cmpuint(n_found(TRUE, NIC("vnet0", BED_MAC)), ==, 1);
  g_assert_cmpuint(n_found(FALSE, NIC("vnet0", BED_MAC)), ==, 0); /* another machine's name */
}

static void test_not_found(void) {
  g_assert_cmpuint(n_found(TRUE, "nothing"), ==, 0);
  g_assert_cmpuint(n_found(TRUE, "{'active':true}"), ==, 0);
  g_assert_cmpuint(
      n_found(TRUE, "{'active':false,'interfaces':[{'name':'vnet0','macAddress':'" BED_MAC "'}]}"),
      ==, 0);
  g_assert_cmpuint(n_found(TRUE, "{'active':true,'interfaces':[{'name':'vnet0'}]}"), ==, 0);
  g_assert_cmpuint(n_found(TRUE, NIC("outside", BED_MAC)), ==, 0); /* on no bridge */
  g_assert_cmpuint(n_found(TRUE, NIC("vnet7", BED_MAC)), ==, 0);
  g_assert_cmpuint(n_found(TRUE, NIC("vnet0", "ff:ff:ff:ff:ff:ff")), ==, 0);
}

static void test_have(void) {
  static const guint8 other[FERRY_MAC_BYTES] = {0x52, 0x54, 0, 0, 0, 2};
  g_autoptr(GArray) nics = g_array_new(FALSE, TRUE, sizeof(FerryNic));
  g_assert_false(ferry_nics_have(nics, bed_mac));
  FerryNic nic = {0};
  memcpy(nic.mac, bed_mac, sizeof nic.mac);
  g_array_append_val(nics, nic);
  g_assert_true(ferry_nics_have(nics, bed_mac));
  g_assert_false(ferry_nics_have(nics, other));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/nics/have", test_have);
  if (!bed_namespace())
    return g_test_run();
  int guest = bed_plug();
  g_test_add_func("/nics/found", test_found);
  g_test_add_func("/nics/not-found", test_not_found);
  int result = g_test_run();
  close(guest);
  return result;
}
