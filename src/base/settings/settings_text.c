// SPDX-License-Identifier: Apache-2.0
// What is written of a table of settings: the file to start from, and the manual's list.
#include "base/settings/settings.h"
#include <string.h>

#define FILE_COLUMNS 92

/* `text` as comment lines of a file. */
static void sample_add_comment(GString *out, const char *text) {
  g_auto(GStrv) words = g_strsplit(text, " ", -1);
  gsize column = 0;
  for (gsize i = 0; words[i]; i++) {
    gsize letters = (gsize)g_utf8_strlen(words[i], -1);
    if (column == 0 || column + 1 + letters > FILE_COLUMNS) {
      g_string_append_printf(out, "%s# ", column ? "\n" : "");
      column = 2;
    } else {
      g_string_append_c(out, ' ');
      column++;
    }
    g_string_append(out, words[i]);
    column += letters;
  }
  g_string_append_c(out, '\n');
}

/* Help, what more there is to say, the default, whether it repeats and reloads. */
static char *settings_describe(const FerrySetting *row, gboolean in_file) {
  g_autoptr(GString) text = g_string_new(row->help);
  g_string_append_c(text, '.');
  if (row->more)
    g_string_append_printf(text, " %s", row->more);
  if (row->unset)
    g_string_append_printf(text, " Default: %s.", row->unset);
  else if (row->preset && !in_file)
    g_string_append_printf(text, " Default: %s.", row->preset);
  if (row->type == FERRY_SETTING_LIST)
    g_string_append(text, in_file ? " One line for each." : " May be given several times.");
  if (row->flags & FERRY_SETTING_RELOADS)
    g_string_append(text, " A reload takes a new value.");
  return g_string_free(g_steal_pointer(&text), FALSE);
}

char *ferry_settings_sample(const FerrySetting *table, const char *program) {
  g_autoptr(GString) out = g_string_new(NULL);
  g_autofree char *head = g_strdup_printf(
      "Configuration of %s(8): \"key = value\" lines without quotes. An option of the command line "
      "stands above its key here. A line that begins with # counts for nothing; each key is shown "
      "with its default, or with what its value looks like. `%s --check-config` says whether the "
      "file is right. A reload (SIGHUP, systemctl reload) takes what is marked so; the rest needs "
      "a "
      "restart.",
      program, program);
  sample_add_comment(out, head);
  for (; table->name; table++) {
    if (table->flags & FERRY_SETTING_COMMAND_LINE)
      continue;
    g_autofree char *text = settings_describe(table, TRUE);
    g_string_append_c(out, '\n');
    sample_add_comment(out, text);
    const char *value = table->preset                      ? table->preset
                        : table->type == FERRY_SETTING_YES ? "no"
                                                           : table->arg;
    g_string_append_printf(out, "%s%s = %s\n", table->shipped ? "" : "#", table->name,
                           table->shipped ? table->shipped : value);
  }
  return g_string_free(g_steal_pointer(&out), FALSE);
}

/* Each sentence begins a line, as mdoc wants it. */
static void manual_add_text(GString *out, const char *text) {
  gboolean at_start = TRUE;
  for (const char *p = text; *p; p++) {
    if (at_start && (*p == '.' || *p == '\''))
      g_string_append(out, "\\&");
    at_start = FALSE;
    if (*p == '\\') {
      g_string_append(out, "\\e");
    } else if (*p == ' ' && p > text && p[-1] == '.' && g_ascii_isupper(p[1])) {
      g_string_append_c(out, '\n');
      at_start = TRUE;
    } else {
      g_string_append_c(out, *p);
    }
  }
  g_string_append_c(out, '\n');
}

char *ferry_settings_manual(const FerrySetting *table) {
  g_autoptr(GString) out = g_string_new(".Bl -tag -width Ds\n");
  for (; table->name; table++) {
    g_autofree char *text = settings_describe(table, FALSE);
    g_string_append_printf(out, ".It Fl -%s%s%s\n", table->name, table->arg ? " Ar " : "",
                           table->arg ? table->arg : "");
    manual_add_text(out, text);
  }
  g_string_append(out, ".It Fl -help\nShow help.\n.El\n");
  return g_string_free(g_steal_pointer(&out), FALSE);
}

char *ferry_settings_file_manual(const FerrySetting *table, const char *program, const char *file) {
  g_autoptr(GString) out = g_string_new(".\\\" SPDX-License-Identifier: Apache-2.0\n");
  g_autofree char *upper = g_ascii_strup(file, -1);
  g_string_append_printf(out,
                         ".Dd November 30, 2026\n.Dt %s 5\n.Os Ferry\n.Sh NAME\n.Nm %s\n"
                         ".Nd configuration of %s\n.Sh DESCRIPTION\n",
                         upper, file, program);
  g_string_append_printf(
      out,
      "The file\n.Pa /etc/ferry/%s\nhas lines\n.Ql key = value\nwithout quotes.\n"
      "A line that begins with # counts for nothing.\n"
      "An option of the command line goes before its key.\n"
      ".Ql %s --check-config\nsays whether the file is right.\n"
      ".Ql systemctl reload %s\ntakes what is marked so; the rest needs a restart.\n"
      ".Bl -tag -width Ds\n",
      file, program, program);
  for (; table->name; table++) {
    if (table->flags & FERRY_SETTING_COMMAND_LINE)
      continue;
    g_autofree char *text = settings_describe(table, FALSE);
    g_autofree char *shipped =
        table->shipped ? g_strdup_printf("%s The installed file says %s.", text, table->shipped)
                       : g_strdup(text);
    g_string_append_printf(out, ".It Cm %s No = Ar %s\n", table->name,
                           table->type == FERRY_SETTING_YES ? "yes | no" : table->arg);
    manual_add_text(out, shipped);
  }
  g_string_append_printf(out, ".El\n.Sh SEE ALSO\n.Xr %s 8\n", program);
  return g_string_free(g_steal_pointer(&out), FALSE);
}
