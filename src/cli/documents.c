// SPDX-License-Identifier: Apache-2.0
// Documents are templates whose marks are replaced line by line, each by one function. A new verb,
// option, kind or flag is in all of them without an edit, as the tables are what the program itself
// goes by.
// The manual's template names the parts to be filled in; a verb that has a section there is not
// listed a second time.
#include "cli/core/words.h"
#include "cli/documents.h"
#include "cli/verbs.h"
#include "model/kinds/kind.h"
#include "model/kinds/policy_fields.h"
#include "model/schema/migration_flags_doc.h"
#include "model/schema/schema.h"

#include <string.h>

/* ---- the manual ---- */

/* A line of text that mdoc takes for nothing else. */
static void documents_add_text(GString *out, const char *text) {
  if (*text == '.' || *text == '\'')
    g_string_append(out, "\\&");
  for (; *text; text++) {
    if (*text == '\\')
      g_string_append(out, "\\e");
    else
      g_string_append_c(out, *text);
  }
}

/* With a full stop, unless it has one: also before brackets at its end. */
static void add_sentence(GString *out, const char *text) {
  documents_add_text(out, text);
  if (*text && !g_str_has_suffix(text, ".") && !strstr(text, ". ("))
    g_string_append_c(out, '.');
  g_string_append_c(out, '\n');
}

static void documents_add_item(GString *out, const FerryCliOption *o) {
  g_string_append(out, ".It ");
  if (o->letter)
    g_string_append_printf(out, "Fl %c , ", o->letter);
  g_string_append_printf(out, "Fl -%s", o->name);
  if (o->alias)
    g_string_append_printf(out, " , Fl -%s", o->alias);
  if (o->arg)
    g_string_append_printf(out, " Ar %s", o->arg);
  g_string_append_c(out, '\n');
  add_sentence(out, o->doc);
  if (o->more)
    add_sentence(out, o->more);
}

static void add_items(GString *out, const FerryCliOption *options) {
  gboolean any = FALSE;
  for (const FerryCliOption *o = options; o->name; o++) {
    if (o->is_flag)
      continue;
    if (!any)
      g_string_append(out, ".Bl -tag -width Ds\n");
    any = TRUE;
    documents_add_item(out, o);
  }
  if (any)
    g_string_append(out, ".El\n");
}

static void add_global(GString *out) {
  static const FerryCliOption version = {"version", 0, NULL,
                                         "Without a verb: show this program's version"};
  g_string_append(out, ".Bl -tag -width Ds\n");
  for (const FerryCliOption *o = ferry_global_options; o->name; o++)
    documents_add_item(out, o);
  documents_add_item(out, &version);
  g_string_append(out, ".El\n");
}

/* "KIND NAME..." of a synopsis as arguments; words of small letters, "-f" and "|" stand as they
 * are. */
static void documents_add_words(GString *out, const char *synopsis) {
  g_auto(GStrv) words = g_strsplit(synopsis, " ", -1);
  for (gsize i = 0; words[i]; i++) {
    if (!*words[i])
      continue;
    if (*words[i] == '-')
      g_string_append_printf(out, ".Fl %s\n", words[i] + 1);
    else if (g_ascii_islower(*words[i]))
      g_string_append_printf(out, ".Cm %s\n", words[i]);
    else
      g_string_append_printf(out, ".Ar %s\n", words[i]);
  }
}

static void add_synopsis(GString *out) {
  gsize n;
  const FerryVerb *const *verbs = ferry_verbs(&n);
  for (gsize i = 0; i < n; i++)
    for (gsize k = 0; verbs[i]->synopses[k]; k++) {
      g_string_append_printf(out, ".Nm ferry %s\n", verbs[i]->name);
      documents_add_words(out, verbs[i]->synopses[k]);
      g_string_append(out, ".Op Ar OPTIONS\n");
    }
}

/* What a person types for it. */
static const char *documents_word_of(const FerryKind *kind) {
  return kind->short_names && strlen(kind->singular) > 16 ? kind->short_names[0] : kind->singular;
}

