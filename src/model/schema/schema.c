// SPDX-License-Identifier: Apache-2.0
// Definitions of the OpenAPI documents: a kind's table of fields turned into JSON schemas, for
// version 2 and 3 alike; schema_v2.c and schema_v3.c put them into documents, schema_paths.c adds
// the routes. Units, limits and defaults, which a schema's types do not show, go into each field's
// description.
#include "model/kinds/shared_fields.h"
#include "model/schema/schema.h"
#include "model/schema/schema_parts.h"
#include <string.h>

static json_t *fields_schema(const FerryField *fields, gboolean v3);

char *ferry_schema_name(const FerryKind *kind, const char *suffix) {
  g_autoptr(GString) name = g_string_new(NULL);
  if (*kind->group) {
    g_auto(GStrv) parts = g_strsplit(kind->group, ".", -1);
    for (guint i = g_strv_length(parts); i > 0; i--)
      g_string_append_printf(name, "%s.", parts[i - 1]);
  } else {
    g_string_append(name, "io.k8s.api.core.");
  }
  g_string_append_printf(name, "%s.%s%s", kind->version, kind->kind, suffix);
  return g_string_free(g_steal_pointer(&name), FALSE);
}

json_t *ferry_schema_ref(const char *name, gboolean v3) {
  json_t *ref = json_object();
  json_object_set_new(ref, "$ref",
                      json_sprintf("#/%s/%s", v3 ? "components/schemas" : "definitions", name));
  return ref;
}

/* A reference with a description beside it: OpenAPI 3.0 wants it wrapped. */
static json_t *described_ref(const char *name, const char *doc, gboolean v3) {
  json_t *ref = ferry_schema_ref(name, v3);
  if (v3) {
    json_t *all = json_array();
    json_array_append_new(all, ref);
    ref = json_object();
    json_object_set_new(ref, "allOf", all);
  }
  json_object_set_new(ref, "description", json_string(doc));
  return ref;
}

json_t *ferry_schema_gvk(const FerryKind *kind, const char *suffix) {
  return json_pack("{s:s, s:o, s:s}", "group", kind->group, "kind",
                   json_sprintf("%s%s", kind->kind, suffix), "version", kind->version);
}

static json_t *schema_simple(const char *type, const char *format) {
  json_t *schema = json_object();
  json_object_set_new(schema, "type", json_string(type));
  if (format)
    json_object_set_new(schema, "format", json_string(format));
  return schema;
}

static json_t *type_schema(const FerryField *field, FerryType type, gboolean v3) {
  json_t *schema;
  switch (type) {
  case FERRY_TYPE_STRING:
    schema = schema_simple("string", NULL);
    if (field->values) {
      json_t *values = json_array();
      for (gsize i = 0; field->values[i]; i++)
        json_array_append_new(values, json_string(field->values[i]));
      json_object_set_new(schema, "enum", values);
    }
    return schema;
  case FERRY_TYPE_INTEGER:
    schema = schema_simple("integer", "int64");
    if (field->max)
      json_object_set_new(schema, "minimum", json_integer(field->min));
    if (field->max && field->max != G_MAXINT64)
      json_object_set_new(schema, "maximum", json_integer(field->max));
    return schema;
  case FERRY_TYPE_NUMBER:
    return schema_simple("number", "double");
  case FERRY_TYPE_BOOLEAN:
    return schema_simple("boolean", NULL);
  case FERRY_TYPE_TIME:
    return schema_simple("string", "date-time");
  case FERRY_TYPE_OBJECT:
    if (field->fields)
      return fields_schema(field->fields, v3);
    return schema_simple("object", NULL);
  case FERRY_TYPE_MAP:
    schema = schema_simple("object", NULL);
    json_object_set_new(schema, "additionalProperties", schema_simple("string", NULL));
    return schema;
  case FERRY_TYPE_LIST:
    schema = schema_simple("array", NULL);
    json_object_set_new(schema, "items", type_schema(field, field->item, v3));
    if (field->merge_key) {
      json_object_set_new(schema, "x-kubernetes-patch-merge-key", json_string(field->merge_key));
      json_object_set_new(schema, "x-kubernetes-patch-strategy", json_string("merge"));
    } else if (field->flags & FERRY_FIELD_SET) {
      json_object_set_new(schema, "x-kubernetes-list-type", json_string("set"));
    }
    return schema;
  case FERRY_TYPE_QUANTITY:
  case FERRY_TYPE_ANY:
    break;
  }
  /* what is kept as it is may be a list as well; kubectl before 1.27 takes a type at its word */
  schema = field->flags & FERRY_FIELD_KEPT ? json_object() : schema_simple("object", NULL);
  json_object_set_new(schema, "x-kubernetes-preserve-unknown-fields", json_true());
  return schema;
}

