// SPDX-License-Identifier: Apache-2.0
// What a migration may leave behind, and who takes it away:
// - at the target of one that failed: images made for disks that were to be copied there; a copy
//   that waits for the rest of its memory, with the ports that libvirt and QEMU hold for it; a
//   definition of the VM, which never arrived;
// - at the source of one that succeeded: a domain that is neither running nor stored, so that
//   anybody could start it (a zombie), or the definition that was to go (undefineSource).
//
// Written down before it can be made (state_dir/leftovers/UID.json, so an agent that dies forgets
// nothing), and struck out by the worker that ended well. What stays is looked at by a thread of
// its own, from the agent's start on: once ferryd says that the migration is over, and the target
// can be asked, it is removed. What is not certainly this migration's is left alone and named by an
// Event: an image that a domain of the target has by then, or that is not what was made; a
// definition where the target had none before, but not that of the VM here.
//
// Order of locks: `work`, held over calls of hypervisors, then the table's of workers; `lock`
// alone.
#pragma once
#include "agent/core/session.h"
#include "agent/core/workers.h"
#include "host/port/host.h"

G_BEGIN_DECLS

typedef struct _FerryLeftovers FerryLeftovers;

/** All are borrowed. */
typedef struct {
  FerryAgentContext *context;
  FerryAgentSession *session;
  FerryHost *host;
  FerryWorkers *workers;
} FerryLeftoverPorts;

/** Looks at nothing before ferry_leftovers_start. */
FerryLeftovers *ferry_leftovers_new(const FerryLeftoverPorts *ports);
/** Starts its thread. Once. */
void ferry_leftovers_start(FerryLeftovers *leftovers);
/** Joins its thread; after the context was stopped. NULL is fine. */
void ferry_leftovers_free(FerryLeftovers *leftovers);

/* By a migration's worker; `leftovers` may be NULL. */
/** What is known before a migration can leave anything; all borrowed. */
typedef struct {
  const char *uuid, *uri;         /* of the domain, and of the target's hypervisor */
  const json_t *disks;            /* elements of ferry_host_job_disks_plan; NULL: none */
  const FerryDomainState *before; /* the domain at the target; NULL: not known (yet) */
  gboolean undefine;              /* the definition here goes once the VM has moved */
  gboolean offline;               /* it is the definition alone that moves */
} FerryLeftoverNote;
/** The migration `object` may leave something, here or at the target. Before it can; a second note
 * takes the place of the first one, but what an earlier try has seen at the same target holds. */
void ferry_leftovers_begin(FerryLeftovers *leftovers, const json_t *object,
                           const FerryLeftoverNote *note);
typedef enum {
  FERRY_LEFTOVERS_NONE, /* for certain */
  FERRY_LEFTOVERS_SOME, /* or it is not known */
  FERRY_LEFTOVERS_LATE, /* and something may still come to the target: it is looked at again for a
                           while, whatever is there */
} FerryLeftoversLeft;
/** It has ended; what is `left` is looked after. */
void ferry_leftovers_end(FerryLeftovers *leftovers, const json_t *object, FerryLeftoversLeft left);
/** Takes away what earlier migrations of the domain have left, before `object` looks at the target.
 */
void ferry_leftovers_clear(FerryLeftovers *leftovers, const json_t *object, const char *uuid);

typedef enum {
  FERRY_LEFTOVER_WAIT,   /* it is not known yet, or the migration goes on */
  FERRY_LEFTOVER_SWEEP,  /* the VM stayed here: what is at the target is nobody's */
  FERRY_LEFTOVER_FORGET, /* the VM runs on the target: what is here is left of it */
  FERRY_LEFTOVER_DROP,   /* there is nothing to take away */
} FerryLeftoverVerdict;
/** What is to be done about a migration that left something: `object` as ferryd has it, NULL: it
 * no longer has it; `peer`: the domain at the target, NULL: it could not be asked. Pure. */
FerryLeftoverVerdict ferry_leftover_judge(const json_t *object, const FerryDomainState *peer);
/** Of a migration that succeeded, by its note: whether the VM's definition here is left of it, as
 * it was to go and the target has one. Pure. */
gboolean ferry_leftover_undefines(const json_t *note, const FerryDomainState *peer);

G_END_DECLS
