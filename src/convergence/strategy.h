// SPDX-License-Identifier: Apache-2.0
// A way to drive a migration until it converges: what the controller asks at its start, at each
// pass and after each sample. The intent (intent.c) and the schedules of other systems
// (schedule_run.c) are two of them. To add one: its file, with a FerryStrategy ferry_strategy_NAME
// at its end, its line in `convergence_strategies` (meson.build), and
// tests/convergence/test-NAME.c. It is chosen by the preset that it brings. The list is in
// strategies.c.
#pragma once
#include "convergence/presets.h"
#include "convergence/types.h"

G_BEGIN_DECLS

struct _FerryStrategy {
  const char *name;
  const FerryPreset *preset; /* its own, in `preset: NAME`; NULL: those of presets.c */
  gsize state_size;          /* of its state, ferry_convergence_state(), zeroed; 0: none */
  gboolean makes_up_for_cap; /* its limits under a bandwidth cap are higher than the pause meant */
  /** All with a monotonic time in us; each may decide by ferry_decide(). */
  void (*start)(FerryConvergence *c, gint64 now_us);    /* must decide the first limit */
  void (*boundary)(FerryConvergence *c, gint64 now_us); /* a pass began; NULL: nothing */
  void (*tick)(FerryConvergence *c, gint64 now_us);     /* after each sample */
  /** When there was progress last, for the progress timeout; NULL: a new best. */
  gint64 (*progressed_us)(const FerryConvergence *c);
  /** Whether it has an end of its own in place of the completion timeout; NULL: no. */
  gboolean (*has_own_end)(const FerryConvergence *c);
};

/** All, `n` in number: the first drives where no other is asked for. */
const FerryStrategy *const *ferry_strategies(gsize *n);
extern const FerryStrategy ferry_strategy_intent;
extern const FerryStrategy ferry_strategy_schedule;

G_END_DECLS
