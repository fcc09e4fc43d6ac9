// SPDX-License-Identifier: Apache-2.0
// How a migration's result is handed in.
#pragma once
#include "agent/migration/parts.h"
#include "model/migration/reasons.h"

G_BEGIN_DECLS

/** libvirt's call has returned with `outcome`. */
void ferry_finish_note_call(FerryMigrationParts *m, const FerryOutcome *outcome);
/** Hands in the result of a migration that was under way, and waits until it has arrived, or the
 * agent ends. */
void ferry_finish(FerryMigrationParts *m, const FerryOutcome *outcome);
/** Where it is not known yet which host has the VM: asks on until it is, however long, and does
 * what follows. After ferry_finish. */
void ferry_finish_doubt(FerryMigrationParts *m);
/** Gives the VM's autostart, where it had it, to whoever has the VM now. */
void ferry_finish_autostart(FerryMigrationParts *m);
/** The result of one that did not begin; what was made for it is removed. */
void ferry_finish_before(FerryMigrationParts *m, FerryReason reason, const char *message);
/** The same where it was cancelled; FALSE: it was not. */
gboolean ferry_finish_if_cancelled(FerryMigrationParts *m);
/** Adds to the message of an outcome, where it has one, what a person can do about it. */
void ferry_finish_advise(FerryOutcome *outcome);

G_END_DECLS
