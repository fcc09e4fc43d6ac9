// SPDX-License-Identifier: Apache-2.0
#include "api/resource/list_body.h"
#include "store/stored.h"

#include <string.h>

typedef struct {
  FerryBody base;
  char *head; /* without its closing brace, with the beginning of the items */
  GPtrArray *objects;
  guint part;  /* 0: head; then two an object, its comma and its text; in the end the tail */
  gsize taken; /* of that part */
} ListBody;

static const char list_tail[] = "]}";

/* The text of a part; NULL after the last. */
static const char *part_text(const ListBody *b, guint part, gsize *len) {
  const char *text = NULL;
  if (part == 0)
    text = b->head;
  else if (part == 2 * b->objects->len + 1)
    text = list_tail;
  else if (part > 2 * b->objects->len)
    return NULL;
  else if (part % 2)
    text = part == 1 ? "" : ",";
  else
    return ferry_stored_text(g_ptr_array_index(b->objects, part / 2 - 1), len);
  *len = strlen(text);
  return text;
}

static gsize list_body_read(FerryBody *base, char *buf, gsize max) {
  ListBody *b = (ListBody *)base;
  gsize n = 0, len;
  const char *text;
  while (n < max && (text = part_text(b, b->part, &len))) {
    gsize piece = MIN(len - b->taken, max - n);
    memcpy(buf + n, text + b->taken, piece);
    n += piece;
    b->taken += piece;
    if (b->taken < len)
      break;
    b->part++;
    b->taken = 0;
  }
  return n;
}

static void list_body_free(FerryBody *base) {
  ListBody *b = (ListBody *)base;
  g_ptr_array_unref(b->objects);
  g_free(b->head);
  g_free(b);
}

FerryBody *ferry_list_body_new(const json_t *head, GPtrArray *objects) {
  ListBody *b = g_new0(ListBody, 1);
  g_autofree char *text = ferry_json_dump(head);
  text[strlen(text) - 1] = '\0';
  b->head = g_strconcat(text, ",\"items\":[", NULL);
  b->objects = g_ptr_array_ref(objects);
  b->base.read = list_body_read;
  b->base.free = list_body_free;
  gsize len;
  for (guint i = 0; part_text(b, i, &len); i++)
    b->base.size += len;
  return &b->base;
}
