// SPDX-License-Identifier: Apache-2.0
#include "host/sim/sim_link.h"
#include <math.h>

double ferry_sim_link_rate(const FerrySimLink *l, double now) {
  return l->drop_to > 0 && now >= l->drop_at && now < l->drop_end ? l->rate * l->drop_to : l->rate;
}

double ferry_sim_link_wire_rate(const FerrySimLink *l, double now) {
  double rate = ferry_sim_link_rate(l, now);
  return l->cap > 0 ? MIN(rate, l->cap) : rate;
}

double ferry_sim_link_sending(const FerrySimLink *l, double now, double wire) {
  double rate = ferry_sim_link_rate(l, now);
  double change = l->drop_to <= 0 ? INFINITY : now < l->drop_at ? l->drop_at : l->drop_end;
  if (now >= change || now + wire / rate <= change)
    return wire / rate;
  double rest = wire - rate * (change - now);
  return change - now + rest / ferry_sim_link_rate(l, change);
}

double ferry_sim_link_next_change(const FerrySimLink *l, double now) {
  if (l->drop_to > 0 && l->drop_at > now)
    return l->drop_at;
  return l->drop_to > 0 && l->drop_end > now ? l->drop_end : INFINITY;
}
