// SPDX-License-Identifier: Apache-2.0
// Which priority level a request has. Pure.
#pragma once
#include "api/http/flow.h"

G_BEGIN_DECLS

/** Who asks, as far as levels distinguish them. */
typedef enum { FERRY_ASKER_UNKNOWN, FERRY_ASKER_AGENT, FERRY_ASKER_USER } FerryAsker;

typedef struct {
  FerryLevel level;
  gboolean quick;     /* may be answered on the spot, without a seat */
  gboolean wide;      /* its cost is that of many objects of `plural` */
  const char *plural; /* of a collection, borrowed from the segments; NULL: none */
} FerryLevelChoice;

/** `segments` are of the path, NULL-ended; `watch`: a GET asks for a watch. Judges nothing but the
 * form: whether there is such a path, and who may use it, is found out later. */
FerryLevelChoice ferry_level_choose(const char *method, char *const *segments, gboolean watch,
                                    FerryAsker asker);

G_END_DECLS
