// SPDX-License-Identifier: Apache-2.0
// What is known of a guest and of the path before anything moves: how fast it writes, over a short
// and a longer period (which tells a small working set from a large one), how much memory it has
// touched at all, and how fast the last migration to the same address was.
#include "agent/migration/state/measure.h"
#include "base/limits.h"
#include <math.h>

#define ASSUMED_RATE 112000000.0 /* what a link of 1 Gbit/s carries */
#define MARGIN 1.25              /* auto-converge only raises it from there, 1 % a second at most */
#define DOUBT 0.1                /* of the guest's rate of writing */
#define SKEW_DOUBT 0.5           /* share of a fit's residual that is added */
#define MS 0.001
#define ENOUGH 0.9 /* of the limit: less says that the path does not carry it */

void ferry_measured_clear(FerryMeasured *k) {
  g_clear_pointer(&k->path_note, g_free);
}

void ferry_measured_set_path(FerryMeasured *k, gint64 rate, gint64 limit) {
  ferry_measured_clear(k);
  k->probed = rate;
  k->probed_limit = limit > 0 && (double)rate >= ENOUGH * (double)limit;
}

void ferry_measured_set_unmeasured(FerryMeasured *k, char *why) {
  ferry_measured_clear(k);
  k->path_note = why;
}

gboolean ferry_measure_guest(FerryHostJob *job, int seconds, FerryMeasured *k, GError **error) {
  /* two periods must differ, so up to two seconds there is only one */
  int short_s = seconds > 2 ? 1 : 0, long_s = MAX(1, seconds - short_s);
  gint64 short_rate = 0, long_rate;
  if ((short_s && !ferry_host_job_dirty_rate(job, short_s, &short_rate, error)) ||
      !ferry_host_job_dirty_rate(job, long_s, &long_rate, error))
    return FALSE;
  k->short_s = short_s;
  k->long_s = long_s;
  k->short_rate = short_rate;
  k->long_rate = long_rate;
  if (!ferry_host_job_resident(job, &k->resident, NULL))
    k->resident = 0;
  return TRUE;
}

gint64 ferry_measure_memory(const FerryMigrationPorts *ports, const FerryAsked *asked) {
  gint64 bytes = ferry_inventory_domain_memory(ports->inventory, asked->uuid);
  if (bytes <= 0) { /* adopted before the first inventory: timeouts are reckoned with its size */
    g_autoptr(json_t) record = ferry_host_record(ports->host, asked->uuid, NULL);
    bytes = ferry_json_int(record, "memoryBytes", 0);
  }
  return MAX(bytes, 1);
}

void ferry_measure_intent(const FerryMigrationPorts *ports, const FerryAsked *asked,
                          FerryMeasured *k, FerryConvergenceIntent *intent) {
  ferry_settings_intent(&asked->settings, ferry_measure_memory(ports, asked), intent);
  k->bandwidth = ferry_path_book_rate(ports->book, asked->settings.request.address);
  if (k->bandwidth > 0) /* what it carried is known better than what it is called */
    intent->link_rate = k->bandwidth;
}

FerryWriter ferry_measured_writer(const FerryMeasured *k, double bytes) {
  double dirtied = (double)k->long_rate * k->long_s;
  FerryRound rounds[] = {{k->short_s, (double)k->short_rate * k->short_s, 0},
                         {k->long_s, dirtied, 0}};
  FerryWriter writer;
  if (k->short_s <= 0 || !ferry_writer_fit(&writer, rounds, G_N_ELEMENTS(rounds), bytes))
    writer = ferry_writer_guess(k->long_s, dirtied, bytes);
  return writer;
}

FerryPath ferry_measured_path(const FerryMeasured *k, const FerryConvergenceIntent *intent,
                              FerryPathSource *from) {
  double cap = (double)intent->bandwidth_cap, known[FERRY_PATH_SOURCES] = {0};
  known[FERRY_PATH_MEASURED] = (double)k->probed;
  known[FERRY_PATH_MIGRATION] = (double)k->bandwidth;
  known[FERRY_PATH_LINK] = (double)intent->link_rate;
  known[FERRY_PATH_ASSUMED] = ASSUMED_RATE;
  if (k->probed_limit) /* it may carry more, which was not tried */
    known[FERRY_PATH_MEASURED] = 0;
  FerryPathSource source = FERRY_PATH_MEASURED;
  while (known[source] <= 0)
    source++;
  /* where QEMU was slower than the path, it will be again */
  if (source == FERRY_PATH_MEASURED && k->bandwidth > 0 && k->bandwidth < k->probed)
    source = FERRY_PATH_MIGRATION;
  double link =
      k->probed_limit && source != FERRY_PATH_MIGRATION ? MAX(known[source], cap) : known[source];
  gboolean capped = cap > 0 && cap <= link;
  if (from)
    *from = capped ? FERRY_PATH_LIMIT : source;
  return (FerryPath){capped ? cap : link, link, FERRY_SWITCHOVER_COST_MS * MS};
}

double ferry_measured_doubt(const FerryWriter *writer) {
  return DOUBT + SKEW_DOUBT * MIN(1, writer->residual);
}

/* The share of its time that a guest must lose for a pause of `limit` seconds to do. */
static double least_throttle(FerryWriter writer, FerryPath path, double limit, double doubt,
                             double path_doubt) {
  writer.write_rate *= 1 + doubt;
  path.rate *= 1 - path_doubt;
  path.switch_rate *= 1 - path_doubt;
  return ferry_model_min_throttle(&writer, &path, limit);
}

int ferry_measured_throttle(const FerryMeasured *k, const FerryConvergenceIntent *intent) {
  FerryWriter writer = ferry_measured_writer(k, (double)intent->memory_bytes);
  FerryPathSource from;
  FerryPath path = ferry_measured_path(k, intent, &from);
  double path_doubt = MIN(DOUBT, ferry_path_source_doubt(from));
  double limit = MAX(MS, (double)intent->max_downtime_ms * MS - path.eps);
  double most = (double)intent->max_slowdown_percent / 100;
  double p = least_throttle(writer, path, limit, 0, 0), doubt = ferry_measured_doubt(&writer);
  if (intent->allow_post_copy || least_throttle(writer, path, limit, -doubt, -path_doubt) > most)
    return 0;
  if (p > 0)
    return (int)ceil(100 * MIN(most, p * MARGIN));
  /* it will do without, unless it writes somewhat more than was seen: then nothing else would help,
   * as this cannot be arranged for later */
  p = least_throttle(writer, path, limit, doubt, path_doubt);
  return p <= most ? (int)ceil(100 * p) : 0;
}
