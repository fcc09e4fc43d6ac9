// SPDX-License-Identifier: Apache-2.0
// What a host's agent reports of a domain, and a whole report (POST .../nodes/NAME/report), as
// tables: they are judged by the same code as everybody's objects.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

/** Most domains of one node, in one report or in all. */
#define FERRY_REPORT_MAX_DOMAINS 10000
/** Of one domain: bytes of memory, bytes of a disk, devices of each kind. Sums of as many as there
 * may be stay within 64 bits. */
#define FERRY_RECORD_MAX_MEMORY (64LL << 40)
#define FERRY_RECORD_MAX_DISK_SIZE (8LL << 50)
#define FERRY_RECORD_MAX_DEVICES 512
/** Characters that are kept of the name of a domain that is left out, and of the reasons. */
#define FERRY_LEFT_OUT_NAME_LENGTH 128
#define FERRY_LEFT_OUT_MESSAGE_LENGTH 1024

/** Members of a report, ended by a NULL name. */
extern const FerryField ferry_fields_report[];

/** A checked copy of a report: members that are not in the tables (of a newer agent) are dropped
 * and their paths added to `unknown` (char*, freed by the array); `node` has what a Node's status
 * may get from its agent, by that kind's own table, beside connected and connectionError; `domains`
 * has the valid ones, each UUID once, and `leftOut` {uuid, name, message} of each of the others:
 * uuid and name where they can be read, and what is wrong with it. NULL with INVALID and a cause
 * for each fault where anything but a domain is invalid. Pure; any thread. */
json_t *ferry_report_validate(const json_t *report, GPtrArray *unknown, GError **error);

G_END_DECLS
