// SPDX-License-Identifier: Apache-2.0
// Dangerous fields are resources of their own: who sets one needs, besides the right to write the
// object, the verb create on virtualmachineinstancemigrations/RIGHT, where RIGHT is what the kind's
// table says of the field (FerryField.right). It is asked at every write by a user, whatever way it
// came, of the fields that the write sets or changes; what was set before stays as it is. To unset
// one needs nothing, but where somebody else's word counts then (FERRY_FIELD_OVERRIDES): without an
// administrator's spec.peer a Node's is what its agent says. Who says for whom an object counts
// (FERRY_FIELD_REACH: a policy's selectors) sets all that it says for them, and needs the rights of
// all of it; so does who makes a policy the one for all (FERRY_FIELD_BINDS), and who has one count
// for a VM that it does not choose (policy_rights.c). A field says something unless it is false, 0,
// empty or null.
#include "api/rights/field_rights.h"
#include "api/http/respond.h"
#include "api/rights/dangerous_fields.h"
#include "api/rights/policy_rights.h"

typedef struct {
  FerryRequest *req;
  GString *path;
  gboolean reach; /* it counts for others than before, so all that it says is new */
  GError *causes;
} FieldJudge;

/* In a migration the right is asked for in its namespace; what configures migrations of others, a
 * policy or the KubeVirt object, needs it everywhere. */
static void field_rights_require(const FieldJudge *j, const char *right) {
  const char *ns = j->req->found.kind == &ferry_kind_vmim ? j->req->found.ns : NULL;
  if (!ferry_field_right_held(j->req, right, ns))
    ferry_error_add_cause(j->causes, "FieldValueForbidden", j->path->str,
                          "Forbidden: user \"%s\" cannot create resource \"%s/%s\" in API group "
                          "\"%s\", which %s",
                          j->req->user->name, ferry_kind_vmim.plural, right, ferry_kind_vmim.group,
                          j->reach ? "this field needs where the selectors change"
                                   : "this field needs");
}

static void judge_field(const FieldJudge *j, const FerryField *f, const json_t *was,
                        const json_t *is, gboolean overrides) {
  gboolean same = was && is && json_equal(is, was);
  gboolean sets = ferry_field_says(is) && (j->reach || !same);
  gboolean unsets = overrides && ferry_field_says(was) && !ferry_field_says(is);
  if (sets || unsets)
    field_rights_require(j, f->right);
}

/* A policy that is named here counts for others by that: as if this object said what it says. */
static void collect_named(const FieldJudge *j, const json_t *was, const json_t *is);

static void field_rights_collect(const FieldJudge *j, const FerryField *fields, const json_t *old,
                                 const json_t *object, gboolean overrides) {
  for (const FerryField *f = fields; f && f->name; f++) {
    const json_t *is = json_object_get(object, f->name), *was = json_object_get(old, f->name);
    gboolean over = overrides || (f->flags & FERRY_FIELD_OVERRIDES);
    gsize mark = j->path->len;
    if (!is && !(over && was))
      continue;
    g_string_append_printf(j->path, "%s%s", mark ? "." : "", f->name);
    if (f->type == FERRY_TYPE_OBJECT && f->fields)
      field_rights_collect(j, f->fields, was, is, over);
    else if (f->flags & FERRY_FIELD_BINDS)
      collect_named(j, was, is);
    else if (f->right)
      judge_field(j, f, was, is, over);
    g_string_truncate(j->path, mark);
  }
}

static void collect_named(const FieldJudge *j, const json_t *was, const json_t *is) {
  const char *name = json_string_value(is);
  if (!name || (was && json_equal(was, is)))
    return;
  g_autoptr(json_t) policy =
      ferry_store_get(j->req->api->store, &ferry_kind_migration_policy, "", name);
  for (const FerryField *f = ferry_kind_migration_policy.fields; f->name; f++)
    if (g_str_equal(f->name, "spec"))
      field_rights_collect(j, f->fields, NULL, json_object_get(policy, "spec"), FALSE);
}

/* Whether what `old` said counts for others in `object`; a new one's reach is nothing special. */
static gboolean reach_changes(const FerryField *fields, const json_t *old, const json_t *object) {
  for (const FerryField *f = fields; old && f->name; f++) {
    json_t *was = json_object_get(old, f->name), *is = json_object_get(object, f->name);
    if ((f->flags & FERRY_FIELD_REACH) && was != is && !(was && is && json_equal(was, is)))
      return TRUE;
  }
  return FALSE;
}

gboolean ferry_check_field_rights(FerryRequest *req, const json_t *old, const json_t *object,
                                  GError **error) {
  if (req->user->admin || g_strcmp0(req->found.subresource, "status") == 0)
    return TRUE;
  const json_t *was = json_object_get(old, "spec"), *is = json_object_get(object, "spec");
  g_autoptr(GString) path = g_string_new("spec");
  g_autoptr(GError) causes = g_error_new_literal(FERRY_ERROR, FERRY_ERROR_FORBIDDEN, "");
  FieldJudge judge = {.req = req, .path = path, .causes = causes};
  for (const FerryField *f = req->found.kind->fields; f->name; f++)
    if (g_str_equal(f->name, "spec") && f->fields) {
      judge.reach = reach_changes(f->fields, was, is);
      field_rights_collect(&judge, f->fields, was, is, FALSE);
    }
  ferry_policy_rights_collect(req, old, object, causes);
  guint n = ferry_error_n_causes(causes);
  if (n == 0)
    return TRUE;
  g_autofree char *what = ferry_qualified(req->found.kind);
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
