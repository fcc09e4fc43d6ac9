// SPDX-License-Identifier: Apache-2.0
#include "convergence/lesson.h"
#include "base/rfc3339.h"
#include "convergence/options.h"
#include <math.h>

#define DAY_MS (24 * 3600 * 1000.0)
#define HALF_MS (7 * DAY_MS)
#define OLDEST_MS (60 * DAY_MS)
#define MOST_BYTES 1e15
#define MOST_GAIN 100.0
#define LEAST_COST_S 0.01
#define MOST_COST_S 0.5
#define DIFFERENT 1.6 /* times: such a guest does not write as it did */
#define IDLE_S 1.0

/* What was left when it paused took its time; the rest is the switch-over's own. */
static double lesson_switchover(const FerryConvergence *c, gint64 downtime_ms) {
  FerryPath path = ferry_intent_path(c);
  if (downtime_ms < 0 || path.switch_rate <= 0 || c->post_copy || c->suspended)
    return 0;
  double sent = MIN((double)c->t.last.remaining / path.switch_rate, c->is.plan_limit);
  return CLAMP((double)downtime_ms / 1000 - sent, LEAST_COST_S, MOST_COST_S);
}

void ferry_lesson_take(const FerryConvergence *c, unsigned means, gint64 downtime_ms,
                       FerryLesson *out) {
  const FerryTracker *t = &c->t;
  *out = (FerryLesson){.switchover_s = lesson_switchover(c, downtime_ms)};
  double again = ferry_tracker_gain_again(t);
  gboolean slowed = c->throttle_percent > 0 || t->last.throttle_percent > 1 || c->is.released;
  if (t->fitted && t->passes >= 2 && !slowed && t->writer.residual <= FERRY_TRUSTED) {
    out->writer = t->writer;
    out->writer.rounds = MAX(1, t->writer.rounds);
  }
  if (t->measured && (means & FERRY_MEAN_ZSTD))
    out->gain.zstd = MAX(1, t->efficiency);
  else if (means & FERRY_MEAN_XBZRLE)
    out->gain.xbzrle = again > 0 ? again : t->measured ? t->efficiency : 0;
  out->valid =
      out->writer.rounds || out->switchover_s > 0 || out->gain.zstd > 0 || out->gain.xbzrle > 0;
}

static gint64 lesson_percent(double gain) {
  return (gint64)llround(100 * MIN(gain, MOST_GAIN));
}

json_t *ferry_lesson_to_json(const FerryLesson *l) {
  if (!l->valid)
    return NULL;
  json_t *o = json_object();
  if (l->writer.rounds) {
    ferry_json_set_str(o, "pattern", ferry_writer_pattern_name(l->writer.pattern));
    ferry_json_set_int(o, "workingSetBytes", (gint64)MIN(l->writer.working_set, MOST_BYTES));
    ferry_json_set_int(o, "writeRateBytesPerSecond", (gint64)MIN(l->writer.write_rate, MOST_BYTES));
    if (l->steady)
      ferry_json_set_bool(o, "steady", TRUE);
  }
  if (l->gain.zstd > 0)
    ferry_json_set_int(o, "compressionGainPercent", lesson_percent(l->gain.zstd));
  if (l->gain.xbzrle > 0)
    ferry_json_set_int(o, "xbzrleGainPercent", lesson_percent(l->gain.xbzrle));
  if (l->switchover_s > 0)
    ferry_json_set_int(o, "switchoverMs", (gint64)llround(l->switchover_s * 1000));
  return o;
}

void ferry_lessons_add(json_t *lessons, const json_t *lesson, const char *uid, gint64 at_ms) {
  if (!json_is_object(lesson) || !json_object_size(lesson) ||
      ferry_json_find(lessons, "migrationUid", uid))
    return;
  json_t *kept = json_deep_copy(lesson);
  g_autofree char *time = ferry_rfc3339_format(at_ms);
  ferry_json_set_str(kept, "time", time);
  ferry_json_set_str(kept, "migrationUid", uid);
  gsize at = json_array_size(lessons);
  while (at > 0 &&
         ferry_rfc3339_parse(ferry_json_str(json_array_get(lessons, at - 1), "time")) > at_ms)
    at--; /* one that ended before others did comes before them, whenever it is heard of */
  json_array_insert_new(lessons, at, kept);
  while (json_array_size(lessons) > FERRY_LESSONS_MAX)
    json_array_remove(lessons, 0);
}

/* ---- reading ---- */

typedef struct {
  double sum, weight;
} LessonMean;

static void lesson_count(LessonMean *m, const json_t *o, const char *key, double least, double most,
                         double weight) {
  double value = ferry_json_real(o, key, -1);
  if (!(value >= least && value <= most))
    return;
  m->sum += weight * value;
  m->weight += weight;
}

static double lesson_mean(const LessonMean *m) {
  return m->weight > 0 ? m->sum / m->weight : 0;
}

