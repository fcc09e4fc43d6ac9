// SPDX-License-Identifier: Apache-2.0
// What the page's forms are made of, from the tables that the API and the command line are made of.
#include "api/http/respond.h"
#include "api/web/web.h"
#include "model/flags/migration_flags.h"

static const char *form_of(const FerryMigrationFlag *flag) {
  switch (flag->field.type) {
  case FERRY_TYPE_BOOLEAN:
    return "boolean";
  case FERRY_TYPE_INTEGER:
    return "integer";
  case FERRY_TYPE_LIST:
    return "list";
  default:
    return "text";
  }
}

gboolean ferry_serve_web_tables(FerryRequest *req, GError **error) {
  json_t *flags = json_array();
  const char *group = "";
  for (const FerryMigrationFlag *f = ferry_migration_flags; f->field.name; f++) {
    group = f->group ? f->group : group;
    json_array_append_new(
        flags, json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:b, s:o}", "name",
                         f->field.name, "doc", f->field.doc, "group", group, "type", form_of(f),
                         "option", f->option, "negative", f->negative, "default", f->def, "libvirt",
                         f->libvirt ? f->libvirt : f->param, "inverted", f->inverted, "values",
                         ferry_json_strings(f->field.values)));
  }
  ferry_respond_json(req, 200, json_pack("{s:o}", "flags", flags));
  return TRUE;
}
