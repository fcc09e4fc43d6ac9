// SPDX-License-Identifier: Apache-2.0
#include "cli/verbs/options.h"
#include "base/clock.h"
#include "cli/view/describe.h"
#include "cli/core/listing.h"
#include <stdio.h>

static json_t *events_of(FerryCli *cli, const FerryKind *kind, const json_t *object,
                         GError **error) {
  g_autofree char *fields = g_strdup_printf("involvedObject.kind=%s,involvedObject.name=%s",
                                            kind->kind, ferry_json_str(object, "metadata.name"));
  const char *ns = kind->namespaced ? ferry_json_str(object, "metadata.namespace") : NULL;
  g_autoptr(json_t) list =
      ferry_resource_list(cli, &ferry_kind_event, ns, NULL, fields, NULL, NULL, error);
  if (list != NULL)
    ferry_listing_sort(ferry_json_get(list, "items"));
  return list != NULL ? json_incref(ferry_json_get(list, "items")) : NULL;
}

static int describe_one(FerryCli *cli, const FerryKind *kind, const json_t *object,
                        gboolean first) {
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) events =
      kind == &ferry_kind_event ? NULL : events_of(cli, kind, object, &error);
  g_autofree char *text = ferry_describe(object, events, ferry_clock_wall_ms(ferry_clock_system()));
  printf("%s%s", first ? "" : "\n\n", text);
  return error == NULL ? FERRY_EXIT_DONE : ferry_cli_fail(error, NULL);
}

static int cmd_describe(FerryCli *cli) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) targets = ferry_resource_targets(cli->args->words, &error);
  if (targets == NULL)
    return ferry_cli_usage(cli, "%s", error->message);
  if (ferry_cli_client(cli, &error) == NULL)
    return ferry_cli_fail(error, NULL);
  int code = FERRY_EXIT_DONE;
  gboolean first = TRUE;
  for (guint i = 0; i < targets->len; i++) {
    FerryTarget *t = g_ptr_array_index(targets, i);
    FerryListing listing = {.kind = t->kind, .ns = ferry_cli_namespace(cli), .name = t->name};
    g_autoptr(GError) local = NULL;
    g_autoptr(json_t) objects = ferry_listing_objects(cli, &listing, &local);
    if (objects == NULL) {
      code = ferry_cli_fail(local, NULL);
      continue;
    }
    size_t k;
    json_t *object;
    json_array_foreach(objects, k, object) {
      int one = describe_one(cli, t->kind, object, first);
      code = one != FERRY_EXIT_DONE ? one : code;
      first = FALSE;
    }
  }
  if (first && code == FERRY_EXIT_DONE)
    fprintf(stderr, "No resources found.\n");
  return code;
}

static const FerryOption options_describe[] = {OPT_ALL, OPT_SELECTOR, OPT_END};

const FerryVerb ferry_verb_describe = {.name = "describe",
                                       .synopses = LINES("KIND [NAME...]", "KIND/NAME..."),
                                       .doc = "Show objects and their events in full",
                                       .options = options_describe,
                                       .min_words = 1,
                                       .max_words = 1000,
                                       .words_of = "KIND",
                                       .run = cmd_describe};
