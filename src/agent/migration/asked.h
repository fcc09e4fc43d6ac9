// SPDX-License-Identifier: Apache-2.0
// What is asked for: the migration's object, as the worker was given it, and what of its
// configuration the worker has settled before the call. The worker's own; no lock.
#pragma once
#include "agent/migration/settings.h"
#include "base/json.h"

G_BEGIN_DECLS

typedef struct {
  json_t *object;
  const char *uid, *ns, *name, *vmi_name; /* in object */
  gboolean local;                         /* of this host's socket: no server knows it */
  gboolean adopted;                       /* it ran before this agent began */
  char *uuid;                             /* of the domain; NULL: not known yet */
  FerrySettings settings;
  json_t *own_config; /* settings.request.config where it is not the object's own */
} FerryAsked;

/** Copies `object`. */
void ferry_asked_init(FerryAsked *asked, const json_t *object, gboolean local);
void ferry_asked_clear(FerryAsked *asked);
/** Goes by `config` (taken over) in place of the object's. */
void ferry_asked_set_config(FerryAsked *asked, json_t *config);

G_END_DECLS
