// SPDX-License-Identifier: Apache-2.0
// Each preset against its original's table: what it decides, pass by pass or second by second.
// What is expected was worked out by hand, so that a mistake in presets.c is seen.
#include "convergence/controller.h"
#include "convergence/presets.h"
#include <string.h>

#define GIB (1024LL * 1024 * 1024)

typedef struct {
  FerryConvergence *c;
  gint64 now_us, processed;
  GString *log; /* "100 150@2 postcopy@4" */
} Run;

static void drain(Run *r, const char *at) {
  FerryConvergenceDecision d;
  while (ferry_convergence_next(r->c, r->now_us, &d)) {
    g_autofree char *value = d.action == FERRY_ACTION_SET_DOWNTIME
                                 ? g_strdup_printf("%" G_GINT64_FORMAT, d.value)
                                 : g_strdup(ferry_action_name(d.action));
    g_string_append_printf(r->log, "%s%s%s", r->log->len ? " " : "", value, at);
    g_assert_cmpstr(d.reason, !=, "");
    g_free(d.reason);
  }
}

static Run start(const char *name, gint64 memory, gboolean post_copy, gboolean disruption) {
  const FerryPreset *p = ferry_preset_find(name);
  g_assert_nonnull(p);
  FerryConvergenceIntent intent = {.max_downtime_ms =
                                       p->max_downtime_ms > 0 ? p->max_downtime_ms : 300,
                                   .memory_bytes = memory,
                                   .allow_post_copy = post_copy,
                                   .allow_workload_disruption = disruption,
                                   .schedule = &p->schedule};
  Run r = {.c = ferry_convergence_new(&intent, 0), .log = g_string_new(NULL)};
  drain(&r, "");
  return r;
}

static void tick(Run *r, gint64 ms, gint64 remaining, int iteration, const char *at) {
  r->now_us += ms * 1000;
  r->processed += 1000000;
  FerryConvergenceSample s = {.processed = r->processed,
                              .remaining = remaining,
                              .total = GIB,
                              .rate = 100000000,
                              .iteration = iteration};
  ferry_convergence_sample(r->c, &s, r->now_us);
  ferry_convergence_iteration(r->c, iteration, r->now_us);
  drain(r, at);
}

static void finish(Run *r, const char *name, const char *wanted) {
  g_test_message("%s: %s", name, r->log->str);
  g_assert_cmpstr(r->log->str, ==, wanted);
  g_string_free(r->log, TRUE);
  ferry_convergence_free(r->c);
}

/* 12 s a pass, so that each of VDSM's looks finds one more: the first pass it sees is 1, and a
 * limit of n acts in pass n + 2 */
static void test_ovirt(void) {
  static const struct {
    const char *name, *wanted, *compression;
    gboolean auto_converge;
    int per_host;
  } rows[] = {
      {"ovirt-legacy", "101 104@3 120@4 189@5 500@6 Abort@45", NULL, FALSE, 2},
      {"ovirt-minimal-downtime", "100 150@3 200@4 300@5 400@6 500@8 Abort@9", NULL, TRUE, 2},
      {"ovirt-suspend-workload", "100 150@3 200@4 300@5 400@6 500@8 5000@9 Abort@10", "xbzrle",
       TRUE, 1},
      {"ovirt-post-copy", "100 150@3 200@4 StartPostCopy@5", NULL, TRUE, 2},
      {"ovirt-very-large", "300 400@3 500@4 700@5 1000@6 1500@8 5000@9 Abort@10", NULL, TRUE, 1},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    const FerryPreset *p = ferry_preset_find(rows[i].name);
    Run r = start(rows[i].name, GIB, TRUE, FALSE);
    for (int iteration = 1; iteration <= 60; iteration++)
      for (int k = 0; k < 24; k++) { /* several looks a pass: still one action each */
        g_autofree char *at = g_strdup_printf("@%d", iteration);
        tick(&r, 500, 50000000, iteration, at);
      }
    g_assert_cmpint(p->schedule.auto_converge, ==, rows[i].auto_converge);
    g_assert_cmpstr(p->schedule.compression, ==, rows[i].compression);
    g_assert_cmpint(p->max_outbound, ==, rows[i].per_host);
    g_assert_cmpint(p->max_inbound, ==, rows[i].per_host);
    finish(&r, rows[i].name, rows[i].wanted);
  }
}

