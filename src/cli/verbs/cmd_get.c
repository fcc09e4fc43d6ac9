// SPDX-License-Identifier: Apache-2.0
#include "cli/core/options.h"
#include "cli/core/listing.h"
#include "cli/view/output.h"
#include <stdio.h>

/* json and yaml of several targets are one List, not one document after another. */
static gboolean is_document(FerryCli *cli) {
  const char *format = ferry_cli_option(cli, "output");
  return g_strcmp0(format, "json") == 0 || g_strcmp0(format, "yaml") == 0;
}

static int get_documents(FerryCli *cli, GPtrArray *targets) {
  g_autoptr(json_t) all = json_array();
  int code = FERRY_EXIT_DONE;
  gboolean single = targets->len == 1 && ((FerryTarget *)targets->pdata[0])->name != NULL;
  for (guint i = 0; i < targets->len; i++) {
    FerryTarget *t = g_ptr_array_index(targets, i);
    FerryListing listing = {.kind = t->kind,
                            .ns = ferry_cli_namespace(cli),
                            .name = t->name,
                            .field_selector = ferry_cli_option(cli, "field-selector")};
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) objects = ferry_listing_objects(cli, &listing, &error);
    if (objects == NULL)
      code = ferry_cli_fail(error, NULL);
    else
      json_array_extend(all, objects);
  }
  if (single && code != FERRY_EXIT_DONE)
    return code;
  ferry_output_objects(all, single, ferry_cli_option(cli, "output"));
  return code;
}

static int cmd_get(FerryCli *cli) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) targets = ferry_resource_targets(cli->args->words, &error);
  if (targets == NULL)
    return ferry_cli_usage(cli, "%s", error->message);
  if (ferry_cli_client(cli, &error) == NULL)
    return ferry_cli_fail(error, NULL);
  gboolean watch = ferry_args_has(cli->args, "watch");
  for (guint i = 0; i < targets->len && ferry_args_has(cli->args, "field-selector"); i++)
    if (((FerryTarget *)targets->pdata[i])->name != NULL)
      return ferry_cli_usage(cli, "--field-selector chooses among all objects; leave names out");
  if (watch && targets->len != 1)
    return ferry_cli_usage(cli, "--watch takes one kind or one object at a time");
  if (!watch && is_document(cli))
    return get_documents(cli, targets);
  gboolean kinds_differ = FALSE;
  for (guint i = 1; i < targets->len; i++)
    kinds_differ |=
        ((FerryTarget *)targets->pdata[i])->kind != ((FerryTarget *)targets->pdata[0])->kind;
  gsize n = 0;
  int code = FERRY_EXIT_DONE;
  for (guint i = 0; i < targets->len;) {
    const FerryKind *kind = ((FerryTarget *)targets->pdata[i])->kind;
    g_autoptr(GArray) listings = g_array_new(FALSE, TRUE, sizeof(FerryListing));
    for (; i < targets->len && ((FerryTarget *)targets->pdata[i])->kind == kind; i++) {
      FerryListing listing = {
          .kind = kind,
          .ns = kind->namespaced ? ferry_cli_namespace(cli) : NULL,
          .name = ((FerryTarget *)targets->pdata[i])->name,
          .field_selector = ferry_cli_option(cli, "field-selector"),
          .by_time = kind == &ferry_kind_event,
          .prefixed = kinds_differ,
      };
      g_array_append_val(listings, listing);
    }
    const FerryListing *first = (const FerryListing *)(gpointer)listings->data;
    if (watch)
      return ferry_listing_watch(cli, first);
    int one = ferry_listing_print(cli, first, listings->len, &n);
    code = one != FERRY_EXIT_DONE ? one : code;
  }
  if (n == 0 && code == FERRY_EXIT_DONE) {
    const char *ns = ferry_cli_namespace(cli);
    gboolean namespaced = ((FerryTarget *)targets->pdata[0])->kind->namespaced;
    fprintf(stderr, "No resources found%s%s%s.\n", namespaced && ns != NULL ? " in " : "",
            namespaced && ns != NULL ? ns : "", namespaced && ns != NULL ? " namespace" : "");
  }
  return code;
}

static const FerryCliOption options_get[] = {
    OPT_OUTPUT(ferry_formats_list, "json, yaml, wide, name or table"),
    OPT_ALL,
    OPT_SELECTOR,
    {"field-selector", 0, "FIELDS",
     "Only objects with these fields, such as status.phase=Running or metadata.name!=db"},
    {"watch", 'w', NULL, "Keep watching and print each change"},
    OPT_HEADERS,
    OPT_END,
};

const FerryVerb ferry_verb_get = {.name = "get",
                                  .synopses =
                                      LINES("KIND[,KIND...] [NAME...]", "KIND/NAME...", "all"),
                                  .doc = "List objects",
                                  .details = "KIND is a kind, its plural or short name (host, vm, "
                                             "migration, policy, kv, net, ...). VMs are found by\n"
                                             "the object's name, the domain's name or the UUID.",
                                  .options = options_get,
                                  .min_words = 1,
                                  .max_words = 1000,
                                  .words_of = "KIND",
                                  .run = cmd_get};
