// SPDX-License-Identifier: Apache-2.0
// By which words an object is found.
#include "base/json.h"
#include "store/keys.h"
#include <string.h>

static const char *const by_words[] = {
    [FERRY_BY_UID] = "uid", [FERRY_BY_DOMAIN] = "domain", [FERRY_BY_NODE] = "node",
    [FERRY_BY_VM] = "vm",   [FERRY_BY_LIVE] = "live",     [FERRY_BY_EVICTED] = "evicted"};

static void add(FerryIndexBy by, const char *word, gpointer data) {
  g_string_append_printf(data, "%s=%s ", by_words[by], word);
}

static void test_keys(void) {
  static const struct {
    const char *group, *plural, *object, *keys;
  } cases[] = {
      {"kubevirt.io", "virtualmachineinstances",
       "{'metadata':{'uid':'u'},'spec':{'domainName':'db'},'status':{'nodeName':'h1',"
       "'domains':[{'nodeName':'h1'},{'nodeName':'h2'}]}}",
       "uid=u domain=db node=h1 node=h1 node=h2 "},
      {"kubevirt.io", "virtualmachineinstances", "{'metadata':{'uid':'u'}}", "uid=u node= "},
      {"kubevirt.io", "virtualmachineinstancemigrations",
       "{'metadata':{'namespace':'n'},'spec':{'vmiName':'db','targetNode':'h2'},"
       "'status':{'phase':'Running','migrationState':{'targetNode':'h3'}}}",
       "node=h2 node=h3 vm=n/db live= "},
      {"kubevirt.io", "virtualmachineinstancemigrations",
       "{'metadata':{'namespace':'n'},'spec':{'vmiName':'db'},'status':{'phase':'Failed'}}",
       "vm=n/db "},
      {"ferry.migration", "evacuations", "{'spec':{'nodeName':'h1'}}", "node=h1 "},
      {"", "nodes", "{'spec':{'nodeName':'h1'}}", ""},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *text = g_strdelimit(g_strdup(cases[i].object), "'", '"');
    g_autoptr(json_t) object = json_loads(text, 0, NULL);
    g_autoptr(GString) keys = g_string_new(NULL);
    ferry_keys_each(cases[i].group, cases[i].plural, object, add, keys);
    g_assert_cmpstr(keys->str, ==, cases[i].keys);
  }
}

static void test_names(void) {
  g_autofree char *core = ferry_store_resource_name("", "nodes");
  g_autofree char *grouped = ferry_store_resource_name("kubevirt.io", "kubevirts");
  g_assert_cmpstr(core, ==, "nodes");
  g_assert_cmpstr(grouped, ==, "kubevirts.kubevirt.io");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/keys/each", test_keys);
  g_test_add_func("/keys/names", test_names);
  return g_test_run();
}
