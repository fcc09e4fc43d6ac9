// SPDX-License-Identifier: Apache-2.0
// Theory of operation: newer kubectl and client-go send Kubernetes' own kinds as protobuf and never
// try JSON. They are decoded by tables of field numbers (protobuf_kinds.c); whatever a table does
// not name is skipped. Every length is checked against what is left, and nesting is bounded by the
// tables themselves; values are counted before they are made, as a list's element may come in two
// bytes and take a hundred times that.
#include "api/http/protobuf.h"
#include "base/error.h"
#include "base/rfc3339.h"

#include <string.h>

typedef struct {
  const guint8 *p, *end;
} Span;

static gboolean protobuf_varint(Span *s, guint64 *value) {
  *value = 0;
  for (guint shift = 0; shift < 64 && s->p < s->end; shift += 7) {
    guint8 byte = *s->p++;
    *value |= (guint64)(byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return TRUE;
  }
  return FALSE;
}

/* A field as it is on the wire. */
typedef struct {
  guint number;
  gboolean bytes; /* length-delimited: `span`; else a number */
  Span span;
  guint64 value;
} WireItem;

static gboolean take_fixed(Span *s, gsize n) {
  if ((gsize)(s->end - s->p) < n)
    return FALSE;
  s->p += n;
  return TRUE;
}

static gboolean take_bytes(Span *s, Span *out) {
  guint64 n;
  if (!protobuf_varint(s, &n) || n > (guint64)(s->end - s->p))
    return FALSE;
  *out = (Span){s->p, s->p + n};
  s->p += n;
  return TRUE;
}

/* The next field that is a number or length-delimited; others are skipped. FALSE at the end or,
 * with *broken, where it is none. */
static gboolean next_item(Span *s, WireItem *item, gboolean *broken) {
  while (s->p < s->end) {
    guint64 tag = 0;
    gboolean good = protobuf_varint(s, &tag), skipped = FALSE;
    *item = (WireItem){.number = (guint)(tag >> 3), .bytes = (tag & 7) == 2};
    switch (good ? tag & 7 : 7) {
    case 0:
      good = protobuf_varint(s, &item->value);
      break;
    case 2:
      good = take_bytes(s, &item->span);
      break;
    case 1:
    case 5:
      good = take_fixed(s, (tag & 7) == 1 ? 8 : 4);
      skipped = TRUE;
      break;
    default:
      good = FALSE;
    }
    if (!good) {
      *broken = TRUE;
      return FALSE;
    }
    if (!skipped)
      return TRUE;
  }
  return FALSE;
}

static json_t *text_of(Span s) {
  return json_stringn((const char *)s.p, (gsize)(s.end - s.p)); /* NULL where not UTF-8 */
}

/* The text of a Quantity, {1 text}. */
static json_t *quantity_of(Span s, gboolean *broken) {
  WireItem item;
  json_t *out = NULL;
  while (next_item(&s, &item, broken))
    if (item.number == 1 && item.bytes && !out)
      out = text_of(item.span);
  return out ? out : json_string("0");
}

static gboolean add_pair(json_t *map, Span pair, gboolean quantities) {
  WireItem item;
  Span key = {0}, text = {0};
  gboolean broken = FALSE;
  while (next_item(&pair, &item, &broken)) {
    if (item.bytes && item.number == 1)
      key = item.span;
    else if (item.bytes && item.number == 2)
      text = item.span;
  }
  g_autofree char *name = g_strndup((const char *)key.p, (gsize)(key.end - key.p));
  json_t *value = quantities ? quantity_of(text, &broken)
                  : text.p   ? text_of(text)
                             : json_string("");
  return value && json_object_set_new(map, name, value) == 0 && !broken;
}

/* RFC 3339 of {1 seconds, 2 nanoseconds}; NULL where it is the time of nobody. */
static json_t *time_of(Span s, gboolean micro, gboolean *broken) {
  WireItem item;
  gint64 seconds = 0, nanos = 0;
  while (next_item(&s, &item, broken)) {
    if (!item.bytes && item.number == 1)
      seconds = (gint64)item.value;
    else if (!item.bytes && item.number == 2)
      nanos = (gint64)item.value;
  }
  if (*broken || (seconds == 0 && nanos == 0))
    return NULL;
  g_autoptr(GDateTime) time =
      nanos >= 0 && nanos < 1000000000 ? g_date_time_new_from_unix_utc(seconds) : NULL;
  if (!time) {
    *broken = TRUE;
    return NULL;
  }
  g_autofree char *text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");
  g_autofree char *whole = micro ? g_strdup_printf("%s.%06" G_GINT64_FORMAT "Z", text, nanos / 1000)
                                 : g_strconcat(text, "Z", NULL);
  return json_string(whole);
}

typedef struct {
  gsize values; /* that may still be made */
  gboolean broken, too_many;
} Decoding;

static gboolean protobuf_pay(Decoding *d) {
  d->too_many |= d->values == 0;
  if (d->too_many)
    return FALSE;
  d->values--;
  return TRUE;
}

static json_t *protobuf_decode(const FerryProtobufField *fields, Span s, Decoding *d);

/* The value of a field that is no list and no map; NULL: as good as absent. */
static json_t *protobuf_single(const FerryProtobufField *f, const WireItem *item, Decoding *d) {
  switch (f->type) {
  case FERRY_PROTOBUF_TEXT: {
    json_t *text = text_of(item->span);
    d->broken |= !text;
    if (text && json_string_length(text) > 0)
      return text;
    json_decref(text);
    return NULL;
  }
  case FERRY_PROTOBUF_BOOL:
    return item->value ? json_true() : NULL;
  case FERRY_PROTOBUF_INT:
    return item->value ? json_integer((json_int_t)item->value) : NULL;
  case FERRY_PROTOBUF_GIVEN_INT:
    return json_integer((json_int_t)item->value);
  case FERRY_PROTOBUF_TIME:
  case FERRY_PROTOBUF_MICRO_TIME:
    return time_of(item->span, f->type == FERRY_PROTOBUF_MICRO_TIME, &d->broken);
  default:
    return protobuf_decode(f->fields, item->span, d);
  }
}

static gboolean is_number(FerryProtobufType type) {
  return type == FERRY_PROTOBUF_BOOL || type == FERRY_PROTOBUF_INT ||
         type == FERRY_PROTOBUF_GIVEN_INT;
}

/* Takes one field's value into `out`. */
static void take_field(json_t *out, const FerryProtobufField *f, const WireItem *item,
                       Decoding *d) {
  json_t *there = json_object_get(out, f->name), *value;
  gboolean map = f->type == FERRY_PROTOBUF_MAP || f->type == FERRY_PROTOBUF_QUANTITIES;
  if (item->bytes == is_number(f->type)) {
    d->broken = TRUE;
    return;
  }
  if (!map && f->type != FERRY_PROTOBUF_TEXTS && f->type != FERRY_PROTOBUF_MESSAGES) {
    value = protobuf_single(f, item, d);
    if (value)
      json_object_set_new(out, f->name, value);
    return;
  }
  if (!there)
    json_object_set_new(out, f->name, there = map ? json_object() : json_array());
  if (map ? !add_pair(there, item->span, f->type == FERRY_PROTOBUF_QUANTITIES)
      : f->type == FERRY_PROTOBUF_MESSAGES
          ? json_array_append_new(there, protobuf_decode(f->fields, item->span, d)) < 0
          : json_array_append_new(there, text_of(item->span)) < 0)
    d->broken = TRUE;
}

static json_t *protobuf_decode(const FerryProtobufField *fields, Span s, Decoding *d) {
  json_t *out = json_object();
  WireItem item;
  while (!d->broken && next_item(&s, &item, &d->broken)) {
    const FerryProtobufField *f = fields;
    while (f->number && f->number != item.number)
      f++;
    if (f->number && !protobuf_pay(d))
      break;
    if (f->number)
      take_field(out, f, &item, d);
  }
  return out;
}

json_t *ferry_protobuf_decode(const guint8 *data, gsize len, GError **error) {
  static const guint8 magic[4] = {'k', '8', 's', 0};
  gboolean broken = len < 4 || memcmp(data, magic, 4) != 0, too_many = FALSE;
  Span s = {data + (broken ? 0 : 4), data + len}, type = {0}, raw = {0};
  WireItem item;
  while (!broken && next_item(&s, &item, &broken)) {
    if (item.bytes && item.number == 1)
      type = item.span;
    else if (item.bytes && item.number == 2)
      raw = item.span;
  }
  g_autoptr(json_t) version = NULL;
  g_autoptr(json_t) kind = NULL;
  while (!broken && next_item(&type, &item, &broken)) {
    json_t **slot = item.number == 1 ? &version : item.number == 2 ? &kind : NULL;
    if (slot && !*slot && item.bytes)
      *slot = text_of(item.span);
  }
  const char *v = json_string_value(version), *k = json_string_value(kind);
  const char *slash = v ? strchr(v, '/') : NULL;
  g_autofree char *group = slash ? g_strndup(v, (gsize)(slash - v)) : g_strdup("");
  for (gsize i = 0; !broken && v && k && i < ferry_protobuf_n_kinds; i++) {
    const FerryProtobufKind *known = &ferry_protobuf_kinds[i];
    if (!g_str_equal(known->kind, k) || (known->group && !g_str_equal(known->group, group)))
      continue;
    Decoding d = {.values = FERRY_JSON_MAX_NODES};
    g_autoptr(json_t) object = protobuf_decode(known->fields, raw, &d);
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
