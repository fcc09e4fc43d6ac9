// SPDX-License-Identifier: Apache-2.0
// What a migration may leave behind, and who takes it away: images made on a target for disks that
// were to be copied there, and the domain that libvirt may keep at the source after post-copy,
// neither running nor stored, so that anybody could start it (a zombie).
//
// Written down before it is made (state_dir/leftovers/UID.json, so an agent that dies forgets
// nothing), and struck out by the worker that ended well. What stays is looked at by a thread of
// its own, from the agent's start on: once ferryd says that the migration is over, and the target
// can be asked, it is removed. An image that a domain of the target has by then, or that is not
// what was made, is left alone and named by an Event.
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
/** The migration `object` of the domain `uuid` may leave something: `disks` (elements of
 * ferry_host_job_disks_plan; NULL: none) at the hypervisor `uri`, or a zombie here. Before it can.
 */
void ferry_leftovers_begin(FerryLeftovers *leftovers, const json_t *object, const char *uuid,
                           const char *uri, const json_t *disks);
/** It has ended; `clean`: and left nothing. Else it is looked after. */
void ferry_leftovers_end(FerryLeftovers *leftovers, const json_t *object, gboolean clean);
/** Takes away what earlier migrations of the domain have left, before `object` looks at the target.
 */
void ferry_leftovers_clear(FerryLeftovers *leftovers, const json_t *object, const char *uuid);

typedef enum {
  FERRY_LEFTOVER_WAIT,   /* it is not known yet, or the migration goes on */
  FERRY_LEFTOVER_SWEEP,  /* its images are nobody's */
  FERRY_LEFTOVER_FORGET, /* the VM runs on the target: what is here is a zombie */
  FERRY_LEFTOVER_DROP,   /* there is nothing to take away */
} FerryLeftoverVerdict;
/** What is to be done about a migration that left something: `object` as ferryd has it, NULL: it
 * has it no more; `peer`: the domain at the target, NULL: it could not be asked. Pure. */
FerryLeftoverVerdict ferry_leftover_judge(const json_t *object, const FerryDomainState *peer);

G_END_DECLS
