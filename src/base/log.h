// SPDX-License-Identifier: Apache-2.0
// Logging: g_log_structured underneath; to the journal where stderr is the journal, else lines with
// a time, a level and the fields on stderr.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Sets the lowest level shown: "debug", "info", "warning" or "error", and the program's name.
 * Call once, first, from the main thread. FALSE for an unknown level. */
gboolean ferry_log_init(const char *program, const char *level);

/** Changes the lowest level shown, later on; any thread. FALSE, and nothing changed, for an unknown
 * one. */
gboolean ferry_log_set_level(const char *level);
/** The levels' names, NULL-ended. */
extern const char *const ferry_log_levels[];

/** Log lines of a daemon: message first, then NULL-ended pairs of field name (journal style,
 * upper case, e.g. "FERRY_MIGRATION") and string value (NULL ends the list too soon: pass ""). Any
 * thread. */
void ferry_log(GLogLevelFlags level, const char *message, ...) G_GNUC_NULL_TERMINATED;

/** What the lines of a thread are about; reference counted, immutable. */
typedef struct FerryLogContext FerryLogContext;
/** The migration ("namespace/name"), its VM ("namespace/name"), the host and the trace id; NULL:
 * not known. Copied. */
FerryLogContext *ferry_log_context_new(const char *migration, const char *vm, const char *node,
                                       const char *trace);
FerryLogContext *ferry_log_context_ref(FerryLogContext *context);
void ferry_log_context_unref(FerryLogContext *context); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryLogContext, ferry_log_context_unref)
/** From now on each line that this thread logs, by whichever function, carries the context's fields
 * FERRY_MIGRATION, FERRY_VM, FERRY_NODE and FERRY_TRACE in place of its own of these names. Takes a
 * reference; NULL ends it. Use ferry_log_scope where it can. */
void ferry_log_set_context(FerryLogContext *context);

typedef FerryLogContext *FerryLogScope;
/** Makes the thread's lines about `context` (borrowed, may be NULL); returns what they were about
 * before, for ferry_log_scope_end. Use ferry_log_scope, which does both. */
FerryLogContext *ferry_log_scope_begin(FerryLogContext *context);
/** The end of the block: the thread's lines are about `*previous` again, which is released. */
void ferry_log_scope_end(FerryLogScope *previous);
#define ferry_log_scope(context)                                                                   \
  __attribute__((cleanup(ferry_log_scope_end), unused)) FerryLogScope G_PASTE(                     \
      log_scope_, __LINE__) = ferry_log_scope_begin(context)

#define ferry_debug(...) ferry_log(G_LOG_LEVEL_DEBUG, __VA_ARGS__, NULL)
#define ferry_info(...) ferry_log(G_LOG_LEVEL_INFO, __VA_ARGS__, NULL)
#define ferry_warning(...) ferry_log(G_LOG_LEVEL_WARNING, __VA_ARGS__, NULL)

G_END_DECLS
