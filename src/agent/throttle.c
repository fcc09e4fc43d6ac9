// SPDX-License-Identifier: Apache-2.0
// How a guest is slowed down when nothing else keeps the intent.
//
// Theory of operation: libvirt has no call for it while a migration runs, so it is arranged before.
// Where the monitor may be used, auto-converge is switched on at its least (1 %), and the
// controller's decisions set the throttle through QEMU's parameters. Where it may not, but the
// guest's writes were measured, the throttle that the model says is needed becomes auto-converge's
// first one, with the smallest steps from there. Otherwise the guest is not slowed. Who asked for
// auto-converge gets libvirt's own, untouched.
#include "agent/migration_private.h"
#include <math.h>

#define MARGIN 1.25 /* it can only be raised from there, 1 % a second at most */
#define LEAST_STEP 1
#define MS 0.001

static void arm(FerryMigration *m, int initial) {
  m->armed = json_deep_copy(m->settings.request.config);
  ferry_json_set_bool(m->armed, "allowAutoConverge", TRUE);
  ferry_json_set_int(m->armed, "autoConvergeInitial", initial);
  ferry_json_set_int(m->armed, "autoConvergeIncrement", LEAST_STEP);
  m->settings.request.config = m->armed;
  m->settings.request.auto_converge = TRUE;
}

/* The throttle in percent without which no pause that is allowed would do; 0: none, or none that
 * is allowed would do either. */
static int needed(const FerryMigration *m, const FerryConvergenceIntent *intent) {
  double bytes = (double)intent->memory_bytes;
  FerryWriter writer = ferry_measured_writer(&m->measured, bytes);
  FerryPath path = ferry_measured_path(&m->measured, intent, NULL);
  double limit = MAX(MS, (double)intent->max_downtime_ms * MS - path.eps);
  double p = ferry_model_min_throttle(&writer, &path, limit);
  double most = (double)intent->max_slowdown_percent / 100;
  if (p <= 0 || intent->allow_post_copy || p > most)
    return 0;
  return (int)ceil(100 * MIN(most, p * MARGIN));
}

static gboolean may_slow(const FerrySettings *s) {
  return !s->schedule && s->max_slowdown_percent > 0 && !s->request.auto_converge &&
         !json_object_get(s->request.config, "autoConvergeInitial");
}

void ferry_migration_recall_throttle(FerryMigration *m) {
  m->settings.can_throttle = may_slow(&m->settings) && m->settings.monitor;
}

void ferry_migration_arm_throttle(FerryMigration *m) {
  FerrySettings *s = &m->settings;
  if (!may_slow(s) || m->was_paused || !s->request.active)
    return;
  if (s->monitor) {
    arm(m, LEAST_STEP);
    s->can_throttle = TRUE;
    return;
  }
  if (m->measured.long_s <= 0)
    return;
  FerryConvergenceIntent intent;
  ferry_migration_intent(m, &intent);
  int percent = needed(m, &intent);
  if (percent > 0) {
    arm(m, percent);
    ferry_info("the guest writes so fast that it will be slowed down (auto-converge)",
               "FERRY_MIGRATION", m->name, "FERRY_DOMAIN", m->uuid);
  }
}
