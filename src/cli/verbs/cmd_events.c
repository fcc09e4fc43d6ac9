// SPDX-License-Identifier: Apache-2.0
#include "cli/core/options.h"
#include "cli/core/listing.h"
#include <stdio.h>

static int cmd_events(FerryCli *cli) {
  g_autoptr(GError) error = NULL;
  FerryListing listing = {.kind = &ferry_kind_event, .by_time = TRUE};
  g_autoptr(GString) fields = g_string_new(NULL);
  g_autoptr(json_t) object = NULL;
  const char *about = ferry_cli_option(cli, "for");
  if (ferry_cli_client(cli, &error) == NULL)
    return ferry_cli_fail(error, NULL);
  listing.ns = ferry_cli_namespace(cli);
  if (about != NULL) {
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_ptr_array_add(words, (gpointer)about);
    g_autoptr(GPtrArray) targets = ferry_resource_targets(words, &error);
    if (targets == NULL || ((FerryTarget *)targets->pdata[0])->name == NULL)
      return ferry_cli_usage(cli, "--for: \"%s\" is not KIND/NAME", about);
    const FerryTarget *t = g_ptr_array_index(targets, 0);
    const char *name = t->name;
    if (t->kind == &ferry_kind_vmi) {
      /* By domain name or UUID too; events outlive their VM, so one that is gone is no error. */
      object = ferry_cli_get(cli, t->kind, listing.ns, name, NULL, NULL);
      if (object != NULL)
        name = ferry_json_str(object, "metadata.name");
    }
    g_string_printf(fields, "involvedObject.kind=%s,involvedObject.name=%s", t->kind->kind, name);
    listing.field_selector = fields->str;
    if (!t->kind->namespaced)
      listing.ns = NULL;
  }
  if (ferry_args_has(cli->args, "watch"))
    return ferry_listing_watch(cli, &listing);
  gsize n = 0;
  int code = ferry_listing_print(cli, &listing, 1, &n);
  if (n == 0 && code == FERRY_EXIT_DONE)
    fprintf(stderr, "No events%s%s%s%s.\n", about != NULL ? " about " : "",
            about != NULL ? about : "", listing.ns != NULL ? " in namespace " : "",
            listing.ns != NULL ? listing.ns : "");
  return code;
}

static const FerryCliOption options_events[] = {
    {"for", 0, "KIND/NAME", "Only events about this object"},
    OPT_OUTPUT(ferry_formats_list, "json, yaml, wide, name or table"),
    OPT_ALL,
    {"watch", 'w', NULL, "Keep watching and print each new event"},
    OPT_HEADERS,
    OPT_END,
};

const FerryVerb ferry_verb_events = {.name = "events",
                                     .synopses = LINES(""),
                                     .doc = "List what happened",
                                     .options = options_events,
                                     .run = cmd_events};
