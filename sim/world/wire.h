// SPDX-License-Identifier: Apache-2.0
// What lies between agents and ferryd: requests that are late, lost on their way there or back, cut
// off, or served after their sender gave them up. Production's client (client/client.h) ends here.
#pragma once
#include "sim/world/ferryd_api.h"

G_BEGIN_DECLS

/** How bad the network to ferryd is, as shares of requests. */
typedef struct {
  double lost, answer_lost, late;
} FerryWorldWeather;

/** The world whose agents ask. `host` of an agent's client is its configuration's token. */
void ferry_wire_begin(FerryWorldFerryd *ferryd, const FerryWorldWeather *weather);
/** Whether `node` is cut off from ferryd. */
void ferry_wire_cut(const char *node, gboolean cut);
gboolean ferry_wire_is_cut(const char *node);
void ferry_wire_end(void);

G_END_DECLS
