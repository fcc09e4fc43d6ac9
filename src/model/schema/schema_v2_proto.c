// SPDX-License-Identifier: Apache-2.0
// The Swagger document as gnostic's protobuf `openapi.v2.Document`.
//
// Theory of operation: kubectl 1.20 reads this form only. It is made from the JSON document, so the
// two cannot differ. Of the paths it carries what kubectl looks for: patch operations with their
// query parameters and the kind they are for. Field numbers are those of gnostic's OpenAPIv2.proto.
#include "model/schema/schema.h"
#include <string.h>

static void put_varint(GByteArray *out, guint64 value) {
  do {
    guint8 byte = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);
    g_byte_array_append(out, &byte, 1);
    value >>= 7;
  } while (value);
}

static void put_bytes(GByteArray *out, guint field, const void *data, gsize len) {
  put_varint(out, (guint64)field << 3 | 2); /* wire type 2: length-delimited */
  put_varint(out, len);
  g_byte_array_append(out, data, (guint)len);
}

static void put_string(GByteArray *out, guint field, const char *text) {
  if (text)
    put_bytes(out, field, text, strlen(text));
}

/* A message within a message; frees `message`. */
static void put_message(GByteArray *out, guint field, GByteArray *message) {
  put_bytes(out, field, message->data, message->len);
  g_byte_array_unref(message);
}

/* NamedAny{1 name, 2 Any{2 yaml}}, for each member of `object` that begins with x-. */
static void put_extensions(GByteArray *out, guint field, const json_t *object) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)object, key, value) {
    if (!g_str_has_prefix(key, "x-"))
      continue;
    g_autofree char *text = ferry_json_dump(value);
    GByteArray *any = g_byte_array_new(), *named = g_byte_array_new();
    put_string(any, 2, text);
    put_string(named, 1, key);
    put_message(named, 2, any);
    put_message(out, field, named);
  }
}

static GByteArray *schema_message(const json_t *schema);

/* NamedSchema{1 name, 2 Schema} for each member of `schemas`. */
static GByteArray *named_schemas(const json_t *schemas) {
  GByteArray *out = g_byte_array_new();
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)schemas, key, value) {
    GByteArray *named = g_byte_array_new();
    put_string(named, 1, key);
    put_message(named, 2, schema_message(value));
    put_message(out, 1, named);
  }
  return out;
}

/* A message whose only field, 1, is a schema: ItemsItem, AdditionalPropertiesItem. */
static GByteArray *wrapped_schema(const json_t *schema) {
  GByteArray *out = g_byte_array_new();
  put_message(out, 1, schema_message(schema));
  return out;
}

static GByteArray *schema_message(const json_t *schema) {
  GByteArray *out = g_byte_array_new();
  put_string(out, 1, ferry_json_str(schema, "$ref"));
  put_string(out, 2, ferry_json_str(schema, "format"));
  put_string(out, 4, ferry_json_str(schema, "description"));
  json_t *required = json_object_get(schema, "required"), *item;
  gsize i;
  json_array_foreach(required, i, item) put_string(out, 19, json_string_value(item));
  json_t *additional = json_object_get(schema, "additionalProperties");
  if (additional)
    put_message(out, 21, wrapped_schema(additional));
  if (ferry_json_str(schema, "type")) {
    GByteArray *type = g_byte_array_new();
    put_string(type, 1, ferry_json_str(schema, "type"));
    put_message(out, 22, type);
  }
  json_t *items = json_object_get(schema, "items");
  if (items)
    put_message(out, 23, wrapped_schema(items));
  json_t *properties = json_object_get(schema, "properties");
  if (properties)
    put_message(out, 25, named_schemas(properties));
  put_extensions(out, 31, schema);
  return out;
}

/* ParametersItem{1 Parameter{2 NonBodyParameter{3 Query{2 in, 3 description, 4 name, 6 type}}}} */
static GByteArray *query_parameter(const json_t *parameter) {
  GByteArray *query = g_byte_array_new(), *non_body = g_byte_array_new();
  GByteArray *wrapper = g_byte_array_new(), *item = g_byte_array_new();
  put_string(query, 2, "query");
  put_string(query, 3, ferry_json_str(parameter, "description"));
  put_string(query, 4, ferry_json_str(parameter, "name"));
  put_string(query, 6, ferry_json_str(parameter, "type"));
  put_message(non_body, 3, query);
  put_message(wrapper, 2, non_body);
  put_message(item, 1, wrapper);
  return item;
}

static GByteArray *operation_message(const json_t *operation) {
  GByteArray *out = g_byte_array_new();
  json_t *parameters = json_object_get(operation, "parameters"), *parameter;
  gsize i;
  json_array_foreach(parameters, i, parameter) {
    if (g_strcmp0(ferry_json_str(parameter, "in"), "query") == 0)
      put_message(out, 8, query_parameter(parameter));
  }
  put_extensions(out, 13, operation);
  return out;
}

static GByteArray *paths_message(const json_t *paths) {
  GByteArray *out = g_byte_array_new();
  const char *path;
  json_t *value;
  json_object_foreach((json_t *)paths, path, value) {
    json_t *patch = json_object_get(value, "patch");
    if (!patch)
      continue;
    GByteArray *item = g_byte_array_new(), *named = g_byte_array_new();
    put_message(item, 8, operation_message(patch));
    put_string(named, 1, path);
    put_message(named, 2, item);
    put_message(out, 2, named);
  }
  return out;
}

GBytes *ferry_schema_openapi_v2_protobuf(void) {
  g_autoptr(json_t) document = ferry_schema_openapi_v2();
  GByteArray *out = g_byte_array_new(), *info = g_byte_array_new();
  put_string(out, 1, ferry_json_str(document, "swagger"));
  put_string(info, 1, ferry_json_str(document, "info.title"));
  put_string(info, 2, ferry_json_str(document, "info.version"));
  put_message(out, 2, info);
  put_message(out, 8, paths_message(json_object_get(document, "paths")));
  put_message(out, 9, named_schemas(json_object_get(document, "definitions")));
  return g_byte_array_free_to_bytes(out);
}
