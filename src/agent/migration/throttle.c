// SPDX-License-Identifier: Apache-2.0
// How a guest is slowed down when nothing else keeps the intent.
//
// Theory of operation: libvirt has no call for it while a migration runs, so it is arranged before.
// Where the monitor may be used, auto-converge is switched on at its least (1 %), and the
// controller's decisions set the throttle through QEMU's parameters. Where it may not, but the
// guest's writes were measured, the throttle that the model says is needed, or may be (measure.c),
// becomes auto-converge's first one, with the smallest steps from there; QEMU only begins with it
// once a guest has outrun the migration twice. Otherwise the guest is not slowed. Who asked for
// auto-converge gets libvirt's own, untouched.
#include "agent/migration_private.h"

#define LEAST_STEP 1

static void arm(FerryMigration *m, int initial) {
  json_t *armed = json_deep_copy(m->settings.request.config);
  json_decref(m->own_config);
  m->own_config = armed;
  ferry_json_set_bool(m->own_config, "allowAutoConverge", TRUE);
  ferry_json_set_int(m->own_config, "autoConvergeInitial", initial);
  ferry_json_set_int(m->own_config, "autoConvergeIncrement", LEAST_STEP);
  m->settings.request.config = m->own_config;
  m->settings.request.auto_converge = TRUE;
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
  int percent = ferry_measured_throttle(&m->measured, &intent);
  if (percent > 0) {
    arm(m, percent);
    ferry_info("the guest writes so fast that it will be slowed down (auto-converge)",
               "FERRY_MIGRATION", m->name, "FERRY_DOMAIN", m->uuid);
  }
}
