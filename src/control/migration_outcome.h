// SPDX-License-Identifier: Apache-2.0
// Guards and actions that decide how a migration ended.
#pragma once
#include "control/migration_step.h"
#include "model/domain/domain_states.h"

G_BEGIN_DECLS

/** Whether it is a forecast whose agent has handed the figures in. */
gboolean ferry_step_guard_forecast(FerryStep *s);
/** Ends a forecast: nothing was moved. */
void ferry_step_act_forecast(FerryStep *s);
/** Whether the VM has certainly moved: the agent's result is there, and both hosts' states mean
 * that (outcome.h). Stamps by ferryd's clock when the result came. */
gboolean ferry_step_guard_arrived(FerryStep *s);
/** Whether the VM has certainly stayed where it was. */
gboolean ferry_step_guard_stayed(FerryStep *s);
/** Whether it certainly ended otherwise: stopped, lost, broken in post-copy, suspended, gone, or
 * there twice. */
gboolean ferry_step_guard_lost(FerryStep *s);
/** Whether the source's agent has been silent for FERRY_LOST_AGENT_TIMEOUT_MS without a result.
 * Until then it says that libvirt goes on by itself. */
gboolean ferry_step_guard_agent_lost(FerryStep *s);
/** Ends it as done, with what it took. */
void ferry_step_act_succeed(FerryStep *s);
/** Fails it with the agent's reason, and says where the VM is. */
void ferry_step_act_stayed(FerryStep *s);
/** Fails it with the outcome's reason, what both hosts say, and what a person can do. */
void ferry_step_act_lost(FerryStep *s);
/** Whether only a host that can't speak knows the outcome, and that was not said yet. It is
 * decided when that host speaks, or its Node is deleted. */
gboolean ferry_step_guard_unknown(FerryStep *s);
/** Makes an event of what ferry_step_guard_unknown has written. */
void ferry_step_act_unknown(FerryStep *s);
/** Fails it: the source's host is lost, and what the target reports is said. */
void ferry_step_act_agent_lost(FerryStep *s);
/** Nobody says now what there is on the target. */
gboolean ferry_step_target_is_silent(const FerryStep *s);
/** What the target has of the VM, where its report has no domain: nothing, or nobody knows. */
FerryVmState ferry_step_rest_at_target(const FerryStep *s);

G_END_DECLS
