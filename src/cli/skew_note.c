// SPDX-License-Identifier: Apache-2.0
#include "cli/skew_note.h"
#include "base/json.h"
#include "cli/view/text.h"
#include "client/skew.h"
#include <stdio.h>

static gboolean skew_matters(const FerryClient *client, int code) {
  gboolean failed = code == FERRY_EXIT_FAILED || code == FERRY_EXIT_REFUSED;
  return (failed && ferry_client_was_not_understood(client)) ||
         ferry_skew_is_warned_of(ferry_client_warnings(client));
}

void ferry_skew_tell(FerryCli *cli, int code) {
  if (!cli->client || !skew_matters(cli->client, code))
    return;
  g_autoptr(json_t) server =
      ferry_client_request(cli->client, "GET", "/version", NULL, NULL, NULL, NULL, NULL);
  const char *theirs = ferry_json_str(server, "ferryVersion");
  g_autofree char *clean = theirs ? ferry_text_clean(theirs) : NULL;
  g_autofree char *note = ferry_skew_note("v" FERRY_VERSION, clean);
  if (note)
    fprintf(stderr, "note: %s\n", note);
}
