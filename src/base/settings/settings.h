// SPDX-License-Identifier: Apache-2.0
// A daemon's settings, each described once: its table makes the command line, the configuration
// file, the file's commented original and the manual. settings.c reads values, settings_text.c
// writes the original and the manual.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** The largest configuration file that is read. */
#define FERRY_SETTINGS_FILE_MAX (256 * 1024)

typedef enum {
  FERRY_SETTING_TEXT,   /* char * */
  FERRY_SETTING_FILE,   /* char *, a path */
  FERRY_SETTING_LIST,   /* GStrv; may be given several times */
  FERRY_SETTING_YES,    /* gboolean; "yes" or "no" in a file, without a value in the command line */
  FERRY_SETTING_NUMBER, /* gint64 */
  FERRY_SETTING_SIZE,   /* gint64, bytes; written as 64Mi */
  FERRY_SETTING_SECONDS, /* gint64, whole seconds; written as 90s or 2m, a bare number is seconds */
} FerrySettingType;

enum {
  FERRY_SETTING_RELOADS = 1,      /* a running daemon takes a new value */
  FERRY_SETTING_COMMAND_LINE = 2, /* stands in no file */
};

/** One setting; a table ends with a NULL name. */
typedef struct {
  const char *name; /* of the option, and the key in a file */
  FerrySettingType type;
  guint flags;
  gsize offset;             /* of the variable in the daemon's struct */
  const char *arg;          /* what a value is called; NULL for YES */
  const char *preset;       /* the value where none is given, as text; NULL: the type's zero */
  const char *help;         /* one line, no full stop */
  const char *more;         /* further sentences for the manual; NULL: none */
  gint64 least, most;       /* of NUMBER, SIZE and SECONDS; most 0: no limit */
  const char *const *words; /* the only values of a TEXT; NULL: any */
  const char *unset;        /* what holds where there is no preset and no value; NULL: nothing */
  const char *shipped;      /* what the installed file says; NULL: it leaves the setting out */
} FerrySetting;

/** The last rows of every daemon's table; offsets of a char * and a gboolean. Needs base/log.h. */
#define FERRY_SETTINGS_OF_ALL(level, version)                                                      \
  {"log-level",                                                                                    \
   FERRY_SETTING_TEXT,                                                                             \
   FERRY_SETTING_RELOADS,                                                                          \
   level,                                                                                          \
   "LEVEL",                                                                                        \
   "info",                                                                                         \
   "The least that is logged: debug, info, warning or error",                                      \
   NULL,                                                                                           \
   0,                                                                                              \
   0,                                                                                              \
   ferry_log_levels},                                                                              \
      {"version", FERRY_SETTING_YES,           FERRY_SETTING_COMMAND_LINE, version, NULL,          \
       NULL,      "Print the version and exit"},                                                   \
  {                                                                                                \
    NULL                                                                                           \
  }

/** What was said, by command line and file, and where; not thread-safe. */
typedef struct FerrySettingsRead FerrySettingsRead;
/** `table` is borrowed. */
FerrySettingsRead *ferry_settings_new(const FerrySetting *table);
void ferry_settings_free(FerrySettingsRead *settings); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerrySettingsRead, ferry_settings_free)

/** Takes the options out of argv, as g_option_context_parse does (--help prints and exits). FALSE
 * with a message for people on a usage error, words that are no options included. */
gboolean ferry_settings_read_argv(FerrySettingsRead *settings, const char *summary,
                                  const char *description, int *argc, char ***argv, GError **error);
/** Reads "key = value" lines of `text` (`len` bytes); `name` stands in errors, before the line.
 * What the command line has said stands. Lists take one line a value. FALSE for what is not
 * understood: with the line, and the nearest known key. Pure. */
gboolean ferry_settings_read_text(FerrySettingsRead *settings, const char *name, const char *text,
                                  gsize len, GError **error);
/** The same of a file; one that is not there is empty unless it `must` be. */
gboolean ferry_settings_read_file(FerrySettingsRead *settings, const char *path, gboolean must,
                                  GError **error);
/** The same of the file that the setting `name` names: its preset may be missing, what the command
 * line named has to be there. */
gboolean ferry_settings_read_config(FerrySettingsRead *settings, const char *name, GError **error);
/** What was said so far stands: a file that is read from now on fills what is open. */
void ferry_settings_seal(FerrySettingsRead *settings);
/** The last value said for `name`, borrowed; else its preset; NULL: none. */
const char *ferry_settings_text(const FerrySettingsRead *settings, const char *name);
/** Checks every value and stores it at its offset of `target`, whose variables it replaces. After
 * FALSE `target` holds some of them: clear it. */
gboolean ferry_settings_apply(const FerrySettingsRead *settings, gpointer target, GError **error);
/** Frees what ferry_settings_apply has stored, and sets it to zero. */
void ferry_settings_unapply(const FerrySetting *table, gpointer target);
/** Logs which settings differ between what runs and what was `read` anew, those that are taken and
 * those that need a restart, and moves the former into `running`. */
void ferry_settings_reload(FerrySettingsRead *running, FerrySettingsRead *read);
/** Logs that what was read anew is wrong and changes nothing. */
void ferry_settings_reload_refused(const GError *error);

/** The configuration file as it is installed: every key, commented out. Free with g_free. */
char *ferry_settings_sample(const FerrySetting *table, const char *program);
/** The list of options for a manual, in mdoc. Free with g_free. */
char *ferry_settings_manual(const FerrySetting *table);
/** The whole manual of the configuration file /etc/ferry/`file` of `program`, in mdoc. Free with
 * g_free.
 */
char *ferry_settings_file_manual(const FerrySetting *table, const char *program, const char *file);

G_END_DECLS
