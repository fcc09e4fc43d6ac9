// SPDX-License-Identifier: Apache-2.0
// What can be changed of a migration while it runs, as data: status.changes[].fields. The API, the
// command line and the agent's local socket take their limits and words from it.
#pragma once
#include "model/field/field.h"

G_BEGIN_DECLS

/** Largest bandwidth limit, and longest time without progress. Plain numbers, for messages too. */
#define FERRY_CHANGE_MAX_MIBPS 1048576
#define FERRY_CHANGE_MAX_STALLING_S 86400
/** So many entries status.changes keeps of one migration. */
#define FERRY_CHANGES_MAX 50

/** The fields of a change; ends with a NULL name. */
extern const FerryField ferry_change_fields[];
/** The row of one, or NULL. */
const FerryField *ferry_change_field(const char *name);
/** Their names for a sentence, "downtimeMs, bandwidthMiBps and technique". Free with g_free. */
char *ferry_change_names(void);

G_END_DECLS
