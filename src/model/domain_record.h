// SPDX-License-Identifier: Apache-2.0
// What a host's agent reports of a domain, and a whole report (POST .../nodes/NAME/report), as
// tables: they are judged by the same code as everybody's objects.
#pragma once
#include "model/kind.h"

G_BEGIN_DECLS

/** Most domains of one node, in one report or in all. */
#define FERRY_REPORT_MAX_DOMAINS 10000

/** Members of a report, ended by a NULL name. */
extern const FerryField ferry_fields_report[];

/** A checked copy of a report: members that are not in the tables (of a newer agent) are dropped
 * and their paths added to `unknown` (char*, freed by the array); `node` has what a Node's status
 * may get from its agent, by that kind's own table, beside connected and connectionError. NULL with
 * INVALID and a cause for each fault. Pure; any thread. */
json_t *ferry_report_validate(const json_t *report, GPtrArray *unknown, GError **error);

G_END_DECLS
