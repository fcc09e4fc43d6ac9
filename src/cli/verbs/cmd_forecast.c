// SPDX-License-Identifier: Apache-2.0
// ferry forecast: a migration that only reckons (spec.forecastOnly), shown and removed again.
#include "cli/core/options.h"
#include "base/quantity.h"
#include "cli/core/follow.h"
#include "cli/core/migration_request.h"
#include "cli/view/output.h"
#include "cli/view/summary.h"
#include "cli/view/text.h"
#include "model/migration/path_source.h"
#include <stdio.h>

#define POLL_US 200000
#define PATIENCE_US (90 * G_USEC_PER_SEC)

/* "3.1 s (2.8 s - 3.6 s)"; without an upper end it may never end. */
static char *time_cell(const json_t *strategy, const char *key) {
  g_autofree char *plain = g_strdup_printf("%sMs", key);
  g_autofree char *least = g_strdup_printf("%sMinMs", key);
  g_autofree char *most = g_strdup_printf("%sMaxMs", key);
  gint64 ms = ferry_json_int(strategy, plain, -1), low = ferry_json_int(strategy, least, -1),
         high = ferry_json_int(strategy, most, -1);
  if (ms < 0)
    return g_strdup("never");
  g_autofree char *text = ferry_duration_format(ms);
  g_autofree char *from = ferry_duration_format(MAX(0, low));
  g_autofree char *to = high < 0 ? g_strdup("never") : ferry_duration_format(high);
  return low < 0 || g_str_equal(from, to) ? g_steal_pointer(&text)
                                          : g_strdup_printf("%s (%s - %s)", text, from, to);
}

/* The same of percents; "-" where the guest is not slowed down. */
static char *slow_cell(const json_t *s) {
  gint64 percent = ferry_json_int(s, "throttlePercent", -1);
  gint64 low = ferry_json_int(s, "throttleMinPercent", percent);
  gint64 high = ferry_json_int(s, "throttleMaxPercent", -1);
  if (percent < 0)
    return g_strdup("-");
  if (high < 0)
    return g_strdup_printf("%d %% (%d %% - more)", (int)percent, (int)low);
  return low == high ? g_strdup_printf("%d %%", (int)percent)
                     : g_strdup_printf("%d %% (%d %% - %d %%)", (int)percent, (int)low, (int)high);
}

static char *forecast_bytes_cell(const json_t *s) {
  gint64 bytes = ferry_json_int(s, "dataBytes", 0), low = ferry_json_int(s, "dataMinBytes", bytes);
  gint64 high = ferry_json_int(s, "dataMaxBytes", -1);
  g_autofree char *text = ferry_bytes_format((double)bytes);
  g_autofree char *from = ferry_bytes_format((double)low);
  g_autofree char *to = high < 0 ? g_strdup("?") : ferry_bytes_format((double)high);
  return g_str_equal(from, to) ? g_steal_pointer(&text)
                               : g_strdup_printf("%s (%s - %s)", text, from, to);
}

static void print_strategy(const json_t *s) {
  gboolean ends = ferry_json_int(s, "totalMs", -1) >= 0;
  g_autofree char *total = time_cell(s, "total");
  g_autofree char *pause = ends ? time_cell(s, "downtime") : g_strdup("-");
  g_autofree char *lost = ends ? time_cell(s, "lost") : g_strdup("-");
  g_autofree char *bytes = ends ? forecast_bytes_cell(s) : g_strdup("-");
  g_autofree char *slow = ends ? slow_cell(s) : g_strdup("-");
  const char *verdict = !ferry_json_bool(s, "permitted", FALSE)     ? "not allowed"
                        : ferry_json_bool(s, "withinIntent", FALSE) ? "yes"
                                                                    : "no";
  g_autofree char *name = ferry_text_clean(ferry_json_str(s, "name"));
  printf("  %-21s %26s %24s %24s %20s %33s  %s\n", name, total, pause, lost, slow, bytes, verdict);
}

