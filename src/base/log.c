// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "base/rfc3339.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_FIELDS 16

static GLogLevelFlags lowest = G_LOG_LEVEL_INFO;
static gboolean to_journal;
static const char *program_name = "ferry";

static const struct {
  const char *name;
  GLogLevelFlags level;
  const char *priority;
} levels[] = {
    {"debug", G_LOG_LEVEL_DEBUG, "7"},
    {"info", G_LOG_LEVEL_INFO, "6"},
    {"warning", G_LOG_LEVEL_WARNING, "4"},
    {"error", G_LOG_LEVEL_CRITICAL, "3"},
};

static gsize level_index(GLogLevelFlags level) {
  for (gsize i = 0; i < G_N_ELEMENTS(levels); i++)
    if (level & levels[i].level)
      return i;
  return level & G_LOG_LEVEL_ERROR ? 3 : 1;
}

static GLogWriterOutput writer(GLogLevelFlags level, const GLogField *fields, gsize n,
                               gpointer data) {
  gsize rank = level_index(level & G_LOG_LEVEL_MASK);
  if (rank < level_index(lowest))
    return G_LOG_WRITER_HANDLED;
  if (to_journal && g_log_writer_journald(level, fields, n, data) == G_LOG_WRITER_HANDLED)
    return G_LOG_WRITER_HANDLED;
  g_autofree char *now = ferry_rfc3339_format_ms(g_get_real_time() / 1000);
  g_autoptr(GString) line = g_string_new(NULL);
  g_string_printf(line, "%s %s %s: ", now, program_name, levels[rank].name);
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

gboolean ferry_log_init(const char *program, const char *level) {
  gboolean known = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(levels); i++)
    if (g_strcmp0(level, levels[i].name) == 0) {
      lowest = levels[i].level;
      known = TRUE;
    }
  program_name = program;
  to_journal = g_log_writer_is_journald(STDERR_FILENO);
  g_log_set_writer_func(writer, NULL, NULL);
  return known;
}

void ferry_log(GLogLevelFlags level, const char *message, ...) {
  GLogField fields[MAX_FIELDS + 3];
  gsize n = 0;
  fields[n++] = (GLogField){"MESSAGE", message, -1};
  fields[n++] = (GLogField){"PRIORITY", levels[level_index(level)].priority, -1};
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
