// SPDX-License-Identifier: Apache-2.0
// Theory of operation: newer kubectl sends a few kinds as protobuf and never tries JSON. Those few
// are decoded by tables of field numbers; whatever a table does not name is skipped. Every length
// is checked against what is left, and nesting is bounded by the tables themselves; values are
// counted before they are made, as a list's element may come in two bytes and take a hundred times
// that.
#include "api/internal.h"

#include <string.h>

typedef struct Message Message;
typedef enum { TEXT, MESSAGE, MAP, TEXTS, MESSAGES } FieldType;
typedef struct {
  guint number;
  const char *name;
  FieldType type;
  const Message *message;
} Field;
struct Message {
  const Field *fields; /* ends with number 0 */
};

static const Field meta_fields[] = {{1, "name", TEXT, NULL},        {2, "generateName", TEXT, NULL},
                                    {3, "namespace", TEXT, NULL},   {11, "labels", MAP, NULL},
                                    {12, "annotations", MAP, NULL}, {14, "finalizers", TEXTS, NULL},
                                    {0, NULL, TEXT, NULL}};
static const Message meta = {meta_fields};
static const Field resource_fields[] = {
    {1, "namespace", TEXT, NULL}, {2, "verb", TEXT, NULL},     {3, "group", TEXT, NULL},
    {4, "version", TEXT, NULL},   {5, "resource", TEXT, NULL}, {6, "subresource", TEXT, NULL},
    {7, "name", TEXT, NULL},      {0, NULL, TEXT, NULL}};
static const Message resource = {resource_fields};
static const Field path_fields[] = {
    {1, "path", TEXT, NULL}, {2, "verb", TEXT, NULL}, {0, NULL, TEXT, NULL}};
static const Message path_message = {path_fields};
static const Field access_spec_fields[] = {{1, "resourceAttributes", MESSAGE, &resource},
                                           {2, "nonResourceAttributes", MESSAGE, &path_message},
                                           {0, NULL, TEXT, NULL}};
static const Message access_spec = {access_spec_fields};
static const Field rules_spec_fields[] = {{1, "namespace", TEXT, NULL}, {0, NULL, TEXT, NULL}};
static const Message rules_spec = {rules_spec_fields};
static const Field namespace_spec_fields[] = {{1, "finalizers", TEXTS, NULL},
                                              {0, NULL, TEXT, NULL}};
static const Message namespace_spec = {namespace_spec_fields};