static void print_forecast(const json_t *object) {
  const json_t *f = ferry_json_get(object, "status.forecast");
  const char *from = ferry_json_str(f, "bandwidthFrom"), *best = ferry_json_str(f, "best");
  g_autofree char *rate = ferry_rate_format(ferry_json_int(f, "bandwidthBytesPerSecond", 0));
  g_autofree char *writes = ferry_rate_format(ferry_json_int(f, "writeRateBytesPerSecond", 0));
  g_autofree char *set = ferry_bytes_format((double)ferry_json_int(f, "workingSetBytes", 0));
  g_autofree char *memory = ferry_bytes_format((double)ferry_json_int(f, "memoryBytes", 0));
  g_autofree char *source = ferry_text_clean(ferry_json_str(object, "spec.vmiName"));
  g_autofree char *target =
      ferry_text_clean(ferry_json_str(object, "status.migrationState.targetNode"));
  g_autofree char *pattern = ferry_text_clean(ferry_json_str(f, "pattern"));
  printf("%s to %s: %s of memory, it writes %s over %s (%s), %s to send it (%s)\n", source, target,
         memory, writes, set, pattern, rate, ferry_path_source_words(from));
  const char *note = ferry_json_str(f, "bandwidthNote");
  if (note != NULL) {
    g_autofree char *text = ferry_text_clean(note);
    printf("  %s\n", text);
  }
  printf("  %-21s %26s %24s %24s %20s %33s  %s\n", "STRATEGY", "TIME", "PAUSE", "LOST", "SLOWED",
         "SENT", "WITHIN INTENT");
  size_t i;
  json_t *strategy;
  json_array_foreach(ferry_json_get(f, "strategies"), i, strategy) print_strategy(strategy);
  if (best == NULL)
    printf("No strategy that the policy allows keeps to what is asked for.\n");
}

/* Until it has ended; `*object` is replaced. */
static gboolean wait_end(FerryCli *cli, json_t **object, GError **error) {
  g_autofree char *name = g_strdup(ferry_json_str(*object, "metadata.name"));
  gint64 until = g_get_monotonic_time() + PATIENCE_US;
  while (!ferry_migration_is_final(*object)) {
    if (g_get_monotonic_time() > until) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_TIMEOUT,
                  "the forecast was not made within %d s (%s)", (int)(PATIENCE_US / G_USEC_PER_SEC),
                  ferry_json_str(*object, "status.phase"));
      return FALSE;
    }
    g_usleep(POLL_US);
    json_t *next =
        ferry_cli_get(cli, &ferry_kind_vmim, ferry_cli_namespace(cli), name, NULL, error);
    if (next == NULL)
      return FALSE;
    json_decref(*object);
    *object = next;
  }
  return TRUE;
}

static void remove_it(FerryCli *cli, const json_t *object) {
  FerryClient *client = ferry_cli_client(cli, NULL);
  g_autofree char *path = ferry_resource_path(&ferry_kind_vmim, ferry_cli_namespace(cli),
                                              ferry_json_str(object, "metadata.name"), NULL);
  g_autoptr(json_t) answer =
      client ? ferry_client_request(client, "DELETE", path, NULL, NULL, NULL, NULL, NULL) : NULL;
}

static int cmd_forecast(FerryCli *cli) {
  const char *vm = ferry_cli_word(cli, 0), *format = ferry_cli_option(cli, "output");
  g_autoptr(GError) error = NULL;
  g_autoptr(json_t) request = ferry_migration_request_new(cli, vm, NULL, &error);
  if (request == NULL)
    return ferry_cli_usage(cli, "%s", error->message);
  ferry_json_set_bool(request, "spec.forecastOnly", TRUE);
  json_t *object = ferry_migration_request_post(cli, request, FALSE, &error);
  if (object == NULL)
    return ferry_migration_request_fail(cli, vm, error);
  ferry_cli_warnings(cli);
  int code = FERRY_EXIT_DONE;
  gboolean ended = wait_end(cli, &object, &error);
  remove_it(cli, object);
  if (!ended) {
    code = ferry_cli_fail(error, "Nothing was moved.");
  } else if (!ferry_migration_succeeded(object)) {
    const char *message = ferry_json_str(object, "status.message");
    g_autofree char *text = ferry_text_clean(message != NULL ? message : "no forecast was made");
    fprintf(stderr, "error: %s\n", text);
    code = FERRY_EXIT_FAILED;
  } else if (format != NULL) {
    ferry_output_object(ferry_json_get(object, "status.forecast"), format);
  } else {
    print_forecast(object);
  }
  json_decref(object);
  return code;
}

static const FerryCliOption options_forecast[] = {
    OPT_MIGRATION, OPT_OUTPUT(ferry_formats_final, "Print the whole forecast: json or yaml"),
    OPT_END};

const FerryVerb ferry_verb_forecast = {
    .name = "forecast",
    .synopses = LINES("VM"),
    .doc = "Say what a migration would cost, without moving anything",
    .details =
        "Measures the path for a second and the VM's writes for five, and prices every strategy.",
    .options = options_forecast,
    .min_words = 1,
    .max_words = 1,
    .words_of = "vmi",
    .run = cmd_forecast};
