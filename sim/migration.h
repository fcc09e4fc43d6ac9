// SPDX-License-Identifier: Apache-2.0
// A simulated QEMU migration on a virtual clock, driven by the convergence controller that runs in
// production. Deterministic for one set of inputs.
#pragma once
#include "convergence/lesson.h"
#include "host/sim/sim_guest.h"
#include "host/sim/sim_link.h"

G_BEGIN_DECLS

/** How the hypervisor is started and how badly it is heard. */
typedef struct {
  gboolean auto_converge, preempt;
  int fixed_throttle;   /* percent from the start; 0: none */
  double sample_s;      /* between two samples; 0: 0.25 */
  double event_delay_s; /* of pass boundaries and of decisions; 0: 5 ms */
  double lose_samples;  /* share of samples that never come */
  double lose_events;   /* share of pass events that never come */
  guint32 seed;
  double give_up_s;    /* ends the simulation; 0: 600 */
  unsigned means;      /* FerryMean bits that it was started with */
  FerryLesson *learnt; /* gets what it taught, where it moved; NULL */
} FerrySimSettings;

typedef enum {
  FERRY_SIM_DONE,
  FERRY_SIM_ABORTED, /* by a decision; the guest runs on at the source */
  FERRY_SIM_ENDLESS, /* given up by the simulation */
} FerrySimOutcome;

typedef struct {
  FerrySimOutcome outcome;
  double seconds; /* total, the pause included */
  double pause;   /* as QEMU would report it */
  double gap;     /* longest time the guest stood still, as seen from outside */
  double lost;    /* seconds of work */
  double bytes;   /* on the wire */
  int iterations, top_throttle, decisions, raises;
  int stolen;     /* percent of the guest's time that compressing took */
  unsigned means; /* FerryMean bits that it was started with */
  gboolean post_copy, suspended, noted;
  double noted_s;       /* when infeasibility was said */
  int noted_rounds;     /* whole passes until then */
  double largest_limit; /* ms, of all limits set */
  double worst_overrun; /* the largest (pause implied by a limit and the real path) / allowed */
  int raises_too_soon;  /* raises of a plan within two passes of the one before */
  gboolean abort_in_post_copy;
} FerrySimResult;

/** Runs one migration to its end. `intent` goes to the controller as it is. `history` (may be NULL)
 * gets the controller's record. */
FerrySimResult ferry_sim_migrate(const FerrySimGuestSpec *guest, const FerrySimLink *link,
                                 const FerrySimSettings *settings,
                                 const FerryConvergenceIntent *intent, json_t **history);

G_END_DECLS
