// SPDX-License-Identifier: Apache-2.0
// What is known of a guest and of the path before anything moves: how fast it writes, over a short
// and a longer period (which tells a small working set from a large one), how much memory it has
// touched at all, and how fast the last migration to the same address was.
#include "agent/migration_private.h"
#include <math.h>

#define ASSUMED_RATE 112000000.0 /* what a link of 1 Gbit/s carries */
#define SWITCHOVER_S 0.03
#define MARGIN 1.25    /* auto-converge only raises it from there, 1 % a second at most */
#define DOUBT 0.1      /* of the guest's rate of writing */
#define SKEW_DOUBT 0.5 /* share of a fit's residual that is added */
#define MS 0.001
#define LEAST_SENT (32 * 1024 * 1024) /* less says nothing of the path */

gboolean ferry_migration_measure(FerryMigration *m, int seconds, GError **error) {
  FerryMeasured *k = &m->measured;
  /* two periods must differ, so up to two seconds there is only one */
  int short_s = seconds > 2 ? 1 : 0, long_s = MAX(1, seconds - short_s);
  gint64 short_rate = 0, long_rate;
  if ((short_s && !ferry_host_job_dirty_rate(m->job, short_s, &short_rate, error)) ||
      !ferry_host_job_dirty_rate(m->job, long_s, &long_rate, error))
    return FALSE;
  k->short_s = short_s;
  k->long_s = long_s;
  k->short_rate = short_rate;
  k->long_rate = long_rate;
  if (!ferry_host_job_resident(m->job, &k->resident, NULL))
    k->resident = 0;
  return TRUE;
}

void ferry_migration_intent(FerryMigration *m, FerryConvergenceIntent *intent) {
  const char *address = m->settings.request.address;
  ferry_settings_intent(&m->settings, ferry_migration_memory(m), intent);
  g_mutex_lock(&m->agent->lock);
  const gint64 *rate = address ? g_hash_table_lookup(m->agent->rates, address) : NULL;
  m->measured.bandwidth = rate ? *rate : 0;
  g_mutex_unlock(&m->agent->lock);
  if (m->measured.bandwidth > 0) /* what it carried is known better than what it is called */
    intent->link_rate = m->measured.bandwidth;
}

void ferry_migration_use_path(FerryMigration *m) {
  gint64 now = g_get_monotonic_time();
  g_mutex_lock(&m->agent->lock);
  m->path_us = now;
  if (++m->agent->sending > 1)
    m->agent->shared_us = now;
  g_mutex_unlock(&m->agent->lock);
}

void ferry_migration_leave_path(FerryMigration *m, gboolean moved) {
  const char *address = m->settings.request.address;
  g_mutex_lock(&m->agent->lock);
  if (m->agent->sending-- > 1)
    m->agent->shared_us = g_get_monotonic_time();
  gboolean alone = m->agent->shared_us < m->path_us;
  g_mutex_unlock(&m->agent->lock);
  /* a cap says nothing of the link, a share of it no more, and in post-copy nobody measures */
  if (!moved || !alone || !m->convergence || !address || m->settings.request.bandwidth > 0 ||
      m->path_changed || m->again_bandwidth > 0 || m->progress.post_copy ||
      m->last.data_processed < LEAST_SENT)
    return;
  g_autoptr(json_t) now = ferry_convergence_estimate(m->convergence, g_get_monotonic_time());
  gint64 rate = ferry_json_int(now, "rateBytesPerSecond", 0);
  if (rate <= 0)
    return;
  g_mutex_lock(&m->agent->lock);
  g_hash_table_replace(m->agent->rates, g_strdup(address), g_memdup2(&rate, sizeof rate));
  g_mutex_unlock(&m->agent->lock);
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
  return (FerryPath){capped ? cap : link, link, SWITCHOVER_S};
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
