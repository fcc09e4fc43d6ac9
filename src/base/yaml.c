// SPDX-License-Identifier: Apache-2.0
// libyaml's events become json_t on an explicit stack, so depth is bounded and nothing recurses.
//
// Reading: each event either puts a value into the container on top of the stack or pushes and
// pops one; anchors, aliases and tags are refused, and so is a document with so many directives
// that libyaml itself would take minutes. Plain scalars become null, booleans and numbers by the
// core schema, everything quoted stays text. Writing: a string goes out plain only where reading
// it again gives that very string.
#include "base/yaml.h"
#include "base/error.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define MAX_NODES 200000
#define MAX_TAG_DIRECTIVES 64

typedef struct {
  json_t *container;
  char *key; /* of an object: the key that waits for its value */
} YamlLevel;

static gboolean yaml_is_word(const char *s, const char *const *words) {
  return g_strv_contains(words, s);
}

static json_t *plain_scalar(const char *s) {
  static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
  static const char *const trues[] = {"true", "True", "TRUE", NULL};
  static const char *const falses[] = {"false", "False", "FALSE", NULL};
  if (yaml_is_word(s, nulls))
    return json_null();
  if (yaml_is_word(s, trues))
    return json_true();
  if (yaml_is_word(s, falses))
    return json_false();
  const char *digits = s + (*s == '-' || *s == '+');
  if (g_ascii_isdigit(*digits) || (*digits == '.' && g_ascii_isdigit(digits[1]))) {
    char *end;
    errno = 0;
    int base = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'o') ? 0 : 10;
    if (base == 0 && digits[1] == 'o') {
      gint64 v = g_ascii_strtoll(digits + 2, &end, 8);
      if (!*end && end != digits + 2 && errno == 0)
        return json_integer(*s == '-' ? -v : v);
      return NULL;
    }
    gint64 v = g_ascii_strtoll(s, &end, base);
    if (!*end && errno == 0)
      return json_integer(v);
    if (strspn(s, "+-.0123456789eE") == strlen(s)) {
      double d = g_ascii_strtod(s, &end);
      if (!*end && isfinite(d))
        return json_real(d);
    }
  }
  return NULL;
}

static gboolean yaml_refuse(GError **error, const yaml_mark_t *mark, const char *what) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST, "the YAML at line %zu, column %zu: %s",
              mark->line + 1, mark->column + 1, what);
  return FALSE;
}

static gboolean yaml_attach(GArray *stack, json_t *value, const yaml_mark_t *mark, GError **error) {
  YamlLevel *top = &g_array_index(stack, YamlLevel, stack->len - 1);
  if (json_is_array(top->container)) {
    json_array_append_new(top->container, value);
    return TRUE;
  }
  if (!top->key) {
    json_decref(value);
    return yaml_refuse(error, mark, "a map's key must be a plain word");
  }
  json_object_set_new(top->container, top->key, value);
  g_clear_pointer(&top->key, g_free);
  return TRUE;
}

static gboolean add_scalar(GArray *stack, const yaml_event_t *event, GError **error) {
  const char *text = (const char *)event->data.scalar.value;
  if (strlen(text) != event->data.scalar.length || !g_utf8_validate(text, -1, NULL))
    return yaml_refuse(error, &event->start_mark, "the text is not valid UTF-8 without NUL");
  YamlLevel *top = &g_array_index(stack, YamlLevel, stack->len - 1);
  if (json_is_object(top->container) && !top->key) {
    if (json_object_get(top->container, text))
      return yaml_refuse(error, &event->start_mark, "the key is there twice");
    if (g_str_equal(text, "<<"))
      return yaml_refuse(error, &event->start_mark, "merge keys are not accepted");
    top->key = g_strdup(text);
    return TRUE;
  }
  json_t *value = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? plain_scalar(text) : NULL;
  return yaml_attach(stack, value ? value : json_string(text), &event->start_mark, error);
}

