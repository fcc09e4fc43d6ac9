// SPDX-License-Identifier: Apache-2.0
// What is asked for: the migration's object, as the worker was given it, and what of its
// configuration the worker has settled before the call. The worker's own; no lock. asked.c alone
// writes it: who settles something says so by one of the calls below.
#pragma once
#include "agent/migration/state/settings.h"
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
/** Which domain it is: `uuid` is taken over; NULL: not known yet. */
void ferry_asked_set_uuid(FerryAsked *asked, char *uuid);
/** What the domain is like before anything is done. */
void ferry_asked_set_domain(FerryAsked *asked, const FerryDomainState *state);
/** Post-copy is of no use to it, or is not to be used. */
void ferry_asked_forgo_post_copy(FerryAsked *asked);
/** The means of its intent (FerryMean bits), with `connections` where they are parallel. */
void ferry_asked_set_means(FerryAsked *asked, unsigned means, int connections);
/** ... with which the guest need not be slowed, or may have to be. */
void ferry_asked_set_unslowed(FerryAsked *asked, gboolean unslowed);
/** The FerryMean bits of compression that its configuration has, whoever chose them. */
unsigned ferry_asked_compression(const FerryAsked *asked);
/** libvirt begins with auto-converge at `initial` percent and raises it by `increment`. */
void ferry_asked_set_auto_converge(FerryAsked *asked, int initial, int increment);
/** The throttle can be set while it runs, or not. */
void ferry_asked_set_can_throttle(FerryAsked *asked, gboolean can_throttle);
/** Goes by `config` (taken over), which copies other disks than the object's. */
void ferry_asked_set_disks(FerryAsked *asked, json_t *config);
/** Disks are copied, whatever the configuration says: an agent before this one chose them. */
void ferry_asked_set_copies(FerryAsked *asked);

G_END_DECLS