static void add_kinds(GString *out) {
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  g_string_append(out, ".Bl -tag -width Ds -compact\n");
  for (gsize i = 0; i < n; i++) {
    g_string_append_printf(out, ".It Cm %s", kinds[i]->singular);
    for (gsize k = 0; kinds[i]->short_names && kinds[i]->short_names[k]; k++)
      g_string_append_printf(out, " , %s", kinds[i]->short_names[k]);
    g_string_append_c(out, '\n');
    add_sentence(out, kinds[i]->doc);
  }
  g_string_append(out, ".El\n");
}

/* The fields of policies, with unit, limits and default. */
static void documents_add_fields(GString *out) {
  g_string_append(out, ".Bl -tag -width Ds\n");
  for (const FerryPolicyField *f = ferry_policy_fields; f->field.name; f++) {
    g_autofree char *text = ferry_schema_description(&f->field);
    if (!(f->layers & ~FERRY_LAYER_PRESET))
      continue;
    g_string_append_printf(out, ".It Cm %s\n", f->field.name);
    add_sentence(out, text);
  }
  g_string_append(out, ".El\n");
}

/* Whether the template has a section on the verb, alone or beside others. */
static gboolean has_section(const char *template, const char *verb) {
  g_auto(GStrv) lines = g_strsplit(template, "\n", -1);
  for (gsize i = 0; lines[i]; i++) {
    if (!g_str_has_prefix(lines[i], ".Ss "))
      continue;
    g_auto(GStrv) names = g_strsplit(lines[i] + 4, ", ", -1);
    if (g_strv_contains((const char *const *)names, verb))
      return TRUE;
  }
  return FALSE;
}

static void add_verbs(GString *out, const char *template) {
  gsize n;
  const FerryVerb *const *verbs = ferry_verbs(&n);
  for (gsize i = 0; i < n; i++) {
    if (has_section(template, verbs[i]->name))
      continue;
    g_string_append_printf(out, ".Ss %s\n", verbs[i]->name);
    add_sentence(out, verbs[i]->doc);
    if (verbs[i]->details)
      add_sentence(out, verbs[i]->details);
    add_items(out, verbs[i]->options);
  }
}

static gboolean add_man_part(GString *out, const char *template, const char *what) {
  const FerryVerb *verb =
      g_str_has_prefix(what, "options ") ? ferry_verb_find(what + strlen("options ")) : NULL;
  g_autofree char *flags = g_str_equal(what, "flags") ? ferry_migration_flags_man() : NULL;
  if (verb)
    add_items(out, verb->options);
  else if (flags)
    g_string_append(out, flags);
  else if (g_str_equal(what, "synopsis"))
    add_synopsis(out);
  else if (g_str_equal(what, "kinds"))
    add_kinds(out);
  else if (g_str_equal(what, "fields"))
    documents_add_fields(out);
  else if (g_str_equal(what, "global"))
    add_global(out);
  else if (g_str_equal(what, "verbs"))
    add_verbs(out, template);
  else
    return FALSE;
  return TRUE;
}

/* ---- the completion ---- */

static void add_option_words(GString *out, const FerryCliOption *options) {
  gboolean flags = FALSE;
  const char *space = "";
  for (const FerryCliOption *o = options; o->name; o++) {
    if (o->is_flag) {
      if (!flags)
        g_string_append_printf(out, "%s$_ferry_flags", space);
      flags = TRUE;
    } else {
      g_string_append_printf(out, "%s--%s", space, o->name);
      if (o->alias)
        g_string_append_printf(out, " --%s", o->alias);
      if (o->letter)
        g_string_append_printf(out, " -%c", o->letter);
    }
    space = " ";
  }
}

static void add_lists(GString *out) {
  gsize n;
  g_autofree char *words = ferry_migration_flags_words(FALSE);
  g_autofree char *values = ferry_migration_flags_words(TRUE);
  g_string_append_printf(out, "_ferry_flags=\"%s\"\n_ferry_flag_values=\"%s\"\n", words, values);
  g_string_append(out, "_ferry_global=\"");
  add_option_words(out, ferry_global_options);
  g_string_append(out, "\"\n_ferry_verbs=\"");
  const FerryVerb *const *verbs = ferry_verbs(&n);
  for (gsize i = 0; i < n; i++)
    g_string_append_printf(out, "%s%s", i ? " " : "", verbs[i]->name);
  g_string_append(out, "\"\n_ferry_kinds=\"");
  const FerryKind *const *kinds = ferry_kinds(&n);
  for (gsize i = 0; i < n; i++)
    g_string_append_printf(out, "%s ", documents_word_of(kinds[i]));
  for (gsize i = 0; ferry_words_nth(i); i++)
    g_string_append_printf(out, "%s ", ferry_words_nth(i));
  g_string_append(out, "all\"\n");
}