static gboolean yaml_handle(GArray *stack, const yaml_event_t *e, GError **error) {
  const yaml_char_t *anchor = NULL, *tag = NULL;
  switch (e->type) {
  case YAML_ALIAS_EVENT:
    return yaml_refuse(error, &e->start_mark, "aliases are not accepted; write the value out");
  case YAML_SCALAR_EVENT:
    anchor = e->data.scalar.anchor;
    tag = e->data.scalar.tag;
    break;
  case YAML_SEQUENCE_START_EVENT:
    anchor = e->data.sequence_start.anchor;
    tag = e->data.sequence_start.tag;
    break;
  case YAML_MAPPING_START_EVENT:
    anchor = e->data.mapping_start.anchor;
    tag = e->data.mapping_start.tag;
    break;
  default:
    break;
  }
  if (anchor || tag)
    return yaml_refuse(error, &e->start_mark, "anchors and tags are not accepted");
  if (e->type == YAML_SCALAR_EVENT)
    return add_scalar(stack, e, error);
  if (e->type == YAML_SEQUENCE_START_EVENT || e->type == YAML_MAPPING_START_EVENT) {
    if (stack->len > FERRY_JSON_MAX_DEPTH)
      return yaml_refuse(error, &e->start_mark, "the document is nested too deeply");
    json_t *container = e->type == YAML_SEQUENCE_START_EVENT ? json_array() : json_object();
    YamlLevel level = {container, NULL};
    if (!yaml_attach(stack, container, &e->start_mark, error))
      return FALSE;
    g_array_append_val(stack, level);
  } else if (e->type == YAML_SEQUENCE_END_EVENT || e->type == YAML_MAPPING_END_EVENT) {
    g_array_set_size(stack, stack->len - 1);
  }
  return TRUE;
}

/* libyaml compares each directive of a document with all before it, ahead of the first event: 3 MB
 * of them took a minute. A line may end with any of CR, LF, and the last bytes of U+0085, U+2028
 * and U+2029. */
static gboolean has_many_directives(const char *data, gsize len) {
  static const char directive[] = "%TAG";
  const char *end = data + len, *p = data;
  guint n = 0;
  while ((p = memmem(p, (gsize)(end - p), directive, sizeof directive - 1))) {
    n += p == data || strchr("\r\n\x85\xa8\xa9\xbf", p[-1]) != NULL;
    p += sizeof directive - 1;
  }
  return n > MAX_TAG_DIRECTIVES;
}

static void level_clear(gpointer p) {
  g_free(((YamlLevel *)p)->key);
}

json_t *ferry_yaml_parse(const char *data, gsize len, GError **error) {
  if (len > FERRY_JSON_MAX_BYTES) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE,
                "the document has %" G_GSIZE_FORMAT " bytes, at most %d are accepted", len,
                FERRY_JSON_MAX_BYTES);
    return NULL;
  }
  if (has_many_directives(data, len)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_BAD_REQUEST,
                "the YAML has more than %d %%TAG directives: tags are not accepted",
                MAX_TAG_DIRECTIVES);
    return NULL;
  }
  yaml_parser_t parser;
  if (!yaml_parser_initialize(&parser))
    g_error("out of memory");
  yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&parser, (const unsigned char *)data, len);
  g_autoptr(json_t) documents = json_array();
  g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(YamlLevel));
  g_array_set_clear_func(stack, level_clear);
  YamlLevel root = {documents, NULL};
  g_array_append_val(stack, root);
  gboolean ok = TRUE, done = FALSE;
  guint nodes = 0;
  while (ok && !done) {
    yaml_event_t event;
    if (!yaml_parser_parse(&parser, &event)) {
      ok = yaml_refuse(error, &parser.problem_mark, parser.problem ? parser.problem : "malformed");
      break;
    }
    done = event.type == YAML_STREAM_END_EVENT;
    if (++nodes > MAX_NODES)
      ok = yaml_refuse(error, &event.start_mark, "too many values in one document");
    else
      ok = yaml_handle(stack, &event, error);
    yaml_event_delete(&event);
  }
  yaml_parser_delete(&parser);
  if (!ok)
    return NULL;
  for (gsize i = json_array_size(documents); i-- > 0;)
    if (json_is_null(json_array_get(documents, i)))
      json_array_remove(documents, i);
  return g_steal_pointer(&documents);
}

