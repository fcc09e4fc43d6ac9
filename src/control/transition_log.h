// SPDX-License-Identifier: Apache-2.0
// The control plane's log of migrations: one line a transition, whoever made it.
#pragma once
#include "store/store.h"

G_BEGIN_DECLS

/** Logs what a change of a migration means to a person: created, a new phase, a cancel asked for,
 * deleted. Says nothing of progress. Changes of other kinds are ignored. */
void ferry_transition_log(const FerryChange *change);

G_END_DECLS
