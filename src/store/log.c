// SPDX-License-Identifier: Apache-2.0
// Revisions in the ring rise but need not be without gaps (a refused transaction burns the ones it
// had taken), so a revision is found by halving; positions have no gaps and find a slot directly.
#include "store/log.h"
#include "store/views.h"

#include <string.h>

/* What ferry_change_ref counts; the public part comes first. */
typedef struct {
  FerryChange change;
  gsize bytes;
  gint refs;
  char text[]; /* ns, NUL, name, NUL */
} ChangeBox;

/* What glibc's malloc takes for n bytes. */
static gsize log_chunk(gsize n) {
  return MAX(32, (n + 8 + 15) & ~(gsize)15);
}

FerryChange *ferry_change_new(gint64 revision, FerryChangeType type, const FerryKind *kind,
                              const char *ns, const char *name, FerryStored *object,
                              FerryStored *previous) {
  gsize ns_size = strlen(ns) + 1, name_size = strlen(name) + 1;
  ChangeBox *box = g_malloc0(sizeof *box + ns_size + name_size);
  box->bytes = log_chunk(sizeof *box + ns_size + name_size) +
               (object ? log_chunk(ferry_stored_size(object)) : 0);
  memcpy(box->text, ns, ns_size);
  memcpy(box->text + ns_size, name, name_size);
  box->refs = 1;
  box->change = (FerryChange){.revision = revision,
                              .type = type,
                              .kind = kind,
                              .ns = box->text,
                              .name = box->text + ns_size,
                              .object = ferry_stored_ref(object),
                              .previous = ferry_stored_ref(previous)};
  return &box->change;
}

FerryChange *ferry_change_ref(FerryChange *change) {
  ChangeBox *box = (ChangeBox *)change;
  g_atomic_int_inc(&box->refs);
  return change;
}

void ferry_change_unref(FerryChange *change) {
  ChangeBox *box = (ChangeBox *)change;
  if (box == NULL || !g_atomic_int_dec_and_test(&box->refs))
    return;
  ferry_stored_unref(change->object);
  ferry_stored_unref(change->previous);
  g_free(box);
}

FerrySeen ferry_change_see(const FerryChange *change) {
  return (FerrySeen){.revision = change->revision,
                     .type = change->type,
                     .kind = change->kind,
                     .ns = change->ns,
                     .name = change->name,
                     .object = ferry_stored_view(change->object),
                     .previous = ferry_stored_view(change->previous)};
}

void ferry_seen_clear(FerrySeen *seen) {
  json_decref(seen->object);
  json_decref(seen->previous);
}

gsize ferry_change_bytes(const FerryChange *change) {
  return ((const ChangeBox *)change)->bytes;
}

gboolean ferry_change_matches(const FerryChange *change, const FerryKind *kind, const char *ns) {
  if (kind != NULL && kind != change->kind &&
      (strcmp(kind->plural, change->kind->plural) != 0 ||
       strcmp(kind->group, change->kind->group) != 0))
    return FALSE;
  return ns == NULL || strcmp(ns, change->ns) == 0;
}

void ferry_log_ring_init(FerryLog *log, gsize capacity, gsize max_bytes, gint64 base) {
  *log = (FerryLog){.ring = g_new0(FerryChange *, capacity),
                    .capacity = capacity,
                    .max_bytes = max_bytes,
                    .base = base};
}

void ferry_log_ring_clear(FerryLog *log) {
  for (guint64 position = log->first; position < log->next; position++)
    ferry_change_unref(ferry_log_ring_at(log, position));
  g_free(log->ring);
  *log = (FerryLog){0};
}

FerryChange *ferry_log_ring_at(const FerryLog *log, guint64 position) {
  return log->ring[position % log->capacity];
}

void ferry_log_ring_append(FerryLog *log, FerryChange *change, GPtrArray *fallen) {
  log->bytes += ferry_change_bytes(change);
  while (log->next > log->first &&
         (log->next - log->first == log->capacity || log->bytes > log->max_bytes)) {
    FerryChange *out = ferry_log_ring_at(log, log->first++);
    log->base = out->revision;
    log->bytes -= ferry_change_bytes(out);
    g_ptr_array_add(fallen, out);
  }
  log->ring[log->next++ % log->capacity] = change;
}

guint64 ferry_log_ring_seek(const FerryLog *log, gint64 revision) {
  guint64 low = log->first, high = log->next;
  while (low < high) {
    guint64 middle = low + (high - low) / 2;
    if (ferry_log_ring_at(log, middle)->revision <= revision)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}
