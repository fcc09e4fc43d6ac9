// SPDX-License-Identifier: Apache-2.0
// Lines about a Rollout, for people. Pure: an object in, text out. Free with g_free.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** A line for one entry of status.hosts, without a newline: "h1: Blocked: db has a host device". */
char *ferry_rollout_host_line(const json_t *host);

G_END_DECLS
