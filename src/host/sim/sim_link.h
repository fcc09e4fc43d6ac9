// SPDX-License-Identifier: Apache-2.0
// A simulated link: what it carries when. Pure; virtual time only.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  double rate;                 /* bytes/s of the link */
  double cap;                  /* bytes/s while the guest runs; 0: none */
  double told;                 /* bytes/s that QEMU reckons the pause with; 0: the window's */
  double efficiency;           /* bytes of memory per wire byte (compression); 1: none */
  double again;                /* ... of what was sent before; 0: the same */
  double press, press_stopped; /* bytes/s of memory that compressing takes, while the guest runs
                                  and while it stands still; 0: any */
  double stolen;               /* share of a busy guest's time that compressing takes, 0..1 */
  double eps;                  /* fixed cost of the switch-over, seconds */
  double drop_at, drop_to, drop_end; /* between these times the rate is rate x drop_to */
  double wave_s, wave_least; /* packets are lost: every wave_s another share of the rate, from
                                wave_least to 1; 0: none */
} FerrySimLink;

/** Bytes/s at `now`, the cap left out. */
double ferry_sim_link_rate(const FerrySimLink *link, double now);
/** Bytes/s at `now` that a migration may use while its guest runs. */
double ferry_sim_link_wire_rate(const FerrySimLink *link, double now);
/** How many seconds `wire` bytes take from `now` on, at the full rate. */
double ferry_sim_link_sending(const FerrySimLink *link, double now, double wire);
/** ... at the rate that a migration may use while its guest runs. */
double ferry_sim_link_sending_capped(const FerrySimLink *link, double now, double wire);
/** When the rate changes next; INFINITY: never. */
double ferry_sim_link_next_change(const FerrySimLink *link, double now);

G_END_DECLS