/* Whether a plain scalar would be read back as this very string. */
static gboolean plain_safe(const char *s) {
  static const char *const old_booleans[] = {"y",  "Y",   "yes", "Yes", "YES", "n",
                                             "N",  "no",  "No",  "NO",  "on",  "On",
                                             "ON", "off", "Off", "OFF", NULL};
  json_t *other = plain_scalar(s);
  json_decref(other);
  if (other || yaml_is_word(s, old_booleans))
    return FALSE;
  if (strspn(s, "0123456789") == 4 && s[4] == '-')
    return FALSE; /* reads as a date elsewhere */
  return TRUE;
}

static int append_to_string(void *data, unsigned char *buffer, size_t size) {
  g_string_append_len(data, (const char *)buffer, (gssize)size);
  return 1;
}

static void emit_scalar(yaml_emitter_t *emitter, const char *text, yaml_scalar_style_t style) {
  yaml_event_t e;
  yaml_scalar_event_initialize(&e, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), 1, 1,
                               style);
  yaml_emitter_emit(emitter, &e);
}

static void yaml_emit(yaml_emitter_t *emitter, const json_t *value) {
  yaml_event_t e;
  if (json_is_object(value)) {
    yaml_mapping_start_event_initialize(&e, NULL, NULL, 1,
                                        json_object_size(value) ? YAML_BLOCK_MAPPING_STYLE
                                                                : YAML_FLOW_MAPPING_STYLE);
    yaml_emitter_emit(emitter, &e);
    const char *key;
    json_t *child;
    json_object_foreach((json_t *)value, key, child) {
      emit_scalar(emitter, key,
                  plain_safe(key) ? YAML_ANY_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
      yaml_emit(emitter, child);
    }
    yaml_mapping_end_event_initialize(&e);
    yaml_emitter_emit(emitter, &e);
  } else if (json_is_array(value)) {
    yaml_sequence_start_event_initialize(&e, NULL, NULL, 1,
                                         json_array_size(value) ? YAML_BLOCK_SEQUENCE_STYLE
                                                                : YAML_FLOW_SEQUENCE_STYLE);
    yaml_emitter_emit(emitter, &e);
    gsize i;
    json_t *child;
    json_array_foreach((json_t *)value, i, child) yaml_emit(emitter, child);
    yaml_sequence_end_event_initialize(&e);
    yaml_emitter_emit(emitter, &e);
  } else if (json_is_string(value)) {
    const char *text = json_string_value(value);
    yaml_scalar_style_t style = strchr(text, '\n') ? YAML_LITERAL_SCALAR_STYLE
                                : plain_safe(text) ? YAML_ANY_SCALAR_STYLE
                                                   : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    emit_scalar(emitter, text, style);
  } else {
    g_autofree char *text = ferry_json_dump(value);
    emit_scalar(emitter, text, YAML_PLAIN_SCALAR_STYLE);
  }
}

char *ferry_yaml_dump(const json_t *value) {
  g_autoptr(GString) out = g_string_new(NULL);
  yaml_emitter_t emitter;
  if (!yaml_emitter_initialize(&emitter))
    g_error("out of memory");
  yaml_emitter_set_output(&emitter, append_to_string, out);
  yaml_emitter_set_unicode(&emitter, 1);
  yaml_emitter_set_width(&emitter, -1);
  yaml_event_t e;
  yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING);
  yaml_emitter_emit(&emitter, &e);
  yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 1);
  yaml_emitter_emit(&emitter, &e);
  yaml_emit(&emitter, value);
  yaml_document_end_event_initialize(&e, 1);
  yaml_emitter_emit(&emitter, &e);
  yaml_stream_end_event_initialize(&e);
  yaml_emitter_emit(&emitter, &e);
  yaml_emitter_delete(&emitter);
  return g_string_free(g_steal_pointer(&out), FALSE);
}
