// SPDX-License-Identifier: Apache-2.0
#include "host/sim/sim_link.h"
#include <math.h>

/* What is left of the rate where packets are lost: by the number of the wave. */
static double sim_link_wave(const FerrySimLink *l, double now) {
  if (l->wave_s <= 0)
    return 1;
  double x = sin(floor(now / l->wave_s) * 78.233 + 12.9898) * 43758.5453;
  return l->wave_least + (1 - l->wave_least) * (x - floor(x));
}

double ferry_sim_link_rate(const FerrySimLink *l, double now) {
  gboolean low = l->drop_to > 0 && now >= l->drop_at && now < l->drop_end;
  return l->rate * (low ? l->drop_to : 1) * sim_link_wave(l, now);
}

double ferry_sim_link_wire_rate(const FerrySimLink *l, double now) {
  double rate = ferry_sim_link_rate(l, now);
  return l->cap > 0 ? MIN(rate, l->cap) : rate;
}

static double sim_link_seconds(const FerrySimLink *l, double now, double wire,
                               double (*rate_at)(const FerrySimLink *, double)) {
  double at = now;
  for (;;) {
    double rate = rate_at(l, at), change = ferry_sim_link_next_change(l, at);
    if (wire <= rate * (change - at))
      return at + wire / rate - now;
    wire -= rate * (change - at);
    at = change;
  }
}

double ferry_sim_link_sending(const FerrySimLink *l, double now, double wire) {
  return sim_link_seconds(l, now, wire, ferry_sim_link_rate);
}

double ferry_sim_link_sending_capped(const FerrySimLink *l, double now, double wire) {
  return sim_link_seconds(l, now, wire, ferry_sim_link_wire_rate);
}

double ferry_sim_link_next_change(const FerrySimLink *l, double now) {
  double next = INFINITY;
  if (l->drop_to > 0 && l->drop_at > now)
    next = l->drop_at;
  else if (l->drop_to > 0 && l->drop_end > now)
    next = l->drop_end;
  if (l->wave_s > 0)
    next = MIN(next, (floor(now / l->wave_s) + 1) * l->wave_s + 1e-9);
  return next;
}
