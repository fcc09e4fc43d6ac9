// SPDX-License-Identifier: Apache-2.0
// A migration's resolved configuration.
#pragma once
#include "convergence/lesson.h"
#include "host/port/host.h"

G_BEGIN_DECLS

typedef struct {
  FerryMigrateRequest request; /* strings are borrowed from the object */
  char **disks;                /* owned; what request.disks points to */
  gint64 max_downtime_ms, completion_per_gib_s, progress_timeout_s;
  gint64 completion_s; /* of the whole migration, wins over the one per GiB; -1: unset */
  gboolean allow_workload_disruption;
  gint64 max_duration_ms; /* of the intent; 0: whenever */
  int max_slowdown_percent;
  FerryPrefer prefer;
  FerryInfeasible on_infeasible;
  gboolean strict;               /* the pause is a promise */
  gboolean observe_only;         /* the intent's controller only looks on */
  gint64 infeasible_patience_ms; /* 0: for ever */
  gint64 link_rate;              /* bytes/s; 0: unknown */
  gint64 switchover_bandwidth;   /* bytes/s; 0: QEMU measures it */
  int dirty_rate_s;              /* measure the dirty rate for so long first; 0: not */
  gboolean monitor;              /* QEMU's monitor may be used where libvirt has no call */
  gboolean can_throttle;         /* started so that the throttle can be set while it runs */
  gboolean post_copy_preempt;
  unsigned means;                /* FerryMean bits that were chosen; 0: none */
  gboolean unslowed;             /* ... with which the guest need not be slowed */
  gboolean compresses_all;       /* ... of which one compresses every page */
  FerryLesson lesson;            /* what earlier migrations taught */
  gint64 copied_disk_bytes;      /* what timeouts per GiB count besides memory */
  FerrySchedule *schedule;       /* owned; NULL: the intent drives it */
  const FerryStrategy *strategy; /* a preset's own; NULL: the schedule's or the intent's */
} FerrySettings;

/** Of the object `migration`, which must stay. */
void ferry_settings_read(FerrySettings *settings, const json_t *migration);
/** Takes `config` (borrowed) for the request, with the disks that it copies. */
void ferry_settings_use(FerrySettings *settings, const json_t *config);
void ferry_settings_clear(FerrySettings *settings);
/** What is wanted of a VM with `memory` bytes. */
void ferry_settings_intent(const FerrySettings *settings, gint64 memory,
                           FerryConvergenceIntent *intent);

G_END_DECLS
