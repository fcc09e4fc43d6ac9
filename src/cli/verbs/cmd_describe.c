// SPDX-License-Identifier: Apache-2.0
#include "cli/core/options.h"
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
      ferry_cli_list(cli, &ferry_kind_event, ns, NULL, fields, NULL, NULL, error);
  if (list != NULL)
    ferry_listing_sort(ferry_json_get(list, "items"));
  return list != NULL ? json_incref(ferry_json_get(list, "items")) : NULL;
}

/* What runs on a host, beside what its object says. */
static void describe_vms_of(FerryCli *cli, const json_t *node, GError **error) {
  g_autofree char *field =
      g_strconcat("status.nodeName=", ferry_json_str(node, "metadata.name"), NULL);
  g_autoptr(json_t) list =
      ferry_cli_list(cli, &ferry_kind_vmi, NULL, NULL, field, NULL, NULL, error);
  g_autofree char *text = list ? ferry_describe_vms(ferry_json_get(list, "items")) : NULL;
  if (text)
    fputs(text, stdout);
}

static int describe_one(FerryCli *cli, const FerryKind *kind, json_t *object, gpointer data) {
  gboolean *first = data;
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) events =
      kind == &ferry_kind_event ? NULL : events_of(cli, kind, object, &error);
  g_autofree char *text = ferry_describe(object, events, ferry_clock_wall_ms(ferry_clock_system()));
  printf("%s%s", *first ? "" : "\n\n", text);
  if (kind == &ferry_kind_node && error == NULL)
    describe_vms_of(cli, object, &error);
  *first = FALSE;
  return error == NULL ? FERRY_EXIT_DONE : ferry_cli_fail(error, NULL);
}

static int cmd_describe(FerryCli *cli) {
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) targets = ferry_resource_targets(cli->args->words, &error);
  if (targets == NULL)
    return ferry_cli_usage(cli, "%s", error->message);
  if (ferry_cli_client(cli, &error) == NULL)
    return ferry_cli_fail(error, NULL);
  gboolean first = TRUE;
  int code = ferry_listing_each(cli, targets, describe_one, &first);
  if (first && code == FERRY_EXIT_DONE)
    fprintf(stderr, "No resources found.\n");
  return code;
}

static const FerryCliOption options_describe[] = {OPT_ALL, OPT_SELECTOR, OPT_END};

const FerryVerb ferry_verb_describe = {.name = "describe",
                                       .synopses = LINES("KIND [NAME...]", "KIND/NAME..."),
                                       .doc = "Show objects and their events in full",
                                       .options = options_describe,
                                       .min_words = 1,
                                       .max_words = 1000,
                                       .words_of = "KIND",
                                       .run = cmd_describe};
