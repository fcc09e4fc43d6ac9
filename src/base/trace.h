// SPDX-License-Identifier: Apache-2.0
// Trace ids: one number that follows a request from the command line through the control plane to
// the agent's log. The header is W3C Trace Context's `traceparent`.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

#define FERRY_TRACE_ANNOTATION "ferry.migration/trace"
#define FERRY_TRACE_HEADER "traceparent"

/** A new random trace id: 32 lower-case hexadecimal digits. Free with g_free. */
char *ferry_trace_new(void);
/** Whether `text` (may be NULL) is a trace id: 32 lower-case hexadecimal digits, not all zero. */
gboolean ferry_trace_is_valid(const char *text);
/** The trace id of a traceparent header's value, or NULL where it is not one that W3C's level 1
 * lets a receiver use. Free with g_free. */
char *ferry_trace_parse(const char *traceparent);
/** A traceparent value of version 00 with this trace id, a random span id and the sampled flag.
 * Free with g_free. */
char *ferry_trace_format(const char *trace);

G_END_DECLS