/* What a value of the pattern is, for people. */
static const char *pattern_words(const char *pattern) {
  static const struct {
    const char *pattern, *words;
  } known[] = {{"cidr", "a subnet such as 10.1.2.0/24"},
               {"disks-uri", "a tcp or unix URI"},
               {"dns-label", "a DNS label"},
               {"dns-subdomain", "a name such as web-1"},
               {"domain-name", "a domain's name"},
               {"ip", "an IP address"},
               {"ip-prefix", "an IP address or subnet"},
               {"label-key", "a label's key"},
               {"label-value", "a label's value"},
               {"migrate-uri", "a tcp, rdma or unix URI"},
               {"path-segment", "a name without / and %"},
               {"peer-host", "a host's name or address"},
               {"peer-user", "a user's name"},
               {"spice-uri", "a spice URI"},
               {"tls-name", "a DNS name or address"},
               {"uuid", "a UUID"}};
  for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
    if (g_str_equal(known[i].pattern, pattern))
      return known[i].words;
  return pattern;
}

char *ferry_schema_limits(const FerryField *field) {
  g_autoptr(GString) text = g_string_new(NULL);
  if ((field->type == FERRY_TYPE_INTEGER || field->type == FERRY_TYPE_QUANTITY) && field->max) {
    if (field->max == G_MAXINT64 && field->min == 0)
      ; /* a size or a count: goes without saying */
    else if (field->max == G_MAXINT64)
      g_string_append_printf(text, "at least %" G_GINT64_FORMAT, field->min);
    else
      g_string_append_printf(text, "%" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, field->min,
                             field->max);
  }
  const char *unit = ferry_unit_word(field->unit);
  if (*unit && !(field->type == FERRY_TYPE_QUANTITY && field->unit == FERRY_UNIT_BYTES))
    g_string_append_printf(text, "%s%s", text->len ? " " : "", unit);
  if (field->values) {
    g_autofree char *values = g_strjoinv(", ", (char **)field->values);
    g_string_append_printf(text, "one of %s", values);
  }
  if (field->pattern)
    g_string_append_printf(text, "%s%s", text->len ? "; " : "", pattern_words(field->pattern));
  if (field->def)
    g_string_append_printf(text, "%sdefault %s", text->len ? "; " : "", field->def);
  return g_string_free(g_steal_pointer(&text), FALSE);
}

char *ferry_schema_description(const FerryField *field) {
  g_autofree char *limits = ferry_schema_limits(field);
  if (!*limits && !field->fallback)
    return g_strdup(field->doc);
  return g_strdup_printf("%s (%s%s%s%s)", field->doc, limits,
                         *limits && field->fallback ? "; " : "", field->fallback ? "default " : "",
                         field->fallback ? field->fallback : "");
}

static json_t *field_schema(const FerryField *field, gboolean v3) {
  g_autofree char *doc = ferry_schema_description(field);
  if (field->type == FERRY_TYPE_QUANTITY)
    return described_ref(SCHEMA_QUANTITY, doc, v3);
  json_t *schema = type_schema(field, field->type, v3);
  json_object_set_new(schema, "description", json_string(doc));
  if (field->def)
    json_object_set_new(schema, "default", json_loads(field->def, JSON_DECODE_ANY, NULL));
  return schema;
}

static void schema_add_fields(json_t *properties, json_t *required, const FerryField *fields,
                              gboolean v3) {
  for (const FerryField *field = fields; field->name; field++) {
    json_object_set_new(properties, field->name, field_schema(field, v3));
    if (field->flags & FERRY_FIELD_REQUIRED)
      json_array_append_new(required, json_string(field->name));
  }
}

static json_t *object_schema(json_t *properties, json_t *required) {
  json_t *schema = schema_simple("object", NULL);
  json_object_set_new(schema, "properties", properties);
  if (json_array_size(required) > 0)
    json_object_set(schema, "required", required);
  json_decref(required);
  return schema;
}

static json_t *fields_schema(const FerryField *fields, gboolean v3) {
  json_t *properties = json_object(), *required = json_array();
  schema_add_fields(properties, required, fields, v3);
  return object_schema(properties, required);
}

