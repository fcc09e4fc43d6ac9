// SPDX-License-Identifier: Apache-2.0
// What somebody wants to do, as rules judge it.
#pragma once
#include "model/listing/selector.h"

G_BEGIN_DECLS

/** Everything is borrowed. */
typedef struct {
  const char *verb, *group, *resource, *subresource, *ns, *name;
  const char *path;            /* non-resource requests, else NULL */
  const FerrySelector *fields; /* of a list or watch */
} FerryAccess;

G_END_DECLS