/* TRUE: the object tells of a writer that can be. */
static gboolean lesson_writer(const json_t *o, FerryWriter *out) {
  const char *pattern = ferry_json_str(o, "pattern");
  double set = ferry_json_real(o, "workingSetBytes", -1),
         rate = ferry_json_real(o, "writeRateBytesPerSecond", -1);
  for (int i = FERRY_WRITER_IDLE; pattern && i <= FERRY_WRITER_SKEWED; i++)
    if (g_str_equal(pattern, ferry_writer_pattern_name((FerryWriterPattern)i))) {
      *out = (FerryWriter){
          .pattern = (FerryWriterPattern)i, .working_set = set, .write_rate = rate, .rounds = 1};
      return i == FERRY_WRITER_IDLE ||
             (set > 0 && rate > 0 && set <= MOST_BYTES && rate <= MOST_BYTES);
    }
  return FALSE;
}

static gboolean lesson_alike(const FerryWriter *a, const FerryWriter *b) {
  if (a->pattern == FERRY_WRITER_IDLE || b->pattern == FERRY_WRITER_IDLE)
    return a->pattern == b->pattern;
  double rate = a->write_rate / b->write_rate, set = a->working_set / b->working_set;
  return rate < DIFFERENT && rate > 1 / DIFFERENT && set < DIFFERENT && set > 1 / DIFFERENT;
}

void ferry_lessons_read(const json_t *lessons, gint64 now_ms, FerryLesson *out) {
  LessonMean zstd = {0}, xbzrle = {0}, cost = {0};
  FerryWriter writers[2];
  guint n_writers = 0;
  for (gsize i = json_array_size(lessons); i-- > 0;) {
    const json_t *o = json_array_get(lessons, i);
    gint64 at = ferry_rfc3339_parse(ferry_json_str(o, "time"));
    double age = (double)(now_ms - at);
    if (at < 0 || age > OLDEST_MS || age < -DAY_MS)
      continue;
    double weight = exp2(-MAX(0, age) / HALF_MS);
    lesson_count(&zstd, o, "compressionGainPercent", 100, 100 * MOST_GAIN, weight);
    lesson_count(&xbzrle, o, "xbzrleGainPercent", 1, 100 * MOST_GAIN, weight);
    lesson_count(&cost, o, "switchoverMs", 1000 * LEAST_COST_S, 1000 * MOST_COST_S, weight);
    if (n_writers < G_N_ELEMENTS(writers) && lesson_writer(o, &writers[n_writers]))
      n_writers++;
  }
  *out = (FerryLesson){.gain = {lesson_mean(&zstd) / 100, lesson_mean(&xbzrle) / 100},
                       .switchover_s = lesson_mean(&cost) / 1000};
  if (n_writers == 1 || (n_writers == 2 && lesson_alike(&writers[0], &writers[1])))
    out->writer = writers[0];
  out->steady = n_writers == 2 && out->writer.rounds;
  out->valid = zstd.weight + xbzrle.weight + cost.weight > 0 || out->writer.rounds;
}

FerryLesson ferry_lesson_read(const json_t *o) {
  LessonMean zstd = {0}, xbzrle = {0}, cost = {0};
  FerryLesson l = {0};
  FerryWriter writer;
  lesson_count(&zstd, o, "compressionGainPercent", 100, 100 * MOST_GAIN, 1);
  lesson_count(&xbzrle, o, "xbzrleGainPercent", 1, 100 * MOST_GAIN, 1);
  lesson_count(&cost, o, "switchoverMs", 1000 * LEAST_COST_S, 1000 * MOST_COST_S, 1);
  if (lesson_writer(o, &writer))
    l.writer = writer;
  l.steady = l.writer.rounds && ferry_json_bool(o, "steady", FALSE);
  l.gain = (FerryMeansGain){lesson_mean(&zstd) / 100, lesson_mean(&xbzrle) / 100};
  l.switchover_s = lesson_mean(&cost) / 1000;
  l.valid = zstd.weight + xbzrle.weight + cost.weight > 0 || l.writer.rounds;
  return l;
}

void ferry_lesson_apply(const FerryLesson *l, FerryConvergenceIntent *intent) {
  const FerryWriter *w = &l->writer;
  if (l->switchover_s > 0 && intent->switchover_cost_ms <= 0)
    intent->switchover_cost_ms = (gint64)ceil(l->switchover_s * 1000);
  if (!w->rounds || !l->steady || intent->prior_seconds > 0)
    return;
  /* a round as long as the time constant, of which one alone makes the same writer again */
  gboolean idle = w->pattern == FERRY_WRITER_IDLE;
  intent->prior_seconds = idle ? IDLE_S : w->working_set / w->write_rate;
  intent->prior_dirtied = idle ? 0 : w->working_set * -expm1(-1);
}
