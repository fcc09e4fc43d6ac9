// SPDX-License-Identifier: Apache-2.0
// The command line as data: a verb names the options it takes, the parser knows nothing else.
// --help, the bash completion and the manual are made of the same tables.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** One option. A table of them ends with a NULL name. */
typedef struct {
  const char *name;          /* without the dashes: "max-downtime" */
  char letter;               /* 'o' for -o, 0: none */
  const char *arg;           /* placeholder of its value ("MS"), NULL: a flag */
  const char *doc;           /* a phrase without a full stop */
  const char *const *values; /* the allowed values, NULL-ended; NULL: any */
  const char *alias;         /* another long name that means the same, NULL: none */
  const char *more;          /* sentences that the manual adds to `doc`, NULL: none */
  const char *kind;          /* its value is the name of an object of this kind, NULL: it is not */
  gboolean is_flag;          /* of the model's table of libvirt's flags */
} FerryCliOption;

/** What was typed after the verb. */
typedef struct {
  GHashTable *options; /* option name (borrowed) -> GPtrArray of values; "" for a flag */
  GPtrArray *words;    /* everything that is not an option, in order */
} FerryArgs;

/** Parses `argv[0..argc)`: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, -n=VALUE, -abc for flags,
 * "--" ends the options. An unknown option, a missing or a not allowed value is an error of
 * G_OPTION_ERROR that names the nearest option. `tables` is a NULL-ended list of option tables. */
FerryArgs *ferry_args_parse(const FerryCliOption *const *tables, int argc, char *const *argv,
                            GError **error);
void ferry_args_free(FerryArgs *args);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryArgs, ferry_args_free)

/** TRUE where the option was given. */
gboolean ferry_args_has(const FerryArgs *args, const char *name);
/** The last value given, borrowed, or NULL. */
const char *ferry_args_get(const FerryArgs *args, const char *name);
/** All values given (elements char*), borrowed, or NULL. */
const GPtrArray *ferry_args_all(const FerryArgs *args, const char *name);

G_END_DECLS
