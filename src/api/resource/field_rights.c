// SPDX-License-Identifier: Apache-2.0
// Dangerous fields are resources of their own: who sets one needs, besides the right to write the
// object, the verb create on virtualmachineinstancemigrations/RIGHT, where RIGHT is what the kind's
// table says of the field (FerryField.right). It is asked at every write by a user, whatever way it
// came, of the fields that the write sets or changes; what was set before stays as it is, and to
// unset one needs nothing. A field says something unless it is false, 0, empty or null.
#include "api/internal.h"

static gboolean says_something(const json_t *value) {
  if (!value || json_is_null(value) || json_is_false(value))
    return FALSE;
  if (json_is_integer(value))
    return json_integer_value(value) != 0;
  if (json_is_string(value))
    return json_string_length(value) > 0;
  return !(json_is_array(value) || json_is_object(value)) || json_array_size(value) > 0 ||
         json_object_size(value) > 0;
}

/* In a migration the right is asked for in its namespace; what configures migrations of others, a
 * policy or the KubeVirt object, needs it everywhere. */
static gboolean may_set(FerryRequest *req, const char *right) {
  FerryAccess a = {.verb = "create",
                   .group = ferry_kind_vmim.group,
                   .resource = ferry_kind_vmim.plural,
                   .subresource = right,
                   .ns = req->kind == &ferry_kind_vmim ? req->ns : NULL};
  return ferry_authz_allows(req->api, req->user, &a);
}

static void collect(FerryRequest *req, const FerryField *fields, GString *path, const json_t *old,
                    const json_t *object, GError *causes) {
  for (const FerryField *f = fields; f && f->name; f++) {
    const json_t *is = json_object_get(object, f->name), *was = json_object_get(old, f->name);
    gsize mark = path->len;
    if (!is)
      continue;
    g_string_append_printf(path, "%s%s", mark ? "." : "", f->name);
    if (f->type == FERRY_TYPE_OBJECT && f->fields)
      collect(req, f->fields, path, was, is, causes);
    else if (f->right && says_something(is) && !(was && json_equal(is, was)) &&
             !may_set(req, f->right))
      ferry_error_add_cause(causes, "FieldValueForbidden", path->str,
                            "Forbidden: user \"%s\" cannot create resource \"%s/%s\" in API group "
                            "\"%s\", which this field needs",
                            req->user->name, ferry_kind_vmim.plural, f->right,
                            ferry_kind_vmim.group);
    g_string_truncate(path, mark);
  }
}

gboolean ferry_check_field_rights(FerryRequest *req, const json_t *old, const json_t *object,
                                  GError **error) {
  if (req->user->admin || g_strcmp0(req->subresource, "status") == 0)
    return TRUE;
  g_autoptr(GString) path = g_string_new("spec");
  g_autoptr(GError) causes = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_FORBIDDEN, "");
  for (const FerryField *f = req->kind->fields; f->name; f++)
    if (g_str_equal(f->name, "spec") && f->fields)
      collect(req, f->fields, path, json_object_get(old, "spec"), json_object_get(object, "spec"),
              causes);
  guint n = ferry_error_n_causes(causes);
  if (n == 0)
    return TRUE;
  g_autofree char *what = ferry_qualified(req->kind);
  g_autoptr(GString) text = g_string_new(NULL);
  g_string_printf(text, "%s \"%s\" is forbidden", what, ferry_json_str(object, "metadata.name"));
  for (guint i = 0; i < n; i++)
    g_string_append_printf(text, "%s %s: %s", i ? ";" : ":", ferry_error_cause(causes, i)->field,
                           ferry_error_cause(causes, i)->message);
  g_free(causes->message);
  causes->message = g_string_free(g_steal_pointer(&text), FALSE);
  g_propagate_error(error, g_steal_pointer(&causes));
  return FALSE;
}
