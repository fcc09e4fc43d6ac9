// SPDX-License-Identifier: Apache-2.0
#include "cli/documents_kinds.h"
#include "model/schema/schema.h"
#include <string.h>

/* A line that mdoc takes for text only. */
static void page_add_line(GString *out, const char *text) {
  if (*text == '.' || *text == '\'')
    g_string_append(out, "\\&");
  for (const char *p = text; *p; p++) {
    if (*p == '\\')
      g_string_append(out, "\\e");
    else
      g_string_append_c(out, *p == '\n' ? ' ' : *p);
  }
  g_string_append_c(out, '\n');
}

/* Sentences, each in a line of its own. */
static void page_add_text(GString *out, const char *text) {
  g_autoptr(GRegex) between = g_regex_new("(?<=\\.)\\s+(?=[A-Z])", 0, 0, NULL);
  g_auto(GStrv) sentences = g_regex_split(between, text, 0);
  for (gsize i = 0; sentences[i]; i++)
    page_add_line(out, sentences[i]);
}

static const char *page_type_word(const FerryField *f) {
  static const char *const words[] = {
      [FERRY_TYPE_STRING] = "text",       [FERRY_TYPE_INTEGER] = "integer",
      [FERRY_TYPE_NUMBER] = "number",     [FERRY_TYPE_BOOLEAN] = "true or false",
      [FERRY_TYPE_QUANTITY] = "quantity", [FERRY_TYPE_TIME] = "time",
      [FERRY_TYPE_OBJECT] = "object",     [FERRY_TYPE_MAP] = "map of text",
      [FERRY_TYPE_LIST] = "list",         [FERRY_TYPE_ANY] = "anything",
  };
  return words[f->type];
}

/* Fields by their whole path; what KubeVirt has and Ferry only keeps is left out. */
static gboolean add_fields(GString *out, const FerryField *fields, const char *path) {
  gboolean kept = FALSE;
  for (const FerryField *f = fields; f && f->name; f++) {
    if (f->flags & FERRY_FIELD_KEPT) {
      kept = TRUE;
      continue;
    }
    g_autofree char *at =
        g_strconcat(path, *path ? "." : "", f->name, f->type == FERRY_TYPE_LIST ? "[]" : "", NULL);
    g_autofree char *text = ferry_schema_description(f);
    g_string_append_printf(out, ".It Cm %s Pq %s%s\n", at, page_type_word(f),
                           f->flags & FERRY_FIELD_REQUIRED ? ", required" : "");
    page_add_text(out, text);
    if (f->flags & FERRY_FIELD_IMMUTABLE)
      g_string_append(out, "It can't be changed afterwards.\n");
    if (add_fields(out, f->fields, at))
      kept = TRUE;
  }
  return kept;
}

static void page_add_columns(GString *out, const FerryKind *kind) {
  g_string_append(out, ".Sh COLUMNS\nOf\n.Ql ferry get ;\n"
                       "those marked wide only with\n.Fl o Cm wide .\n.Bl -tag -width Ds\n");
  for (gsize i = 0; i < kind->n_columns; i++) {
    const FerryColumn *c = &kind->columns[i];
    g_autofree char *name = g_ascii_strup(c->name, -1);
    g_string_append_printf(out, ".It Cm %s%s\n", name, c->priority > 0 ? " Pq wide" : "");
    page_add_text(out, c->doc ? c->doc : "");
  }
  g_string_append(out, ".El\n");
}

static void add_rights(GString *out, const FerryKind *kind) {
  static const char *const roles[] = {
      [FERRY_ROLE_VIEW] = "view",
      [FERRY_ROLE_OPERATE] = "operate",
      [FERRY_ROLE_EDIT] = "edit",
      [FERRY_ROLE_ADMIN] = "admin",
  };
  g_string_append_printf(out,
                         ".Sh RIGHTS\nOf the roles that come with Ferry,\n.Cm %s\n"
                         "is the first that may read it",
                         kind->read_by ? roles[kind->read_by] : "cluster-admin");
  if (!(kind->verbs & ~FERRY_VERB_READ))
    g_string_append(out, "; nobody writes it.\n");
  else
    g_string_append_printf(out, ", and\n.Cm %s\nthe first that may write it.\n",
                           kind->write_by ? roles[kind->write_by] : "cluster-admin");
  if (kind->instead)
    page_add_text(out, kind->instead);
  for (gsize i = 0; kind->subresources && kind->subresources[i]; i++)
    g_string_append_printf(out, "%s\n.Ql %s/%s%s\n", i == 0 ? "Rights of their own have" : "and",
                           kind->plural, kind->subresources[i],
                           kind->subresources[i + 1] ? "" : " .");
}

char *ferry_documents_kind(const FerryKind *kind, const char *word) {
  GString *out = g_string_new(".\\\" SPDX-License-Identifier: Apache-2.0\n");
  g_autofree char *upper = g_ascii_strup(word, -1);
  g_autofree char *version = ferry_kind_api_version(kind);
  g_autofree char *doc = g_strdup(kind->doc);
  if (g_str_has_suffix(doc, "."))
    doc[strlen(doc) - 1] = '\0';
  g_string_append_printf(out, ".Dd November 30, 2026\n.Dt FERRY-%s 5\n.Os Ferry\n.Sh NAME\n",
                         upper);
  g_string_append_printf(out, ".Nm ferry-%s\n.Nd ", word);
  page_add_line(out, doc);
  g_string_append_printf(out,
                         ".Sh SYNOPSIS\n.Bd -literal -compact\napiVersion: %s\nkind: %s\n"
                         "metadata:\n  name: NAME\n%s.Ed\n.Sh DESCRIPTION\n",
                         version, kind->kind, kind->namespaced ? "  namespace: NAMESPACE\n" : "");
  page_add_text(out, kind->doc);
  g_string_append_printf(out, "On the command line it is\n.Cm %s", kind->singular);
  for (gsize i = 0; kind->short_names && kind->short_names[i]; i++)
    g_string_append_printf(out, "\nor\n.Cm %s", kind->short_names[i]);
  g_string_append(out,
                  " .\nA quantity is a number with or without a suffix such as Mi; a time is that "
                  "of RFC 3339.\n");
  g_string_append(out, ".Sh FIELDS\n.Bl -tag -width Ds\n");
  gboolean kept = add_fields(out, kind->fields, "");
  g_string_append(out, ".El\n");
  if (kept)
    g_string_append(out,
                    ".Pp\nFields that KubeVirt has and Ferry does not act by are taken and kept; a "
                    "warning says so.\n");
  page_add_columns(out, kind);
  add_rights(out, kind);
  g_string_append(out, ".Sh SEE ALSO\n.Xr ferry 1 ,\n.Xr ferryd 8\n");
  return g_string_free(out, FALSE);
}
