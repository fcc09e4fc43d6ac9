// SPDX-License-Identifier: Apache-2.0
// What an Evacuation would do, and how long it takes, in words.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

/** Of one that was asked for without being made: a line for each VM, with its host and when it is
 * expected to have left, or all reasons why it stays; then how long all take, and at least. Free
 * with g_free. */
char *ferry_evacuation_plan_text(const json_t *evacuation);

/** Of one that runs: ", ends in about 3m20s"; empty where nobody knows. Free with g_free. */
char *ferry_evacuation_eta_text(const json_t *evacuation, gint64 now_ms);

/** Of one that has ended: " in 24.0 s (31.0 s were expected, 20.0 s are the least)"; empty where it
 * has not ended. Free with g_free. */
char *ferry_evacuation_took_text(const json_t *evacuation);

G_END_DECLS
