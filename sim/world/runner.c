// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a world that fails is run again and again, each time without one more of its
// acts; what is left out and not missed stays left out. The acts that stay tell the story, and
// their complement is given as a number that leaves the same ones out again.
#include "sim/world/runner.h"
#include "base/file.h"
#include "base/json.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define RESUME_MAX_BYTES 65536
#define BLOCK 100

double ferry_runner_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- what is left out ---- */

static FerryWorldAct *act_at(const FerryWorldPlan *plan, guint i) {
  return &g_array_index(plan->acts, FerryWorldAct, i);
}

static guint64 left_out_of(const FerryWorldPlan *plan) {
  guint64 mask = 0;
  for (guint i = 0; i < plan->acts->len && i < 64; i++)
    mask |= (guint64)(act_at(plan, i)->off != 0) << i;
  return mask;
}

static FerryWorldPlan *plan_without(guint64 seed, guint64 mask) {
  FerryWorldPlan *plan = ferry_world_plan_draw(seed);
  for (guint i = 0; i < plan->acts->len && i < 64; i++)
    act_at(plan, i)->off = (mask >> i) & 1;
  return plan;
}

static char *run_without(guint64 seed, guint64 mask, GString *log) {
  FerryWorldPlan *plan = plan_without(seed, mask);
  char *violation = ferry_world_run(plan, log, NULL);
  ferry_world_plan_free(plan);
  return violation;
}

/* Fewer acts that still fail; whichever invariant it is. */
static guint64 runner_shrink(guint64 seed, guint64 mask, guint n) {
  for (gboolean less = TRUE; less;) {
    less = FALSE;
    for (guint i = n; i-- > 0;) {
      if (mask & ((guint64)1 << i))
        continue;
      g_autofree char *violation = run_without(seed, mask | ((guint64)1 << i), NULL);
      if (!violation)
        continue;
      mask |= (guint64)1 << i;
      less = TRUE;
    }
  }
  return mask;
}

static void report_failure(guint64 seed, guint64 mask, guint n, const char *violation) {
  printf("world %" G_GUINT64_FORMAT ": %s\n", seed, violation);
  fflush(stdout);
  guint64 small = runner_shrink(seed, mask, n);
  g_autofree char *again = run_without(seed, small, NULL);
  FerryWorldPlan *plan = plan_without(seed, small);
  printf("  with these alone: %s\n", again ? again : "(not found again)");
  for (guint i = 0; i < plan->acts->len; i++) {
    g_autofree char *text = act_at(plan, i)->off ? NULL : ferry_world_act_text(act_at(plan, i));
    if (text)
      printf("    %s\n", text);
  }
  printf("  again: ferry-world --seed %" G_GUINT64_FORMAT " --left-out %" G_GINT64_MODIFIER
         "x --tell\n",
         seed, small);
  fflush(stdout);
  ferry_world_plan_free(plan);
}

/* ---- slices ---- */

typedef struct {
  guint64 next, worlds, failed, migrations, faults;
  double seconds, world_hours;
} Tally;

static gboolean tally_read(const char *path, Tally *t) {
  gsize len = 0;
  if (!path || !g_file_test(path, G_FILE_TEST_EXISTS))
    return TRUE;
  g_autofree char *text = ferry_file_read(path, RESUME_MAX_BYTES, &len, NULL);
  g_autoptr(json_t) object = text ? ferry_json_parse(text, len, NULL) : NULL;
  if (!object) {
    fprintf(stderr,
            "%s cannot be read: expected what an earlier run wrote there; remove it to "
            "begin anew\n",
            path);
    return FALSE;
  }
  t->next = (guint64)ferry_json_int(object, "next", 1);
  t->worlds = (guint64)ferry_json_int(object, "worlds", 0);
  t->failed = (guint64)ferry_json_int(object, "failed", 0);
  t->migrations = (guint64)ferry_json_int(object, "migrations", 0);
  t->faults = (guint64)ferry_json_int(object, "faults", 0);
  t->seconds = ferry_json_real(object, "seconds", 0);
  t->world_hours = ferry_json_real(object, "worldHours", 0);
  return TRUE;
}

static gboolean tally_write(const char *path, const Tally *t) {
  g_autoptr(GError) error = NULL;
  if (!path)
    return TRUE;
  g_autoptr(json_t) object =
      json_pack("{s:I, s:I, s:I, s:I, s:I, s:f, s:f}", "next", (json_int_t)t->next, "worlds",
                (json_int_t)t->worlds, "failed", (json_int_t)t->failed, "migrations",
                (json_int_t)t->migrations, "faults", (json_int_t)t->faults, "seconds", t->seconds,
                "worldHours", t->world_hours);
  g_autofree char *text = ferry_json_dump_pretty(object);
  if (ferry_file_write(path, text, strlen(text), 0644, &error))
    return TRUE;
  fprintf(stderr, "%s\n", error->message);
  return FALSE;
}

