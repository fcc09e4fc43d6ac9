// SPDX-License-Identifier: Apache-2.0
// Theory of operation: libvirt has no call for it while a migration runs, so it is arranged before.
// Where the monitor may be used, auto-converge is switched on at its least (1 %), and the
// controller's decisions set the throttle through QEMU's parameters. Where it may not, but the
// guest's writes were measured, the throttle that the model says is needed, or may be (measure.c),
// becomes auto-converge's first one, with the smallest steps from there; QEMU only begins with it
// once a guest has outrun the migration twice. Otherwise the guest is not slowed. Who asked for
// auto-converge gets libvirt's own, untouched.
#include "agent/migration/throttle.h"
#include "base/log.h"

#define LEAST_STEP 1

static void throttle_arm(FerryAsked *asked, int initial) {
  json_t *armed = json_deep_copy(asked->settings.request.config);
  ferry_json_set_bool(armed, "allowAutoConverge", TRUE);
  ferry_json_set_int(armed, "autoConvergeInitial", initial);
  ferry_json_set_int(armed, "autoConvergeIncrement", LEAST_STEP);
  ferry_asked_set_config(asked, armed);
  asked->settings.request.auto_converge = TRUE;
}

static gboolean may_slow(const FerrySettings *s) {
  return !s->schedule && s->max_slowdown_percent > 0 && !s->request.auto_converge &&
         !json_object_get(s->request.config, "autoConvergeInitial");
}

void ferry_throttle_recall(FerryAsked *asked) {
  asked->settings.can_throttle = may_slow(&asked->settings) && asked->settings.monitor;
}

void ferry_throttle_arm(FerryAsked *asked, const FerryMeasured *measured,
                        const FerryConvergenceIntent *intent, gboolean was_paused) {
  FerrySettings *s = &asked->settings;
  if (!may_slow(s) || was_paused || !s->request.active)
    return;
  if (s->monitor) {
    throttle_arm(asked, LEAST_STEP);
    s->can_throttle = TRUE;
    return;
  }
  int percent = measured->long_s > 0 ? ferry_measured_throttle(measured, intent) : 0;
  if (percent > 0) {
    throttle_arm(asked, percent);
    ferry_info("the guest writes so fast that it will be slowed down (auto-converge)",
               "FERRY_MIGRATION", asked->name, "FERRY_DOMAIN", asked->uuid);
  }
}
