// SPDX-License-Identifier: Apache-2.0
// Guards and actions of a migration until its source's agent takes it over.
#pragma once
#include "control/migration_step.h"

G_BEGIN_DECLS

/** Whether somebody asked for a cancel. */
gboolean ferry_step_guard_cancelled(FerryStep *s);
/** Whether the VM's object is not there any more. */
gboolean ferry_step_guard_vm_gone(FerryStep *s);
/** Whether the VM neither runs nor is paused, though it is not to be moved while it is off. */
gboolean ferry_step_guard_vm_off(FerryStep *s);
/** Whether its turn has come: nothing is frozen, its source is ready, none goes before it and the
 * limits have room. Else it writes its place in the queue and what it waits for. */
gboolean ferry_step_guard_admitted(FerryStep *s);
/** Chooses a target, the network and the address; where there is one, writes where the VM goes.
 * Else it writes all refusals, and what it waits for. */
gboolean ferry_step_guard_placed(FerryStep *s);
/** Whether nothing new may start (`ferry freeze`). */
gboolean ferry_step_guard_frozen(FerryStep *s);
/** Whether no host can take it, or none could for FERRY_UNSCHEDULABLE_TIMEOUT_MS; a freeze is
 * waited for without end. */
gboolean ferry_step_guard_unplaceable(FerryStep *s);
/** Whether the source's agent has not taken it up within FERRY_ACCEPT_TIMEOUT_MS. */
gboolean ferry_step_guard_not_accepted(FerryStep *s);
/** Writes the migration's UID and the host that the VM leaves. */
void ferry_step_act_begin(FerryStep *s);
/** Fails it as cancelled before it began. */
void ferry_step_act_cancelled(FerryStep *s);
/** Fails it: the VM is on no host any more. */
void ferry_step_act_vm_gone(FerryStep *s);
/** Fails it: the VM does not run any more. */
void ferry_step_act_vm_off(FerryStep *s);
/** Writes what the agent needs to begin: the resolved configuration with its origins, the state
 * that the VM is in, and ferryd's own stamp of the start. */
void ferry_step_act_place(FerryStep *s);
/** Fails it with all refusals. */
void ferry_step_act_unplaceable(FerryStep *s);
/** Fails it: the source's agent does not answer. */
void ferry_step_act_not_accepted(FerryStep *s);
/** Whether a host can take the VM now. */
gboolean ferry_step_has_target(FerryStep *s);

G_END_DECLS
