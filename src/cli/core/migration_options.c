// SPDX-License-Identifier: Apache-2.0
#include "cli/core/migration_options.h"
#include "base/file.h"
#include "base/quantity.h"
#include "cli/core/units.h"
#include <stdio.h>
#include <string.h>

#define MAX_OPTION_FILE (1024 * 1024)

static gsize options_append(FerryCliOption *out, gsize n, const FerryCliOption *more) {
  for (; more->name != NULL; more++) {
    g_assert(n + 1 < FERRY_MIGRATION_OPTIONS_MAX);
    out[n++] = *more;
  }
  return n;
}

/* "Copy the disks." -> "Copy the disks"; lives as long as the program. */
static const char *migration_options_phrase(const char *sentence) {
  gsize len = strlen(sentence);
  return g_strndup(sentence, len && sentence[len - 1] == '.' ? len - 1 : len);
}

void ferry_migration_options_fill(FerryCliOption *out, const FerryCliOption *before,
                                  const FerryCliOption *after) {
  gsize n = options_append(out, 0, before);
  for (const FerryMigrationFlag *f = ferry_migration_flags; f->field.name; f++) {
    const FerryCliOption rows[] = {
        {f->option, 0, f->arg, f->inverted ? f->opposite : migration_options_phrase(f->field.doc),
         NULL, f->alias, .is_flag = TRUE,
         .more = f->scale > 1 ? "A bare number is MiB a second." : NULL},
        {f->negative, 0, NULL,
         !f->negative  ? NULL
         : f->inverted ? migration_options_phrase(f->field.doc)
                       : g_strconcat("The opposite of --", f->option, NULL),
         .is_flag = TRUE},
        {NULL},
    };
    n = options_append(out, n, rows);
  }
  n = options_append(out, n, after);
  out[n] = (FerryCliOption){NULL};
}

static gboolean options_bad(GError **error, const char *option, const char *text,
                            const char *expected) {
  g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--%s: \"%s\" is not %s", option,
              text, expected);
  return FALSE;
}

static gboolean set_integer(const FerryMigrationFlag *f, json_t *spec, const char *text,
                            GError **error) {
  guint64 value;
  if (!g_ascii_string_to_unsigned(text, 10, (guint64)f->field.min, (guint64)f->field.max, &value,
                                  NULL)) {
    g_autofree char *expected =
        g_strdup_printf("a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                        f->field.min, f->field.max);
    return options_bad(error, f->option, text, expected);
  }
  ferry_json_set_int(spec, f->field.name, (gint64)value);
  return TRUE;
}

static gboolean set_list(const FerryMigrationFlag *f, json_t *spec, const GPtrArray *values,
                         GError **error) {
  g_autoptr(json_t) list = json_array();
  for (guint i = 0; i < values->len; i++) {
    g_auto(GStrv) words = g_strsplit(values->pdata[i], ",", -1);
    for (guint k = 0; words[k]; k++) {
      if (!*words[k])
        return options_bad(error, f->option, values->pdata[i],
                           "a list of words with commas between them");
      if (f->field.values && !g_strv_contains(f->field.values, words[k])) {
        g_autofree char *all = g_strjoinv(", ", (char **)f->field.values);
        g_autofree char *expected = g_strconcat("one of ", all, NULL);
        return options_bad(error, f->option, words[k], expected);
      }
      json_array_append_new(list, json_string(words[k]));
    }
  }
  json_object_set(spec, f->field.name, list);
  return TRUE;
}

static gboolean options_set_text(const FerryMigrationFlag *f, json_t *spec, const char *text,
                                 GError **error) {
  gsize len = strlen(text);
  g_autofree char *content = NULL;
  if (f->file) {
    g_autoptr(GError) cause = NULL;
    content = ferry_file_read(text, MAX_OPTION_FILE, &len, &cause);
    if (!content) {
      g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--%s: %s", f->option,
                  cause->message);
      return FALSE;
    }
  }
  json_t *value = json_stringn(content ? content : text, len);
  if (!value)
    return options_bad(error, f->option, text, "UTF-8 text");
  json_object_set_new(spec, f->field.name, value);
  return TRUE;
}

/* A bare number is in virsh's unit; where that is not bytes, it is said. */
static gboolean set_size(const FerryMigrationFlag *f, json_t *spec, const char *text,
                         GError **error) {
  gint64 bytes;
  gboolean bare;
  gboolean rate = f->field.unit == FERRY_UNIT_BYTES_PER_SECOND;
  if (!ferry_units_size(text, f->scale, &bytes, &bare))
    return options_bad(error, f->option, text,
                       rate ? "a rate such as 64Mi, 64MiB/s or 1G, or a number of MiB a second"
                            : "a size such as 64Mi, 64MiB or 1G, or a number of bytes");
  if (bare && f->scale > 1 && bytes > 0)
    fprintf(stderr, "note: --%s %s is %s MiB/s, virsh's unit; other units: %sMi, 1G, 500k\n",
            f->option, text, text, text);
  g_autofree char *quantity = ferry_quantity_format(bytes);
  ferry_json_set_str(spec, f->field.name, quantity);
  return TRUE;
}

static gboolean set_value(const FerryMigrationFlag *f, json_t *spec, const GPtrArray *values,
                          GError **error) {
  const char *text = values->pdata[values->len - 1];
  switch (f->field.type) {
  case FERRY_TYPE_INTEGER:
    return set_integer(f, spec, text, error);
  case FERRY_TYPE_QUANTITY:
    return set_size(f, spec, text, error);
  case FERRY_TYPE_LIST:
    return set_list(f, spec, values, error);
  default:
    return options_set_text(f, spec, text, error);
  }
}

/* One error of all that are wrong. */
static gboolean options_answer(const GPtrArray *wrong, GError **error) {
  if (wrong->len == 0)
    return TRUE;
  g_autoptr(GString) text = g_string_new(NULL);
  if (wrong->len > 1)
    g_string_append_printf(text, "%u options can't be used:", wrong->len);
  for (guint i = 0; i < wrong->len; i++)
    g_string_append_printf(text, "%s%s", wrong->len > 1 ? "\n  * " : "", (char *)wrong->pdata[i]);
  g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, text->str);
  return FALSE;
}

gboolean ferry_migration_options_apply(const FerryArgs *args, json_t *spec, GError **error) {
  g_autoptr(GPtrArray) wrong = g_ptr_array_new_with_free_func(g_free);
  for (const FerryMigrationFlag *f = ferry_migration_flags; f->field.name; f++) {
    const GPtrArray *values = ferry_args_all(args, f->option);
    gboolean no = f->negative && ferry_args_has(args, f->negative);
    g_autoptr(GError) problem = NULL;
    if (values && no) {
      g_ptr_array_add(wrong,
                      g_strdup_printf("--%s and --%s exclude each other", f->option, f->negative));
      continue;
    }
    if (no || (values && f->field.type == FERRY_TYPE_BOOLEAN))
      ferry_json_set_bool(spec, f->field.name, f->inverted ? no : !no);
    else if (values && !set_value(f, spec, values, &problem))
      g_ptr_array_add(wrong, g_strdup(problem->message));
  }
  return options_answer(wrong, error);
}
