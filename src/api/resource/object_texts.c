// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a change reaches all watches within moments, so few texts need to be kept.
// Each object has one place, by its address; it is held there, so that no other object can have the
// same address. What is large is not kept: memory stays below SLOTS times LARGEST.
#include "api/resource/object_texts.h"

#include <string.h>

#define SLOTS 128u
#define LARGEST (64u * 1024)

typedef struct {
  const FerryKind *alias;
  FerryStored *object;
  GBytes *text;
} Slot;

struct FerryObjectTexts {
  GMutex lock; /* innermost */
  Slot slots[SLOTS];
  guint64 made;
};

FerryObjectTexts *ferry_object_texts_new(void) {
  FerryObjectTexts *texts = g_new0(FerryObjectTexts, 1);
  g_mutex_init(&texts->lock);
  return texts;
}

static void clear_slot(Slot *slot) {
  ferry_stored_unref(slot->object);
  g_clear_pointer(&slot->text, g_bytes_unref);
  *slot = (Slot){0};
}

void ferry_object_texts_free(FerryObjectTexts *texts) {
  if (!texts)
    return;
  for (guint i = 0; i < SLOTS; i++)
    clear_slot(&texts->slots[i]);
  g_mutex_clear(&texts->lock);
  g_free(texts);
}

GBytes *ferry_object_texts_get(FerryObjectTexts *texts, const FerryKind *alias,
                               FerryStored *object) {
  Slot *slot = &texts->slots[(g_direct_hash(object) >> 5 ^ g_direct_hash(alias) >> 3) % SLOTS];
  GBytes *text = NULL;
  g_mutex_lock(&texts->lock);
  if (slot->object == object && slot->alias == alias)
    text = g_bytes_ref(slot->text);
  g_mutex_unlock(&texts->lock);
  if (text)
    return text;
  g_autoptr(json_t) plain = ferry_stored_view(object);
  g_autoptr(json_t) view = ferry_kind_view(alias, plain);
  char *json = ferry_json_dump(view);
  text = g_bytes_new_take(json, strlen(json));
  g_mutex_lock(&texts->lock);
  texts->made++;
  if (g_bytes_get_size(text) <= LARGEST) {
    Slot old = *slot;
    *slot = (Slot){.alias = alias, .object = ferry_stored_ref(object), .text = g_bytes_ref(text)};
    clear_slot(&old);
  }
  g_mutex_unlock(&texts->lock);
  return text;
}

guint64 ferry_object_texts_made(FerryObjectTexts *texts) {
  g_mutex_lock(&texts->lock);
  guint64 made = texts->made;
  g_mutex_unlock(&texts->lock);
  return made;
}