/* short passes: one action for each look, 10 s apart, however many passes began between them; a
 * look that finds no new pass does nothing */
static void test_ovirt_looks(void) {
  Run r = start("ovirt-minimal-downtime", GIB, FALSE, FALSE);
  for (int k = 1; k <= 80;
       k++) { /* the first look finds pass 6; from 31 s on it rests in pass 20 */
    g_autofree char *at = g_strdup_printf("@%d", k);
    tick(&r, 1000, 50000000, k < 10 ? 1 : MIN(k - 4, 27), at);
  }
  finish(&r, "short passes", "100 150@20 200@30 300@40");
}

/* "abort@5 if the switch failed", and only then */
static void test_switch_failed(void) {
  Run r = start("ovirt-post-copy", GIB, TRUE, FALSE);
  for (int iteration = 1; iteration <= 9; iteration++) {
    tick(&r, 12000, 50000000, iteration, "");
    if (iteration == 5)
      ferry_convergence_refused(r.c, FERRY_ACTION_START_POSTCOPY);
  }
  finish(&r, "refused", "100 150 200 StartPostCopy Abort");
}

static void test_kubevirt(void) {
  static const struct {
    const char *name;
    gint64 gib;
    gboolean post_copy, disruption;
    const char *wanted;
    gint64 seconds;
  } rows[] = {
      {"kubevirt-classic", 8, FALSE, FALSE, "300 Abort", 6400}, /* seeds: 8 GiB x 800 s */
      {"kubevirt-classic", 1, TRUE, FALSE, "300 Abort", 800},   /* without disruption: never */
      /* its launcher sets no limit: QEMU's stays */
      {"kubevirt", 2, FALSE, FALSE, "300 Abort", 300},
      {"kubevirt", 2, TRUE, TRUE, "300 StartPostCopy", 300},
      {"kubevirt", 2, FALSE, TRUE, "300 Suspend Abort", 600}, /* the deadline doubles */
      {"kubevirt-vep246", 2, FALSE, FALSE, "300 Abort", 300},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    Run r = start(rows[i].name, rows[i].gib * GIB, rows[i].post_copy, rows[i].disruption);
    gint64 ended = 0;
    for (int k = 1; k < 30000; k++) {
      gsize before = r.log->len;
      /* remaining falls and rises: progress against the previous look, for ever */
      tick(&r, 400, k % 2 ? 50000000 : 60000000, 1, "");
      if (r.log->len != before)
        ended = r.now_us / G_USEC_PER_SEC;
    }
    g_assert_cmpint(ABS(ended - rows[i].seconds), <=, 1);
    finish(&r, rows[i].name, rows[i].wanted);
  }
  g_assert_cmpint(ferry_preset_find("kubevirt-classic")->schedule.bandwidth, ==, 67108864);
  g_assert_cmpstr(ferry_preset_find("kubevirt-vep246")->schedule.compression, ==, "zstd");
  g_assert_cmpint(ferry_preset_find("kubevirt-vep246")->schedule.connections, ==, 8);
}

/* VEP 248: what remains at each pass boundary (MiB; 5 s a pass at 100 MB/s), and what is decided at
 * which */
typedef struct {
  const char *what;
  gint64 max_ms;
  gboolean post_copy, disruption;
  int mib[24]; /* the last one repeats */
  const char *wanted;
} StallCase;

