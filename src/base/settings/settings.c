// SPDX-License-Identifier: Apache-2.0
// Values are kept as text, each with where it was said, until ferry_settings_apply reads them by
// the table: so a file's value and the command line's are judged by the same lines, and two
// readings can be compared. The command line is read first; a file then fills what it has left
// open.
#include "base/settings/settings.h"
#include "base/duration.h"
#include "base/edit_distance.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/quantity.h"
#include <errno.h>
#include <string.h>

typedef struct {
  GPtrArray *values; /* char * */
  char *where;       /* of the last one: "--name", or "FILE:LINE: name" */
  guint line;        /* 0: the command line */
} Said;

struct FerrySettingsRead {
  const FerrySetting *table;
  gsize n;
  Said *said; /* one a row of the table */
};

static void settings_forget(Said *said) {
  g_clear_pointer(&said->values, g_ptr_array_unref);
  g_clear_pointer(&said->where, g_free);
}

FerrySettingsRead *ferry_settings_new(const FerrySetting *table) {
  FerrySettingsRead *s = g_new0(FerrySettingsRead, 1);
  s->table = table;
  while (table[s->n].name)
    s->n++;
  s->said = g_new0(Said, s->n);
  return s;
}

void ferry_settings_free(FerrySettingsRead *s) {
  if (!s)
    return;
  for (gsize i = 0; i < s->n; i++)
    settings_forget(&s->said[i]);
  g_free(s->said);
  g_free(s);
}

static Said *settings_find(const FerrySettingsRead *s, const char *name) {
  for (gsize i = 0; i < s->n; i++)
    if (g_str_equal(s->table[i].name, name))
      return &s->said[i];
  return NULL;
}

static const FerrySetting *settings_row(const FerrySettingsRead *s, const Said *said) {
  return &s->table[said - s->said];
}

static void settings_say(Said *said, const char *value, char *where, guint line) {
  if (!said->values)
    said->values = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(said->values, g_strdup(value));
  g_free(said->where);
  said->where = where;
  said->line = line;
}

const char *ferry_settings_text(const FerrySettingsRead *s, const char *name) {
  const Said *said = settings_find(s, name);
  if (said->values)
    return g_ptr_array_index(said->values, said->values->len - 1);
  return settings_row(s, said)->preset;
}

/* ---- the command line ---- */

static gboolean on_option(const char *option, const char *value, gpointer data, GError **error) {
  const FerrySettingsRead *s = data;
  const char *name = option + strspn(option, "-");
  Said *said = settings_find(s, name);
  settings_say(said, value ? value : "yes", g_strdup_printf("--%s", name), 0);
  return TRUE;
}

static char *settings_help(const FerrySetting *row) {
  g_autoptr(GString) text = g_string_new(row->help);
  if (row->type == FERRY_SETTING_LIST)
    g_string_append(text, "; repeatable");
  if (row->preset || row->unset)
    g_string_append_printf(text, " (default: %s)", row->preset ? row->preset : row->unset);
  return g_string_free(g_steal_pointer(&text), FALSE);
}

static GOptionEntry *settings_entries(const FerrySettingsRead *s, GPtrArray *texts) {
  GOptionEntry *entries = g_new0(GOptionEntry, s->n + 1);
  for (gsize i = 0; i < s->n; i++) {
    const FerrySetting *row = &s->table[i];
    char *help = settings_help(row);
    g_ptr_array_add(texts, help);
    entries[i] = (GOptionEntry){
        row->name,
        0,
        row->type == FERRY_SETTING_YES    ? G_OPTION_FLAG_NO_ARG
        : row->type == FERRY_SETTING_FILE ? G_OPTION_FLAG_FILENAME
                                          : 0,
        G_OPTION_ARG_CALLBACK,
        on_option,
        help,
        row->arg,
    };
  }
  return entries;
}

gboolean ferry_settings_read_argv(FerrySettingsRead *s, const char *summary,
                                  const char *description, int *argc, char ***argv,
                                  GError **error) {
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
  g_autofree GOptionEntry *entries = settings_entries(s, texts);
  GOptionGroup *group = g_option_group_new("main", "", "", s, NULL);
  g_option_group_add_entries(group, entries);
  g_option_context_set_main_group(context, group);
  g_option_context_set_summary(context, summary);
  g_option_context_set_description(context, description);
  if (!g_option_context_parse(context, argc, argv, error))
    return FALSE;
  if (*argc > 1) {
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION,
                "unknown argument \"%s\": only options are understood", (*argv)[1]);
    return FALSE;
  }
  return TRUE;
}

