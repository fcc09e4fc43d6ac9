// SPDX-License-Identifier: Apache-2.0
// Theory of operation: means that are chosen at the start (convergence/means.h) go into the
// configuration that libvirt's call is made of. ferryd says which both hosts can use and nobody has
// decided about; of path, guest and earlier migrations the agent knows the rest. What was chosen
// stands in the status, so that an agent that adopts goes by it.
//
// A slow-down: libvirt has no call for it while a migration runs, so it is arranged before.
// Where the monitor may be used, auto-converge is switched on at its least (1 %), and the
// controller's decisions set the throttle through QEMU's parameters. Where it may not, but the
// guest's writes were measured, the throttle that the model says is needed, or may be (measure.c),
// becomes auto-converge's first one, with the smallest steps from there; QEMU only begins with it
// once a guest has outrun the migration twice. Otherwise the guest is not slowed. Who asked for
// auto-converge gets libvirt's own, untouched.
#include "agent/migration/arrange/arm.h"
#include "base/log.h"
#include "model/flags/migration_flags.h"

#define LEAST_STEP 1
#define FREE                                                                                       \
  (FERRY_MEAN_POST_COPY | FERRY_MEAN_AUTO_CONVERGE) /* nothing is arranged here for them */

static gboolean may_slow(const FerrySettings *s) {
  return !s->schedule && s->max_slowdown_percent > 0 && !s->request.auto_converge &&
         !json_object_get(s->request.config, "autoConvergeInitial");
}

/* ---- means ---- */

static void arm_config(FerryAsked *asked, unsigned possible, unsigned means, int connections) {
  if (possible & ~means & FERRY_MEAN_POST_COPY)
    ferry_asked_forgo_post_copy(asked);
  ferry_asked_set_means(asked, means, connections);
}

static unsigned arm_bits(const json_t *words) {
  unsigned bits = 0;
  for (gsize i = 0; i < FERRY_MEANS; i++)
    if (ferry_json_has_word(words, ferry_means[i].name))
      bits |= ferry_means[i].mean;
  return bits;
}

json_t *ferry_arm_chosen(const FerryAsked *asked) {
  json_t *list = NULL;
  for (gsize i = 0; i < FERRY_MEANS; i++)
    if (asked->settings.means & ferry_means[i].mean) {
      list = list ? list : json_array();
      json_array_append_new(list, json_string(ferry_means[i].name));
    }
  return list;
}

void ferry_arm_recall(FerryAsked *asked) {
  const json_t *words = ferry_json_get(asked->object, "status.migrationState.means");
  const json_t *config = asked->settings.request.config;
  if (json_array_size(words))
    arm_config(asked, arm_bits(json_object_get(config, "possibleMeans")), arm_bits(words), 1);
}

/* What is asked for of the whole migration, and what is known of where it goes. */
static void arm_input(const FerryAsked *asked, const FerryMeasured *k,
                      const FerryConvergenceIntent *intent, FerryMeansInput *in) {
  const json_t *config = asked->settings.request.config;
  const json_t *words = json_object_get(config, "possibleMeans");
  FerryPathSource from;
  FerryPath path = ferry_measured_path(k, intent, &from);
  /* of a link half of its speed is trusted; here the worst case is that it has all of it */
  double share = from == FERRY_PATH_ASSUMED ? 0 : from == FERRY_PATH_LINK ? 2 : 1;
  *in = (FerryMeansInput){.place = {.wire = share * path.rate,
                                    .link = share * path.switch_rate,
                                    .eps = path.eps,
                                    .spare = (double)ferry_json_int(config, "spareProcessors", -1),
                                    .vcpus = 1, /* the most that could be taken from it */
                                    .tls = asked->settings.request.tls},
                          .possible = arm_bits(words),
                          .together = ferry_json_has_word(words, "post-copy-with-parallel"),
                          .gain = asked->settings.lesson.gain,
                          .wish = ferry_forecast_wish(
                              intent, k->resident > 0
                                          ? MIN((double)k->resident, (double)intent->memory_bytes)
                                          : (double)intent->memory_bytes)};
}

char *ferry_arm_means(FerryAsked *asked, const FerryMeasured *k,
                      const FerryConvergenceIntent *intent) {
  const FerryLesson *lesson = &asked->settings.lesson;
  FerryMeansInput in;
  FerryMeansChoice choice;
  FerryWriter writer;
  arm_input(asked, k, intent, &in);
  if (!(in.possible & ~(unsigned)FREE) || intent->schedule)
    return NULL;
  if (k->long_s > 0) {
    writer = ferry_measured_writer(k, in.wish.bytes);
    in.writer = &writer;
  } else if (lesson->writer.rounds) {
    in.writer = &lesson->writer;
  }
  /* its first step comes from what was measured, or from the monitor */
  if (may_slow(&asked->settings) && (asked->settings.monitor || k->long_s > 0))
    in.possible |= FERRY_MEAN_AUTO_CONVERGE;
  ferry_means_choose(&in, &choice);
  if (!(choice.means & ~(unsigned)FREE))
    return NULL;
  ferry_asked_set_unslowed(asked, in.writer && !(choice.means & FERRY_MEAN_AUTO_CONVERGE));
  arm_config(asked, in.possible, choice.means, choice.connections);
  return ferry_means_text(&in, &choice);
}

/* ---- a slow-down ---- */

void ferry_throttle_recall(FerryAsked *asked) {
  ferry_asked_set_can_throttle(asked, may_slow(&asked->settings) && asked->settings.monitor);
}

void ferry_throttle_arm(FerryAsked *asked, const FerryMeasured *measured,
                        const FerryConvergenceIntent *intent, gboolean was_paused) {
  const FerrySettings *s = &asked->settings;
  if (!may_slow(s) || was_paused || !s->request.active)
    return;
  if (s->monitor) {
    ferry_asked_set_auto_converge(asked, LEAST_STEP, LEAST_STEP);
    ferry_asked_set_can_throttle(asked, TRUE);
    return;
  }
  int percent =
      measured->long_s > 0 && !s->unslowed ? ferry_measured_throttle(measured, intent) : 0;
  if (percent > 0) {
    ferry_asked_set_auto_converge(asked, percent, LEAST_STEP);
    ferry_info("the guest writes so fast that it will be slowed down (auto-converge)",
               "FERRY_MIGRATION", asked->name, "FERRY_DOMAIN", asked->uuid);
  }
}
