// SPDX-License-Identifier: Apache-2.0
// The table of migration flags as documents: the rows of docs/flags.md, the options' part of
// ferry(1) and the completion's words.
#include "model/schema/migration_flags_doc.h"
#include "model/flags/migration_flags.h"
#include "model/schema/schema_parts.h"
#include <string.h>

static const char *type_word(const FerryField *field) {
  switch (field->type) {
  case FERRY_TYPE_BOOLEAN:
    return "boolean";
  case FERRY_TYPE_INTEGER:
    return "integer";
  case FERRY_TYPE_QUANTITY:
    return "quantity";
  case FERRY_TYPE_LIST:
    return "list";
  default:
    return "string";
  }
}

static void add_row(GString *out, const FerryMigrationFlag *f) {
  g_autofree char *limits = ferry_schema_limits(&f->field);
  g_string_append_printf(out, "| `%s` | `--%s%s%s`", f->field.name, f->option, f->arg ? " " : "",
                         f->arg ? f->arg : "");
  if (f->negative)
    g_string_append_printf(out, ", `--%s`", f->negative);
  g_string_append_printf(out, " | `%s` | %s%s%s | %s%s%s%s%s | %s%s%s%s |\n", f->libvirt,
                         type_word(&f->field), *limits ? ", " : "", limits, f->since_libvirt,
                         f->since_qemu ? " / " : "", f->since_qemu ? f->since_qemu : "",
                         f->until_qemu ? ", gone in " : "", f->until_qemu ? f->until_qemu : "",
                         f->field.doc, f->def ? " Default: " : "", f->def ? f->def : "",
                         f->def ? "." : "");
}

char *ferry_migration_flags_markdown(void) {
  GString *out = g_string_new(NULL);
  for (const FerryMigrationFlag *f = ferry_migration_flags; f->field.name; f++) {
    if (f->group)
      g_string_append_printf(out,
                             "%s### %s\n\n| Field | Option | libvirt | Type | Since libvirt / QEMU "
                             "| Meaning |\n|---|---|---|---|---|---|\n",
                             f == ferry_migration_flags ? "" : "\n", f->group);
    add_row(out, f);
  }
  return g_string_free(out, FALSE);
}

char *ferry_migration_flags_man(void) {
  GString *out = g_string_new(".Bl -tag -width Ds\n");
  for (const FerryMigrationFlag *f = ferry_migration_flags; f->field.name; f++) {
    g_string_append_printf(out, ".It Fl -%s", f->option);
    if (f->alias)
      g_string_append_printf(out, " , Fl -%s", f->alias);
    if (f->negative)
      g_string_append_printf(out, " , Fl -%s", f->negative);
    if (f->arg)
      g_string_append_printf(out, " Ar %s", f->arg);
    g_autofree char *limits = ferry_schema_limits(&f->field);
    if (f->inverted)
      g_string_append_printf(out, "\nEncrypt the data, or not.");
    else
      g_string_append_printf(out, "\n%s", f->field.doc);
    g_string_append_printf(out, "\n(%s%s%s%s%s)\n", f->libvirt, *limits ? "; " : "", limits,
                           f->def ? "; default: " : "", f->def ? f->def : "");
  }
  g_string_append(out, ".El\n");
  return g_string_free(out, FALSE);
}

char *ferry_migration_flags_words(gboolean values) {
  GString *out = g_string_new(NULL);
  for (const FerryMigrationFlag *f = ferry_migration_flags; f->field.name; f++) {
    if (values && !f->arg)
      continue;
    g_string_append_printf(out, "%s--%s", out->len ? " " : "", f->option);
    if (f->alias)
      g_string_append_printf(out, " --%s", f->alias);
    if (f->negative)
      g_string_append_printf(out, " --%s", f->negative);
  }
  return g_string_free(out, FALSE);
}