/* ---- a file ---- */

static gboolean refuse_key(const FerrySettingsRead *s, const char *file, guint line,
                           const char *key, GError **error) {
  g_autoptr(GPtrArray) keys = g_ptr_array_new();
  for (gsize i = 0; i < s->n; i++)
    if (!(s->table[i].flags & FERRY_SETTING_COMMAND_LINE))
      g_ptr_array_add(keys, (gpointer)s->table[i].name);
  g_ptr_array_add(keys, NULL);
  const char *near = ferry_nearest(key, (const char *const *)keys->pdata);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s:%u: unknown key \"%.64s\"%s%s%s", file,
              line, key, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
  return FALSE;
}

static gboolean settings_line(FerrySettingsRead *s, const char *file, guint line, char *text,
                              GError **error) {
  char *equals = strchr(text, '=');
  if (!equals || equals == text) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "%s:%u: expected \"key = value\", or a comment after \"#\"", file, line);
    return FALSE;
  }
  *equals = '\0';
  const char *key = g_strstrip(text);
  const char *value = g_strstrip(equals + 1);
  Said *said = settings_find(s, key);
  if (!said || settings_row(s, said)->flags & FERRY_SETTING_COMMAND_LINE)
    return refuse_key(s, file, line, key, error);
  const char *wrong = *value == '\0'  ? "has no value; put a \"#\" before the line to leave it out"
                      : *value == '"' ? "has its value in quotes; leave them out"
                                      : NULL;
  if (wrong) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s:%u: %s %s", file, line, key, wrong);
    return FALSE;
  }
  if (said->values && said->line == 0)
    return TRUE; /* the command line has said it */
  if (said->values && settings_row(s, said)->type != FERRY_SETTING_LIST) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "%s:%u: %s is there twice, first in line %u; it takes one value", file, line, key,
                said->line);
    return FALSE;
  }
  settings_say(said, value, g_strdup_printf("%s:%u: %s", file, line, key), line);
  return TRUE;
}

gboolean ferry_settings_read_text(FerrySettingsRead *s, const char *name, const char *text,
                                  gsize len, GError **error) {
  if (len > FERRY_SETTINGS_FILE_MAX || !g_utf8_validate_len(text, len, NULL)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "%s: expected at most %d KiB of UTF-8 text without NUL", name,
                FERRY_SETTINGS_FILE_MAX / 1024);
    return FALSE;
  }
  g_autofree char *copy = g_strndup(text, len);
  g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    char *line = g_strstrip(lines[i]);
    if (*line && *line != '#' && !settings_line(s, name, i + 1, line, error))
      return FALSE;
  }
  return TRUE;
}

gboolean ferry_settings_read_file(FerrySettingsRead *s, const char *path, gboolean must,
                                  GError **error) {
  if (!must && !g_file_test(path, G_FILE_TEST_EXISTS))
    return TRUE;
  gsize len = 0;
  g_autofree char *text = ferry_file_read(path, FERRY_SETTINGS_FILE_MAX, &len, error);
  return text && ferry_settings_read_text(s, path, text, len, error);
}

gboolean ferry_settings_read_config(FerrySettingsRead *s, const char *name, GError **error) {
  return ferry_settings_read_file(s, ferry_settings_text(s, name),
                                  settings_find(s, name)->values != NULL, error);
}

void ferry_settings_seal(FerrySettingsRead *s) {
  for (gsize i = 0; i < s->n; i++)
    s->said[i].line = 0;
}

/* ---- values ---- */

static gboolean settings_refuse(const FerrySetting *row, const char *where, const char *value,
                                GError **error) {
  g_autoptr(GString) expected = g_string_new(NULL);
  if (row->words) {
    g_autofree char *words = g_strjoinv(", ", (char **)row->words);
    g_string_append_printf(expected, "one of %s", words);
  } else if (row->type == FERRY_SETTING_YES) {
    g_string_append(expected, "yes or no");
  } else if (row->type == FERRY_SETTING_SIZE) {
    g_autofree char *least = ferry_quantity_format(row->least);
    g_string_append_printf(expected, "a size of at least %s, such as %s", least,
                           row->preset ? row->preset : "64Mi");
  } else {
    g_string_append_printf(expected, "%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT "%s", row->least,
                           row->most,
                           row->type == FERRY_SETTING_SECONDS ? " seconds, such as 90s or 2m" : "");
  }
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s %.64s: expected %s", where, value,
              expected->str);
  return FALSE;
}

