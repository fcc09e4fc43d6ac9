// SPDX-License-Identifier: Apache-2.0
// Logging: g_log_structured underneath; to the journal where stderr is the journal, else lines with
// a time, a level and the fields on stderr.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Sets the lowest level shown: "debug", "info", "warning" or "error", and the program's name.
 * Call once, first, from the main thread. FALSE for an unknown level. */
gboolean ferry_log_init(const char *program, const char *level);

/** Log lines of a daemon: message first, then NULL-ended pairs of field name (journal style,
 * upper case, e.g. "FERRY_MIGRATION") and string value (NULL ends the list too soon: pass ""). Any
 * thread. */
void ferry_log(GLogLevelFlags level, const char *message, ...) G_GNUC_NULL_TERMINATED;

#define ferry_debug(...) ferry_log(G_LOG_LEVEL_DEBUG, __VA_ARGS__, NULL)
#define ferry_info(...) ferry_log(G_LOG_LEVEL_INFO, __VA_ARGS__, NULL)
#define ferry_warning(...) ferry_log(G_LOG_LEVEL_WARNING, __VA_ARGS__, NULL)

G_END_DECLS