static void add_type_meta(json_t *properties) {
  static const FerryField type_meta[] = {
      STR("apiVersion", "Group and version of the schema of this object."),
      STR("kind", "Kind of this object, in CamelCase."),
      END,
  };
  for (const FerryField *field = type_meta; field->name; field++)
    json_object_set_new(properties, field->name, field_schema(field, FALSE));
}

static void set_gvk(json_t *schema, const FerryKind *kind, const char *suffix) {
  json_t *list = json_array();
  json_array_append_new(list, ferry_schema_gvk(kind, suffix));
  json_object_set_new(schema, "x-kubernetes-group-version-kind", list);
}

static void add_kind(json_t *definitions, const FerryKind *kind, gboolean v3) {
  json_t *properties = json_object(), *required = json_array();
  add_type_meta(properties);
  json_object_set_new(properties, "metadata",
                      described_ref(SCHEMA_OBJECT_META, "Standard metadata of an object.", v3));
  schema_add_fields(properties, required, kind->fields, v3);
  json_t *schema = object_schema(properties, required);
  json_object_set_new(schema, "description", json_string(kind->doc));
  set_gvk(schema, kind, "");
  g_autofree char *name = ferry_schema_name(kind, "");
  json_object_set_new(definitions, name, schema);

  properties = json_object(), required = json_array();
  add_type_meta(properties);
  json_object_set_new(properties, "metadata",
                      described_ref(SCHEMA_LIST_META, "Standard metadata of a list.", v3));
  json_t *items = schema_simple("array", NULL);
  json_object_set_new(items, "description", json_string("The objects."));
  json_object_set_new(items, "items", ferry_schema_ref(name, v3));
  json_object_set_new(properties, "items", items);
  json_array_append_new(required, json_string("items"));
  schema = object_schema(properties, required);
  json_object_set_new(schema, "description",
                      json_sprintf("%sList is a list of %s.", kind->kind, kind->plural));
  set_gvk(schema, kind, "List");
  g_autofree char *list_name = ferry_schema_name(kind, "List");
  json_object_set_new(definitions, list_name, schema);
}

static json_t *schema_described(json_t *schema, const char *doc) {
  json_object_set_new(schema, "description", json_string(doc));
  return schema;
}

static void add_shared(json_t *definitions, gboolean v3) {
  static const FerryField list_meta[] = {
      STR("resourceVersion", "Version of the whole, to watch from."),
      STR("continue", "Token for the next page; empty on the last."),
      COUNT("remainingItemCount", "Objects after this page."),
      STR("selfLink", "Not used any more."),
      END,
  };
  static const FerryField status[] = {
      STR("apiVersion", "v1."),
      STR("kind", "Status."),
      OBJ("metadata", NULL, "Empty."),
      STR("status", "Success or Failure."),
      STR("message", "What happened, in words."),
      STR("reason", "Why, as one CamelCase word."),
      OBJ("details", NULL, "The object that is meant, and all causes."),
      INT("code", "HTTP status.", .unit = FERRY_UNIT_NUMBER),
      END,
  };
  json_object_set_new(definitions, SCHEMA_OBJECT_META,
                      schema_described(fields_schema(ferry_fields_object_meta, v3),
                                       "ObjectMeta is the metadata that every object has."));
  json_object_set_new(definitions, SCHEMA_LIST_META,
                      schema_described(fields_schema(list_meta, v3),
                                       "ListMeta is the metadata that every list has."));
  json_object_set_new(definitions, SCHEMA_STATUS,
                      schema_described(fields_schema(status, v3),
                                       "Status is the answer to a request "
                                       "that returns no object."));
  const char *doc = "Quantity is a number of bytes, with an optional suffix as in 64Mi, 1.5G or "
                    "2e3.";
  json_t *quantity =
      v3 ? json_pack("{s:[{s:s},{s:s}]}", "oneOf", "type", "string", "type", "number")
         : schema_simple("string", NULL);
  json_object_set_new(definitions, SCHEMA_QUANTITY, schema_described(quantity, doc));
}

json_t *ferry_schema_definitions(const char *group, const char *version, gboolean v3) {
  json_t *definitions = json_object();
  gsize n;
  const FerryKind *const *kinds = ferry_kinds_served(&n);
  for (gsize i = 0; i < n; i++)
    if (!group || (g_str_equal(group, kinds[i]->group) && g_str_equal(version, kinds[i]->version)))
      add_kind(definitions, kinds[i], v3);
  add_shared(definitions, v3);
  return definitions;
}