static gboolean settings_number(const FerrySetting *row, const char *value, gint64 *number) {
  gint64 ms = 0;
  gboolean read = row->type == FERRY_SETTING_SIZE ? ferry_size_parse(value, number, NULL)
                  : row->type == FERRY_SETTING_SECONDS
                      ? ferry_duration_parse(value, &ms)
                      : g_ascii_string_to_signed(value, 10, G_MININT64, G_MAXINT64, number, NULL);
  if (read && row->type == FERRY_SETTING_SECONDS)
    *number = (ms + 999) / 1000;
  return read && *number >= row->least && (row->most == 0 || *number <= row->most);
}

static gboolean settings_yes(const char *value, gboolean *yes) {
  static const char *const no[] = {"no", "false", "0", NULL}, *const all[] = {"yes", "true", "1",
                                                                              NULL};
  *yes = g_strv_contains(all, value);
  return *yes || g_strv_contains(no, value);
}

static gboolean settings_store(const FerrySetting *row, const Said *said, gpointer variable,
                               GError **error) {
  const char *value =
      said->values ? g_ptr_array_index(said->values, said->values->len - 1) : row->preset;
  if (!value)
    return TRUE;
  gboolean ok = TRUE;
  switch (row->type) {
  case FERRY_SETTING_LIST: {
    GStrv list = g_new0(char *, (said->values ? said->values->len : 1) + 1);
    for (guint i = 0; said->values && i < said->values->len; i++)
      list[i] = g_strdup(g_ptr_array_index(said->values, i));
    if (!said->values)
      list[0] = g_strdup(value);
    *(GStrv *)variable = list;
    break;
  }
  case FERRY_SETTING_YES:
    ok = settings_yes(value, variable);
    break;
  case FERRY_SETTING_TEXT:
  case FERRY_SETTING_FILE:
    ok = !row->words || g_strv_contains(row->words, value);
    *(char **)variable = g_strdup(value);
    break;
  default:
    ok = settings_number(row, value, variable);
  }
  return ok || settings_refuse(row, said->where, value, error);
}

gboolean ferry_settings_apply(const FerrySettingsRead *s, gpointer target, GError **error) {
  ferry_settings_unapply(s->table, target);
  for (gsize i = 0; i < s->n; i++)
    if (!settings_store(&s->table[i], &s->said[i], (char *)target + s->table[i].offset, error))
      return FALSE;
  return TRUE;
}

void ferry_settings_unapply(const FerrySetting *table, gpointer target) {
  for (; table->name; table++) {
    gpointer variable = (char *)target + table->offset;
    if (table->type == FERRY_SETTING_LIST)
      g_clear_pointer((GStrv *)variable, g_strfreev);
    else if (table->type == FERRY_SETTING_TEXT || table->type == FERRY_SETTING_FILE)
      g_clear_pointer((char **)variable, g_free);
    else if (table->type == FERRY_SETTING_YES)
      *(gboolean *)variable = FALSE;
    else
      *(gint64 *)variable = 0;
  }
}

static gboolean settings_same(const Said *a, const Said *b) {
  guint na = a->values ? a->values->len : 0, nb = b->values ? b->values->len : 0;
  for (guint i = 0; na == nb && i < na; i++)
    if (!g_str_equal(g_ptr_array_index(a->values, i), g_ptr_array_index(b->values, i)))
      return FALSE;
  return na == nb;
}

void ferry_settings_reload(FerrySettingsRead *running, FerrySettingsRead *read) {
  g_autoptr(GString) taken = g_string_new(NULL);
  g_autoptr(GString) late = g_string_new(NULL);
  for (gsize i = 0; i < running->n; i++) {
    const FerrySetting *row = &running->table[i];
    if (settings_same(&running->said[i], &read->said[i]))
      continue;
    GString *names = row->flags & FERRY_SETTING_RELOADS ? taken : late;
    g_string_append_printf(names, "%s%s", names->len ? ", " : "", row->name);
    if (names == late)
      continue;
    Said said = running->said[i];
    running->said[i] = read->said[i];
    read->said[i] = said;
  }
  ferry_info("configuration read again", "FERRY_CHANGED", taken->len ? taken->str : "nothing");
  if (late->len)
    ferry_warning("these settings have changed and hold after a restart only", "FERRY_SETTINGS",
                  late->str);
}

void ferry_settings_reload_refused(const GError *error) {
  ferry_warning("the configuration is wrong; the one that was read before holds", "FERRY_ERROR",
                error->message);
}
