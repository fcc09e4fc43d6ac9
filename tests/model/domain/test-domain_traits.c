// SPDX-License-Identifier: Apache-2.0
#include "model/domain/domain_traits.h"
#include <libxml/parser.h>
#include <string.h>

/* The words with spaces between them. */
static char *traits_of(const char *text) {
  xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL, XML_PARSE_NONET);
  g_assert_nonnull(doc);
  g_autoptr(json_t) list = ferry_domain_traits(xmlDocGetRootElement(doc));
  xmlFreeDoc(doc);
  GString *out = g_string_new(NULL);
  gsize i;
  json_t *one;
  json_array_foreach(list, i, one)
      g_string_append_printf(out, "%s%s", i ? " " : "", json_string_value(one));
  return g_string_free(out, FALSE);
}

static void test_traits(void) {
  static const struct {
    const char *text, *words;
  } cases[] = {
      {"<domain type='kvm'/>", ""},
      {"<domain type='qemu'/>", "emulated"},
      {"<domain><devices><video><model type='virtio'/></video></devices></domain>", "video-virtio"},
      {"<domain><devices><video><model type='qxl'/></video></devices></domain>", ""},
      {"<domain><cpu><topology sockets='1' threads='2'/></cpu></domain>", "cpu-threads"},
      {"<domain><cpu><topology sockets='1' threads='1'/></cpu></domain>", ""},
      {"<domain><cpu><feature name='vmx' policy='require'/></cpu></domain>", "cpu-vmx"},
      {"<domain><cpu><feature name='vmx'/></cpu></domain>", "cpu-vmx"},
      {"<domain><cpu><feature name='vmx' policy='disable'/></cpu></domain>", ""},
      {"<domain><cpu><feature name='vmx-ept' policy='disable'/></cpu></domain>",
       "cpu-vmx-parts-off"},
      {"<domain><features><ps2 state='off'/></features></domain>", "ps2"},
      {"<domain><devices><disk><driver discard_no_unref='on'/></disk></devices></domain>",
       "disk-discard-no-unref"},
      {"<domain><devices><disk><driver/></disk><disk><driver><iothreads/></driver></disk></devices>"
       "</domain>",
       "disk-iothreads"},
      {"<domain><ps2/></domain>", ""}, /* elsewhere it is something else */
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *words = traits_of(cases[i].text);
    g_test_message("%s", cases[i].text);
    g_assert_cmpstr(words, ==, cases[i].words);
  }
}

static void test_since(void) {
  g_assert_cmpstr(ferry_domain_trait_since("ps2"), ==, "10.7.0");
  g_assert_cmpstr(ferry_domain_trait_place("ps2"), ==, "features/ps2");
  g_assert_null(ferry_domain_trait_since("video-virtio")); /* all know it */
  g_assert_null(ferry_domain_trait_since("moon"));
  g_assert_null(ferry_domain_trait_place("moon"));
  g_assert_true(ferry_domain_trait_is_refused("ps2"));
  g_assert_false(ferry_domain_trait_is_refused("disk-iothreads")); /* it is dropped */
  g_assert_false(ferry_domain_trait_is_refused("moon"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/domain_traits/traits", test_traits);
  g_test_add_func("/domain_traits/since", test_since);
  return g_test_run();
}