static void test_vep248(void) {
  static const StallCase cases[] = {
      /* falls by more than the margin within every window: no stall before it rests */
      {"falls",
       900,
       FALSE,
       FALSE,
       {2000, 1900, 1800, 1700, 1600, 1500, 1400, 1300, 1200, 1100, 1000, 900,
        800,  700,  600,  500,  400,  300,  250,  200,  150,  100,  50,   40},
       "300 Note@32 900@32"},
      /* the same again after 40 s: at once, it is as good as the best */
      {"plateau within reach", 900, FALSE, FALSE, {80}, "300 Note@9 900@9 Abort@22"},
      /* 120 MiB are 1258 ms: less than 1.5 times 900 */
      {"nearly within reach", 900, FALSE, FALSE, {120}, "300 Note@9 900@9 Abort@22"},
      {"out of reach", 900, FALSE, FALSE, {200}, "300 Note@9 Abort@9"},
      {"a lower maximum", 200, FALSE, FALSE, {25}, "200 Note@9 200@9 Abort@22"},
      {"post-copy", 900, TRUE, TRUE, {200}, "300 Note@9 StartPostCopy@9"},
      {"post-copy without disruption", 900, TRUE, FALSE, {200}, "300 Note@9 Abort@9"},
      {"any pause", 900, FALSE, TRUE, {200}, "300 Note@9 2000000@9 Abort@22"},
      /* the best were 80 MiB in the window: 100 is waited over, 82 is within 4 % of it */
      {"waits for the minimum",
       900,
       FALSE,
       FALSE,
       {100, 100, 80, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 82, 100},
       "300 Note@9 900@16 Abort@29"},
      /* it never comes back: after 40 s the lowest since, 100, is taken for it */
      {"relaxes", 900, FALSE, FALSE, {100, 100, 80, 110, 100, 110}, "300 Note@9 900@17 Abort@30"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    const StallCase *k = &cases[i];
    const FerryPreset *p = ferry_preset_find("kubevirt-vep248");
    FerryConvergenceIntent intent = {.max_downtime_ms = k->max_ms,
                                     .memory_bytes = 8 * GIB,
                                     .allow_post_copy = k->post_copy,
                                     .allow_workload_disruption = k->disruption,
                                     .schedule = &p->schedule};
    Run r = {.c = ferry_convergence_new(&intent, 0), .log = g_string_new(NULL)};
    drain(&r, "");
    for (int pass = 1; pass <= 40; pass++) {
      int at = MIN(pass - 1, (int)G_N_ELEMENTS(k->mib) - 1);
      while (at > 0 && !k->mib[at])
        at--;
      g_autofree char *text = g_strdup_printf("@%d", pass);
      for (int t = 0; t < 12; t++) /* 400 ms each; the last one is the boundary's */
        tick(&r, t < 11 ? 400 : 600, (gint64)k->mib[at] << 20, pass + (t == 11), text);
    }
    finish(&r, k->what, k->wanted);
  }
}

/* its completion timeout: what would not end within twice of it is not begun */
static void test_vep248_completion(void) {
  static const struct {
    gint64 mib;
    gboolean post_copy, disruption;
    const char *wanted;
  } cases[] = {
      {2000, FALSE, FALSE, "300 Abort@151"},
      {2000, TRUE, TRUE, "300 StartPostCopy@151"},
      {2000, TRUE, FALSE, "300 StartPostCopy@151"}, /* disruption or not */
      {2000, FALSE, TRUE, "300 2000000@151 Abort@212"},
      {40000, FALSE, FALSE, "300 Abort@151"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    FerryConvergenceIntent intent = {.max_downtime_ms = 900,
                                     .memory_bytes = GIB,
                                     .allow_post_copy = cases[i].post_copy,
                                     .allow_workload_disruption = cases[i].disruption,
                                     .schedule = &ferry_preset_find("kubevirt-vep248")->schedule};
    Run r = {.c = ferry_convergence_new(&intent, 0), .log = g_string_new(NULL)};
    drain(&r, "");
    for (int t = 1; t < 600; t++) {
      g_autofree char *at = g_strdup_printf("@%d", t * 4 / 10);
      tick(&r, 400, cases[i].mib << 20, 1, at);
    }
    finish(&r, "completion", cases[i].wanted);
  }
}

/* A course as KubeVirt's launcher would hear it: events of passes and, 400 ms after the last thing
 * it heard, a poll, with what remains (MiB) and the rate (MiB/s) at each. */
typedef struct {
  gint64 at_ms;
  int pass, mib, rate;
} Heard;

static void vep248_hear(Run *r, const Heard *h) {
  g_autofree char *at = g_strdup_printf("@%" G_GINT64_FORMAT, h->at_ms);
  r->now_us = h->at_ms * 1000;
  r->processed += 1000000;
  FerryConvergenceSample s = {.processed = r->processed,
                              .remaining = (gint64)h->mib << 20,
                              .total = GIB,
                              .rate = (gint64)h->rate << 20};
  ferry_convergence_sample(r->c, &s, r->now_us);
  if (h->pass)
    ferry_convergence_iteration(r->c, h->pass, r->now_us);
  drain(r, at);
}

/* The whole rule on one course. Worked by hand through stall-detector.go: the first boundary has no
 * bandwidth yet and counts for nothing; 210 MiB at 8 s and 205 at 14 s are the marks; at 54.2 s 205
 * is older than 40 s and 199 is not 4 % less: it stalls, and 160 MiB at 30 s is the best so far, so
 * that 1.04 times that is waited for. At 94.2 s the patience is over, and the lowest since, 190,
 * becomes the target, which 196 meets. The smoothed rate is between 160 and 200 MiB/s then, which
 * makes 980 to 1225 ms: beyond 900, but within 1.5 times that. A minute later it is given up. */
static void test_vep248_course(void) {
  static const Heard course[] = {
      {400, 0, 900, 0},      {4000, 2, 100, 0},     {4400, 0, 300, 200},  {8000, 3, 210, 200},
      {8400, 0, 150, 200},   {14000, 4, 205, 200},  {30000, 5, 160, 200}, {48000, 6, 201, 200},
      {48400, 0, 180, 160},  {54200, 7, 199, 160},  {60000, 8, 190, 160}, {80000, 9, 220, 160},
      {94000, 10, 215, 160}, {94200, 11, 196, 160}, {94400, 0, 50, 160},  {154000, 12, 200, 160},
      {154900, 0, 100, 160}, {155400, 0, 90, 160},
  };
  Run r = start("kubevirt-vep248", 8 * GIB, FALSE, FALSE);
  for (gsize i = 0; i < G_N_ELEMENTS(course); i++)
    vep248_hear(&r, &course[i]);
  finish(&r, "course", "300 Note@54200 900@94200 Abort@155400");
}

/* 150 s without less than at the previous look */
static void test_kubevirt_progress(void) {
  Run r = start("kubevirt", 8 * GIB, FALSE, FALSE);
  tick(&r, 400, 50000000, 1, "");
  while (!strstr(r.log->str, "Abort") && r.now_us < 400LL * G_USEC_PER_SEC)
    tick(&r, 400, 50000000, 1, "");
  g_assert_cmpint(ABS(r.now_us / G_USEC_PER_SEC - 150), <=, 1);
  finish(&r, "kubevirt", "300 Abort");
}

/* an 8 GiB guest starts at 50 ms and reaches 500 ms after 6000 s; 800 s per GiB is the end */
static void test_nova(void) {
  Run r = start("nova", 8 * GIB, FALSE, FALSE);
  while (r.now_us < 6500LL * G_USEC_PER_SEC) {
    g_autofree char *at = g_strdup_printf("@%d", (int)((r.now_us + 500000) / G_USEC_PER_SEC));
    tick(&r, 500, 50000000, 1, at);
  }
  finish(&r, "nova",
         "50 95@600 140@1200 185@1800 230@2400 275@3000 320@3600 365@4200 410@4800 455@5400 "
         "500@6000 Abort@6400");
}

/* Nova counts a small guest as one of 2 GiB */
static void test_nova_small(void) {
  Run r = start("nova", GIB / 2, FALSE, FALSE);
  while (r.now_us < 1700LL * G_USEC_PER_SEC) {
    g_autofree char *at = g_strdup_printf("@%d", (int)((r.now_us + 500000) / G_USEC_PER_SEC));
    tick(&r, 500, 50000000, 1, at);
  }
  finish(&r, "nova",
         "50 95@150 140@300 185@450 230@600 275@750 320@900 365@1050 410@1200 455@1350 500@1500 "
         "Abort@1600");
}

/* ... and the disks that are copied likewise, beside the memory and not together with it. */
static void test_nova_disks(void) {
  static const struct {
    gint64 memory, disks;
    int first_s;
  } rows[] = {{GIB / 2, 0, 150},
              {GIB / 2, GIB / 2, 300},
              {GIB, 10 * GIB, 900},
              {8 * GIB, GIB, 750},
              {4 * GIB, 4 * GIB, 600}};
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    FerryConvergenceIntent intent = {.max_downtime_ms = 500,
                                     .memory_bytes = rows[i].memory + rows[i].disks,
                                     .disk_bytes = rows[i].disks,
                                     .schedule = &ferry_preset_find("nova")->schedule};
    Run r = {.c = ferry_convergence_new(&intent, 0), .log = g_string_new(NULL)};
    drain(&r, "");
    while (r.now_us < (rows[i].first_s + 1LL) * G_USEC_PER_SEC) {
      g_autofree char *at = g_strdup_printf("@%d", (int)((r.now_us + 500000) / G_USEC_PER_SEC));
      tick(&r, 500, 50000000, 1, at);
    }
    g_autofree char *wanted = g_strdup_printf("50 95@%d", rows[i].first_s);
    finish(&r, "nova", wanted);
  }
}

/* The ramp of VEP 291 as it was built: 150 ms, and from pass 3 on, ten seconds after the last step
 * at the least, a seventh of the way more, in whole ms; what that leaves is a step of its own */
static void test_vep291(void) {
  static const struct {
    gint64 max_ms;
    const char *wanted;
  } rows[] = {
      {1050, "150 278@75 406@85 534@95 662@105 790@115 918@125 1046@135 1050@145"},
      {450, "150 192@75 234@85 276@95 318@105 360@115 402@125 444@135 450@145"},
      {155, "150 151@75 152@85 153@95 154@105 155@115"},
      {100, "100"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    FerryConvergenceIntent intent = {.max_downtime_ms = rows[i].max_ms,
                                     .memory_bytes = 2 * GIB,
                                     .schedule = &ferry_preset_find("kubevirt-vep291")->schedule};
    Run r = {.c = ferry_convergence_new(&intent, 0), .log = g_string_new(NULL)};
    drain(&r, "");
    for (int t = 1; t <= 290 * 10 / 4; t++) { /* pass 3 begins at 75 s */
      int s = t * 4 / 10;
      g_autofree char *at = g_strdup_printf("@%d", s - s % 5);
      tick(&r, 400, t % 2 ? 50000000 : 60000000, s < 40 ? 1 : s < 75 ? 2 : 3 + (s - 75), at);
    }
    finish(&r, "ramp", rows[i].wanted);
  }
}

/* doubles whenever what remains has risen, or was nothing, more than five times; a fall does not
 * reset it */
static void test_proxmox(void) {
  Run r = start("proxmox", GIB, FALSE, FALSE);
  gint64 remaining = 100000000; /* far from the end: a look a second */
  for (int k = 0; k <= 24; k++) {
    remaining += k % 2 ? 1000 : -900;
    g_autofree char *at = g_strdup_printf("@%d", k);
    tick(&r, 1000, remaining, 1, at);
  }
  finish(&r, "proxmox", "100 200@11 400@23");
  r = start("proxmox", GIB, FALSE, FALSE);
  for (int k = 0; k < 400; k++)
    tick(&r, 1000, 100000000 + k, 1, "");
  g_assert_cmpint(ferry_convergence_downtime_ms(r.c), ==, 2000000);
  g_string_free(r.log, TRUE);
  ferry_convergence_free(r.c);
}

/* near the end, where less remains than it sends between two looks, it looks every 100 ms and stays
 * at that; nothing left counts; a look at which nothing was sent does not */
static void test_proxmox_near(void) {
  Run r = start("proxmox", GIB, FALSE, FALSE);
  for (int k = 1; k <= 50; k++) /* 10 MB/s: 100 ms send a tenth of what a second did */
    tick(&r, 100, 50000000 - k * 900000, 1, "");
  g_assert_cmpstr(r.log->str, ==, "100");
  for (int k = 1; k <= 12; k++) { /* 1.2 s */
    g_autofree char *at = g_strdup_printf("@%d", k);
    tick(&r, 100, k % 2 ? 0 : 2000000, 2, at);
  }
  g_assert_cmpstr(r.log->str, ==, "100 200@11");
  for (int k = 1; k <= 12; k++) {
    r.processed -= 1000000; /* nothing moves */
    tick(&r, 100, 2000000 + k, 2, "");
  }
  for (int k = 1; k <= 6; k++) { /* what rose meanwhile is seen now: the first of six rises */
    g_autofree char *at = g_strdup_printf("@%d", k);
    r.processed += k == 1 ? 1000000 : 0;
    tick(&r, 100, 2000004 + k, 2, at);
  }
  finish(&r, "near", "100 200@11 400@6");
}

/* every shipped list of steps is a valid schedule in oVirt's own format */
static void test_valid(void) {
  gsize n;
  const FerryPreset *all = ferry_presets(&n);
  g_assert_cmpint((int)n, ==, 14);
  for (gsize i = 0; i < n; i++) {
    g_assert_true(ferry_preset_find(all[i].name) == &all[i]);
    g_assert_nonnull(all[i].doc);
    /* where each rule of others was read stands with it */
    g_assert_true(all[i].intent || all[i].strategy ||
                  (all[i].source.project && all[i].source.file && all[i].source.version &&
                   *all[i].source.version));
    if (!g_str_has_prefix(all[i].name, "ovirt"))
      continue;
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) o = ferry_schedule_to_json(&all[i].schedule);
    g_autoptr(FerrySchedule) s = ferry_schedule_parse(o, all[i].name, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(s->steps, sizeof(s->steps), all[i].schedule.steps, sizeof(s->steps));
  }
  g_assert_null(ferry_preset_find("unknown"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/presets/ovirt", test_ovirt);
  g_test_add_func("/presets/switch-failed", test_switch_failed);
  g_test_add_func("/presets/ovirt-looks", test_ovirt_looks);
  g_test_add_func("/presets/kubevirt", test_kubevirt);
  g_test_add_func("/presets/kubevirt-progress", test_kubevirt_progress);
  g_test_add_func("/presets/vep248", test_vep248);
  g_test_add_func("/presets/vep248-completion", test_vep248_completion);
  g_test_add_func("/presets/vep248-course", test_vep248_course);
  g_test_add_func("/presets/nova", test_nova);
  g_test_add_func("/presets/nova-small", test_nova_small);
  g_test_add_func("/presets/nova-disks", test_nova_disks);
  g_test_add_func("/presets/vep291", test_vep291);
  g_test_add_func("/presets/proxmox", test_proxmox);
  g_test_add_func("/presets/proxmox-near", test_proxmox_near);
  g_test_add_func("/presets/valid", test_valid);
  return g_test_run();
}