static void add_verb_options(GString *out) {
  gsize n;
  const FerryVerb *const *verbs = ferry_verbs(&n);
  for (gsize i = 0; i < n; i++) {
    g_string_append_printf(out, "  %s) echo \"", verbs[i]->name);
    add_option_words(out, verbs[i]->options);
    g_string_append(out, "\" ;;\n");
  }
}

static void add_words_of(GString *out) {
  gsize n;
  const FerryVerb *const *verbs = ferry_verbs(&n);
  for (gsize i = 0; i < n; i++)
    if (verbs[i]->words_of)
      g_string_append_printf(out, "  %s) echo %s ;;\n", verbs[i]->name, verbs[i]->words_of);
}

/* A row for an option that takes a value: words, the kind whose names are offered, a file, or any.
 */
static void add_values(GString *out, const char *verb, const FerryCliOption *options) {
  for (const FerryCliOption *o = options; o->name; o++) {
    if (!o->arg || (o->is_flag && !g_str_equal(o->arg, "FILE")))
      continue;
    g_string_append_printf(out, "  %s\" --%s\"", verb, o->name);
    if (o->letter)
      g_string_append_printf(out, " | %s\" -%c\"", verb, o->letter);
    if (o->values) {
      g_autofree char *words = g_strjoinv(" ", (char **)o->values);
      g_string_append_printf(out, ") value=\"words %s\" ;;\n", words);
    } else if (o->kind) {
      g_string_append_printf(out, ") value=\"names %s\" ;;\n", o->kind);
    } else if (g_str_equal(o->arg, "FILE") || g_str_equal(o->arg, "DIR")) {
      g_string_append_printf(out, ") value=%s ;;\n",
                             g_str_equal(o->arg, "DIR") ? "folder" : "file");
    } else {
      g_string_append(out, ") value=any ;;\n");
    }
  }
}

static gboolean add_completion_part(GString *out, const char *template, const char *what) {
  if (g_str_equal(what, "lists")) {
    add_lists(out);
  } else if (g_str_equal(what, "options")) {
    add_verb_options(out);
  } else if (g_str_equal(what, "words")) {
    add_words_of(out);
  } else if (g_str_equal(what, "values")) {
    gsize n;
    const FerryVerb *const *verbs = ferry_verbs(&n);
    for (gsize i = 0; i < n; i++)
      add_values(out, verbs[i]->name, verbs[i]->options);
  } else if (g_str_equal(what, "global values")) {
    add_values(out, "*", ferry_global_options);
  } else {
    return FALSE;
  }
  return TRUE;
}

/* ---- both ---- */

static char *documents_fill(const char *template, const char *begin,
                            gboolean (*add)(GString *out, const char *template, const char *what),
                            GError **error) {
  g_autoptr(GString) out = g_string_new(NULL);
  g_auto(GStrv) lines = g_strsplit(template, "\n", -1);
  for (gsize i = 0; lines[i]; i++) {
    const char *line = lines[i];
    const char *mark = line + strspn(line, " ");
    if (!g_str_has_prefix(mark, begin) || !g_str_has_suffix(mark, "@") ||
        strlen(mark) <= strlen(begin)) {
      g_string_append_printf(out, "%s%s", line, lines[i + 1] ? "\n" : "");
      continue;
    }
    g_autofree char *what =
        g_strndup(mark + strlen(begin), strlen(mark) - strlen(begin) - strlen("@"));
    if (!add(out, template, what)) {
      g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                  "line %zu of the template: \"%s\" is not a part that can be made", i + 1, what);
      return NULL;
    }
  }
  return g_string_free(g_steal_pointer(&out), FALSE);
}

char *ferry_documents_man(const char *template, GError **error) {
  return documents_fill(template, ".\\\" @", add_man_part, error);
}

char *ferry_documents_completion(const char *template, GError **error) {
  return documents_fill(template, "# @", add_completion_part, error);
}
