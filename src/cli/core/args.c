// SPDX-License-Identifier: Apache-2.0
// Options are looked up in the tables given; nothing is global, so a test can parse anything.
#include "cli/core/args.h"
#include "base/edit_distance.h"
#include <string.h>

static const FerryCliOption *find_long(const FerryCliOption *const *tables, const char *name) {
  for (; *tables != NULL; tables++)
    for (const FerryCliOption *o = *tables; o->name != NULL; o++)
      if (g_str_equal(o->name, name) || g_strcmp0(o->alias, name) == 0)
        return o;
  return NULL;
}

static const FerryCliOption *find_letter(const FerryCliOption *const *tables, char letter) {
  for (; *tables != NULL; tables++)
    for (const FerryCliOption *o = *tables; o->name != NULL; o++)
      if (o->letter == letter)
        return o;
  return NULL;
}

static void unknown_long(const FerryCliOption *const *tables, const char *name, GError **error) {
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (const FerryCliOption *const *t = tables; *t != NULL; t++)
    for (const FerryCliOption *o = *t; o->name != NULL; o++)
      g_ptr_array_add(names, (gpointer)o->name);
  g_ptr_array_add(names, NULL);
  const char *near = ferry_nearest(name, (const char *const *)names->pdata);
  if (near != NULL)
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION,
                "unknown option --%s, did you mean --%s?", name, near);
  else
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION, "unknown option --%s", name);
}

static gboolean args_take(FerryArgs *args, const FerryCliOption *option, const char *value,
                          GError **error) {
  if (option->values != NULL && !g_strv_contains(option->values, value)) {
    g_autofree char *all = g_strjoinv(", ", (char **)option->values);
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--%s: \"%s\" is not one of %s",
                option->name, value, all);
    return FALSE;
  }
  if (option->arg != NULL && *value == '\0') {
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "--%s: the value is empty, expected %s", option->name, option->arg);
    return FALSE;
  }
  GPtrArray *list = g_hash_table_lookup(args->options, option->name);
  if (list == NULL) {
    list = g_ptr_array_new_with_free_func(g_free);
    g_hash_table_insert(args->options, (gpointer)option->name, list);
  }
  g_ptr_array_add(list, g_strdup(value));
  return TRUE;
}

static gboolean args_missing(const FerryCliOption *option, GError **error) {
  g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--%s needs a value: --%s %s",
              option->name, option->name, option->arg);
  return FALSE;
}

static gboolean parse_long(FerryArgs *args, const FerryCliOption *const *tables, int argc,
                           char *const *argv, int *i, GError **error) {
  const char *text = argv[*i] + 2;
  const char *equals = strchr(text, '=');
  g_autofree char *name = equals ? g_strndup(text, (gsize)(equals - text)) : g_strdup(text);
  const FerryCliOption *option = find_long(tables, name);
  if (option == NULL) {
    unknown_long(tables, name, error);
    return FALSE;
  }
  if (option->arg == NULL) {
    if (equals != NULL) {
      g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--%s takes no value", name);
      return FALSE;
    }
    return args_take(args, option, "", error);
  }
  if (equals != NULL)
    return args_take(args, option, equals + 1, error);
  if (*i + 1 >= argc)
    return args_missing(option, error);
  return args_take(args, option, argv[++*i], error);
}

static gboolean parse_letters(FerryArgs *args, const FerryCliOption *const *tables, int argc,
                              char *const *argv, int *i, GError **error) {
  for (const char *p = argv[*i] + 1; *p != '\0'; p++) {
    const FerryCliOption *option = find_letter(tables, *p);
    if (option == NULL) {
      g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION, "unknown option -%c", *p);
      return FALSE;
    }
    if (option->arg == NULL) {
      if (!args_take(args, option, "", error))
        return FALSE;
      continue;
    }
    if (p[1] == '=')
      return args_take(args, option, p + 2, error);
    if (p[1] != '\0')
      return args_take(args, option, p + 1, error);
    if (*i + 1 >= argc)
      return args_missing(option, error);
    return args_take(args, option, argv[++*i], error);
  }
  return TRUE;
}

FerryArgs *ferry_args_parse(const FerryCliOption *const *tables, int argc, char *const *argv,
                            GError **error) {
  g_autoptr(FerryArgs) args = g_new0(FerryArgs, 1);
  args->options =
      g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);
  args->words = g_ptr_array_new_with_free_func(g_free);
  gboolean only_words = FALSE;
  for (int i = 0; i < argc; i++) {
    const char *text = argv[i];
    if (only_words || text[0] != '-' || text[1] == '\0') {
      g_ptr_array_add(args->words, g_strdup(text));
    } else if (g_str_equal(text, "--")) {
      only_words = TRUE;
    } else if (text[1] == '-') {
      if (!parse_long(args, tables, argc, argv, &i, error))
        return NULL;
    } else if (!parse_letters(args, tables, argc, argv, &i, error)) {
      return NULL;
    }
  }
  return g_steal_pointer(&args);
}

void ferry_args_free(FerryArgs *args) {
  if (args == NULL)
    return;
  g_clear_pointer(&args->options, g_hash_table_unref);
  g_clear_pointer(&args->words, g_ptr_array_unref);
  g_free(args);
}

gboolean ferry_args_has(const FerryArgs *args, const char *name) {
  return g_hash_table_contains(args->options, name);
}

const GPtrArray *ferry_args_all(const FerryArgs *args, const char *name) {
  return g_hash_table_lookup(args->options, name);
}

const char *ferry_args_get(const FerryArgs *args, const char *name) {
  const GPtrArray *list = ferry_args_all(args, name);
  return list == NULL ? NULL : g_ptr_array_index(list, list->len - 1);
}