#define TOP(name, spec)                                                                            \
  static const Field name##_fields[] = {                                                           \
      {1, "metadata", MESSAGE, &meta}, {2, "spec", MESSAGE, spec}, {0, NULL, TEXT, NULL}};         \
  static const Message name = {name##_fields}
TOP(top_namespace, &namespace_spec);
TOP(top_access, &access_spec);
TOP(top_rules, &rules_spec);
static const Field top_self_fields[] = {{1, "metadata", MESSAGE, &meta}, {0, NULL, TEXT, NULL}};
static const Message top_self = {top_self_fields};

static const Field preconditions_fields[] = {
    {1, "uid", TEXT, NULL}, {2, "resourceVersion", TEXT, NULL}, {0, NULL, TEXT, NULL}};
static const Message preconditions = {preconditions_fields};
static const Field delete_fields[] = {{2, "preconditions", MESSAGE, &preconditions},
                                      {4, "propagationPolicy", TEXT, NULL},
                                      {5, "dryRun", TEXTS, NULL},
                                      {0, NULL, TEXT, NULL}};
static const Message delete_options = {delete_fields};

/* Roles and bindings */
static const Field rule_fields[] = {
    {1, "verbs", TEXTS, NULL},           {2, "apiGroups", TEXTS, NULL},
    {3, "resources", TEXTS, NULL},       {4, "resourceNames", TEXTS, NULL},
    {5, "nonResourceURLs", TEXTS, NULL}, {0, NULL, TEXT, NULL}};
static const Message rule = {rule_fields};
static const Field role_fields[] = {
    {1, "metadata", MESSAGE, &meta}, {2, "rules", MESSAGES, &rule}, {0, NULL, TEXT, NULL}};
static const Message top_role = {role_fields};
static const Field subject_fields[] = {{1, "kind", TEXT, NULL},
                                       {2, "apiGroup", TEXT, NULL},
                                       {3, "name", TEXT, NULL},
                                       {4, "namespace", TEXT, NULL},
                                       {0, NULL, TEXT, NULL}};
static const Message subject = {subject_fields};
static const Field role_ref_fields[] = {{1, "apiGroup", TEXT, NULL},
                                        {2, "kind", TEXT, NULL},
                                        {3, "name", TEXT, NULL},
                                        {0, NULL, TEXT, NULL}};
static const Message role_ref = {role_ref_fields};
static const Field binding_fields[] = {{1, "metadata", MESSAGE, &meta},
                                       {2, "subjects", MESSAGES, &subject},
                                       {3, "roleRef", MESSAGE, &role_ref},
                                       {0, NULL, TEXT, NULL}};
static const Message top_binding = {binding_fields};

static const struct {
  const char *group, *kind; /* group "" for core, NULL for that of whatever it is about */
  const Message *message;
} known[] = {
    {"", "Namespace", &top_namespace},
    {"authorization.k8s.io", "SelfSubjectAccessReview", &top_access},
    {"authorization.k8s.io", "SelfSubjectRulesReview", &top_rules},
    {"authentication.k8s.io", "SelfSubjectReview", &top_self},
    {"rbac.authorization.k8s.io", "Role", &top_role},
    {"rbac.authorization.k8s.io", "ClusterRole", &top_role},
    {"rbac.authorization.k8s.io", "RoleBinding", &top_binding},
    {"rbac.authorization.k8s.io", "ClusterRoleBinding", &top_binding},
    {NULL, "DeleteOptions", &delete_options},
};

typedef struct {
  const guint8 *p, *end;
} Span;

static gboolean varint(Span *s, guint64 *value) {
  *value = 0;
  for (guint shift = 0; shift < 64 && s->p < s->end; shift += 7) {
    guint8 byte = *s->p++;
    *value |= (guint64)(byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return TRUE;
  }
  return FALSE;
}

/* The next length-delimited field; others are skipped. FALSE at the end or, with *bad, when broken.
 */
static gboolean next_field(Span *s, guint *number, Span *value, gboolean *broken) {
  while (s->p < s->end) {
    guint64 tag, n;
    if (!varint(s, &tag))
      break;
    switch (tag & 7) {
    case 0:
      if (!varint(s, &n))
        goto bad;
      continue;
    case 1:
    case 5:
      n = (tag & 7) == 1 ? 8 : 4;
      if ((gsize)(s->end - s->p) < n)
        goto bad;
      s->p += n;
      continue;
    case 2:
      if (!varint(s, &n) || n > (guint64)(s->end - s->p))
        goto bad;
      *value = (Span){s->p, s->p + n};
      s->p += n;
      *number = (guint)(tag >> 3);
      return TRUE;
    default:
      goto bad;
    }
  }
  if (s->p >= s->end)
    return FALSE;
bad:
  *broken = TRUE;
  return FALSE;
}

static json_t *text_of(Span s) {
  return json_stringn((const char *)s.p, (gsize)(s.end - s.p)); /* NULL where not UTF-8 */
}

static gboolean add_pair(json_t *map, Span pair) {
  guint number;
  Span value, key = {0}, text = {0};
  gboolean broken = FALSE;
  while (next_field(&pair, &number, &value, &broken)) {
    if (number == 1)
      key = value;
    else if (number == 2)
      text = value;
  }
  g_autofree char *name = g_strndup((const char *)key.p, (gsize)(key.end - key.p));
  json_t *string = text.p ? text_of(text) : json_string("");
  return string && json_object_set_new(map, name, string) == 0 && !broken;
}

typedef struct {
  gsize values; /* that may still be made */
  gboolean broken, too_many;
} Decoding;

static gboolean pay(Decoding *d) {
  d->too_many |= d->values == 0;
  if (d->too_many)
    return FALSE;
  d->values--;
  return TRUE;
}

static json_t *protobuf_decode(const Message *message, Span s, Decoding *d);

/* Takes one field's value into `out`. */
static void take_field(json_t *out, const Field *f, Span value, Decoding *d) {
  json_t *there = json_object_get(out, f->name);
  if (f->type == TEXT || f->type == MESSAGE) {
    json_t *v = f->type == TEXT ? text_of(value) : protobuf_decode(f->message, value, d);
    gboolean empty = f->type == TEXT && json_is_string(v) && json_string_length(v) == 0;
    if (empty)
      json_decref(v);
    else if (json_object_set_new(out, f->name, v) < 0)
      d->broken = TRUE;
    return;
  }
  if (!there)
    json_object_set_new(out, f->name, there = f->type == MAP ? json_object() : json_array());
  if (f->type == MAP ? !add_pair(there, value)
      : f->type == MESSAGES
          ? json_array_append_new(there, protobuf_decode(f->message, value, d)) < 0
          : json_array_append_new(there, text_of(value)) < 0)
    d->broken = TRUE;
}

static json_t *protobuf_decode(const Message *message, Span s, Decoding *d) {
  json_t *out = json_object();
  guint number;
  Span value;
  while (!d->broken && next_field(&s, &number, &value, &d->broken)) {
    const Field *f = message->fields;
    while (f->number && f->number != number)
      f++;
    if (f->number && !pay(d))
      break;
    if (f->number)
      take_field(out, f, value, d);
  }
  return out;
}

json_t *ferry_protobuf_decode(const guint8 *data, gsize len, GError **error) {
  static const guint8 magic[4] = {'k', '8', 's', 0};
  gboolean broken = len < 4 || memcmp(data, magic, 4) != 0, too_many = FALSE;
  Span s = {data + (broken ? 0 : 4), data + len}, value, type = {0}, raw = {0};
  guint number;
  while (!broken && next_field(&s, &number, &value, &broken)) {
    if (number == 1)
      type = value;
    else if (number == 2)
      raw = value;
  }
  g_autoptr(json_t) version = NULL;
  g_autoptr(json_t) kind = NULL;
  while (!broken && next_field(&type, &number, &value, &broken)) {
    json_t **slot = number == 1 ? &version : number == 2 ? &kind : NULL;
    if (slot && !*slot)
      *slot = text_of(value);
  }
  const char *v = json_string_value(version), *k = json_string_value(kind);
  const char *slash = v ? strchr(v, '/') : NULL;
  g_autofree char *group = slash ? g_strndup(v, (gsize)(slash - v)) : g_strdup("");
  for (gsize i = 0; !broken && v && k && i < G_N_ELEMENTS(known); i++) {
    if (!g_str_equal(known[i].kind, k) || (known[i].group && !g_str_equal(known[i].group, group)))
      continue;
    Decoding d = {.values = FERRY_JSON_MAX_NODES};
    g_autoptr(json_t) object = protobuf_decode(known[i].message, raw, &d);
    json_object_set(object, "apiVersion", version);
    json_object_set(object, "kind", kind);
    if (!d.broken && !d.too_many)
      return g_steal_pointer(&object);
    broken = d.broken;
    too_many = d.too_many;
    break;
  }
  if (too_many)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE,
                "the document has more than %d values: send it in parts", FERRY_JSON_MAX_NODES);
  else if (broken)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "the body is not a well-formed protobuf object");
  else
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNSUPPORTED_MEDIA_TYPE,
                "%s is not accepted as protobuf here; send application/json", k ? k : "this kind");
  return NULL;
}