/* FALSE: it failed. */
static gboolean run_one(const FerryRunnerOptions *o, guint64 seed, Tally *t) {
  guint64 mask = o->left_out ? g_ascii_strtoull(o->left_out, NULL, 16) : 0;
  FerryWorldCount count = {0};
  FerryWorldPlan *plan = plan_without(seed, mask);
  g_autoptr(GString) log = o->tell ? g_string_new(NULL) : NULL;
  g_autofree char *violation = ferry_world_run(plan, log, &count);
  guint n = MIN(plan->acts->len, 64);
  mask |= left_out_of(plan);
  ferry_world_plan_free(plan);
  t->worlds++;
  t->migrations += count.migrations;
  t->faults += count.faults;
  t->world_hours += (double)count.seconds / 3600;
  if (log)
    printf("%s", log->str);
  if (!violation)
    return TRUE;
  t->failed++;
  if (o->tell)
    printf("world %" G_GUINT64_FORMAT ": %s\n", seed, violation);
  else
    report_failure(seed, mask, n, violation);
  return FALSE;
}

/* One point for a hundred worlds, so that a test counts what was run. */
static void end_block(guint64 next, guint64 *blocks, guint64 *failed) {
  printf("%s %" G_GUINT64_FORMAT " - worlds up to %" G_GUINT64_FORMAT "\n",
         *failed ? "not ok" : "ok", ++*blocks, next - 1);
  fflush(stdout);
  *failed = 0;
}

gint64 ferry_runner_run(const FerryRunnerOptions *o) {
  Tally t = {.next = o->first};
  double began = ferry_runner_clock();
  if (!tally_read(o->resume, &t))
    return -1;
  guint64 done = 0, failed = 0;
  double before = t.seconds;
  guint64 block_failed = 0, blocks = 0;
  while ((!o->worlds || done < o->worlds) &&
         (o->seconds <= 0 || ferry_runner_clock() - began < o->seconds)) {
    gboolean good = run_one(o, t.next++, &t);
    done++;
    failed += !good;
    block_failed += !good;
    if (done % BLOCK == 0)
      end_block(t.next, &blocks, &block_failed);
    if (!good && !o->keep_going)
      break;
  }
  if (done % BLOCK)
    end_block(t.next, &blocks, &block_failed);
  printf("1..%" G_GUINT64_FORMAT "\n", blocks);
  double took = ferry_runner_clock() - began;
  t.seconds = before + took;
  printf("%" G_GUINT64_FORMAT " worlds, %" G_GUINT64_FORMAT " failed, %.1f a second\n", done,
         failed, (double)done / MAX(took, 0.001));
  printf("in all: %" G_GUINT64_FORMAT " worlds, %" G_GUINT64_FORMAT " failed, %" G_GUINT64_FORMAT
         " migrations, %" G_GUINT64_FORMAT " faults, %.1f hours of theirs in %.0f s\n",
         t.worlds, t.failed, t.migrations, t.faults, t.world_hours, t.seconds);
  return tally_write(o->resume, &t) ? (gint64)failed : -1;
}

/* ---- safeguards ---- */

gboolean ferry_runner_safeguards(guint64 first, guint64 most) {
  gboolean all = TRUE;
  for (guint i = 0; i < FERRY_SAFEGUARDS; i++) {
    FerrySafeguard which = (FerrySafeguard)i;
    g_autofree char *violation = NULL;
    guint64 n = 0;
    guint64 from = first ? first : ferry_safeguard_near(which);
    ferry_safeguard_set(which, FALSE);
    while (n < most && !violation)
      violation = run_without(from + n++, 0, NULL);
    ferry_safeguard_set(which, TRUE);
    all = all && violation;
    printf("%s %u - without %s: %s%" G_GUINT64_FORMAT " worlds from %" G_GUINT64_FORMAT ": %s\n",
           violation ? "ok" : "not ok", i + 1, ferry_safeguard_name(which),
           violation ? "missed after " : "not missed in ", n, from,
           violation ? violation : ferry_safeguard_text(which));
    fflush(stdout);
  }
  printf("1..%d\n", FERRY_SAFEGUARDS);
  return all;
}
