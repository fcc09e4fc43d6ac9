// SPDX-License-Identifier: Apache-2.0
// The reference of all kinds as Markdown, for docs/api.md.
#include "model/fields.h"
#include "model/schema.h"
#include "model/schema_internal.h"
#include <string.h>

static const char *type_word(FerryType type) {
  static const char *const words[] = {
      [FERRY_TYPE_STRING] = "string",     [FERRY_TYPE_INTEGER] = "integer",
      [FERRY_TYPE_NUMBER] = "number",     [FERRY_TYPE_BOOLEAN] = "boolean",
      [FERRY_TYPE_QUANTITY] = "quantity", [FERRY_TYPE_TIME] = "time",
      [FERRY_TYPE_OBJECT] = "object",     [FERRY_TYPE_MAP] = "map of strings",
      [FERRY_TYPE_LIST] = "list",         [FERRY_TYPE_ANY] = "any",
  };
  return words[type];
}

static void add_row(GString *out, const char *path, const FerryField *field) {
  g_autofree char *limits = ferry_schema_limits(field);
  g_autofree char *type = field->type == FERRY_TYPE_LIST
                              ? g_strdup_printf("list of %ss", type_word(field->item))
                              : g_strdup(type_word(field->type));
  g_string_append_printf(out, "| `%s` | %s | %s%s%s%s%s |\n", path, type, field->doc,
                         *limits ? " Value: " : "", limits, *limits ? "." : "",
                         field->flags & FERRY_FIELD_REQUIRED ? " Required." : "");
}

static void add_fields(GString *out, const char *prefix, const FerryField *fields) {
  for (const FerryField *field = fields; field->name; field++) {
    g_autofree char *path = g_strdup_printf("%s%s%s", prefix, *prefix ? "." : "", field->name);
    add_row(out, path, field);
    if (field->fields) {
      g_autofree char *inner = g_strconcat(path, field->type == FERRY_TYPE_LIST ? "[]" : "", NULL);
      add_fields(out, inner, field->fields);
    }
  }
}

static void add_list(GString *out, const char *title, const char *const *words) {
  if (!words || !words[0])
    return;
  g_autofree char *text = g_strjoinv("`, `", (char **)words);
  g_string_append_printf(out, "- %s: `%s`\n", title, text);
}

static void add_verbs(GString *out, unsigned verbs) {
  static const char *const names[] = {"get",    "list",  "watch", "create",
                                      "update", "patch", "delete"};
  const char *have[G_N_ELEMENTS(names) + 1] = {NULL};
  gsize n = 0;
  for (guint i = 0; i < G_N_ELEMENTS(names); i++)
    if (verbs & (1u << i))
      have[n++] = names[i];
  add_list(out, "Verbs", have);
}

static void add_kind(GString *out, const FerryKind *kind) {
  g_autofree char *api_version = ferry_kind_api_version(kind);
  g_string_append_printf(out, "## %s\n\n`%s`, %s. %s\n\n- Plural: `%s`\n", kind->kind, api_version,
                         kind->namespaced ? "in a namespace" : "of the whole cluster", kind->doc,
                         kind->plural);
  add_list(out, "Short names", kind->short_names);
  add_verbs(out, kind->verbs);
  add_list(out, "Subresources", kind->subresources);
  add_list(out, "Field selectors", kind->field_selectors);
  g_string_append(out, "\n| Field | Type | Meaning |\n|---|---|---|\n");
  add_fields(out, "", kind->fields);
  g_string_append(out, "\n| Column | Meaning |\n|---|---|\n");
  for (gsize i = 0; i < kind->n_columns; i++)
    g_string_append_printf(out, "| %s%s | %s |\n", kind->columns[i].name,
                           kind->columns[i].priority > 0 ? " (-o wide)" : "", kind->columns[i].doc);
  g_string_append(out, "\n");
}

char *ferry_schema_markdown(void) {
  GString *out = g_string_new("# API reference\n\nMade from the tables in `src/model`. Every "
                              "object also has `apiVersion`, `kind` and `metadata`.\n\n");
  gsize n;
  const FerryKind *const *kinds = ferry_kinds(&n);
  for (gsize i = 0; i < n; i++)
    add_kind(out, kinds[i]);
  g_string_append(out, "## metadata\n\n| Field | Type | Meaning |\n|---|---|---|\n");
  add_fields(out, "metadata", ferry_fields_object_meta);
  return g_string_free(out, FALSE);
}
