// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "base/rfc3339.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_FIELDS 16
#define MAX_ALL_FIELDS 64
#define CONTEXT_FIELDS 4

struct FerryLogContext {
  gint refs; /* atomic */
  char *values[CONTEXT_FIELDS];
};

static const char *const context_keys[CONTEXT_FIELDS] = {"FERRY_MIGRATION", "FERRY_VM",
                                                         "FERRY_NODE", "FERRY_TRACE"};
static GPrivate current_context = G_PRIVATE_INIT((GDestroyNotify)ferry_log_context_unref);

static gint lowest_level = G_LOG_LEVEL_INFO; /* atomic */
static gboolean to_journal;
static const char *program_name = "ferry";

const char *const ferry_log_levels[] = {"debug", "info", "warning", "error", NULL};

/* In their order. */
static const struct {
  GLogLevelFlags level;
  const char *priority;
} log_levels[] = {
    {G_LOG_LEVEL_DEBUG, "7"},
    {G_LOG_LEVEL_INFO, "6"},
    {G_LOG_LEVEL_WARNING, "4"},
    {G_LOG_LEVEL_CRITICAL, "3"},
};

static gsize level_index(GLogLevelFlags level) {
  for (gsize i = 0; i < G_N_ELEMENTS(log_levels); i++)
    if (level & log_levels[i].level)
      return i;
  return level & G_LOG_LEVEL_ERROR ? 3 : 1;
}

FerryLogContext *ferry_log_context_new(const char *migration, const char *vm, const char *node,
                                       const char *trace) {
  FerryLogContext *c = g_new0(FerryLogContext, 1);
  *c = (FerryLogContext){1, {g_strdup(migration), g_strdup(vm), g_strdup(node), g_strdup(trace)}};
  return c;
}

FerryLogContext *ferry_log_context_ref(FerryLogContext *c) {
  if (c)
    g_atomic_int_inc(&c->refs);
  return c;
}

void ferry_log_context_unref(FerryLogContext *c) {
  if (!c || !g_atomic_int_dec_and_test(&c->refs))
    return;
  for (gsize i = 0; i < CONTEXT_FIELDS; i++)
    g_free(c->values[i]);
  g_free(c);
}

void ferry_log_set_context(FerryLogContext *context) {
  g_private_replace(&current_context, ferry_log_context_ref(context));
}

FerryLogContext *ferry_log_scope_begin(FerryLogContext *context) {
  FerryLogContext *previous = ferry_log_context_ref(g_private_get(&current_context));
  ferry_log_set_context(context);
  return previous;
}

void ferry_log_scope_end(FerryLogScope *previous) {
  ferry_log_set_context(*previous);
  ferry_log_context_unref(*previous);
}

/* The fields with the context's in place of those of the same name. */
static gsize with_context(const GLogField *fields, gsize n, GLogField *out) {
  const FerryLogContext *c = g_private_get(&current_context);
  gsize used = 0;
  for (gsize i = 0; i < n && used < MAX_ALL_FIELDS - CONTEXT_FIELDS; i++) {
    gboolean replaced = FALSE;
    for (gsize k = 0; c && k < CONTEXT_FIELDS; k++)
      replaced |= c->values[k] && g_str_equal(fields[i].key, context_keys[k]);
    if (!replaced)
      out[used++] = fields[i];
  }
  for (gsize k = 0; c && k < CONTEXT_FIELDS; k++)
    if (c->values[k])
      out[used++] = (GLogField){context_keys[k], c->values[k], -1};
  return used;
}

/* What the audit says is no matter of levels. */
static gboolean is_audit(const GLogField *fields, gsize n) {
  for (gsize i = 0; i < n; i++)
    if (g_str_equal(fields[i].key, "FERRY_AUDIT"))
      return TRUE;
  return FALSE;
}

static GLogWriterOutput log_writer(GLogLevelFlags level, const GLogField *given, gsize n_given,
                                   gpointer data) {
  gsize rank = level_index(level & G_LOG_LEVEL_MASK);
  if (rank < level_index((GLogLevelFlags)g_atomic_int_get(&lowest_level)) &&
      !is_audit(given, n_given))
    return G_LOG_WRITER_HANDLED;
  GLogField fields[MAX_ALL_FIELDS];
  gsize n = with_context(given, n_given, fields);
  if (to_journal && g_log_writer_journald(level, fields, n, data) == G_LOG_WRITER_HANDLED)
    return G_LOG_WRITER_HANDLED;
  g_autofree char *now = ferry_rfc3339_format_ms(g_get_real_time() / 1000);
  g_autoptr(GString) line = g_string_new(NULL);
  g_string_printf(line, "%s %s %s: ", now, program_name, ferry_log_levels[rank]);
  for (gsize i = 0; i < n; i++)
    if (g_str_equal(fields[i].key, "MESSAGE"))
      g_string_append_len(line, fields[i].value,
                          fields[i].length < 0 ? (gssize)strlen(fields[i].value)
                                               : (gssize)fields[i].length);
  for (gsize i = 0; i < n; i++)
    if (g_str_has_prefix(fields[i].key, "FERRY_") && fields[i].length < 0) {
      g_autofree char *key = g_ascii_strdown(fields[i].key + strlen("FERRY_"), -1);
      g_string_append_printf(line, " %s=%s", key, (const char *)fields[i].value);
    }
  for (gsize i = 0; i < line->len; i++)
    if (line->str[i] == '\n')
      line->str[i] = ' ';
  g_string_append_c(line, '\n');
  fwrite(line->str, 1, line->len, stderr);
  fflush(stderr);
  return G_LOG_WRITER_HANDLED;
}

gboolean ferry_log_set_level(const char *level) {
  for (gsize i = 0; i < G_N_ELEMENTS(log_levels); i++)
    if (g_strcmp0(level, ferry_log_levels[i]) == 0) {
      g_atomic_int_set(&lowest_level, (gint)log_levels[i].level);
      return TRUE;
    }
  return FALSE;
}

gboolean ferry_log_init(const char *program, const char *level) {
  program_name = program;
  to_journal = g_log_writer_is_journald(STDERR_FILENO);
  g_log_set_writer_func(log_writer, NULL, NULL);
  return ferry_log_set_level(level);
}

void ferry_log(GLogLevelFlags level, const char *message, ...) {
  GLogField fields[MAX_FIELDS + 3];
  gsize n = 0;
  fields[n++] = (GLogField){"MESSAGE", message, -1};
  fields[n++] = (GLogField){"PRIORITY", log_levels[level_index(level)].priority, -1};
  fields[n++] = (GLogField){"SYSLOG_IDENTIFIER", program_name, -1};
  va_list ap;
  va_start(ap, message);
  const char *key;
  while (n < G_N_ELEMENTS(fields) && (key = va_arg(ap, const char *)) != NULL) {
    const char *value = va_arg(ap, const char *);
    if (value)
      fields[n++] = (GLogField){key, value, -1};
  }
  va_end(ap);
  g_log_structured_array(level, fields, n);
}
